#include "gen/iam/GetAccountSummary.h"
#include "services/iam/edit.h"
#include "services/iam/limits.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

Task<Result<std::int32_t>> count(store::Records& records, std::string partition,
                                 std::string prefix) {
  std::int32_t total = 0;
  store::ScanOptions options;
  options.limit = 10'000;
  for (;;) {
    CO_TRY_ASSIGN(const auto rows, co_await records.scan(partition, prefix, options));
    total += static_cast<std::int32_t>(rows.size());
    if (rows.size() < options.limit) co_return total;
    options.after = rows.back().key;
  }
}

std::int32_t quota(const IamState& state, Quota quota) {
  return static_cast<std::int32_t>(std::min<std::size_t>(bound(state, quota), INT32_MAX));
}

std::map<std::string, std::int32_t> quotas_of(const IamState& state) {
  return {{"UsersQuota", quota(state, kUsers)},
          {"GroupsQuota", quota(state, kGroups)},
          {"RolesQuota", quota(state, kRoles)},
          {"PoliciesQuota", quota(state, kPolicies)},
          {"InstanceProfilesQuota", quota(state, kProfiles)},
          {"GroupsPerUserQuota", quota(state, kGroupsPerUser)},
          {"AttachedPoliciesPerUserQuota", quota(state, kAttachments)},
          {"AttachedPoliciesPerGroupQuota", quota(state, kAttachments)},
          {"AttachedPoliciesPerRoleQuota", quota(state, kAttachments)},
          {"AssumeRolePolicySizeQuota", quota(state, kTrustPolicyBytes)},
          {"AccessKeysPerUserQuota", kAccessKeysPerUser},
          {"VersionsPerPolicyQuota", kVersionsPerPolicy},
          {"PolicySizeQuota", kPolicyBytes},
          {"UserPolicySizeQuota", UserRecord::kInlineBytes},
          {"GroupPolicySizeQuota", GroupRecord::kInlineBytes},
          {"RolePolicySizeQuota", RoleRecord::kInlineBytes},
          // What Pileus does not have, there is none of.
          {"AccountAccessKeysPresent", 0},
          {"AccountMFAEnabled", 0},
          {"MFADevices", 0},
          {"MFADevicesInUse", 0},
          {"ServerCertificates", 0},
          {"AccountSigningCertificatesPresent", 0},
          {"AccountPasswordPresent", 0}};
}

}  // namespace

Task<Result<GetAccountSummaryOutput>> IamService::get_account_summary(aws::Context& context,
                                                                      GetAccountSummaryInput) {
  CO_TRY(co_await context.authorize("iam:GetAccountSummary", "*"));
  GetAccountSummaryOutput output;
  auto& summary = output.summary_map.emplace(quotas_of(*state_));
  store::Records& records = state_->records;
  const std::string partition = context.global_key();
  CO_TRY_ASSIGN(summary["Users"], co_await count(records, partition, prefix_of<UserRecord>()));
  CO_TRY_ASSIGN(summary["Groups"], co_await count(records, partition, prefix_of<GroupRecord>()));
  CO_TRY_ASSIGN(summary["Roles"], co_await count(records, partition, prefix_of<RoleRecord>()));
  CO_TRY_ASSIGN(summary["Policies"], co_await count(records, partition, prefix_of<PolicyRecord>()));
  CO_TRY_ASSIGN(summary["InstanceProfiles"],
                co_await count(records, partition, prefix_of<ProfileRecord>()));
  CO_TRY_ASSIGN(const std::int32_t oidc,
                co_await count(records, partition, prefix_of<OidcProviderRecord>()));
  CO_TRY_ASSIGN(const std::int32_t saml,
                co_await count(records, partition, prefix_of<SamlProviderRecord>()));
  summary["Providers"] = oidc + saml;
  co_return output;
}

}  // namespace pileus::services::iam
