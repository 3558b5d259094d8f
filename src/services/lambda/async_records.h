// What is kept about events accepted for later and about loops of calls, besides the events, under
// "<account>/<region>":
//   lambda/async-config/<function>/<version, alias or $LATEST>   EventInvokeConfig
//   lambda/recursion/<function>                                  RecursionConfig; none: Terminate
#pragma once

#include <optional>

#include "services/lambda/records.h"

namespace pileus::services::lambda {

inline constexpr std::string_view kEventConfigPrefix = "lambda/async-config/";
inline constexpr std::string_view kRecursionPrefix = "lambda/recursion/";

struct EventInvokeConfig {
  std::string qualifier;  // "$LATEST" unqualified
  std::optional<int> max_retries, max_age_s;
  std::string on_success, on_failure;  // ARNs, "" for none
  Time modified{};
  PILEUS_FIELDS(EventInvokeConfig, qualifier, max_retries, max_age_s, on_success, on_failure,
                modified)
};
struct RecursionConfig {
  std::string mode;  // "Terminate" or "Allow"
  PILEUS_FIELDS(RecursionConfig, mode)
};

inline std::string event_config_prefix(std::string_view function) {
  return std::string(kEventConfigPrefix).append(function).append("/");
}
inline std::string event_config_key(std::string_view function, std::string_view qualifier) {
  return event_config_prefix(function).append(qualifier.empty() ? kLatest : qualifier);
}
inline std::string recursion_key(std::string_view function) {
  return std::string(kRecursionPrefix).append(function);
}

}  // namespace pileus::services::lambda
