// PutFunctionRecursionConfig, GetFunctionRecursionConfig, and what they decide.
#include "gen/lambda/GetFunctionRecursionConfig.h"
#include "gen/lambda/PutFunctionRecursionConfig.h"
#include "services/lambda/async_records.h"
#include "services/lambda/impl.h"
#include "services/lambda/lineage.h"

namespace pileus::services::lambda {

Task<Result<Unit>> LambdaService::Impl::check_recursion(FunctionRef ref, std::string trace) {
  if (visits(trace, ref.arn()) <= kMostVisits) co_return Unit{};
  CO_TRY_ASSIGN(const auto found, co_await store::load<RecursionConfig>(
                                      given.records, ref.partition(), recursion_key(ref.name)));
  if (found && found->value.mode == "Allow") co_return Unit{};
  co_return fail(recursive_invocation());
}

Task<Result<gen::lambda::PutFunctionRecursionConfigOutput>>
LambdaService::put_function_recursion_config(aws::Context& context,
                                             gen::lambda::PutFunctionRecursionConfigInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:PutFunctionRecursionConfig"));
  CO_TRY_ASSIGN(const auto function, co_await impl_->load_function(ref));
  store::Transaction transaction;
  transaction.expect(function_key(ref.name), function.revision)
      .put(recursion_key(ref.name), store::encode(RecursionConfig{in.recursive_loop}));
  auto saved = co_await impl_->given.records.commit(ref.partition(), std::move(transaction));
  if (!saved && saved.error().is(errc::kConflict))
    co_return fail(conflict("The function is being changed by somebody else. Try again."));
  CO_TRY(std::move(saved));
  gen::lambda::PutFunctionRecursionConfigOutput out;
  out.recursive_loop = in.recursive_loop;
  co_return out;
}

Task<Result<gen::lambda::GetFunctionRecursionConfigOutput>>
LambdaService::get_function_recursion_config(aws::Context& context,
                                             gen::lambda::GetFunctionRecursionConfigInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:GetFunctionRecursionConfig"));
  CO_TRY(co_await impl_->load_function(ref));
  CO_TRY_ASSIGN(const auto found,
                co_await store::load<RecursionConfig>(impl_->given.records, ref.partition(),
                                                      recursion_key(ref.name)));
  gen::lambda::GetFunctionRecursionConfigOutput out;
  out.recursive_loop = found ? found->value.mode : "Terminate";
  co_return out;
}

}  // namespace pileus::services::lambda
