#include "services/iam/policy_uses.h"

namespace pileus::services::iam {

namespace {
constexpr std::string_view kRows = "iam/uses/";
constexpr std::size_t kScanPage = 1000;
}  // namespace

std::optional<PolicyUse> parse_use(std::string_view row_key) {
  if (!row_key.starts_with(kRows)) return std::nullopt;
  const auto parts = split(row_key.substr(kRows.size()), '|');
  if (parts.size() != 4) return std::nullopt;
  return PolicyUse{std::string(parts[0]),
                   parts[1] == usage_word(Usage::kPolicy) ? Usage::kPolicy : Usage::kBoundary,
                   std::string(parts[2]), std::string(parts[3])};
}

Task<Result<std::map<std::string, UseCounts>>> count_uses(store::Records& records,
                                                          std::string partition,
                                                          std::string arn_prefix) {
  std::map<std::string, UseCounts> counts;
  store::ScanOptions options;
  options.limit = kScanPage;
  for (;;) {
    CO_TRY_ASSIGN(const auto rows,
                  co_await records.scan(partition, str(kRows, arn_prefix), options));
    for (const auto& row : rows) {
      const auto use = parse_use(row.key);
      if (!use) continue;
      UseCounts& of_policy = counts[use->arn];
      ++(use->usage == Usage::kPolicy ? of_policy.attachments : of_policy.boundaries);
    }
    if (rows.size() < kScanPage) co_return counts;
    options.after = rows.back().key;
  }
}

}  // namespace pileus::services::iam
