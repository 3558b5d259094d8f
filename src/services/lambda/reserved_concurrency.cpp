// PutFunctionConcurrency, GetFunctionConcurrency, DeleteFunctionConcurrency.
#include "gen/lambda/DeleteFunctionConcurrency.h"
#include "gen/lambda/GetFunctionConcurrency.h"
#include "gen/lambda/PutFunctionConcurrency.h"
#include "services/lambda/impl.h"

namespace pileus::services::lambda {
namespace {

// Reservations are a function's, whatever version runs.
Result<FunctionRef> parse_whole(const aws::Context& context, const std::string& name) {
  TRY_ASSIGN(auto ref, parse_function(context, name));
  if (!ref.qualifier.empty())
    return fail(invalid(
        "This operation is permitted on Lambda functions only. Aliases and versions do not "
        "support this operation. Please specify either a function name or an unqualified function "
        "ARN."));
  return ref;
}

}  // namespace

// One transaction changes the function, the account's sum and whatever `more` holds.
Task<Result<Function>> LambdaService::Impl::update_concurrency(
    FunctionRef ref, store::Transaction more,
    std::function<Result<Unit>(Concurrency&, std::int64_t others)> change) {
  for (int attempt = 0; attempt < store::kUpdateAttempts; ++attempt) {
    CO_TRY(co_await store::pause_before_attempt(attempt));
    CO_TRY_ASSIGN(auto function, co_await load_function(ref));
    CO_TRY_ASSIGN(auto claims, co_await store::load<Claims>(given.records, ref.partition(),
                                                            std::string(kClaimsKey)));
    Concurrency& concurrency = function.value.concurrency;
    const std::int64_t before = claim_of(concurrency);
    const std::int64_t total = claims ? claims->value.total : 0;
    CO_TRY(change(concurrency, total - before));
    const std::int64_t by = claim_of(concurrency) - before;
    store::Transaction transaction = more;
    transaction.expect(function_key(ref.name), function.revision)
        .put(function_key(ref.name), store::encode(function.value));
    if (by != 0)
      transaction.expect(std::string(kClaimsKey), claims ? claims->revision : 0)
          .put(std::string(kClaimsKey), store::encode(Claims{total + by}));
    auto committed = co_await given.records.commit(ref.partition(), std::move(transaction));
    if (!committed && committed.error().is(errc::kConflict)) continue;
    if (!committed) co_return fail(std::move(committed).error());
    engine.account(ref.partition()).claimed += by;
    CO_TRY(co_await engine.changed(ref));
    co_return std::move(function.value);
  }
  co_return fail(conflict("The function is being changed by somebody else. Try again."));
}

Task<Result<gen::lambda::PutFunctionConcurrencyOutput>> LambdaService::put_function_concurrency(
    aws::Context& context, gen::lambda::PutFunctionConcurrencyInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_whole(context, in.function_name));
  CO_TRY(co_await context.authorize("lambda:PutFunctionConcurrency", ref.arn()));
  const bool quotas = impl_->options.quotas == Quotas::kAws;
  std::function<Result<Unit>(Concurrency&, std::int64_t)> change =
      [&in, quotas](Concurrency& concurrency, std::int64_t others) -> Result<Unit> {
    concurrency.reserved = in.reserved_concurrent_executions;
    return check_reserved(concurrency, others, quotas);
  };
  CO_TRY(co_await impl_->update_concurrency(ref, {}, change));
  gen::lambda::PutFunctionConcurrencyOutput out;
  out.reserved_concurrent_executions = in.reserved_concurrent_executions;
  co_return out;
}

Task<Result<gen::lambda::GetFunctionConcurrencyOutput>> LambdaService::get_function_concurrency(
    aws::Context& context, gen::lambda::GetFunctionConcurrencyInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_whole(context, in.function_name));
  CO_TRY(co_await context.authorize("lambda:GetFunctionConcurrency", ref.arn()));
  CO_TRY_ASSIGN(const auto function, co_await impl_->load_function(ref));
  gen::lambda::GetFunctionConcurrencyOutput out;
  out.reserved_concurrent_executions = function.value.concurrency.reserved;
  co_return out;
}

Task<Result<gen::lambda::DeleteFunctionConcurrencyOutput>>
LambdaService::delete_function_concurrency(aws::Context& context,
                                           gen::lambda::DeleteFunctionConcurrencyInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_whole(context, in.function_name));
  CO_TRY(co_await context.authorize("lambda:DeleteFunctionConcurrency", ref.arn()));
  const bool quotas = impl_->options.quotas == Quotas::kAws;
  // What is provisioned then counts for itself.
  std::function<Result<Unit>(Concurrency&, std::int64_t)> change =
      [quotas](Concurrency& concurrency, std::int64_t others) -> Result<Unit> {
    concurrency.reserved.reset();
    return check_provisioned(concurrency, others, quotas);
  };
  CO_TRY(co_await impl_->update_concurrency(ref, {}, change));
  co_return gen::lambda::DeleteFunctionConcurrencyOutput{};
}

}  // namespace pileus::services::lambda
