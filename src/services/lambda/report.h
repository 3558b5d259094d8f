// What the platform itself says: log lines in Text and JSON format, and error bodies. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "services/lambda/records.h"

namespace pileus::services::lambda {

using Nanoseconds = std::chrono::nanoseconds;

// Why an environment did not do its work.
struct Failure {
  std::string type;     // "Runtime.ExitError", "Sandbox.Timedout"
  std::string message;  // after "RequestId: <id> Error: "
  std::string body;     // as the runtime wrote it; then `message` is not used
  bool timed_out = false;
  std::string text(std::string_view request_id) const;  // the body that the caller gets
};
Failure exit_failure(int code, int signal);
Failure entrypoint_failure(int error);  // the bootstrap could not be executed: errno
Failure timeout_failure(int timeout_s);
// The errorType of a runtime's error body, or `fallback`.
std::string error_type(std::string_view body, std::string_view fallback);
std::string error_body(std::string_view type, std::string_view message);
Failure response_too_large();

struct Report {
  std::string request_id;
  Nanoseconds duration{0};
  std::optional<Nanoseconds> init;  // cold start
  int memory_mb = 0;
  std::uint64_t memory_peak_bytes = 0;
  bool timed_out = false;
  std::string error_type;  // "" when it went well
  std::string trace;
  std::string tenant;

  std::int64_t billed_ms() const;  // whole milliseconds, rounded up, with init
  int memory_used_mb() const;      // never more than memory_mb
};
enum class Phase { kInit, kInvoke };

// The lines of one function version; an empty string is a line that its log level leaves out.
class PlatformLines {
 public:
  explicit PlatformLines(const Configuration& configuration)
      : json_(configuration.logging.format == "JSON"),
        level_(configuration.logging.system_level),
        name_(configuration.name),
        version_(configuration.version) {}
  std::string start(std::string_view request_id, std::string_view tenant, Time now) const;
  std::string end(std::string_view request_id) const;
  std::string report(const Report& report, Time now) const;
  std::string init_report(Nanoseconds took, Phase phase, const Failure& failure, Time now) const;
  std::string timed_out(std::string_view request_id, int timeout_s, Time now) const;
  std::string exited(std::string_view request_id, const Failure& failure) const;

 private:
  std::string record(std::string_view type, std::string_view body, Time now) const;
  bool json_;
  std::string level_, name_, version_;
};

}  // namespace pileus::services::lambda
