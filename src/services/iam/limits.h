// The bounds of IAM. Those of the first part hold always; those of the second are quotas that AWS
// raises on request: they hold with Quotas::kAws, and without it a wider bound does.
#pragma once

#include "services/iam/errors.h"
#include "services/iam/state.h"

namespace pileus::services::iam {

inline constexpr std::size_t kAccessKeysPerUser = 2;
inline constexpr std::size_t kVersionsPerPolicy = 5;
inline constexpr std::size_t kPolicyBytes = 6144;  // white space not counted, as everywhere
inline constexpr std::size_t kRolesPerProfile = 1;
inline constexpr std::size_t kProfilesPerRole = 100;  // a bound of the record; AWS names none

inline constexpr std::size_t kMfaDevicesPerUser = 8;
inline constexpr std::size_t kSigningCertificatesPerUser = 2;
inline constexpr std::size_t kSshKeysPerUser = 5;
inline constexpr std::size_t kServiceCredentialsPerUser = 2;  // for each service
inline constexpr std::size_t kChainBytes = 256 << 10;         // a record holds it; AWS takes 2 MiB
inline constexpr std::size_t kThumbprintsPerProvider = 5;
inline constexpr std::size_t kClientIdsPerProvider = 100;

struct Quota {
  std::size_t aws;
  std::size_t wide;
};
inline constexpr std::size_t kUnbounded = SIZE_MAX;
inline constexpr Quota kUsers = {5000, kUnbounded};
inline constexpr Quota kGroups = {300, kUnbounded};
inline constexpr Quota kRoles = {1000, kUnbounded};
inline constexpr Quota kProfiles = {1000, kUnbounded};
inline constexpr Quota kPolicies = {1500, kUnbounded};
inline constexpr Quota kOidcProviders = {100, kUnbounded};
inline constexpr Quota kSamlProviders = {100, kUnbounded};
inline constexpr Quota kAttachments = {10, 100};
inline constexpr Quota kGroupsPerUser = {10, 100};
inline constexpr Quota kMembersPerGroup = {5000, 8000};  // a record holds them
inline constexpr Quota kServerCertificates = {20, kUnbounded};
inline constexpr Quota kTrustPolicyBytes = {2048, 8192};

inline std::size_t bound(const IamState& state, Quota quota) {
  return state.quotas() ? quota.aws : quota.wide;
}

// LimitExceeded when the account has as many of T as the quota lets it have.
template <class T>
Task<Result<Unit>> check_quota(IamState& state, aws::Context& context, std::string name,
                               Quota quota) {
  const std::size_t limit = bound(state, quota);
  if (limit == kUnbounded) co_return Unit{};
  store::ScanOptions options;
  options.limit = limit;
  CO_TRY_ASSIGN(const auto found,
                co_await state.records.scan(context.global_key(), prefix_of<T>(), options));
  if (found.size() >= limit) co_return fail(quota_exceeded(name, limit));
  co_return Unit{};
}

}  // namespace pileus::services::iam
