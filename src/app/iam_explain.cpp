// `pileus iam explain`: asks the policy simulator as the owner, and shows the statement that
// decides in its policy's own text.
#include <map>
#include <pugixml.hpp>

#include "app/ask.h"
#include "app/commands.h"
#include "app/terminal.h"
#include "base/text.h"

namespace pileus::app {

namespace {

constexpr const char* kVersion = "2010-05-08";
constexpr int kCannotTell = 2;

using Parameters = std::vector<std::pair<std::string, std::string>>;

Result<pugi::xml_document> ask_iam(const Target& target, Parameters parameters) {
  TRY_ASSIGN(const std::string answer, ask_query(target, "iam", kVersion, std::move(parameters)));
  pugi::xml_document document;
  document.load_buffer(answer.data(), answer.size());
  return document;
}

// arn:aws:sts::1:assumed-role/name/session → the role's ARN, which also knows its path.
Result<std::string> principal_of(const Target& target, const std::string& arn) {
  const auto parts = split(arn, ':');
  if (parts.size() != 6 || parts[2] != "sts" || !parts[5].starts_with("assumed-role/")) return arn;
  const auto names = split(parts[5], '/');
  TRY_ASSIGN(const auto role,
             ask_iam(target, {{"Action", "GetRole"}, {"RoleName", std::string(names[1])}}));
  return std::string(role.select_node("//Role/Arn").node().child_value());
}

Result<Parameters> question(const ExplainQuery& query, const std::string& principal) {
  Parameters parameters = {{"Action", "SimulatePrincipalPolicy"},
                           {"PolicySourceArn", principal},
                           {"ActionNames.member.1", query.action},
                           {"ResourceArns.member.1", query.resource}};
  std::map<std::string, std::vector<std::string>> context;
  for (const auto& entry : query.context) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos)
      return fail(std::string(errc::kInvalid), str("--context is KEY=VALUE, not ", entry));
    context[entry.substr(0, equals)].push_back(entry.substr(equals + 1));
  }
  int i = 0;
  for (const auto& [key, values] : context) {
    const std::string prefix = str("ContextEntries.member.", ++i, ".");
    parameters.emplace_back(prefix + "ContextKeyName", key);
    parameters.emplace_back(prefix + "ContextKeyType", values.size() > 1 ? "stringList" : "string");
    for (std::size_t v = 0; v < values.size(); ++v)
      parameters.emplace_back(str(prefix, "ContextKeyValues.member.", v + 1), values[v]);
  }
  return parameters;
}

// The documents of the account's policies, by type and name as the simulator names them.
class Documents {
 public:
  Result<Unit> load(const Target& target) {
    std::string marker;
    do {
      Parameters parameters = {{"Action", "GetAccountAuthorizationDetails"}, {"MaxItems", "1000"}};
      if (!marker.empty()) parameters.emplace_back("Marker", marker);
      TRY_ASSIGN(const auto page, ask_iam(target, std::move(parameters)));
      for (const char* kind : {"User", "Group", "Role"})
        for (const auto& found : page.select_nodes(str("//", kind, "PolicyList/member").c_str()))
          add(to_lower(kind), found.node().child_value("PolicyName"),
              found.node().child_value("PolicyDocument"));
      for (const auto& found : page.select_nodes("//Policies/member"))
        for (const auto& version : found.node().child("PolicyVersionList").children("member"))
          if (std::string_view(version.child_value("IsDefaultVersion")) == "true")
            add(std::string_view(found.node().child_value("Arn")).find("::aws:") !=
                        std::string_view::npos
                    ? "aws-managed"
                    : "user-managed",
                found.node().child_value("PolicyName"), version.child_value("Document"));
      marker = page.select_node("//Marker").node().child_value();
    } while (!marker.empty());
    return Unit{};
  }
  const std::string* find(const std::string& type, const std::string& name) const {
    const auto found = texts_.find({type, name});
    return found == texts_.end() ? nullptr : &found->second;
  }

 private:
  void add(std::string type, std::string name, const char* encoded) {
    if (auto text = percent_decode(encoded))
      texts_[{std::move(type), std::move(name)}] = std::move(*text);
  }
  std::map<std::pair<std::string, std::string>, std::string> texts_;
};

int number(const pugi::xml_node& node, const char* position, const char* member) {
  return node.child(position).child(member).text().as_int();
}

// The text between the two places: columns count from 1, the last one is behind the end.
std::string between(const std::string& text, const pugi::xml_node& statement) {
  const int first = number(statement, "StartPosition", "Line");
  const int last = number(statement, "EndPosition", "Line");
  std::string out;
  int line = 1;
  for (const auto part : split(text, '\n')) {
    std::size_t from = 0, to = part.size();
    if (line == last) to = static_cast<std::size_t>(number(statement, "EndPosition", "Column") - 1);
    if (line == first)
      from = static_cast<std::size_t>(number(statement, "StartPosition", "Column") - 1);
    if (line >= first && line <= last && from <= to && from <= part.size())
      out += str(part.substr(from, to - from), '\n');
    ++line;
  }
  // A single statement begins behind its brace, one of a list before its comma.
  std::string_view shown = trim(out);
  if (shown.starts_with(',')) shown = trim(shown.substr(1));
  return shown.starts_with('{') ? std::string(shown) : "{" + std::string(shown);
}

std::string owner_of(std::string_view type) {
  if (type == "aws-managed") return "AWS's managed policy";
  if (type == "user-managed") return "managed policy";
  return str("inline ", type, " policy");
}

void show_statement(const pugi::xml_node& statement, const Documents& documents, bool allowed) {
  const std::string type = statement.child_value("SourcePolicyType");
  const std::string name = statement.child_value("SourcePolicyId");
  const int first = number(statement, "StartPosition", "Line");
  const int last = number(statement, "EndPosition", "Line");
  print(str("\n  ", allowed ? "allowed by " : "denied by  ", owner_of(type), " ", bold(name),
            dim(first == last ? str("  line ", first) : str("  lines ", first, " to ", last))));
  const std::string* text = documents.find(type, name);
  if (!text) return;
  for (const auto line : split(between(*text, statement), '\n'))
    print(str("    ", dim("│ "), std::string(line)));
}

void show_reason(const pugi::xml_node& result, const std::string& decision) {
  const auto boundary = result.child("PermissionsBoundaryDecisionDetail");
  if (decision == "implicitDeny")
    print(boundary &&
                  std::string_view(boundary.child_value("AllowedByPermissionsBoundary")) == "false"
              ? "  The permissions boundary does not allow it: what it leaves out is denied."
              : "  No policy allows it: what nothing allows is denied.");
  else if (decision == "explicitDeny")
    print("  A statement denies it: that wins over everything that allows.");
}

int show(const ExplainQuery& query, const std::string& principal, const pugi::xml_node& result,
         const Documents& documents) {
  const std::string decision = result.child_value("EvalDecision");
  const bool allowed = decision == "allowed";
  print(str(allowed ? green("✓ allowed") : red("✗ denied"), "  ", bold(query.action), " on ",
            query.resource));
  print(dim(str("  by ", principal)));
  show_reason(result, decision);
  for (const auto& statement : result.child("MatchedStatements").children("member"))
    show_statement(statement, documents, allowed);
  std::string keys;
  for (const auto& found : result.select_nodes(".//MissingContextValues/member"))
    keys += str(keys.empty() ? "" : ", ", found.node().child_value());
  if (!keys.empty())
    print(str("\n  Conditions ask for ", bold(keys), ", which no --context gives."));
  return allowed ? 0 : 1;
}

}  // namespace

int explain_access(Target target, const ExplainQuery& query) {
  const auto cannot = [](const Error& error) {
    complain(error.message(), "");
    return kCannotTell;
  };
  const auto parts = split(query.principal, ':');
  if (parts.size() == 6 && parts[4].size() == 12) target.account = std::string(parts[4]);
  const auto principal = principal_of(target, query.principal);
  if (!principal) return cannot(principal.error());
  auto parameters = question(query, *principal);
  if (!parameters) return cannot(parameters.error());
  const auto answer = ask_iam(target, std::move(*parameters));
  if (!answer) return cannot(answer.error());
  Documents documents;
  if (const auto loaded = documents.load(target); !loaded) return cannot(loaded.error());
  return show(query, *principal, answer->select_node("//EvaluationResults/member").node(),
              documents);
}

}  // namespace pileus::app
