// CreateFunction, GetFunction, UpdateFunction…, ListFunctions.
#include "base/text.h"
#include "gen/lambda/CreateFunction.h"
#include "gen/lambda/GetFunction.h"
#include "gen/lambda/GetFunctionConfiguration.h"
#include "gen/lambda/ListFunctions.h"
#include "gen/lambda/UpdateFunctionCode.h"
#include "gen/lambda/UpdateFunctionConfiguration.h"
#include "services/lambda/impl.h"
#include "services/lambda/listing.h"
#include "services/lambda/settings.h"

namespace pileus::services::lambda {
namespace {

constexpr int kMostListed = 50;

void touch(Configuration& configuration, Time now, Random& random) {
  configuration.last_modified = std::chrono::floor<std::chrono::milliseconds>(now);
  configuration.revision_id = uuid(random);
}

Result<Unit> check_revision(const std::optional<std::string>& wanted,
                            const Configuration& configuration) {
  if (wanted && *wanted != configuration.revision_id) return fail(stale_revision());
  return Unit{};
}

aws::ConditionValues layer_conditions(const std::optional<std::vector<std::string>>& layers) {
  aws::ConditionValues out;
  if (layers && !layers->empty()) out["lambda:Layer"] = *layers;
  return out;
}

}  // namespace

// After a commit that should have named this content failed: removes it, unless a record may.
Task<Result<Unit>> LambdaService::Impl::give_up(FunctionRef ref, Configuration configuration,
                                                Error why) {
  if (!is_certain(why)) {
    use_content(ref, configuration);
    co_return fail(std::move(why));
  }
  for (const auto& layer : configuration.layers) CO_TRY(co_await code.release(layer.code_id, ""));
  CO_TRY(co_await code.release(configuration.code_id, ""));
  co_return fail(std::move(why));
}

// Everything that is checked before anything is kept.
Task<Result<Function>> LambdaService::Impl::new_function(
    aws::Context& context, FunctionRef ref, const gen::lambda::CreateFunctionInput& in) {
  Function function;
  function.latest.name = ref.name;
  function.tags = in.tags.value_or(std::map<std::string, std::string>());
  aws::ConditionValues conditions = tag_conditions(function.tags);
  conditions.merge(layer_conditions(in.layers));
  if (in.code_signing_config_arn && !in.code_signing_config_arn->empty())
    conditions["lambda:CodeSigningConfigArn"] = {*in.code_signing_config_arn};
  CO_TRY(co_await context.authorize("lambda:CreateFunction", ref.arn(), std::move(conditions)));
  if (ref.account != context.account())
    co_return fail(invalid("A function is created in the account of its caller."));
  CO_TRY(check_tags(function.tags));
  CO_TRY(apply(in, function.latest));
  CO_TRY(apply_architectures(in.architectures, options.runtime_choice, function.latest));
  CO_TRY(co_await runtimes.find(function.latest.runtime));
  CO_TRY(co_await check_role(context, ref, in.role));
  if (!in.code.zip_file) co_return fail(invalid("Please provide a source for function code."));
  CO_TRY_ASSIGN(auto existing, co_await given.records.get(ref.partition(), function_key(ref.name)));
  if (existing) co_return fail(conflict("Function already exist: " + ref.name));
  if (in.code_signing_config_arn && !in.code_signing_config_arn->empty()) {
    CO_TRY_ASSIGN(function.code_signing,
                  code_signing_id(context, ref, *in.code_signing_config_arn));
    CO_TRY(co_await check_signature(ref, function.code_signing));
  }
  CO_TRY(
      co_await check_storage(ref.partition(), static_cast<std::int64_t>(in.code.zip_file->size())));
  co_return function;
}

Task<Result<Unit>> LambdaService::Impl::save_new_function(FunctionRef ref, Function function) {
  for (int attempt = 0; attempt < store::kUpdateAttempts; ++attempt) {
    CO_TRY(co_await store::pause_before_attempt(attempt));
    store::Transaction transaction;
    if (!function.code_signing.empty())
      CO_TRY(co_await expect_code_signing(ref, function.code_signing, transaction));
    transaction.expect(function_key(ref.name), 0)
        .put(function_key(ref.name), store::encode(function));
    auto committed = co_await given.records.commit(ref.partition(), std::move(transaction));
    if (committed) co_return Unit{};
    if (!committed.error().is(errc::kConflict)) co_return fail(std::move(committed).error());
    CO_TRY_ASSIGN(auto other, co_await given.records.get(ref.partition(), function_key(ref.name)));
    if (other) break;
  }
  co_return fail(conflict("Function already exist: " + ref.name));
}

Task<Result<gen::lambda::CreateFunctionOutput>> LambdaService::create_function(
    aws::Context& context, gen::lambda::CreateFunctionInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_unqualified(context, in.function_name));
  CO_TRY_ASSIGN(Function function, co_await impl_->new_function(context, ref, in));
  CO_TRY_ASSIGN(const auto runtime, co_await impl_->runtimes.find(function.latest.runtime));
  LayerClaim claim;
  CO_TRY_ASSIGN(
      claim, co_await impl_->claim_layers(context, in.layers.value_or(std::vector<std::string>())));
  std::optional<CodeStore::Added> code;
  CO_TRY_ASSIGN(code, co_await impl_->code.add(std::move(*in.code.zip_file)));
  Configuration& latest = function.latest;
  latest.code_id = code->id;
  latest.code_bytes = code->bytes;
  latest.unpacked_bytes = code->unpacked_bytes;
  latest.layers = claim.layers;
  latest.layers_id = hex_id(impl_->given.random, 16);
  touch(latest, context.now(), impl_->given.random);
  Result<Unit> saved = check_unpacked_size(latest);
  if (saved) saved = co_await impl_->save_new_function(ref, function);
  if (saved) impl_->use_content(ref, latest);
  code.reset();
  claim.pins.clear();
  if (!saved) CO_TRY(co_await impl_->give_up(ref, latest, std::move(saved).error()));
  CO_TRY(co_await impl_->engine.changed(ref));
  impl_->engine.expect(ref, runtime);
  if (!in.publish.value_or(false))
    co_return to_output(ref, latest, runtime->version_id, Shown::kCreated);
  CO_TRY_ASSIGN(const auto version, co_await impl_->publish(ref, std::nullopt, nullptr));
  FunctionRef qualified = ref;
  qualified.qualifier = version.version;
  co_return to_output(qualified, version, runtime->version_id, Shown::kCreated);
}

Task<Result<gen::lambda::GetFunctionOutput>> LambdaService::get_function(
    aws::Context& context, gen::lambda::GetFunctionInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name, in.qualifier));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:GetFunction"));
  CO_TRY_ASSIGN(const auto function, co_await impl_->load_function(ref));
  CO_TRY_ASSIGN(const auto configuration, co_await impl_->load_configuration(ref));
  CO_TRY_ASSIGN(const auto runtime, co_await impl_->runtime_version(configuration));
  gen::lambda::GetFunctionOutput out;
  out.configuration = to_output(ref, configuration, runtime, Shown::kSettled);
  auto& code = out.code.emplace();
  code.repository_type = "S3";
  code.location = impl_->download_url(context, configuration.code_id);
  // The tags are shown to whom may list them; to others it is said why not.
  auto listed = co_await impl_->authorize(context, ref.unqualified(), "lambda:ListTags");
  if (!listed) {
    auto& error = out.tags_error.emplace();
    error.error_code = listed.error().code();
    error.message = listed.error().message();
  } else if (!function.value.tags.empty()) {
    out.tags = function.value.tags;
  }
  co_return out;
}

Task<Result<gen::lambda::GetFunctionConfigurationOutput>> LambdaService::get_function_configuration(
    aws::Context& context, gen::lambda::GetFunctionConfigurationInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name, in.qualifier));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:GetFunctionConfiguration"));
  CO_TRY_ASSIGN(const auto configuration, co_await impl_->load_configuration(ref));
  CO_TRY_ASSIGN(const auto runtime, co_await impl_->runtime_version(configuration));
  co_return to_output(ref, configuration, runtime, Shown::kSettled);
}

// What UpdateFunctionCode with DryRun would make of it.
Task<Result<gen::lambda::UpdateFunctionCodeOutput>> LambdaService::Impl::try_code(
    FunctionRef ref, Configuration wanted, std::string zip) {
  CO_TRY_ASSIGN(const auto checked, co_await code.check(std::move(zip)));
  wanted.code_id = checked.id;
  wanted.code_bytes = checked.bytes;
  wanted.unpacked_bytes = checked.unpacked_bytes;
  CO_TRY(check_unpacked_size(wanted));
  CO_TRY_ASSIGN(const auto runtime, co_await runtime_version(wanted));
  co_return to_output(ref, wanted, runtime, Shown::kSettled);
}

Task<Result<gen::lambda::UpdateFunctionCodeOutput>> LambdaService::update_function_code(
    aws::Context& context, gen::lambda::UpdateFunctionCodeInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_unqualified(context, in.function_name));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:UpdateFunctionCode"));
  CO_TRY_ASSIGN(const auto before, co_await impl_->load_function(ref));
  CO_TRY(check_revision(in.revision_id, before.value.latest));
  if (!in.zip_file) co_return fail(invalid("Please provide a source for function code."));
  Configuration wanted = before.value.latest;
  CO_TRY(apply_architectures(in.architectures, impl_->options.runtime_choice, wanted));
  CO_TRY(co_await impl_->check_signature(ref, before.value.code_signing));
  CO_TRY(co_await impl_->follow_runtime(wanted));
  if (in.dry_run.value_or(false))
    co_return co_await impl_->try_code(ref, wanted, std::move(*in.zip_file));
  CO_TRY(co_await impl_->check_storage(ref.partition(),
                                       static_cast<std::int64_t>(in.zip_file->size())));
  std::optional<CodeStore::Added> code;
  CO_TRY_ASSIGN(code, co_await impl_->code.add(std::move(*in.zip_file), "UpdateFunctionCode"));
  const std::string code_id = code->id;
  std::string replaced;
  std::function<Result<Unit>(Function&)> change = [&](Function& function) -> Result<Unit> {
    TRY(check_revision(in.revision_id, function.latest));
    replaced = function.latest.code_id;
    function.latest.code_id = code_id;
    function.latest.code_bytes = code->bytes;
    function.latest.unpacked_bytes = code->unpacked_bytes;
    function.latest.architecture = wanted.architecture;
    if (function.latest.runtime_update == wanted.runtime_update)
      function.latest.runtime_version = wanted.runtime_version;
    touch(function.latest, context.now(), impl_->given.random);
    return check_unpacked_size(function.latest);
  };
  auto saved = co_await impl_->update_function(ref, change);
  if (saved || !is_certain(saved.error())) impl_->code.use(code_id, code_user(ref, kLatest));
  code.reset();
  if (!saved) {
    CO_TRY(co_await impl_->code.release(code_id, ""));
    co_return fail(std::move(saved).error());
  }
  if (replaced != code_id) CO_TRY(co_await impl_->code.release(replaced, code_user(ref, kLatest)));
  CO_TRY_ASSIGN(const auto runtime, co_await impl_->runtime_version(saved->latest));
  if (!in.publish.value_or(false))
    co_return to_output(ref, saved->latest, runtime, Shown::kUpdated);
  CO_TRY_ASSIGN(const auto version, co_await impl_->publish(ref, std::nullopt, nullptr));
  FunctionRef qualified = ref;
  qualified.qualifier = version.version;
  co_return to_output(qualified, version, runtime, Shown::kUpdated);
}

// Saves a new configuration, and the layers it names where `claim` has some.
Task<Result<Function>> LambdaService::Impl::save_configuration(
    FunctionRef ref, std::optional<LayerClaim> claim,
    std::function<Result<Unit>(Function&)> change) {
  const std::string layers_id = hex_id(given.random, 16);
  Configuration replaced;
  std::function<Result<Unit>(Function&)> with_layers = [&](Function& function) -> Result<Unit> {
    replaced = function.latest;
    TRY(change(function));
    if (claim) {
      function.latest.layers = claim->layers;
      function.latest.layers_id = layers_id;
    }
    return check_unpacked_size(function.latest);
  };
  auto saved = co_await update_function(ref, with_layers);
  if (!claim) co_return saved;
  Configuration wanted = replaced;
  wanted.layers = claim->layers;
  wanted.layers_id = layers_id;
  if (saved || !is_certain(saved.error())) use_layers(ref, wanted);
  claim.reset();
  if (saved) {
    CO_TRY(co_await release_layers(ref, std::move(replaced)));
  } else {
    for (const auto& layer : wanted.layers) CO_TRY(co_await code.release(layer.code_id, ""));
  }
  co_return saved;
}

Task<Result<gen::lambda::UpdateFunctionConfigurationOutput>>
LambdaService::update_function_configuration(aws::Context& context,
                                             gen::lambda::UpdateFunctionConfigurationInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_unqualified(context, in.function_name));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:UpdateFunctionConfiguration",
                                   layer_conditions(in.layers)));
  CO_TRY_ASSIGN(const auto before, co_await impl_->load_function(ref));
  CO_TRY(check_revision(in.revision_id, before.value.latest));
  if (in.role && *in.role != before.value.latest.role)
    CO_TRY(co_await impl_->check_role(context, ref, *in.role));
  Configuration wanted = before.value.latest;
  wanted.runtime = in.runtime.value_or(wanted.runtime);
  CO_TRY(co_await impl_->follow_runtime(wanted));
  CO_TRY_ASSIGN(const auto runtime,
                co_await impl_->runtimes.find(wanted.runtime, wanted.runtime_version));
  std::optional<LayerClaim> claim;
  if (in.layers) {
    CO_TRY_ASSIGN(claim, co_await impl_->claim_layers(context, *in.layers));
    if (!in.layers->empty())
      CO_TRY(co_await impl_->check_signature(ref, before.value.code_signing));
  }
  std::function<Result<Unit>(Function&)> change = [&](Function& function) -> Result<Unit> {
    TRY(check_revision(in.revision_id, function.latest));
    TRY(apply(in, function.latest));
    if (function.latest.runtime_update == wanted.runtime_update)
      function.latest.runtime_version = wanted.runtime_version;
    touch(function.latest, context.now(), impl_->given.random);
    return Unit{};
  };
  CO_TRY_ASSIGN(const auto saved,
                co_await impl_->save_configuration(ref, std::move(claim), change));
  impl_->engine.expect(ref, runtime);
  co_return to_output(ref, saved.latest, runtime->version_id, Shown::kUpdated);
}

Task<Result<gen::lambda::ListFunctionsOutput>> LambdaService::list_functions(
    aws::Context& context, gen::lambda::ListFunctionsInput in) {
  CO_TRY(co_await context.authorize("lambda:ListFunctions", "*"));
  FunctionRef ref{std::string(context.partition()), context.account(), context.region(), "", ""};
  const std::size_t most = std::min(in.max_items.value_or(kMostListed), kMostListed);
  const bool all = in.function_version == "ALL";
  gen::lambda::ListFunctionsOutput out;
  auto& functions = out.functions.emplace();
  // With ALL, a function's versions follow it; the marker says after which of them to go on.
  CO_TRY_ASSIGN(ListMarker at, ListMarker::parse(in.marker));
  while (functions.size() < most) {
    store::ScanOptions page;
    page.limit = 1;
    page.after = at.function.empty() ? "" : function_key(at.function);
    if (!at.in_versions) {
      page.limit = all ? 1 : most - functions.size();
      CO_TRY_ASSIGN(auto found,
                    co_await store::load_page<Function>(impl_->given.records, ref.partition(),
                                                        std::string(kFunctionPrefix), page));
      if (found.empty()) co_return out;
      for (auto& entry : found) {
        ref.name = entry.value.latest.name;
        ref.qualifier = all ? std::string(kLatest) : "";
        functions.push_back(to_output(ref, entry.value.latest, "", Shown::kListed));
      }
      at = {ref.name, all, ""};
      continue;
    }
    page.limit = most - functions.size();
    page.after = at.version;
    CO_TRY_ASSIGN(auto versions,
                  co_await store::load_page<Configuration>(impl_->given.records, ref.partition(),
                                                           version_prefix(at.function), page));
    for (auto& entry : versions) {
      ref.name = entry.value.name;
      ref.qualifier = entry.value.version;
      functions.push_back(to_output(ref, entry.value, "", Shown::kListed));
      at.version = entry.key;
    }
    if (versions.size() < page.limit) at = {at.function, false, ""};
  }
  if (!at.in_versions) {
    store::ScanOptions rest;
    rest.limit = 1;
    rest.after = function_key(at.function);
    CO_TRY_ASSIGN(const auto more, co_await impl_->given.records.scan(
                                       ref.partition(), std::string(kFunctionPrefix), rest));
    if (more.empty()) co_return out;
  }
  out.next_marker = at.text();
  co_return out;
}

}  // namespace pileus::services::lambda
