// One question to the policies: may this principal do this to that? Views; lives for one
// evaluation.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/identity.h"

namespace pileus::aws::policy {

// Values of condition keys: names without regard to case, one value or several.
using ConditionValues = std::map<std::string, std::vector<std::string>>;

class Request {
 public:
  Request(const Identity& identity, std::string_view what, std::string_view on)
      : principal(identity), action(what), resource(on) {}

  const Identity& principal;
  std::string_view action;            // "s3:GetObject"
  std::string_view resource;          // ARN, or "*"
  std::string_view resource_account;  // "": the principal's own
  std::string_view
      federated_provider;  // AssumeRoleWithSAML, …WithWebIdentity: the provider's ARN or name
  std::string_view canonical_user;  // S3's id of the principal's account, where there is one
  // Keys that this call gives. They win over what follows from the principal (aws:PrincipalArn,
  // aws:userid, aws:CurrentTime …; see keys.h), which need not be given.
  const ConditionValues* conditions = nullptr;
  std::optional<Time> now;  // for aws:CurrentTime and aws:EpochTime

  bool crosses_accounts() const {
    return !resource_account.empty() && resource_account != principal.account;
  }
};

}  // namespace pileus::aws::policy
