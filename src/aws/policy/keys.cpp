#include "aws/policy/keys.h"

#include "aws/policy/request.h"
#include "base/text.h"

namespace pileus::aws::policy {
namespace {

constexpr std::string_view kPrincipalTagPrefix = "aws:PrincipalTag/";

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() > prefix.size() && iequals(text.substr(0, prefix.size()), prefix);
}

std::string_view type_name(Identity::Type type) {
  switch (type) {
    case Identity::Type::kAnonymous:
      return "Anonymous";
    case Identity::Type::kRoot:
      return "Account";
    case Identity::Type::kUser:
      return "User";
    case Identity::Type::kAssumedRole:
      return "AssumedRole";
    case Identity::Type::kFederatedUser:
      return "FederatedUser";
    case Identity::Type::kService:
      return "";
  }
  return "";
}

void add(KeyValues& out, std::string_view value) {
  if (!value.empty()) out.values.push_back(value);
}
void add_own(KeyValues& out, std::string value) {
  out.own = std::move(value);
  out.values.push_back(out.own);
}

}  // namespace

Key::Key(std::string_view name) : name_(name), derived_(derived_of(name)) {}

Key::Derived Key::derived_of(std::string_view name) {
  struct Entry {
    std::string_view name;
    Derived derived;
  };
  static constexpr Entry kEntries[] = {
      {"aws:PrincipalArn", Derived::kPrincipalArn},
      {"aws:PrincipalAccount", Derived::kPrincipalAccount},
      {"aws:PrincipalType", Derived::kPrincipalType},
      {"aws:PrincipalIsAWSService", Derived::kPrincipalIsService},
      {"aws:PrincipalServiceName", Derived::kPrincipalServiceName},
      {"aws:userid", Derived::kUserId},
      {"aws:username", Derived::kUserName},
      {"aws:SourceIdentity", Derived::kSourceIdentity},
      {"aws:MultiFactorAuthPresent", Derived::kMfaPresent},
      {"aws:MultiFactorAuthAge", Derived::kMfaAge},
      {"aws:TokenIssueTime", Derived::kTokenIssueTime},
      {"aws:CurrentTime", Derived::kCurrentTime},
      {"aws:EpochTime", Derived::kEpochTime},
      {"aws:ResourceAccount", Derived::kResourceAccount},
      {"aws:ViaAWSService", Derived::kViaService},
      {"aws:FederatedProvider", Derived::kFederatedProvider},
  };
  if (starts_with_ignoring_case(name, kPrincipalTagPrefix)) return Derived::kPrincipalTag;
  for (const auto& entry : kEntries)
    if (iequals(entry.name, name)) return entry.derived;
  return Derived::kGiven;
}

void Key::look_up(const Request& request, KeyValues& out) const {
  out.values.clear();
  if (request.conditions) {
    for (const auto& [name, values] : *request.conditions) {
      if (name.size() != name_.size() || !iequals(name, name_)) continue;
      out.values.assign(values.begin(), values.end());
      return;
    }
  }
  if (derived_ != Derived::kGiven) derive(request, out);
}

void Key::derive(const Request& request, KeyValues& out) const {
  const Identity& who = request.principal;
  const bool person =
      who.type != Identity::Type::kAnonymous && who.type != Identity::Type::kService;
  switch (derived_) {
    case Derived::kGiven:
      break;
    // For a session the ARN of its role, not of the session.
    case Derived::kPrincipalArn:
      if (person) add(out, who.type == Identity::Type::kAssumedRole ? who.role_arn : who.arn);
      break;
    case Derived::kPrincipalAccount:
      if (person) add(out, who.account);
      break;
    case Derived::kPrincipalType:
      add(out, type_name(who.type));
      break;
    case Derived::kPrincipalTag:
      for (const auto& [key, value] : who.tags)
        if (iequals(key, std::string_view(name_).substr(kPrincipalTagPrefix.size()))) {
          out.values.push_back(value);
          break;
        }
      break;
    case Derived::kPrincipalIsService:
      add(out, who.type == Identity::Type::kService ? "true" : "false");
      break;
    case Derived::kPrincipalServiceName:
      add(out, who.service);
      break;
    case Derived::kUserId:
      add(out,
          who.type == Identity::Type::kAnonymous ? "anonymous" : std::string_view(who.user_id));
      break;
    case Derived::kUserName:
      if (who.type == Identity::Type::kUser) add(out, who.user_name);
      break;
    case Derived::kSourceIdentity:
      add(out, who.source_identity);
      break;
    // Only temporary credentials say whether there was a second factor.
    case Derived::kMfaPresent:
      if (who.issued_at) add(out, who.mfa ? "true" : "false");
      break;
    // The factor was shown when the session was made.
    case Derived::kMfaAge:
      if (who.issued_at && who.mfa && request.now)
        add_own(out, std::to_string((to_millis(*request.now) - to_millis(*who.issued_at)) / 1000));
      break;
    case Derived::kTokenIssueTime:
      if (who.issued_at)
        add_own(out, iso8601(std::chrono::floor<std::chrono::seconds>(*who.issued_at)));
      break;
    case Derived::kCurrentTime:
      if (request.now)
        add_own(out, iso8601(std::chrono::floor<std::chrono::seconds>(*request.now)));
      break;
    case Derived::kEpochTime:
      if (request.now) add_own(out, std::to_string(to_millis(*request.now) / 1000));
      break;
    case Derived::kResourceAccount:
      add(out, request.resource_account.empty() ? std::string_view(who.account)
                                                : request.resource_account);
      break;
    case Derived::kViaService:
      add(out, "false");
      break;
    case Derived::kFederatedProvider:
      add(out, request.federated_provider.empty() ? std::string_view(who.federated_provider)
                                                  : request.federated_provider);
      break;
  }
}

}  // namespace pileus::aws::policy
