// What came of an event, in AWS's words: failures with their bodies, and reports. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "sandbox/sandbox.h"
#include "services/lambda/records.h"

namespace pileus::services::lambda {

using Nanoseconds = std::chrono::nanoseconds;

// Why an environment did not do its work.
struct Failure {
  std::string type;     // "Runtime.ExitError", "Sandbox.Timedout"
  std::string message;  // after "RequestId: <id> Error: "
  std::string body;     // as the runtime wrote it; then `message` is not used
  bool timed_out = false;
  bool out_of_memory = false;
  std::string reported_type()
      const;  // in reports; "" for a time-out, which has a status of its own
  std::string text(std::string_view request_id) const;  // the body that the caller gets
};
Failure exit_failure(const sandbox::Exit& exit);
Failure extension_failure(std::string_view name, const sandbox::Exit& exit);
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
  Nanoseconds runtime_took{0};  // until the runtime was done; `duration` has the extensions' too
  std::size_t produced_bytes = 0;

  std::int64_t billed_ms() const;  // whole milliseconds, rounded up, with init
  int memory_used_mb() const;      // never more than memory_mb
};
enum class Phase { kInit, kInvoke };

std::string fixed(double value, int digits);
std::string quoted(std::string_view text);  // as JSON

}  // namespace pileus::services::lambda
