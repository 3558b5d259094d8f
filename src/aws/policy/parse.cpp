// Validation and compilation of policy documents.
#include <algorithm>
#include <unordered_set>

#include "aws/policy/policy.h"
#include "base/json.h"

namespace pileus::aws::policy {

class Parser {
 public:
  explicit Parser(Use use) : use_(use) {}
  Result<Policy> parse(std::string_view document);

 private:
  using Check = Result<std::monostate>;
  static constexpr std::monostate kFine{};

  std::unexpected<Error> bad(std::string message) const {
    return fail("MalformedPolicyDocument", std::move(message), 400);
  }
  // Where the trust policy's parser names the field, the other one only says that something is
  // wrong.
  std::unexpected<Error> syntax(std::string trust_message) const {
    return bad(use_ == Use::kTrust ? std::move(trust_message) : "Syntax errors in policy.");
  }

  Check version(const JsonObject& document);
  Check statements(const JsonObject& document);
  Check statement(const Json& json);
  Check fields(const JsonObject& json) const;
  Check sid(const JsonObject& json, Statement& out);
  Check effect(const JsonObject& json, Statement& out);
  Check principal(const JsonObject& json, Statement& out);
  Check principal_map(const Json& value, Statement& out);
  Check principal_entry(std::string_view type, std::string_view value, Statement& out);
  Check actions(const JsonObject& json, Statement& out);
  Check action(std::string_view text, Statement& out);
  Check resources(const JsonObject& json, Statement& out);
  Check resource(std::string_view text, Statement& out);
  Check resource_arn(std::string_view text) const;
  Check conditions(const JsonObject& json, Statement& out);
  Check condition(std::string_view operator_name, const JsonObject& keys, Statement& out);
  // A string or a list of strings. False for anything else, or too many.
  bool strings(const Json& json, std::vector<std::string>& out, bool scalars = false);

  const Use use_;
  std::size_t values_ = 0;
  std::unordered_set<std::string> sids_;
  Policy policy_;
};

namespace {

// "X" or "NotX", never both.
struct Choice {
  const Json* value = nullptr;
  bool negated = false;
  bool both = false;
};
Choice choose(const JsonObject& json, std::string_view name, std::string_view negated_name) {
  const Json *plain = json.if_contains(name), *negated = json.if_contains(negated_name);
  return {plain ? plain : negated, !plain, plain && negated};
}

bool is_account_id(std::string_view text) {
  return text.size() == 12 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}
bool is_unique_id(std::string_view text) {
  return text.size() >= 16 &&
         (text.starts_with("AIDA") || text.starts_with("AROA") || text.starts_with("AGPA"));
}
bool has_wildcard(std::string_view text) {
  return text.find_first_of("*?") != std::string_view::npos;
}

constexpr std::string_view kVendorNeeded =
    "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";

}  // namespace

bool Parser::strings(const Json& json, std::vector<std::string>& out, bool scalars) {
  if (++values_ > kMaxValues) return false;
  if (json.is_string()) {
    out.emplace_back(json.get_string());
    return true;
  }
  // Condition values may be numbers and booleans.
  if (scalars && (json.is_bool() || json.is_number())) {
    out.push_back(to_text(json));
    return true;
  }
  if (!json.is_array()) return false;
  return std::all_of(json.get_array().begin(), json.get_array().end(), [&](const Json& item) {
    return !item.is_array() && strings(item, out, scalars);
  });
}

Result<Policy> Parser::parse(std::string_view document) {
  const auto json = parse_json(document, kMaxJsonDepth);
  if (!json || !json->is_object()) return syntax("This policy contains invalid Json");
  TRY(version(json->get_object()));
  TRY(statements(json->get_object()));
  return std::move(policy_);
}

Parser::Check Parser::version(const JsonObject& document) {
  for (const auto& [name, value] : document) {
    if (name == "Version" || name == "Statement") continue;
    if (name != "Id") return syntax(str("Unknown field ", std::string_view(name)));
    if (!value.is_string()) return syntax("Id must be a string");
    policy_.id_ = std::string_view(value.get_string());
  }
  const Json* value = document.if_contains("Version");
  if (!value) return kFine;
  if (!value->is_string()) return bad("The policy must contain a valid version string.");
  const std::string_view text = value->get_string();
  if (text != "2012-10-17" && text != "2008-10-17")
    return bad("The policy must contain a valid version string.");
  policy_.variables_ = text == "2012-10-17";
  return kFine;
}

Parser::Check Parser::statements(const JsonObject& document) {
  const Json* value = document.if_contains("Statement");
  if (!value) return syntax("Missing required field Statement");
  if (value->is_object()) return statement(*value);
  if (!value->is_array()) return syntax("Statement must be an object or a list");
  if (value->get_array().empty()) return syntax("Could not parse the policy: Statement is empty!");
  if (value->get_array().size() > kMaxStatements) return bad("The policy has too many statements.");
  for (const Json& item : value->get_array()) TRY(statement(item));
  return kFine;
}

Parser::Check Parser::statement(const Json& json) {
  if (!json.is_object()) return syntax("A statement must be an object");
  const JsonObject& object = json.get_object();
  TRY(fields(object));
  Statement out;
  TRY(sid(object, out));
  TRY(effect(object, out));
  TRY(principal(object, out));
  TRY(actions(object, out));
  TRY(resources(object, out));
  TRY(conditions(object, out));
  policy_.masks_.push_back(ActionMask::of_statement(out));
  policy_.statements_.push_back(std::move(out));
  return kFine;
}

Parser::Check Parser::fields(const JsonObject& json) const {
  constexpr std::string_view kKnown[] = {"Sid",          "Effect",      "Principal",
                                         "NotPrincipal", "Action",      "NotAction",
                                         "Resource",     "NotResource", "Condition"};
  for (const auto& [name, value] : json) {
    if (std::find(std::begin(kKnown), std::end(kKnown), std::string_view(name)) == std::end(kKnown))
      return syntax(str("Unknown field ", std::string_view(name)));
    const bool is_principal = name == "Principal" || name == "NotPrincipal";
    if (is_principal && use_ == Use::kIdentity)
      return bad("Policy document should not specify a principal.");
    if (use_ == Use::kTrust && (name == "Resource" || name == "NotResource"))
      return bad(str("Has prohibited field ", std::string_view(name)));
  }
  return kFine;
}

Parser::Check Parser::sid(const JsonObject& json, Statement& out) {
  const Json* value = json.if_contains("Sid");
  if (!value) return kFine;
  if (!value->is_string()) return syntax("Sid must be a string");
  out.sid = std::string_view(value->get_string());
  // Other services allow more in their resource policies, and repetitions.
  if (use_ != Use::kIdentity) return kFine;
  if (!std::all_of(out.sid.begin(), out.sid.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
      }))
    return bad(
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
        "expression [0-9A-Za-z]*");
  if (!out.sid.empty() && !sids_.insert(out.sid).second)
    return bad("Statement IDs (SID) in a single policy must be unique.");
  return kFine;
}

Parser::Check Parser::effect(const JsonObject& json, Statement& out) {
  const Json* value = json.if_contains("Effect");
  if (!value) return syntax("Missing required field Effect");
  if (!value->is_string() || (value->get_string() != "Allow" && value->get_string() != "Deny"))
    return syntax(str("Invalid effect: ", value->is_string() ? std::string_view(value->get_string())
                                                             : std::string_view("null")));
  out.allow = value->get_string() == "Allow";
  return kFine;
}

Parser::Check Parser::principal(const JsonObject& json, Statement& out) {
  if (use_ == Use::kIdentity) return kFine;
  const Choice choice = choose(json, "Principal", "NotPrincipal");
  if (!choice.value) return bad("Missing required field Principal");
  if (choice.both) return syntax("Principal and NotPrincipal exclude each other");
  out.not_principal = choice.negated;
  if (choice.value->is_string()) {
    if (choice.value->get_string() != "*")
      return bad(str("Invalid principal in policy: \"AWS\":\"",
                     std::string_view(choice.value->get_string()), '"'));
    out.principals.add({PrincipalEntry::Kind::kEveryone, "*"});
  } else {
    TRY(principal_map(*choice.value, out));
  }
  if (out.principals.empty())
    return bad(
        "Invalid principal in policy: com.amazon.balsa.error.InvalidPolicyException: The passed in "
        "policy has a "
        "statement with no principals!");
  return kFine;
}

Parser::Check Parser::principal_map(const Json& value, Statement& out) {
  if (!value.is_object()) return syntax("Principal must be \"*\" or an object");
  for (const auto& [type, names] : value.get_object()) {
    std::vector<std::string> list;
    if (!strings(names, list)) return syntax("Invalid principal in policy");
    for (const auto& name : list) TRY(principal_entry(type, name, out));
  }
  return kFine;
}

Parser::Check Parser::principal_entry(std::string_view type, std::string_view value,
                                      Statement& out) {
  using Kind = PrincipalEntry::Kind;
  const auto add = [&](Kind kind, std::string_view text) {
    out.principals.add({kind, std::string(text)});
    return kFine;
  };
  const auto invalid = [&](std::string_view shown) {
    return bad(str("Invalid principal in policy: \"", shown, "\":\"", value, '"'));
  };
  if (type == "Service")
    return value.empty() ? Check(invalid("SERVICE")) : add(Kind::kService, value);
  if (type == "Federated")
    return value.empty() ? Check(invalid("FEDERATED")) : add(Kind::kFederated, value);
  if (type == "CanonicalUser")
    return value.empty() ? Check(invalid("CANONICAL")) : add(Kind::kCanonicalUser, value);
  if (type != "AWS") return bad(str("Invalid principal in policy: \"", type, "\":\"", value, '"'));
  if (value == "*") return add(Kind::kEveryone, value);
  if (is_account_id(value)) return add(Kind::kAccount, value);
  if (is_unique_id(value)) return add(Kind::kUniqueId, value);
  const auto arn = parse_arn(value);
  if (!arn || has_wildcard(value) || (arn->service != "iam" && arn->service != "sts") ||
      !is_account_id(arn->account))
    return invalid("AWS");
  if (arn->service == "iam" && arn->resource == "root") return add(Kind::kAccount, arn->account);
  constexpr std::string_view kIam[] = {"user", "role"}, kSts[] = {"assumed-role", "federated-user"};
  const auto& types = arn->service == "iam" ? kIam : kSts;
  if (std::find(std::begin(types), std::end(types), arn->resource_type()) == std::end(types))
    return invalid("AWS");
  return add(Kind::kAws, value);
}

Parser::Check Parser::actions(const JsonObject& json, Statement& out) {
  const Choice choice = choose(json, "Action", "NotAction");
  if (!choice.value)
    return use_ == Use::kTrust ? Check(bad("Missing required field Action"))
                               : Check(bad("Policy statement must contain actions."));
  if (choice.both) return syntax("Action and NotAction exclude each other");
  out.not_action = choice.negated;
  std::vector<std::string> list;
  if (!strings(*choice.value, list)) return syntax("Action must be a string or a list of strings");
  if (list.empty()) return bad("Policy statement must contain actions.");
  for (const auto& text : list) TRY(action(text, out));
  return kFine;
}

Parser::Check Parser::action(std::string_view text, Statement& out) {
  const auto colon = text.find(':');
  if (use_ == Use::kTrust &&
      (colon == std::string_view::npos || !iequals(text.substr(0, colon), "sts")))
    return bad("AssumeRole policy may only specify STS AssumeRole actions.");
  if (text != "*" && text != "*:*") {
    if (colon == std::string_view::npos || colon == 0) return bad(std::string(kVendorNeeded));
    const auto vendor = text.substr(0, colon), name = text.substr(colon + 1);
    if (name.find(':') != std::string_view::npos)
      return bad("Actions/Condition can contain only one colon.");
    const auto plain = [](std::string_view word, std::string_view more) {
      return std::all_of(word.begin(), word.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               more.find(c) != more.npos;
      });
    };
    if (!plain(vendor, "-")) return bad(str("Vendor ", vendor, " is not valid"));
    if (name.empty() || !plain(name, "*?-_")) return bad("The policy failed legacy parsing");
  }
  out.actions.emplace_back(to_lower(text));
  return kFine;
}

Parser::Check Parser::resources(const JsonObject& json, Statement& out) {
  if (use_ == Use::kTrust) return kFine;
  const Choice choice = choose(json, "Resource", "NotResource");
  if (!choice.value) return bad("Policy statement must contain resources.");
  if (choice.both) return syntax("Resource and NotResource exclude each other");
  out.not_resource = choice.negated;
  std::vector<std::string> list;
  if (!strings(*choice.value, list))
    return syntax("Resource must be a string or a list of strings");
  if (list.empty()) return bad("Policy statement must contain resources.");
  for (const auto& text : list) TRY(resource(text, out));
  return kFine;
}

Parser::Check Parser::resource(std::string_view text, Statement& out) {
  if (text != "*") TRY(resource_arn(text));
  auto parsed = TextTemplate::parse(text, policy_.variables_);
  if (!parsed) return bad("The policy failed legacy parsing");
  ResourceEntry entry;
  if (parsed->is_constant())
    entry.pattern = parsed->constant_pattern(Pattern::Form::kResourceArn);
  else
    entry.with_variables = std::move(parsed);
  out.resources.push_back(std::move(entry));
  return kFine;
}

// What IAM says of a resource that can be no ARN. Parts may be missing behind a final wildcard.
Parser::Check Parser::resource_arn(std::string_view text) const {
  const auto parts = split(text, ':');
  if (parts[0] != "arn" || parts.size() < 3 || (parts.size() < 6 && !text.ends_with('*')))
    return bad(str("Resource ", text, " must be in ARN format or \"*\"."));
  if (parts[1].empty()) return bad(str("Partition \"\" is not valid for resource \"", text, "\"."));
  if (use_ != Use::kIdentity || text.find("${") != std::string_view::npos || parts.size() < 6)
    return kFine;
  if (parts[2].empty() || has_wildcard(parts[2]))
    return bad("Resource vendor must be fully qualified and cannot contain regexes.");
  if (parts[2] == "s3" && !parts[3].empty() && parts[3] != "*" && parts[4].empty())
    return bad(str("Resource ", text, " can not contain region information."));
  if (parts[2] != "iam") return kFine;
  if (!parts[3].empty())
    return bad(str("IAM resource ", text, " cannot contain region information."));
  constexpr std::string_view kPaths[] = {"user/",
                                         "federated-user/",
                                         "role/",
                                         "group/",
                                         "instance-profile/",
                                         "mfa/",
                                         "server-certificate/",
                                         "policy/",
                                         "sms-mfa/",
                                         "saml-provider/",
                                         "oidc-provider/",
                                         "report/",
                                         "access-report/"};
  const bool known = parts[5] == "*" || parts[5] == "root" ||
                     std::any_of(std::begin(kPaths), std::end(kPaths),
                                 [&](auto path) { return parts[5].starts_with(path); });
  if (!known)
    return bad(
        "IAM resource path must either be \"*\" or start with user/, federated-user/, role/, "
        "group/, "
        "instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, "
        "oidc-provider/, report/, "
        "access-report/.");
  return kFine;
}

Parser::Check Parser::conditions(const JsonObject& json, Statement& out) {
  const Json* value = json.if_contains("Condition");
  if (!value) return kFine;
  if (!value->is_object()) return syntax("Condition must be an object");
  for (const auto& [operator_name, keys] : value->get_object()) {
    if (!keys.is_object()) return syntax("A condition operator must hold an object of keys");
    TRY(condition(operator_name, keys.get_object(), out));
  }
  return kFine;
}

Parser::Check Parser::condition(std::string_view operator_name, const JsonObject& keys,
                                Statement& out) {
  const auto prototype = Condition::with_operator(operator_name);
  if (!prototype) return bad(str("Invalid Condition type : ", operator_name, '.'));
  for (const auto& [key, value] : keys) {
    if (key.find(':') == std::string_view::npos) return bad(std::string(kVendorNeeded));
    Condition one = *prototype;
    one.set_key(key);
    std::vector<std::string> list;
    if (!strings(value, list, true)) return syntax("Condition values must be strings");
    for (const auto& text : list)
      if (!one.add_value(text, policy_.variables_))
        return bad(str("Invalid value \"", text, "\" for condition ", operator_name, " of ",
                       std::string_view(key), '.'));
    out.conditions.push_back(std::move(one));
  }
  return kFine;
}

Result<Policy> parse_policy(std::string_view document, Use use) {
  return Parser(use).parse(document);
}

}  // namespace pileus::aws::policy
