// What the lambda room keeps of layers, under "<account>/<region>":
//   lambda/layer/<name>                 Layer: the last version number given; stays for good, so
//                                       that a number is never given twice
//   lambda/layer-version/<name>/<10>    LayerVersion, the newest first: 10 digits of
//                                       9999999999 - version
// A function keeps its own copy of what it needs of a layer (LayerUse in records.h): it goes on
// when the version is deleted.
#pragma once

#include "services/lambda/policy_document.h"
#include "services/lambda/records.h"

namespace pileus::services::lambda {

inline constexpr std::string_view kLayerPrefix = "lambda/layer/";
inline constexpr std::string_view kLayerVersionPrefix = "lambda/layer-version/";
inline constexpr std::int64_t kMaxLayerVersion = 9'999'999'999;

struct Layer {
  std::string name;
  std::int64_t last_version = 0;
  PILEUS_FIELDS(Layer, name, last_version)
};

struct LayerVersion {
  std::string name;
  std::int64_t version = 0;
  std::string description;
  std::optional<std::string> license;
  std::optional<std::vector<std::string>> runtimes, architectures;  // as given
  std::string code_id;                                              // the blob, as of functions
  std::int64_t code_bytes = 0, unpacked_bytes = 0;
  Time created{};
  ResourcePolicy policy;  // document "": none
  PILEUS_FIELDS(LayerVersion, name, version, description, license, runtimes, architectures, code_id,
                code_bytes, unpacked_bytes, created, policy)
};

inline std::string layer_key(std::string_view name) {
  return std::string(kLayerPrefix).append(name);
}
inline std::string layer_version_prefix(std::string_view name) {
  return std::string(kLayerVersionPrefix).append(name).append("/");
}
inline std::string layer_version_key(std::string_view name, std::int64_t version) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%010lld",
                static_cast<long long>(kMaxLayerVersion - version));
  return layer_version_prefix(name) + digits;
}

}  // namespace pileus::services::lambda
