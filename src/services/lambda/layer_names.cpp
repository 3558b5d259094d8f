#include "services/lambda/layer_names.h"

#include "base/text.h"
#include "services/lambda/layer_records.h"

namespace pileus::services::lambda {

std::string LayerRef::layer_arn() const {
  return str("arn:", arn_partition, ":lambda:", region, ":", account, ":layer:", name);
}
std::string LayerRef::arn() const {
  return version > 0 ? str(layer_arn(), ":", version) : layer_arn();
}

Result<LayerRef> parse_layer(const aws::Context& context, std::string_view text) {
  LayerRef ref{std::string(context.partition()), context.account(), context.region(),
               std::string(text), 0};
  if (!text.starts_with("arn:")) return ref;
  const auto parts = split(text, ':');  // the model's pattern has checked its form
  if (parts.size() < 7 || parts[5] != "layer")
    return fail(invalid(str("'", text, "' is not the name or ARN of a layer.")));
  if (parts[3] != ref.region)
    return fail(
        invalid(str("Layers are not in the same region as the request. Layers are expected "
                    "to be in region ",
                    ref.region, ".")));
  ref.arn_partition = parts[1];
  ref.account = parts[4];
  ref.name = parts[6];
  if (parts.size() == 7) return ref;
  const auto version = parse_int(parts[7]);
  if (parts.size() > 8 || !version || *version < 1 || *version > kMaxLayerVersion)
    return fail(invalid(str("'", text, "' is not the ARN of a layer version.")));
  ref.version = *version;
  return ref;
}

Result<LayerRef> parse_layer(const aws::Context& context, std::string_view text,
                             std::int64_t version) {
  TRY_ASSIGN(auto ref, parse_layer(context, text));
  if (version < 1 || version > kMaxLayerVersion)
    return fail(invalid("Layer Version Cannot be less than 1."));
  ref.version = version;
  return ref;
}

Result<LayerRef> parse_layer_version(const aws::Context& context, std::string_view arn) {
  TRY_ASSIGN(auto ref, parse_layer(context, arn));
  if (ref.version == 0 || !arn.starts_with("arn:"))
    return fail(invalid(str("'", arn, "' is not the ARN of a layer version.")));
  return ref;
}

Error no_layer_version() { return not_found("The resource you requested does not exist."); }

std::string layer_user(const LayerRef& ref) { return "layer|" + ref.arn(); }

}  // namespace pileus::services::lambda
