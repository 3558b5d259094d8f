// The permissions policies of a user, a group or a role, each with where it comes from: what the
// simulator, the last-accessed reports and ListPoliciesGrantingServiceAccess read.
#pragma once

#include "services/iam/arns.h"
#include "services/iam/state.h"

namespace pileus::services::iam {

struct SourcedPolicy {
  enum class Owner { kUser, kGroup, kRole, kAws, kAccount };  // of inline ones, of managed ones
  Owner owner = Owner::kAccount;
  std::string name;
  std::string arn;     // managed ones
  std::string entity;  // inline ones: name of the user, group or role
  std::string document;
  bool managed() const { return owner == Owner::kAws || owner == Owner::kAccount; }
};

// A user, group or role with its policies; a user's include those of its groups.
struct PolicyHolder {
  EntityArn arn;
  std::string id, name, path;
  Tags tags;
  std::vector<SourcedPolicy> policies;
  std::optional<SourcedPolicy> boundary;
  std::set<std::string> members;  // of a group: lower-case user names
};

// The managed policy's document in force; nothing where there is none.
Task<Result<std::optional<aws::NamedPolicy>>> read_managed(IamState& state, std::string arn);

// InvalidInput for an ARN of anything else, NoSuchEntity.
Task<Result<PolicyHolder>> load_holder(IamState& state, std::string account, std::string arn);

// Whether an Allow statement of the document speaks of the service ("lambda") at all.
bool grants_access(std::string_view document, std::string_view service_namespace);

}  // namespace pileus::services::iam
