// PublishVersion, ListVersionsByFunction.
#include "gen/lambda/ListVersionsByFunction.h"
#include "gen/lambda/PublishVersion.h"
#include "services/lambda/impl.h"
#include "services/lambda/listing.h"
#include "services/lambda/settings.h"

namespace pileus::services::lambda {
namespace {

constexpr int kMostListed = 50;

// Equal where nothing changed that a version would freeze.
std::string fingerprint(Configuration configuration) {
  configuration.version.clear();
  configuration.revision_id.clear();
  configuration.description.clear();
  configuration.last_modified = {};
  configuration.layers_id.clear();
  configuration.runtime_update.clear();  // can be set on its own, version by version
  configuration.runtime_version.clear();
  return store::encode(configuration);
}

}  // namespace

Task<Result<std::optional<Configuration>>> LambdaService::Impl::publish_once(
    FunctionRef ref, std::optional<std::string> description,
    std::function<Result<Unit>(const Function&)> check) {
  CO_TRY_ASSIGN(auto function, co_await load_function(ref));
  if (check) CO_TRY(check(function.value));
  const Configuration& latest = function.value.latest;
  if (function.value.last_version > 0) {
    CO_TRY_ASSIGN(auto last, co_await store::load<Configuration>(
                                 given.records, ref.partition(),
                                 version_key(ref.name, function.value.last_version)));
    if (last && fingerprint(last->value) == fingerprint(latest)) co_return std::move(last->value);
  }
  Configuration version = latest;
  const std::int64_t number = ++function.value.last_version;
  version.version = std::to_string(number);
  version.revision_id = uuid(given.random);
  if (description) version.description = *description;
  // Before the commit, so that the code cannot go away between.
  use_content(ref, version);
  store::Transaction transaction;
  transaction.expect(function_key(ref.name), function.revision)
      .expect(version_key(ref.name, number), 0)
      .put(function_key(ref.name), store::encode(function.value))
      .put(version_key(ref.name, number), store::encode(version));
  auto committed = co_await given.records.commit(ref.partition(), std::move(transaction));
  if (committed) co_return version;
  CO_TRY(co_await release_content(ref, version));
  if (committed.error().is(errc::kConflict)) co_return std::optional<Configuration>();
  co_return fail(std::move(committed).error());
}

Task<Result<Configuration>> LambdaService::Impl::publish(
    FunctionRef ref, std::optional<std::string> description,
    std::function<Result<Unit>(const Function&)> check) {
  for (int attempt = 0; attempt < store::kUpdateAttempts; ++attempt) {
    CO_TRY(co_await store::pause_before_attempt(attempt));
    CO_TRY_ASSIGN(auto made, co_await publish_once(ref, description, check));
    if (made) co_return std::move(*made);
  }
  co_return fail(conflict(
      "The operation cannot be performed at this time. An update is in progress for resource: " +
      ref.arn()));
}

Task<Result<gen::lambda::PublishVersionOutput>> LambdaService::publish_version(
    aws::Context& context, gen::lambda::PublishVersionInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name));
  CO_TRY(co_await impl_->authorize(context, ref.unqualified(), "lambda:PublishVersion"));
  std::function<Result<Unit>(const Function&)> check =
      [&in](const Function& function) -> Result<Unit> {
    const std::string sha = to_base64(from_hex(function.latest.code_id).value_or(""));
    if (in.revision_id && *in.revision_id != function.latest.revision_id)
      return fail(stale_revision());
    if (in.code_sha256 && !in.code_sha256->empty() && *in.code_sha256 != sha)
      return fail(invalid(str("CodeSHA256 (", *in.code_sha256,
                              ") is different from current CodeSHA256 in $LATEST (", sha,
                              "). Please try again with the CodeSHA256 in $LATEST.")));
    return Unit{};
  };
  FunctionRef plain = ref;
  plain.qualifier.clear();
  CO_TRY_ASSIGN(const auto version, co_await impl_->publish(plain, in.description, check));
  CO_TRY_ASSIGN(const auto runtime, co_await impl_->runtime_version(version));
  plain.qualifier = version.version;
  co_return to_output(plain, version, runtime, Shown::kCreated);
}

Task<Result<gen::lambda::ListVersionsByFunctionOutput>> LambdaService::list_versions_by_function(
    aws::Context& context, gen::lambda::ListVersionsByFunctionInput in) {
  CO_TRY_ASSIGN(FunctionRef ref, parse_function(context, in.function_name));
  CO_TRY(co_await impl_->authorize(context, ref.unqualified(), "lambda:ListVersionsByFunction"));
  CO_TRY_ASSIGN(const auto function, co_await impl_->load_function(ref));
  const std::size_t most =
      static_cast<std::size_t>(std::min(in.max_items.value_or(kMostListed), kMostListed));
  const std::string prefix = version_prefix(ref.name);
  store::ScanOptions page;
  CO_TRY_ASSIGN(page.after, key_of(in.marker, prefix));
  gen::lambda::ListVersionsByFunctionOutput out;
  auto& versions = out.versions.emplace();
  if (page.after.empty()) {
    ref.qualifier = kLatest;
    versions.push_back(to_output(ref, function.value.latest, "", Shown::kListed));
    page.after = prefix;
  }
  page.limit = most - versions.size() + 1;
  CO_TRY_ASSIGN(auto found, co_await store::load_page<Configuration>(
                                impl_->given.records, ref.partition(), prefix, page));
  std::string last = prefix;
  for (auto& entry : found) {
    if (versions.size() == most) {
      out.next_marker = marker_of(last);
      break;
    }
    ref.qualifier = entry.value.version;
    versions.push_back(to_output(ref, entry.value, "", Shown::kListed));
    last = entry.key;
  }
  co_return out;
}

}  // namespace pileus::services::lambda
