// The ways to name a layer and its versions. Any thread.
#pragma once

#include "services/lambda/names.h"

namespace pileus::services::lambda {

struct LayerRef {
  std::string arn_partition, account, region, name;
  std::int64_t version = 0;  // 0: the layer itself

  std::string layer_arn() const;
  std::string arn() const;  // with the version where there is one
  std::string partition() const { return account + "/" + region; }  // of the records
};

// A name or an ARN of a layer. InvalidParameterValueException for another region's.
Result<LayerRef> parse_layer(const aws::Context& context, std::string_view text);
Result<LayerRef> parse_layer(const aws::Context& context, std::string_view text,
                             std::int64_t version);
// arn:…:layer:name:version
Result<LayerRef> parse_layer_version(const aws::Context& context, std::string_view arn);

Error no_layer_version();                     // ResourceNotFoundException
std::string layer_user(const LayerRef& ref);  // of its code, for the CodeStore

}  // namespace pileus::services::lambda
