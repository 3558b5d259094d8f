// PutRuntimeManagementConfig, GetRuntimeManagementConfig: which version of its runtime a version of
// a function runs on. Auto: the newest one of this machine. FunctionUpdate: the newest one when the
// function was last updated. Manual: the one that is named.
#include "base/text.h"
#include "gen/lambda/GetRuntimeManagementConfig.h"
#include "gen/lambda/PutRuntimeManagementConfig.h"
#include "services/lambda/impl.h"
#include "services/lambda/settings.h"

namespace pileus::services::lambda {
namespace {

// A version of the function; aliases have no configuration of their own.
Result<FunctionRef> parse_versioned(const aws::Context& context, const std::string& name,
                                    const std::optional<std::string>& qualifier) {
  TRY_ASSIGN(auto ref, parse_function(context, name, qualifier));
  if (!ref.qualifier.empty() && !is_version(ref.qualifier))
    return fail(invalid(
        "Runtime management configurations are of function versions: give $LATEST or a version "
        "number as the qualifier, not an alias."));
  return ref;
}

// arn:aws:lambda:<region>::runtime:<version id>
Result<std::string> version_id_of(const FunctionRef& ref, const std::string& arn) {
  const std::string prefix = runtime_version_arn(ref, "");
  if (!arn.starts_with(prefix) || arn.size() == prefix.size())
    return fail(invalid(str("'", arn,
                            "' is not the ARN of a runtime version of this region. "
                            "GetFunctionConfiguration shows them as "
                            "RuntimeVersionConfig.RuntimeVersionArn.")));
  return arn.substr(prefix.size());
}

}  // namespace

// What a change of the function means for the version of its runtime.
Task<Result<Unit>> LambdaService::Impl::follow_runtime(Configuration& configuration) {
  if (configuration.runtime_update == "Auto") configuration.runtime_version.clear();
  if (configuration.runtime_update != "FunctionUpdate") co_return Unit{};
  CO_TRY_ASSIGN(const auto newest, co_await runtimes.find(configuration.runtime));
  configuration.runtime_version = newest->version_id;
  co_return Unit{};
}

Task<Result<gen::lambda::PutRuntimeManagementConfigOutput>>
LambdaService::put_runtime_management_config(aws::Context& context,
                                             gen::lambda::PutRuntimeManagementConfigInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_versioned(context, in.function_name, in.qualifier));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:PutRuntimeManagementConfig"));
  CO_TRY_ASSIGN(Configuration wanted, co_await impl_->load_configuration(ref));
  const bool manual = in.update_runtime_on == "Manual";
  if (manual != in.runtime_version_arn.has_value())
    co_return fail(invalid(manual ? "RuntimeVersionArn is required when UpdateRuntimeOn is Manual."
                                  : "RuntimeVersionArn can be given only when UpdateRuntimeOn is "
                                    "Manual."));
  wanted.runtime_update = in.update_runtime_on;
  wanted.runtime_version.clear();
  if (manual) {
    CO_TRY_ASSIGN(wanted.runtime_version, version_id_of(ref, *in.runtime_version_arn));
    auto there = co_await impl_->runtimes.find(wanted.runtime, wanted.runtime_version);
    if (!there)
      co_return fail(
          invalid(str("Runtime version ", *in.runtime_version_arn, " is not one of the runtime ",
                      wanted.runtime, " on this machine.")));
  }
  CO_TRY(co_await impl_->follow_runtime(wanted));
  CO_TRY(co_await impl_->save_runtime(ref, wanted.runtime_update, wanted.runtime_version));
  gen::lambda::PutRuntimeManagementConfigOutput out;
  out.update_runtime_on = in.update_runtime_on;
  FunctionRef shown = ref;
  if (shown.qualifier.empty()) shown.qualifier = kLatest;
  out.function_arn = shown.qualified_arn();
  if (manual) out.runtime_version_arn = in.runtime_version_arn;
  co_return out;
}

// The one thing of a published version that can change. Its environments start anew.
Task<Result<Unit>> LambdaService::Impl::save_runtime(FunctionRef ref, std::string update,
                                                     std::string version) {
  const auto set = [&](Configuration& configuration) {
    configuration.runtime_update = update;
    configuration.runtime_version = version;
    configuration.revision_id = uuid(given.random);
  };
  if (ref.qualifier.empty() || ref.qualifier == kLatest) {
    std::function<Result<Unit>(Function&)> change = [&](Function& function) -> Result<Unit> {
      set(function.latest);
      return Unit{};
    };
    CO_TRY(co_await update_function(ref.unqualified(), change));
    co_return Unit{};
  }
  std::function<Result<Unit>(std::optional<Configuration>&)> change =
      [&](std::optional<Configuration>& configuration) -> Result<Unit> {
    if (!configuration) return fail(no_function(ref));
    set(*configuration);
    return Unit{};
  };
  CO_TRY(co_await store::update<Configuration>(
      given.records, ref.partition(), version_key(ref.name, parse_int(ref.qualifier).value_or(0)),
      change));
  co_return co_await engine.changed(ref.unqualified());
}

Task<Result<gen::lambda::GetRuntimeManagementConfigOutput>>
LambdaService::get_runtime_management_config(aws::Context& context,
                                             gen::lambda::GetRuntimeManagementConfigInput in) {
  CO_TRY_ASSIGN(FunctionRef ref, parse_versioned(context, in.function_name, in.qualifier));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:GetRuntimeManagementConfig"));
  CO_TRY_ASSIGN(const auto configuration, co_await impl_->load_configuration(ref));
  gen::lambda::GetRuntimeManagementConfigOutput out;
  out.update_runtime_on = configuration.runtime_update;
  if (ref.qualifier.empty()) ref.qualifier = kLatest;
  out.function_arn = ref.qualified_arn();
  if (configuration.runtime_update == "Manual")
    out.runtime_version_arn = runtime_version_arn(ref, configuration.runtime_version);
  co_return out;
}

}  // namespace pileus::services::lambda
