#include "services/iam/state.h"

namespace pileus::services::iam {

IamService::IamService(store::Records& records, const RealTime& real, Random& random,
                       const aws::MasterKey& master, IamOptions options)
    : state_(std::make_unique<IamState>(records, real, random, master, options)) {}
IamService::~IamService() = default;

std::uint64_t IamService::generation() const {
  return state_->generation.load(std::memory_order_acquire);
}

void IamService::reset() { state_->forget(); }

void IamState::changed(const UserRecord& user) {
  for (const auto& key : user.keys) {
    keys.drop(key.id);
    unknown_keys.drop(key.id);
  }
  users.drop(user.arn);
  policies.drop(principal_key(user.arn, user.id));
  session_policies.clear();
  generation.fetch_add(1, std::memory_order_acq_rel);
}

// Whoever is in the group: found by nothing that is cached, so everyone.
void IamState::changed(const GroupRecord&) {
  policies.clear();
  session_policies.clear();
}

void IamState::changed(const RoleRecord& role) {
  roles.drop(role.arn);
  policies.drop(principal_key(role.arn, role.id));
  session_policies.clear();
  generation.fetch_add(1, std::memory_order_acq_rel);
}

// Counts change with every attachment; only another document matters to anyone else.
void IamState::changed(const PolicyRecord& before, const PolicyRecord& now) {
  const auto document = [](const PolicyRecord& policy) {
    for (const auto& version : policy.versions)
      if (version.number == policy.default_version) return version.document;
    return std::string();
  };
  if (document(before) == document(now)) return;
  policies.clear();
  session_policies.clear();
}

void IamState::forget() {
  keys.clear();
  unknown_keys.clear();
  policies.clear();
  session_policies.clear();
  roles.clear();
  users.clear();
  generation.fetch_add(1, std::memory_order_acq_rel);
  std::lock_guard lock(uses_mutex);
  uses.clear();
}

}  // namespace pileus::services::iam
