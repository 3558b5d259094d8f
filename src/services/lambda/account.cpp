// GetAccountSettings.
#include <algorithm>

#include "gen/lambda/GetAccountSettings.h"
#include "services/lambda/impl.h"
#include "services/lambda/unzip.h"

namespace pileus::services::lambda {

Task<Result<gen::lambda::GetAccountSettingsOutput>> LambdaService::get_account_settings(
    aws::Context& context, gen::lambda::GetAccountSettingsInput) {
  CO_TRY(co_await context.authorize("lambda:GetAccountSettings", "*"));
  gen::lambda::GetAccountSettingsOutput out;
  auto& limit = out.account_limit.emplace();
  limit.total_code_size = 80'530'636'800;
  limit.code_size_unzipped = static_cast<std::int64_t>(kMaxUnpackedBytes);
  limit.code_size_zipped = static_cast<std::int64_t>(kMaxZipBytes);
  limit.concurrent_executions = static_cast<std::int32_t>(kAccountConcurrency);
  CO_TRY_ASSIGN(const auto claims,
                co_await store::load<Claims>(impl_->given.records, context.partition_key(),
                                             std::string(kClaimsKey)));
  const std::int64_t claimed = claims ? claims->value.total : 0;
  limit.unreserved_concurrent_executions =
      static_cast<std::int32_t>(std::max<std::int64_t>(0, kAccountConcurrency - claimed));
  std::int64_t bytes = 0, functions = 0;
  store::ScanOptions page;
  for (;;) {
    CO_TRY_ASSIGN(auto found,
                  co_await store::load_page<Function>(impl_->given.records, context.partition_key(),
                                                      std::string(kFunctionPrefix), page));
    if (found.empty()) break;
    page.after = found.back().key;
    for (const auto& entry : found) bytes += entry.value.latest.code_bytes;
    functions += static_cast<std::int64_t>(found.size());
  }
  page = {};
  for (;;) {
    CO_TRY_ASSIGN(auto found, co_await store::load_page<Configuration>(
                                  impl_->given.records, context.partition_key(),
                                  std::string(kVersionPrefix), page));
    if (found.empty()) break;
    page.after = found.back().key;
    for (const auto& entry : found) bytes += entry.value.code_bytes;
  }
  auto& usage = out.account_usage.emplace();
  usage.total_code_size = bytes;
  usage.function_count = functions;
  co_return out;
}

}  // namespace pileus::services::lambda
