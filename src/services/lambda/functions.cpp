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

// An update names the function, not one of its versions.
Result<FunctionRef> parse_unqualified(const aws::Context& context, const std::string& name) {
  TRY_ASSIGN(auto ref, parse_function(context, name));
  if (!ref.qualifier.empty() && ref.qualifier != kLatest)
    return fail(invalid(
        "This operation is permitted on Lambda functions only. Versions and aliases are not "
        "supported. Please specify a valid function ARN."));
  ref.qualifier.clear();
  return ref;
}

void touch(Configuration& configuration, Time now, Random& random) {
  configuration.last_modified = std::chrono::floor<std::chrono::milliseconds>(now);
  configuration.revision_id = uuid(random);
}

Result<Unit> check_revision(const std::optional<std::string>& wanted,
                            const Configuration& configuration) {
  if (wanted && *wanted != configuration.revision_id) return fail(stale_revision());
  return Unit{};
}

// A zip, or a directory of this machine, which is the owner's to give only.
template <class Code>
Result<Unit> check_source(const aws::Context& context, const Code& in,
                          const std::optional<bool>& publish) {
  if (!in.s3_bucket && !in.s3_key) {
    if (!in.zip_file) return fail(invalid("Please provide a source for function code."));
    return Unit{};
  }
  if (in.s3_bucket && *in.s3_bucket != kHotBucket)
    return fail(invalid(str("S3Bucket ", *in.s3_bucket,
                            ": code from S3 is not built yet; send it as ZipFile, or set S3Bucket "
                            "to hot-reload and S3Key to a directory of this machine.")));
  if (in.zip_file)
    return fail(
        invalid("Please do not provide other FunctionCode parameters when providing a "
                "ZipFile."));
  if (!in.s3_bucket || !in.s3_key)
    return fail(
        invalid("To reload code from a directory, set S3Bucket to hot-reload and S3Key to "
                "the directory's absolute path."));
  if (!context.identity().owner)
    return fail(Error("AccessDeniedException",
                      "Only the user who runs this server may let functions run from a directory, "
                      "with an access key that Pileus has not issued.",
                      403));
  if (publish.value_or(false)) return fail(not_publishable());
  return Unit{};
}

// Whether a failed commit certainly changed nothing. One that was cut short may have been made.
bool is_certain(const Error& error) {
  return !error.is(errc::kCancelled) && !error.is(errc::kIo) && !error.is(errc::kDeadline);
}

// After a commit that should have named `code` failed: removes it, unless a record may name it.
Task<Result<Unit>> give_up(CodeStore* store, std::optional<CodeStore::Added> code, std::string user,
                           Error why) {
  if (!code) co_return fail(std::move(why));
  const std::string id = code->id;
  if (!is_certain(why)) {
    store->use(id, user);
    co_return fail(std::move(why));
  }
  code.reset();
  CO_TRY(co_await store->release(id, ""));
  co_return fail(std::move(why));
}

}  // namespace

void LambdaService::Impl::Source::name_in(Configuration& configuration) const {
  configuration.code_id = code ? code->id : "";
  configuration.code_bytes = code ? code->bytes : 0;
  configuration.code_folder = folder;
}

Task<Result<LambdaService::Impl::Source>> LambdaService::Impl::take_code(
    std::optional<std::string> zip, std::optional<std::string> folder) {
  Source out;
  if (zip) {
    CO_TRY_ASSIGN(out.code, co_await code.add(std::move(*zip)));
    co_return out;
  }
  std::move_only_function<Result<std::string>()> work =
      [path = *folder, owner = options.owner_uid] { return HotFolder::check(path, owner); };
  CO_TRY_ASSIGN(out.folder, co_await workers.run<std::string>(std::move(work)));
  co_return out;
}

Task<Result<gen::lambda::CreateFunctionOutput>> LambdaService::create_function(
    aws::Context& context, gen::lambda::CreateFunctionInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_unqualified(context, in.function_name));
  CO_TRY(co_await context.authorize("lambda:CreateFunction", ref.arn()));
  if (ref.account != context.account())
    co_return fail(invalid("A function is created in the account of its caller."));
  Function function;
  function.latest.name = ref.name;
  function.tags = in.tags.value_or(std::map<std::string, std::string>());
  CO_TRY(check_tags(function.tags));
  CO_TRY(apply(in, function.latest));
  CO_TRY(apply_architectures(in.architectures, impl_->options.runtime_choice, function.latest));
  CO_TRY_ASSIGN(const auto runtime, co_await impl_->runtimes.find(function.latest.runtime));
  CO_TRY(co_await impl_->check_role(context, ref, in.role));
  CO_TRY(check_source(context, in.code, in.publish));
  CO_TRY_ASSIGN(auto existing,
                co_await impl_->given.records.get(ref.partition(), function_key(ref.name)));
  if (existing) co_return fail(conflict("Function already exist: " + ref.name));

  CO_TRY_ASSIGN(Impl::Source source,
                co_await impl_->take_code(std::move(in.code.zip_file), in.code.s3_key));
  auto& code = source.code;
  const std::string code_id = code ? code->id : "";
  source.name_in(function.latest);
  touch(function.latest, context.now(), impl_->given.random);
  store::Transaction transaction;
  transaction.expect(function_key(ref.name), 0)
      .put(function_key(ref.name), store::encode(function));
  auto committed = co_await impl_->given.records.commit(ref.partition(), std::move(transaction));
  if (!committed) {
    Error why = std::move(committed).error();
    if (why.is(errc::kConflict)) why = conflict("Function already exist: " + ref.name);
    CO_TRY(
        co_await give_up(&impl_->code, std::move(code), code_user(ref, kLatest), std::move(why)));
  }
  impl_->code.use(code_id, code_user(ref, kLatest));
  CO_TRY(co_await impl_->engine.changed(ref));
  impl_->engine.expect(ref, runtime);
  if (!in.publish.value_or(false))
    co_return to_output(ref, function.latest, runtime->version_id, Shown::kCreated);
  CO_TRY_ASSIGN(const auto version, co_await impl_->publish(ref, std::nullopt, nullptr));
  FunctionRef qualified = ref;
  qualified.qualifier = version.version;
  co_return to_output(qualified, version, runtime->version_id, Shown::kCreated);
}

Task<Result<gen::lambda::GetFunctionOutput>> LambdaService::get_function(
    aws::Context& context, gen::lambda::GetFunctionInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name, in.qualifier));
  CO_TRY(co_await context.authorize("lambda:GetFunction", ref.qualified_arn()));
  CO_TRY_ASSIGN(const auto function, co_await impl_->load_function(ref));
  CO_TRY_ASSIGN(const auto configuration, co_await impl_->load_configuration(ref));
  const auto runtime = co_await impl_->runtimes.find(configuration.runtime);
  gen::lambda::GetFunctionOutput out;
  out.configuration =
      to_output(ref, configuration, runtime ? (*runtime)->version_id : "", Shown::kSettled);
  auto& code = out.code.emplace();
  code.repository_type = "S3";
  code.location = configuration.code_folder.empty() ? impl_->download_url(context, configuration)
                                                    : "file://" + configuration.code_folder;
  if (!function.value.tags.empty()) out.tags = function.value.tags;
  if (function.value.concurrency.reserved)
    out.concurrency.emplace().reserved_concurrent_executions = function.value.concurrency.reserved;
  co_return out;
}

Task<Result<gen::lambda::GetFunctionConfigurationOutput>> LambdaService::get_function_configuration(
    aws::Context& context, gen::lambda::GetFunctionConfigurationInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name, in.qualifier));
  CO_TRY(co_await context.authorize("lambda:GetFunctionConfiguration", ref.qualified_arn()));
  CO_TRY_ASSIGN(const auto configuration, co_await impl_->load_configuration(ref));
  const auto runtime = co_await impl_->runtimes.find(configuration.runtime);
  co_return to_output(ref, configuration, runtime ? (*runtime)->version_id : "", Shown::kSettled);
}

Task<Result<gen::lambda::UpdateFunctionCodeOutput>> LambdaService::update_function_code(
    aws::Context& context, gen::lambda::UpdateFunctionCodeInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_unqualified(context, in.function_name));
  CO_TRY(co_await context.authorize("lambda:UpdateFunctionCode", ref.arn()));
  CO_TRY_ASSIGN(const auto before, co_await impl_->load_function(ref));
  CO_TRY(check_revision(in.revision_id, before.value.latest));
  CO_TRY(check_source(context, in, in.publish));
  Configuration wanted = before.value.latest;
  CO_TRY(apply_architectures(in.architectures, impl_->options.runtime_choice, wanted));
  const auto runtime = co_await impl_->runtimes.find(wanted.runtime);
  const std::string runtime_version = runtime ? (*runtime)->version_id : "";
  if (in.dry_run.value_or(false)) {
    if (in.zip_file) CO_TRY(co_await impl_->code.check(std::move(*in.zip_file)));
    co_return to_output(ref, wanted, runtime_version, Shown::kSettled);
  }
  CO_TRY_ASSIGN(Impl::Source source, co_await impl_->take_code(std::move(in.zip_file), in.s3_key));
  auto& code = source.code;
  const std::string code_id = code ? code->id : "";
  std::string replaced;
  std::function<Result<Unit>(Function&)> change = [&](Function& function) -> Result<Unit> {
    TRY(check_revision(in.revision_id, function.latest));
    replaced = function.latest.code_id;
    source.name_in(function.latest);
    function.latest.architecture = wanted.architecture;
    touch(function.latest, context.now(), impl_->given.random);
    return Unit{};
  };
  auto saved = co_await impl_->update_function(ref, change);
  if (!saved) {
    CO_TRY(co_await give_up(&impl_->code, std::move(code), code_user(ref, kLatest),
                            std::move(saved).error()));
  }
  impl_->code.use(code_id, code_user(ref, kLatest));
  code.reset();
  if (replaced != code_id) CO_TRY(co_await impl_->code.release(replaced, code_user(ref, kLatest)));
  if (!in.publish.value_or(false))
    co_return to_output(ref, saved->latest, runtime_version, Shown::kUpdated);
  CO_TRY_ASSIGN(const auto version, co_await impl_->publish(ref, std::nullopt, nullptr));
  FunctionRef qualified = ref;
  qualified.qualifier = version.version;
  co_return to_output(qualified, version, runtime_version, Shown::kUpdated);
}

Task<Result<gen::lambda::UpdateFunctionConfigurationOutput>>
LambdaService::update_function_configuration(aws::Context& context,
                                             gen::lambda::UpdateFunctionConfigurationInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_unqualified(context, in.function_name));
  CO_TRY(co_await context.authorize("lambda:UpdateFunctionConfiguration", ref.arn()));
  CO_TRY_ASSIGN(const auto before, co_await impl_->load_function(ref));
  CO_TRY(check_revision(in.revision_id, before.value.latest));
  if (in.role && *in.role != before.value.latest.role)
    CO_TRY(co_await impl_->check_role(context, ref, *in.role));
  CO_TRY_ASSIGN(const auto runtime,
                co_await impl_->runtimes.find(in.runtime.value_or(before.value.latest.runtime)));
  std::function<Result<Unit>(Function&)> change = [&](Function& function) -> Result<Unit> {
    TRY(check_revision(in.revision_id, function.latest));
    TRY(apply(in, function.latest));
    touch(function.latest, context.now(), impl_->given.random);
    return Unit{};
  };
  CO_TRY_ASSIGN(const auto saved, co_await impl_->update_function(ref, change));
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
