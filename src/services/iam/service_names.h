// The services that reports name: their namespace in actions, and what people call them. Data.
#pragma once

#include <span>
#include <string_view>

namespace pileus::services::iam {

struct ServiceName {
  std::string_view service_namespace;  // "lambda"
  std::string_view name;               // "AWS Lambda"
};
std::span<const ServiceName> service_names();  // sorted by namespace
std::string_view service_name(std::string_view service_namespace);

}  // namespace pileus::services::iam
