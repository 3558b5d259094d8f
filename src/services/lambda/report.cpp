#include "services/lambda/report.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/json.h"
#include "base/text.h"

namespace pileus::services::lambda {
namespace {

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}
std::string millis(Nanoseconds time) { return fixed(static_cast<double>(time.count()) / 1e6, 2); }

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

std::string quoted(std::string_view text);
std::string tenant_member(std::string_view tenant) {
  return tenant.empty() ? std::string() : str(R"(,"tenantId":)", quoted(tenant));
}
std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

std::string error_body(std::string_view type, std::string_view message) {
  return str(R"({"errorType":)", quoted(type), R"(,"errorMessage":)", quoted(message), "}");
}

std::string Failure::text(std::string_view request_id) const {
  if (!body.empty()) return body;
  return error_body(type, str("RequestId: ", request_id, " Error: ", message));
}

Failure exit_failure(int code, int signal) {
  if (signal != 0)
    return {"Runtime.ExitError", "Runtime exited with error: signal: " + signal_name(signal), "",
            false};
  if (code == 0)
    return {"Runtime.ExitError", "Runtime exited without providing a reason", "", false};
  return {"Runtime.ExitError", str("Runtime exited with error: exit status ", code), "", false};
}

Failure entrypoint_failure(int error) {
  if (error == ENOENT)
    return {"Runtime.InvalidEntrypoint",
            "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]", "", false};
  return {"Runtime.InvalidEntrypoint",
          str("fork/exec /var/task/bootstrap: ", to_lower(std::strerror(error))), "", false};
}

Failure timeout_failure(int timeout_s) {
  return {"Sandbox.Timedout", str("Task timed out after ", fixed(timeout_s, 2), " seconds"), "",
          true};
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

std::string PlatformLines::record(std::string_view type, std::string_view body, Time now) const {
  return str(R"({"time":")", iso8601_millis(now), R"(","type":"platform.)", type, R"(","record":{)",
             body, "}}");
}

std::string PlatformLines::start(std::string_view request_id, std::string_view tenant,
                                 Time now) const {
  if (!json_) return str("START RequestId: ", request_id, " Version: ", version_);
  if (level_ == "WARN") return {};
  return record(
      "start",
      str(R"("requestId":")", request_id, R"(","version":")", version_, '"', tenant_member(tenant)),
      now);
}

std::string PlatformLines::end(std::string_view request_id) const {
  return json_ ? std::string() : str("END RequestId: ", request_id);
}

std::string PlatformLines::report(const Report& report, Time now) const {
  if (!json_) {
    std::string line =
        str("REPORT RequestId: ", report.request_id, "\tDuration: ", millis(report.duration),
            " ms\tBilled Duration: ", report.billed_ms(), " ms\tMemory Size: ", report.memory_mb,
            " MB\tMax Memory Used: ", report.memory_used_mb(), " MB");
    if (report.init) line += str("\tInit Duration: ", millis(*report.init), " ms");
    if (report.timed_out)
      line += "\tStatus: timeout";
    else if (!report.error_type.empty())
      line += "\tStatus: error\tError Type: " + report.error_type;
    return line + "\t";
  }
  const bool failed = report.timed_out || !report.error_type.empty();
  if (level_ == "WARN" && !failed) return {};
  std::string metrics =
      str(R"("durationMs":)", fixed(static_cast<double>(report.duration.count()) / 1e6, 3),
          R"(,"billedDurationMs":)", report.billed_ms(), R"(,"memorySizeMB":)", report.memory_mb,
          R"(,"maxMemoryUsedMB":)", report.memory_used_mb());
  if (report.init)
    metrics +=
        str(R"(,"initDurationMs":)", fixed(static_cast<double>(report.init->count()) / 1e6, 3));
  return record(
      "report",
      str(R"("requestId":")", report.request_id, R"(","metrics":{)", metrics, R"(},"status":")",
          report.timed_out ? "timeout"
          : failed         ? "error"
                           : "success",
          '"',
          failed && !report.timed_out ? str(R"(,"errorType":)", quoted(report.error_type)) : "",
          tenant_member(report.tenant)),
      now);
}

std::string PlatformLines::init_report(Nanoseconds took, Phase phase, const Failure& failure,
                                       Time now) const {
  const std::string_view name = phase == Phase::kInit ? "init" : "invoke";
  const std::string_view status = failure.timed_out ? "timeout" : "error";
  if (!json_) {
    std::string line = str("INIT_REPORT Init Duration: ", millis(took), " ms\tPhase: ", name,
                           "\tStatus: ", status);
    if (!failure.timed_out) line += "\tError Type: " + failure.type;
    return line;
  }
  return record(
      "initReport",
      str(R"("initializationType":"on-demand","phase":")", name, R"(","status":")", status,
          R"(","metrics":{"durationMs":)", fixed(static_cast<double>(took.count()) / 1e6, 3), "}",
          failure.timed_out ? "" : str(R"(,"errorType":)", quoted(failure.type))),
      now);
}

std::string PlatformLines::timed_out(std::string_view request_id, int timeout_s, Time now) const {
  if (json_) return {};  // its report says so
  return str(iso8601_millis(now), ' ', request_id, " Task timed out after ", fixed(timeout_s, 2),
             " seconds\n");
}

std::string PlatformLines::exited(std::string_view request_id, const Failure& failure) const {
  if (json_ || !failure.body.empty() || failure.timed_out) return {};
  return str("RequestId: ", request_id, " Error: ", failure.message, "\n", failure.type);
}

}  // namespace pileus::services::lambda
