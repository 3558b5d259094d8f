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
          {"ServerCertificatesQuota", quota(state, kServerCertificates)},
          {"SigningCertificatesPerUserQuota", kSigningCertificatesPerUser},
          {"GlobalEndpointTokenVersion", 1},
          {"PolicyVersionsInUseQuota", 10000},
          // The account's root has no credentials of its own in Pileus.
          {"AccountAccessKeysPresent", 0},
          {"AccountMFAEnabled", 0},
          {"AccountSigningCertificatesPresent", 0},
          {"AccountPasswordPresent", 0}};
}

using Summary = std::map<std::string, std::int32_t>;

template <class T, class See>
Task<Result<Unit>> see_all(store::Records& records, std::string partition, See see) {
  store::ScanOptions options;
  for (;;) {
    CO_TRY_ASSIGN(const auto page,
                  co_await store::load_page<T>(records, partition, prefix_of<T>(), options));
    for (const auto& item : page) see(item.value);
    if (page.size() < options.limit) co_return Unit{};
    options.after = page.back().key;
  }
}

[[clang::coro_wrapper]] Task<Result<Unit>> count_devices(store::Records& records,
                                                         std::string partition, Summary* summary) {
  (*summary)["MFADevices"] = (*summary)["MFADevicesInUse"] = 0;
  return see_all<MfaRecord>(records, std::move(partition), [summary](const MfaRecord& device) {
    ++(*summary)["MFADevices"];
    if (!device.user.empty()) ++(*summary)["MFADevicesInUse"];
  });
}

[[clang::coro_wrapper]] Task<Result<Unit>> count_versions(store::Records& records,
                                                          std::string partition, Summary* summary) {
  (*summary)["PolicyVersionsInUse"] = 0;
  return see_all<PolicyRecord>(records, std::move(partition), [summary](const PolicyRecord& it) {
    (*summary)["PolicyVersionsInUse"] += static_cast<std::int32_t>(it.versions.size());
  });
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
  CO_TRY_ASSIGN(summary["ServerCertificates"],
                co_await count(records, partition, prefix_of<ServerCertificateRecord>()));
  CO_TRY_ASSIGN(const std::int32_t oidc,
                co_await count(records, partition, prefix_of<OidcProviderRecord>()));
  CO_TRY_ASSIGN(const std::int32_t saml,
                co_await count(records, partition, prefix_of<SamlProviderRecord>()));
  summary["Providers"] = oidc + saml;
  CO_TRY(co_await count_devices(records, partition, &summary));
  CO_TRY(co_await count_versions(records, partition, &summary));
  CO_TRY_ASSIGN(const auto preferences, co_await store::load<PreferencesRecord>(
                                            records, partition, std::string(kPreferencesRow)));
  if (preferences) summary["GlobalEndpointTokenVersion"] = preferences->value.token_version;
  co_return output;
}

}  // namespace pileus::services::iam
