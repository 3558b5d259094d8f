// PublishLayerVersion, GetLayerVersion, GetLayerVersionByArn, ListLayers, ListLayerVersions,
// DeleteLayerVersion.
#include <algorithm>

#include "base/text.h"
#include "gen/lambda/DeleteLayerVersion.h"
#include "gen/lambda/GetLayerVersion.h"
#include "gen/lambda/GetLayerVersionByArn.h"
#include "gen/lambda/ListLayerVersions.h"
#include "gen/lambda/ListLayers.h"
#include "gen/lambda/PublishLayerVersion.h"
#include "services/lambda/impl.h"
#include "services/lambda/layer_names.h"
#include "services/lambda/listing.h"
#include "services/lambda/settings.h"

namespace pileus::services::lambda {
namespace {

constexpr int kMostListed = 50;

// GetLayerVersionOutput and PublishLayerVersionOutput have the same members.
template <class Output>
Output shown(const LayerRef& ref, const LayerVersion& in, std::string location) {
  Output out;
  auto& content = out.content.emplace();
  content.location = std::move(location);
  content.code_sha256 = to_base64(from_hex(in.code_id).value_or(""));
  content.code_size = in.code_bytes;
  out.layer_arn = ref.layer_arn();
  out.layer_version_arn = ref.arn();
  out.description = in.description;
  out.created_date = last_modified_text(in.created);
  out.version = in.version;
  out.compatible_runtimes = in.runtimes;
  out.compatible_architectures = in.architectures;
  out.license_info = in.license;
  return out;
}

gen::lambda::LayerVersionsListItem listed(LayerRef ref, const LayerVersion& in) {
  gen::lambda::LayerVersionsListItem out;
  ref.version = in.version;
  out.layer_version_arn = ref.arn();
  out.version = in.version;
  out.description = in.description;
  out.created_date = last_modified_text(in.created);
  out.compatible_runtimes = in.runtimes;
  out.compatible_architectures = in.architectures;
  out.license_info = in.license;
  return out;
}

using Names = std::optional<std::vector<std::string>>;

bool has(const Names& names, const std::optional<std::string>& wanted) {
  if (!wanted) return true;
  return names && std::find(names->begin(), names->end(), *wanted) != names->end();
}

struct Filter {
  std::optional<std::string> runtime, architecture;
  bool matches(const LayerVersion& version) const {
    return has(version.runtimes, runtime) && has(version.architectures, architecture);
  }
};

// The newest version that the filter lets through.
Task<Result<std::optional<LayerVersion>>> newest(store::Records& records, std::string partition,
                                                 std::string name, Filter filter) {
  store::ScanOptions page;
  page.limit = kMostListed;
  for (;;) {
    CO_TRY_ASSIGN(auto found, co_await store::load_page<LayerVersion>(
                                  records, partition, layer_version_prefix(name), page));
    if (found.empty()) co_return std::optional<LayerVersion>();
    page.after = found.back().key;
    for (auto& entry : found)
      if (filter.matches(entry.value)) co_return std::move(entry.value);
  }
}

}  // namespace

Task<Result<store::Versioned<LayerVersion>>> LambdaService::Impl::load_layer(aws::Context& context,
                                                                             LayerRef ref,
                                                                             std::string action) {
  CO_TRY_ASSIGN(auto found,
                co_await store::load<LayerVersion>(given.records, ref.partition(),
                                                   layer_version_key(ref.name, ref.version)));
  aws::Authorization ask;
  ask.action = std::move(action);
  ask.resource = ref.arn();
  ask.resource_account = ref.account;
  if (found) ask.resource_policy = found->value.policy.document;
  CO_TRY(co_await context.authorize(std::move(ask)));
  if (!found) co_return fail(no_layer_version());
  co_return std::move(*found);
}

// The next number of the layer, and the version under it, in one transaction.
Task<Result<Unit>> LambdaService::Impl::save_layer(LayerRef* ref, LayerVersion* version) {
  for (int attempt = 0; attempt < store::kUpdateAttempts; ++attempt) {
    CO_TRY(co_await store::pause_before_attempt(attempt));
    CO_TRY_ASSIGN(auto head, co_await store::load<Layer>(given.records, ref->partition(),
                                                         layer_key(ref->name)));
    Layer layer = head ? head->value : Layer{ref->name, 0};
    ref->version = version->version = ++layer.last_version;
    const std::string key = layer_version_key(ref->name, ref->version);
    store::Transaction transaction;
    transaction.expect(layer_key(ref->name), head ? head->revision : 0)
        .expect(key, 0)
        .put(layer_key(ref->name), store::encode(layer))
        .put(key, store::encode(*version));
    auto committed = co_await given.records.commit(ref->partition(), std::move(transaction));
    if (committed) co_return Unit{};
    if (!committed.error().is(errc::kConflict)) co_return fail(std::move(committed).error());
  }
  co_return fail(conflict("The layer is being changed by somebody else. Try again."));
}

Task<Result<gen::lambda::PublishLayerVersionOutput>> LambdaService::publish_layer_version(
    aws::Context& context, gen::lambda::PublishLayerVersionInput in) {
  CO_TRY_ASSIGN(LayerRef ref, parse_layer(context, in.layer_name));
  ref.version = 0;
  CO_TRY(co_await context.authorize("lambda:PublishLayerVersion", ref.layer_arn()));
  if (!in.content.zip_file || in.content.zip_file->empty())
    co_return fail(invalid("Please provide a source for layer content: Content.ZipFile."));
  LayerVersion version;
  version.name = ref.name;
  version.description = in.description.value_or("");
  version.license = in.license_info;
  version.runtimes = in.compatible_runtimes;
  version.architectures = in.compatible_architectures;
  version.created = std::chrono::floor<std::chrono::milliseconds>(context.now());
  CO_TRY(co_await impl_->check_storage(ref.partition(),
                                       static_cast<std::int64_t>(in.content.zip_file->size())));
  CO_TRY_ASSIGN(std::optional<CodeStore::Added> code,
                co_await impl_->code.add(std::move(*in.content.zip_file), "PublishLayerVersion"));
  version.code_id = code->id;
  version.code_bytes = code->bytes;
  version.unpacked_bytes = code->unpacked_bytes;
  auto saved = co_await impl_->save_layer(&ref, &version);
  // A commit that was cut short may have been made: then the content stays.
  if (saved || !is_certain(saved.error())) impl_->code.use(version.code_id, layer_user(ref));
  code.reset();
  if (!saved) {
    CO_TRY(co_await impl_->code.release(version.code_id, ""));
    co_return fail(std::move(saved).error());
  }
  co_return shown<gen::lambda::PublishLayerVersionOutput>(
      ref, version, impl_->download_url(context, version.code_id));
}

Task<Result<gen::lambda::GetLayerVersionOutput>> LambdaService::get_layer_version(
    aws::Context& context, gen::lambda::GetLayerVersionInput in) {
  CO_TRY_ASSIGN(const LayerRef ref, parse_layer(context, in.layer_name, in.version_number));
  CO_TRY_ASSIGN(const auto found,
                co_await impl_->load_layer(context, ref, "lambda:GetLayerVersion"));
  co_return shown<gen::lambda::GetLayerVersionOutput>(
      ref, found.value, impl_->download_url(context, found.value.code_id));
}

Task<Result<gen::lambda::GetLayerVersionByArnOutput>> LambdaService::get_layer_version_by_arn(
    aws::Context& context, gen::lambda::GetLayerVersionByArnInput in) {
  CO_TRY_ASSIGN(const LayerRef ref, parse_layer_version(context, in.arn));
  CO_TRY_ASSIGN(const auto found,
                co_await impl_->load_layer(context, ref, "lambda:GetLayerVersion"));
  co_return shown<gen::lambda::GetLayerVersionByArnOutput>(
      ref, found.value, impl_->download_url(context, found.value.code_id));
}

Task<Result<gen::lambda::ListLayersOutput>> LambdaService::list_layers(
    aws::Context& context, gen::lambda::ListLayersInput in) {
  CO_TRY(co_await context.authorize("lambda:ListLayers", "*"));
  LayerRef ref{std::string(context.partition()), context.account(), context.region(), "", 0};
  const auto most = static_cast<std::size_t>(std::min(in.max_items.value_or(50), kMostListed));
  const std::string prefix(kLayerPrefix);
  store::ScanOptions page;
  CO_TRY_ASSIGN(page.after, key_of(in.marker, prefix));
  gen::lambda::ListLayersOutput out;
  auto& layers = out.layers.emplace();
  for (;;) {
    CO_TRY_ASSIGN(auto found, co_await store::load_page<Layer>(impl_->given.records,
                                                               ref.partition(), prefix, page));
    if (found.empty()) co_return out;
    for (auto& entry : found) {
      ref.name = entry.value.name;
      CO_TRY_ASSIGN(const auto version,
                    co_await newest(impl_->given.records, ref.partition(), ref.name,
                                    Filter{in.compatible_runtime, in.compatible_architecture}));
      if (version && layers.size() == most) {
        out.next_marker = marker_of(page.after);
        co_return out;
      }
      page.after = entry.key;
      if (!version) continue;
      auto& item = layers.emplace_back();
      item.layer_name = ref.name;
      item.layer_arn = ref.layer_arn();
      item.latest_matching_version = listed(ref, *version);
    }
  }
}

Task<Result<gen::lambda::ListLayerVersionsOutput>> LambdaService::list_layer_versions(
    aws::Context& context, gen::lambda::ListLayerVersionsInput in) {
  CO_TRY_ASSIGN(const LayerRef ref, parse_layer(context, in.layer_name));
  aws::Authorization ask;
  ask.action = "lambda:ListLayerVersions";
  ask.resource_account = ref.account;
  CO_TRY(co_await context.authorize(std::move(ask)));
  const auto most = static_cast<std::size_t>(std::min(in.max_items.value_or(50), kMostListed));
  const Filter filter{in.compatible_runtime, in.compatible_architecture};
  const std::string prefix = layer_version_prefix(ref.name);
  store::ScanOptions page;
  CO_TRY_ASSIGN(page.after, key_of(in.marker, prefix));
  gen::lambda::ListLayerVersionsOutput out;
  auto& versions = out.layer_versions.emplace();
  for (;;) {
    CO_TRY_ASSIGN(auto found, co_await store::load_page<LayerVersion>(
                                  impl_->given.records, ref.partition(), prefix, page));
    if (found.empty()) co_return out;
    for (auto& entry : found) {
      const bool matches = filter.matches(entry.value);
      if (matches && versions.size() == most) {
        out.next_marker = marker_of(page.after);
        co_return out;
      }
      page.after = entry.key;
      if (matches) versions.push_back(listed(ref, entry.value));
    }
  }
}

// A version that is not there is deleted already, as in AWS. Functions that use it go on.
Task<Result<gen::lambda::DeleteLayerVersionOutput>> LambdaService::delete_layer_version(
    aws::Context& context, gen::lambda::DeleteLayerVersionInput in) {
  CO_TRY_ASSIGN(const LayerRef ref, parse_layer(context, in.layer_name, in.version_number));
  auto found = co_await impl_->load_layer(context, ref, "lambda:DeleteLayerVersion");
  if (!found && found.error().is("ResourceNotFoundException"))
    co_return gen::lambda::DeleteLayerVersionOutput{};
  if (!found) co_return fail(std::move(found).error());
  store::Transaction transaction;
  transaction.remove(layer_version_key(ref.name, ref.version));
  CO_TRY(co_await impl_->given.records.commit(ref.partition(), std::move(transaction)));
  CO_TRY(co_await impl_->code.release(found->value.code_id, layer_user(ref)));
  co_return gen::lambda::DeleteLayerVersionOutput{};
}

}  // namespace pileus::services::lambda
