// Layers and code as functions use them: which are allowed, who keeps their content, how large they
// are together.
#include "base/text.h"
#include "services/lambda/impl.h"
#include "services/lambda/layer_names.h"
#include "services/lambda/unzip.h"

namespace pileus::services::lambda {
namespace {

constexpr std::size_t kMaxLayers = 5;

Result<std::vector<LayerRef>> parse_layers(const aws::Context& context,
                                           const std::vector<std::string>& arns) {
  if (arns.size() > kMaxLayers)
    return fail(invalid(str("Cannot reference more than ", kMaxLayers, " layers.")));
  std::vector<LayerRef> out;
  for (const auto& arn : arns) {
    TRY_ASSIGN(LayerRef ref, parse_layer_version(context, arn));
    for (const auto& other : out) {
      if (other.layer_arn() != ref.layer_arn()) continue;
      if (other.version == ref.version)
        return fail(
            invalid(str("Two identical layers are not allowed to be referenced in the same "
                        "function. ",
                        arn)));
      return fail(
          invalid(str("Two different versions of the same layer are not allowed to be "
                      "referenced in the same function. ",
                      other.arn(), " and ", arn)));
    }
    out.push_back(std::move(ref));
  }
  return out;
}

std::string layers_user(const FunctionRef& ref, const Configuration& configuration) {
  return str(code_user(ref, configuration.version), "|", configuration.layers_id);
}

}  // namespace

// Looked up twice: only content that is pinned while its record is still there cannot go away.
Task<Result<LayerClaim>> LambdaService::Impl::claim_layers(aws::Context& context,
                                                           std::vector<std::string> arns) {
  CO_TRY_ASSIGN(const auto refs, parse_layers(context, arns));
  LayerClaim out;
  for (const auto& ref : refs) {
    for (int look = 0; look < 2; ++look) {
      auto found = co_await load_layer(context, ref, "lambda:GetLayerVersion");
      if (!found && found.error().is("ResourceNotFoundException"))
        co_return fail(invalid(str("Layer version ", ref.arn(), " does not exist.")));
      if (!found) co_return fail(std::move(found).error());
      const LayerVersion& version = found->value;
      if (look == 0)
        out.pins.emplace_back(code, version.code_id);
      else
        out.layers.push_back(
            {ref.arn(), version.code_id, version.code_bytes, version.unpacked_bytes});
    }
  }
  co_return out;
}

void LambdaService::Impl::use_content(const FunctionRef& ref, const Configuration& configuration) {
  code.use(configuration.code_id, code_user(ref, configuration.version));
  use_layers(ref, configuration);
}

void LambdaService::Impl::use_layers(const FunctionRef& ref, const Configuration& configuration) {
  for (const auto& layer : configuration.layers)
    code.use(layer.code_id, layers_user(ref, configuration));
}

Task<Result<Unit>> LambdaService::Impl::release_content(FunctionRef ref,
                                                        Configuration configuration) {
  CO_TRY(co_await release_layers(ref, configuration));
  co_return co_await code.release(configuration.code_id, code_user(ref, configuration.version));
}

Task<Result<Unit>> LambdaService::Impl::release_layers(FunctionRef ref,
                                                       Configuration configuration) {
  for (const auto& layer : configuration.layers)
    CO_TRY(co_await code.release(layer.code_id, layers_user(ref, configuration)));
  co_return Unit{};
}

Result<Unit> check_unpacked_size(const Configuration& configuration) {
  auto bytes = configuration.unpacked_bytes;
  for (const auto& layer : configuration.layers) bytes += layer.unpacked_bytes;
  if (bytes <= static_cast<std::int64_t>(kMaxUnpackedBytes)) return Unit{};
  return fail(invalid(str("Function code combined with layers exceeds the maximum allowed size of ",
                          kMaxUnpackedBytes, " bytes. The actual size is ", bytes, " bytes.")));
}

Task<Result<Stored>> LambdaService::Impl::stored_code(std::string partition) {
  Stored out;
  store::ScanOptions page;
  for (;;) {
    CO_TRY_ASSIGN(auto found, co_await store::load_page<Function>(
                                  given.records, partition, std::string(kFunctionPrefix), page));
    if (found.empty()) break;
    page.after = found.back().key;
    for (const auto& entry : found) out.bytes += entry.value.latest.code_bytes;
    out.functions += static_cast<std::int64_t>(found.size());
  }
  page = {};
  for (;;) {
    CO_TRY_ASSIGN(auto found, co_await store::load_page<Configuration>(
                                  given.records, partition, std::string(kVersionPrefix), page));
    if (found.empty()) break;
    page.after = found.back().key;
    for (const auto& entry : found) out.bytes += entry.value.code_bytes;
  }
  page = {};
  for (;;) {
    CO_TRY_ASSIGN(auto found,
                  co_await store::load_page<LayerVersion>(given.records, partition,
                                                          std::string(kLayerVersionPrefix), page));
    if (found.empty()) co_return out;
    page.after = found.back().key;
    for (const auto& entry : found) out.bytes += entry.value.code_bytes;
  }
}

Task<Result<Unit>> LambdaService::Impl::check_storage(std::string partition, std::int64_t more) {
  if (options.quotas != Quotas::kAws) co_return Unit{};
  CO_TRY_ASSIGN(const Stored stored, co_await stored_code(std::move(partition)));
  if (stored.bytes + more <= kMaxStoredBytes) co_return Unit{};
  co_return fail(Error("CodeStorageExceededException", "Code storage limit exceeded.", 400)
                     .with("Type", "User"));
}

// Whether a failed commit certainly changed nothing. One that was cut short may have been made.
bool is_certain(const Error& error) {
  return !error.is(errc::kCancelled) && !error.is(errc::kIo) && !error.is(errc::kDeadline);
}

}  // namespace pileus::services::lambda
