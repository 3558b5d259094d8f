#include "services/lambda/policy_document.h"

#include <algorithm>

#include "aws/policy/policy.h"
#include "base/text.h"
#include "services/lambda/names.h"

namespace pileus::services::lambda {
namespace {

bool is_account(std::string_view text) {
  return text.size() == 12 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "s3.amazonaws.com", "events.amazonaws.com.cn", "alexa-appkit.amazon.com".
bool is_service(std::string_view text) {
  const bool letters = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  const bool ends = text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn") ||
                    text.ends_with(".amazon.com");
  return letters && ends && text.front() != '.' && text.find("..") == std::string_view::npos;
}

// arn:aws:iam::123456789012:root, …:user/u, …:role/r, arn:aws:sts::…:assumed-role/r/s
bool is_principal_arn(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() != 6 || parts[0] != "arn" || !parts[1].starts_with("aws")) return false;
  if (!parts[3].empty() || !is_account(parts[4])) return false;
  const std::string_view what = parts[5];
  const auto names = [&](std::string_view kind) {
    return what.starts_with(kind) && what.size() > kind.size() &&
           what.find('*') == std::string_view::npos;
  };
  if (parts[2] == "iam") return what == "root" || names("user/") || names("role/");
  return parts[2] == "sts" && (names("assumed-role/") || names("federated-user/"));
}

// The document as an object whose Statement is an array.
JsonObject opened(std::string_view document) {
  auto parsed = document.empty() ? Result<Json>(JsonObject()) : parse_json(document);
  JsonObject object = parsed && parsed->is_object() ? parsed->get_object() : JsonObject();
  if (object.empty()) {
    object["Version"] = "2012-10-17";
    object["Id"] = "default";
  }
  Json& statements = object["Statement"];
  if (statements.is_object()) {
    JsonArray one;
    one.push_back(std::move(statements));
    statements = std::move(one);
  }
  if (!statements.is_array()) statements = JsonArray();
  return object;
}

std::vector<std::string> texts_of(const Json* value) {
  std::vector<std::string> out;
  if (!value) return out;
  if (value->is_string()) out.emplace_back(value->get_string());
  if (value->is_array())
    for (const auto& item : value->get_array())
      if (item.is_string()) out.emplace_back(item.get_string());
  return out;
}

bool names_everyone(const Json& principal) {
  if (principal.is_string()) return principal.get_string() == "*";
  if (!principal.is_object()) return false;
  for (const auto& [kind, names] : principal.get_object())
    for (const auto& name : texts_of(&names))
      if (name == "*") return true;
  return false;
}

// Conditions that leave only somebody in particular, where their values are no wildcards.
bool is_narrow(const Json* condition) {
  constexpr std::string_view kNarrow[] = {
      "aws:sourceaccount",  "aws:sourcearn",      "aws:sourceorgid",         "aws:principalaccount",
      "aws:principalarn",   "aws:principalorgid", "aws:principalorgpaths",   "aws:userid",
      "aws:sourceorgpaths", "aws:sourceip",       "lambda:eventsourcetoken", "aws:sourcevpce",
      "aws:sourcevpc",      "aws:viaawsservice"};
  if (!condition || !condition->is_object()) return false;
  for (const auto& [test, keys] : condition->get_object()) {
    const std::string name = to_lower(test);
    const bool positive = name.find("not") == std::string::npos && !name.ends_with("ifexists") &&
                          !name.starts_with("forallvalues") && name != "null";
    if (!positive || !keys.is_object()) continue;
    for (const auto& [key, values] : keys.get_object()) {
      if (std::find(std::begin(kNarrow), std::end(kNarrow), to_lower(key)) == std::end(kNarrow))
        continue;
      const auto texts = texts_of(&values);
      const bool open = std::any_of(texts.begin(), texts.end(), [](const std::string& text) {
        return text.starts_with("*") || text.ends_with("/0");
      });
      if (!texts.empty() && !open) return true;
    }
  }
  return false;
}

Error bad_policy(std::string message) { return invalid(std::move(message)); }

Result<Unit> check_statement(const Json& statement, const std::string& resource) {
  for (const auto& action : texts_of(find(statement, "Action")))
    if (action != "*" && !to_lower(action).starts_with("lambda:"))
      return fail(bad_policy(str("The action '", action, "' is not one of Lambda.")));
  const auto resources = texts_of(find(statement, "Resource"));
  if (find(statement, "NotResource") || resources.empty())
    return fail(bad_policy(str("Every statement must name the resource ", resource, ".")));
  for (const auto& named : resources)
    if (named != resource)
      return fail(bad_policy(str("The resource '", named, "' of the policy is not the resource ",
                                 resource, " that it is attached to.")));
  const Json* principal = find(statement, "Principal");
  const bool everyone =
      find(statement, "NotPrincipal") || (principal && names_everyone(*principal));
  if (find_string(statement, "Effect") == "Allow" && everyone &&
      !is_narrow(find(statement, "Condition")))
    return fail(Error("PublicPolicyException",
                      str("The policy would grant public access to ", resource,
                          ", which is not allowed. Name principals, or limit the statement by a "
                          "condition such as aws:SourceAccount or aws:PrincipalOrgID."),
                      400)
                    .with("Type", "User"));
  return Unit{};
}

}  // namespace

Result<Json> function_principal(std::string_view arn_partition, const std::string& text) {
  if (text == "*") return Json("*");
  JsonObject out;
  if (is_account(text))
    out["AWS"] = str("arn:", arn_partition, ":iam::", text, ":root");
  else if (is_principal_arn(text))
    out["AWS"] = text;
  else if (is_service(text))
    out["Service"] = text;
  else
    return fail(
        invalid("The provided principal was invalid. Please check the principal and try again."));
  return Json(std::move(out));
}

JsonObject statement_of(const Grant& grant, std::string_view resource) {
  JsonObject out;
  out["Sid"] = grant.statement_id;
  out["Effect"] = "Allow";
  out["Principal"] = grant.principal;
  out["Action"] = grant.action;
  out["Resource"] = resource;
  JsonObject condition;
  if (!grant.equals.empty()) condition["StringEquals"] = grant.equals;
  if (!grant.boolean.empty()) condition["Bool"] = grant.boolean;
  if (!grant.like.empty()) condition["ArnLike"] = grant.like;
  if (!condition.empty()) out["Condition"] = std::move(condition);
  return out;
}

Result<Unit> add_statement(std::string& document, JsonObject statement) {
  JsonObject object = opened(document);
  auto& statements = object["Statement"].get_array();
  const std::string id(find_string(Json(statement), "Sid"));
  for (const auto& other : statements)
    if (find_string(other, "Sid") == id)
      return fail(conflict(str("The statement id (", id,
                               ") provided already exists. Please provide a new statement id, or "
                               "remove the existing statement.")));
  statements.push_back(std::move(statement));
  std::string text = to_text(Json(std::move(object)));
  if (text.size() > kMaxPolicyBytes)
    return fail(Error("PolicyLengthExceededException",
                      str("The final policy size (", text.size(), ") is bigger than the limit (",
                          kMaxPolicyBytes, ")."),
                      400)
                    .with("Type", "User"));
  document = std::move(text);
  return Unit{};
}

Result<Unit> remove_statement(std::string& document, std::string_view statement_id) {
  if (document.empty()) return fail(not_found("No policy is associated with the given resource."));
  JsonObject object = opened(document);
  auto& statements = object["Statement"].get_array();
  const auto found = std::find_if(statements.begin(), statements.end(), [&](const Json& other) {
    return find_string(other, "Sid") == statement_id;
  });
  if (found == statements.end())
    return fail(not_found(str("Statement ", statement_id, " is not found in resource policy.")));
  statements.erase(found);
  document = statements.empty() ? "" : to_text(Json(std::move(object)));
  return Unit{};
}

std::optional<JsonObject> find_statement(std::string_view document, std::string_view statement_id) {
  const JsonObject object = opened(document);
  for (const auto& statement : object.at("Statement").get_array())
    if (statement.is_object() && find_string(statement, "Sid") == statement_id)
      return statement.get_object();
  return std::nullopt;
}

Result<Unit> check_whole_policy(const std::string& document, const std::string& resource) {
  auto parsed = aws::policy::parse_policy(document, aws::policy::Use::kResource);
  if (!parsed) return fail(bad_policy(parsed.error().message()));
  const JsonObject object = opened(document);
  std::vector<std::string> ids;
  for (const auto& statement : object.at("Statement").get_array()) {
    TRY(check_statement(statement, resource));
    const std::string id(find_string(statement, "Sid"));
    if (!id.empty() && std::find(ids.begin(), ids.end(), id) != ids.end())
      return fail(bad_policy(str("The statement id '", id, "' is used twice in the policy.")));
    ids.push_back(id);
  }
  return Unit{};
}

std::vector<std::string> principals_of(std::string_view document) {
  std::vector<std::string> out;
  const JsonObject object = opened(document);
  for (const auto& statement : object.at("Statement").get_array()) {
    const Json* principal = find(statement, "Principal");
    if (!principal) continue;
    for (auto& name : texts_of(principal)) out.push_back(std::move(name));
    if (principal->is_object())
      for (const auto& [kind, names] : principal->get_object())
        for (auto& name : texts_of(&names)) out.push_back(std::move(name));
  }
  return out;
}

std::optional<std::string> url_auth_type_of(const JsonObject& statement) {
  const Json* condition = statement.if_contains("Condition");
  const Json* equals = condition ? find(*condition, "StringEquals") : nullptr;
  const auto type = equals ? find_string(*equals, "lambda:FunctionUrlAuthType") : "";
  return type.empty() ? std::nullopt : std::optional<std::string>(type);
}

}  // namespace pileus::services::lambda
