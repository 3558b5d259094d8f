#include "services/lambda/report.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/json.h"
#include "base/text.h"

namespace pileus::services::lambda {
namespace {

// As Go, in which AWS's supervisor is written, names them.
std::string signal_name(int signal) {
  switch (signal) {
    case SIGHUP:
      return "hangup";
    case SIGINT:
      return "interrupt";
    case SIGQUIT:
      return "quit";
    case SIGILL:
      return "illegal instruction";
    case SIGTRAP:
      return "trace/breakpoint trap";
    case SIGABRT:
      return "aborted";
    case SIGBUS:
      return "bus error";
    case SIGFPE:
      return "floating point exception";
    case SIGKILL:
      return "killed";
    case SIGUSR1:
      return "user defined signal 1";
    case SIGSEGV:
      return "segmentation fault";
    case SIGUSR2:
      return "user defined signal 2";
    case SIGPIPE:
      return "broken pipe";
    case SIGALRM:
      return "alarm clock";
    case SIGTERM:
      return "terminated";
    case SIGSYS:
      return "bad system call";
    default:
      return str("signal ", signal);
  }
}

}  // namespace

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string error_body(std::string_view type, std::string_view message) {
  return str(R"({"errorType":)", quoted(type), R"(,"errorMessage":)", quoted(message), "}");
}

std::string Failure::text(std::string_view request_id) const {
  if (!body.empty()) return body;
  return error_body(type, str("RequestId: ", request_id, " Error: ", message));
}

Failure exit_failure(const sandbox::Exit& exit) {
  const int code = exit.code;
  if (exit.execute_errno != 0) return entrypoint_failure(exit.execute_errno);
  if (exit.signal != 0)
    return {.type = "Runtime.ExitError",
            .message = "Runtime exited with error: signal: " + signal_name(exit.signal),
            .out_of_memory = exit.out_of_memory};
  if (code == 0)
    return {.type = "Runtime.ExitError", .message = "Runtime exited without providing a reason"};
  return {.type = "Runtime.ExitError",
          .message = str("Runtime exited with error: exit status ", code)};
}

Failure extension_failure(std::string_view name, const sandbox::Exit& exit) {
  if (exit.execute_errno != 0)
    return {.type = "Extension.LaunchError",
            .message = str("fork/exec /opt/extensions/", name, ": ",
                           to_lower(std::strerror(exit.execute_errno)))};
  if (exit.signal != 0)
    return {.type = "Extension.Crash", .message = "signal: " + signal_name(exit.signal)};
  if (exit.code == 0) return {.type = "Extension.Crash", .message = "exit code 0"};
  return {.type = "Extension.Crash", .message = str("exit status ", exit.code)};
}

std::string Failure::reported_type() const {
  if (timed_out) return {};
  return out_of_memory ? "Runtime.OutOfMemory" : type;
}

Failure entrypoint_failure(int error) {
  if (error == ENOENT)
    return {.type = "Runtime.InvalidEntrypoint",
            .message = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"};
  return {.type = "Runtime.InvalidEntrypoint",
          .message = str("fork/exec /var/task/bootstrap: ", to_lower(std::strerror(error)))};
}

Failure timeout_failure(int timeout_s) {
  return {.type = "Sandbox.Timedout",
          .message = str("Task timed out after ", fixed(timeout_s, 2), " seconds"),
          .timed_out = true};
}

Failure response_too_large() {
  Failure failure;
  failure.type = "Function.ResponseSizeTooLarge";
  failure.body = error_body(
      failure.type, "Response payload size exceeded maximum allowed payload size (6291556 bytes).");
  return failure;
}

std::string error_type(std::string_view body, std::string_view fallback) {
  const auto json = parse_json(body);
  return std::string(json ? find_string(*json, "errorType", fallback) : fallback);
}

std::int64_t Report::billed_ms() const {
  const auto whole = duration + init.value_or(Nanoseconds(0));
  return std::max<std::int64_t>(1, (whole.count() + 999'999) / 1'000'000);
}

int Report::memory_used_mb() const {
  const auto used = static_cast<int>((memory_peak_bytes + (1 << 20) - 1) >> 20);
  return std::min(used, memory_mb);
}

}  // namespace pileus::services::lambda
