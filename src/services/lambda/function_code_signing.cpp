// PutFunctionCodeSigningConfig, GetFunctionCodeSigningConfig, DeleteFunctionCodeSigningConfig, and
// what code signing does when code comes.
#include "base/text.h"
#include "gen/lambda/DeleteFunctionCodeSigningConfig.h"
#include "gen/lambda/GetFunctionCodeSigningConfig.h"
#include "gen/lambda/PutFunctionCodeSigningConfig.h"
#include "services/lambda/impl.h"

namespace pileus::services::lambda {
namespace {

Error code_signing_gone(const std::string& arn) {
  return Error("CodeSigningConfigNotFoundException",
               str("The code signing configuration cannot be found. Check that the provided "
                   "configuration is not deleted: ",
                   arn, "."),
               404)
      .with("Type", "User");
}

}  // namespace

// Puts into the transaction that the configuration is there and is being used from now on.
Task<Result<CodeSigning>> LambdaService::Impl::expect_code_signing(
    FunctionRef ref, std::string id, store::Transaction& transaction) {
  CO_TRY_ASSIGN(auto found, co_await store::load<CodeSigning>(given.records, ref.partition(),
                                                              code_signing_key(id)));
  if (!found) co_return fail(code_signing_gone(code_signing_arn(ref, id)));
  transaction.expect(code_signing_key(id), found->revision)
      .put(code_signing_key(id), store::encode(found->value));
  co_return std::move(found->value);
}

// The id of a configuration that a function of `ref`'s account may name.
Result<std::string> code_signing_id(const aws::Context& context, const FunctionRef& ref,
                                    const std::string& arn) {
  TRY_ASSIGN(const auto config, parse_code_signing(context, arn));
  if (config.account != ref.account) return fail(code_signing_gone(arn));
  return config.id;
}

// There is no signing service yet, so what is deployed is unsigned whatever it is.
Task<Result<Unit>> LambdaService::Impl::check_signature(FunctionRef ref, std::string id) {
  if (id.empty()) co_return Unit{};
  CO_TRY_ASSIGN(const auto found, co_await store::load<CodeSigning>(given.records, ref.partition(),
                                                                    code_signing_key(id)));
  if (!found) co_return fail(code_signing_gone(code_signing_arn(ref, id)));
  if (found->value.policy != "Enforce") co_return Unit{};
  co_return fail(
      Error("CodeVerificationFailedException",
            str("Lambda cannot deploy the function. The function or layer might be signed using a "
                "signature that the client is not configured to accept. Check the provided "
                "signature for unsigned. Nothing signs code on this cloud yet: set "
                "UntrustedArtifactOnDeployment of ",
                code_signing_arn(ref, id), " to Warn, or take it off the function."),
            400)
          .with("Type", "User"));
}

Task<Result<Function>> LambdaService::Impl::sign_function(FunctionRef ref, std::string id) {
  for (int attempt = 0; attempt < store::kUpdateAttempts; ++attempt) {
    CO_TRY(co_await store::pause_before_attempt(attempt));
    CO_TRY_ASSIGN(auto function, co_await load_function(ref));
    store::Transaction transaction;
    if (!id.empty()) CO_TRY(co_await expect_code_signing(ref, id, transaction));
    function.value.code_signing = id;
    transaction.expect(function_key(ref.name), function.revision)
        .put(function_key(ref.name), store::encode(function.value));
    auto committed = co_await given.records.commit(ref.partition(), std::move(transaction));
    if (committed) co_return std::move(function.value);
    if (!committed.error().is(errc::kConflict)) co_return fail(std::move(committed).error());
  }
  co_return fail(conflict("The function is being changed by somebody else. Try again."));
}

Task<Result<gen::lambda::PutFunctionCodeSigningConfigOutput>>
LambdaService::put_function_code_signing_config(aws::Context& context,
                                                gen::lambda::PutFunctionCodeSigningConfigInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_unqualified(context, in.function_name));
  CO_TRY(
      co_await impl_->authorize(context, ref, "lambda:PutFunctionCodeSigningConfig",
                                {{"lambda:CodeSigningConfigArn", {in.code_signing_config_arn}}}));
  CO_TRY_ASSIGN(const auto config, parse_code_signing(context, in.code_signing_config_arn));
  CO_TRY(co_await context.authorize("lambda:PutFunctionCodeSigningConfig", config.arn(),
                                    {{"lambda:CodeSigningConfigArn", {config.arn()}}}));
  CO_TRY(co_await impl_->load_function(ref));
  CO_TRY_ASSIGN(const auto id, code_signing_id(context, ref, in.code_signing_config_arn));
  CO_TRY(co_await impl_->sign_function(ref, id));
  gen::lambda::PutFunctionCodeSigningConfigOutput out;
  out.code_signing_config_arn = code_signing_arn(ref, id);
  out.function_name = ref.name;
  co_return out;
}

// As in AWS, a function without a configuration is no error.
Task<Result<gen::lambda::GetFunctionCodeSigningConfigOutput>>
LambdaService::get_function_code_signing_config(aws::Context& context,
                                                gen::lambda::GetFunctionCodeSigningConfigInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_unqualified(context, in.function_name));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:GetFunctionCodeSigningConfig"));
  CO_TRY_ASSIGN(const auto function, co_await impl_->load_function(ref));
  gen::lambda::GetFunctionCodeSigningConfigOutput out;
  out.code_signing_config_arn = code_signing_arn(ref, function.value.code_signing);
  out.function_name = ref.name;
  co_return out;
}

Task<Result<gen::lambda::DeleteFunctionCodeSigningConfigOutput>>
LambdaService::delete_function_code_signing_config(
    aws::Context& context, gen::lambda::DeleteFunctionCodeSigningConfigInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_unqualified(context, in.function_name));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:DeleteFunctionCodeSigningConfig"));
  CO_TRY(co_await impl_->sign_function(ref, ""));
  co_return gen::lambda::DeleteFunctionCodeSigningConfigOutput{};
}

}  // namespace pileus::services::lambda
