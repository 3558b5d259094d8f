// What an extension asks of the Telemetry API (2022-07-01) or the Logs API (2020-08-15): parsed
// and checked as AWS documents it. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/loop.h"

namespace pileus::services::lambda {

enum class TelemetryApi { kTelemetry, kLogs };
enum class TelemetryKind { kPlatform, kFunction, kExtension };

struct Subscription {
  TelemetryApi api = TelemetryApi::kTelemetry;
  std::string extension;  // its name
  bool platform = false, function = false, extensions = false;
  bool structured = false;  // a function's JSON lines are delivered as objects, not as text
  std::size_t max_items = 10'000, max_bytes = 262'144;
  Duration timeout = std::chrono::seconds(1);
  bool tcp = false;
  std::string method = "POST";
  std::string host, path = "/";
  std::uint16_t port = 0;
  std::vector<std::string> types;  // as they were named

  bool wants(TelemetryKind kind) const {
    return kind == TelemetryKind::kPlatform   ? platform
           : kind == TelemetryKind::kFunction ? function
                                              : extensions;
  }
};

// ValidationError, 400: everything that is wrong, in one message.
Result<Subscription> parse_subscription(TelemetryApi api, std::string_view extension,
                                        std::string_view body);

}  // namespace pileus::services::lambda
