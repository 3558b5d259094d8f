// What the platform itself says of an environment's life. Each event is a line of the Text log
// format, a record of the JSON log format and of the Telemetry and Logs APIs, or several of these.
// Shapes: AWS's "Telemetry API Event schema reference". Pure.
#pragma once

#include "services/lambda/report.h"

namespace pileus::services::lambda {

enum class LogLevel { kNone, kTrace, kDebug, kInfo, kWarn, kError, kFatal };
LogLevel log_level(std::string_view name);  // "INFO", "warning", …; kNone when it is none

struct PlatformEvent {
  std::string_view type;  // "start"; "" for a line that is no event
  LogLevel level = LogLevel::kInfo;
  std::string text;    // Text format; "" when the format has no such line
  std::string record;  // JSON object; "" when nobody wants it
  enum class Apis { kBoth, kTelemetry, kLogs, kNone } apis = Apis::kBoth;
};
// {"time":…,"type":"platform.start","record":{…}}
std::string event_json(Time time, std::string_view type, std::string_view record);

struct Tracing {
  std::string value;  // of X-Amzn-Trace-Id
};

class PlatformEvents {
 public:
  PlatformEvents(const Configuration& configuration, std::string runtime_version,
                 std::string runtime_arn);
  // Records are made for the JSON format, and once somebody may subscribe to them.
  void want_records(bool on) { records_ = json_ || on; }
  bool json() const { return json_; }
  // Whether the log's level lets it through.
  bool logged(const PlatformEvent& event) const;

  PlatformEvent init_start(Phase phase) const;
  // Failure: empty type when it went well.
  PlatformEvent init_runtime_done(Phase phase, const Failure& failure) const;
  PlatformEvent init_report(Nanoseconds took, Phase phase, const Failure& failure) const;
  PlatformEvent start(std::string_view request_id, const Tracing& tracing) const;
  PlatformEvent runtime_done(const Report& report, Time began) const;
  PlatformEvent end(std::string_view request_id) const;
  PlatformEvent report(const Report& report, Time began) const;
  PlatformEvent timed_out(std::string_view request_id, int timeout_s, Time now) const;
  PlatformEvent exited(std::string_view request_id, const Failure& failure) const;
  PlatformEvent extension(std::string_view name, std::string_view state,
                          const std::vector<std::string>& events,
                          std::string_view error_type = {}) const;
  PlatformEvent subscription(PlatformEvent::Apis api, std::string_view name,
                             const std::vector<std::string>& types) const;
  static PlatformEvent logs_dropped(std::uint64_t records, std::uint64_t bytes);

 private:
  bool json_, records_;
  LogLevel level_;
  std::string name_, version_, runtime_version_, runtime_arn_;
};

// "python3.11" → "python:3.11.v1"
std::string runtime_version_name(std::string_view runtime);

}  // namespace pileus::services::lambda
