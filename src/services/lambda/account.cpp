// GetAccountSettings.
#include "gen/lambda/GetAccountSettings.h"
#include "services/lambda/impl.h"
#include "services/lambda/unzip.h"

namespace pileus::services::lambda {

Task<Result<gen::lambda::GetAccountSettingsOutput>> LambdaService::get_account_settings(
    aws::Context& context, gen::lambda::GetAccountSettingsInput) {
  CO_TRY(co_await context.authorize("lambda:GetAccountSettings", "*"));
  gen::lambda::GetAccountSettingsOutput out;
  auto& limit = out.account_limit.emplace();
  limit.total_code_size = kMaxStoredBytes;
  limit.code_size_unzipped = static_cast<std::int64_t>(kMaxUnpackedBytes);
  limit.code_size_zipped = static_cast<std::int64_t>(kMaxZipBytes);
  limit.concurrent_executions = kAccountConcurrency;
  limit.unreserved_concurrent_executions = kAccountConcurrency;
  CO_TRY_ASSIGN(const Stored stored, co_await impl_->stored_code(context.partition_key()));
  auto& usage = out.account_usage.emplace();
  usage.total_code_size = stored.bytes;
  usage.function_count = stored.functions;
  co_return out;
}

}  // namespace pileus::services::lambda
