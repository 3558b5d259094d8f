#include "services/lambda/platform_events.h"

#include <algorithm>

#include "base/text.h"

namespace pileus::services::lambda {
namespace {

std::string millis(Nanoseconds time) { return fixed(static_cast<double>(time.count()) / 1e6, 2); }
std::string json_millis(Nanoseconds time) {
  return fixed(static_cast<double>(time.count()) / 1e6, 3);
}
std::string_view phase_name(Phase phase) { return phase == Phase::kInit ? "init" : "invoke"; }

std::string_view status_of(bool timed_out, std::string_view error_type) {
  return timed_out ? "timeout" : error_type.empty() ? "success" : "error";
}
LogLevel by_outcome(std::string_view status, LogLevel when_well) {
  return status == "success" ? when_well : LogLevel::kWarn;
}

std::string error_member(std::string_view type) {
  return type.empty() ? std::string() : str(R"(,"errorType":)", quoted(type));
}

std::string tracing_member(std::string_view trace) {
  if (trace.empty()) return {};
  std::string parent;
  for (const auto part : split(trace, ';'))
    if (trim(part).starts_with("Parent=")) parent = trim(part).substr(7);
  return str(R"(,"tracing":{)", parent.empty() ? "" : str(R"("spanId":)", quoted(parent), ","),
             R"("type":"X-Amzn-Trace-Id","value":)", quoted(trace), "}");
}

std::string span(std::string_view name, Time start, Nanoseconds took) {
  return str(R"({"name":")", name, R"(","start":")", iso8601_millis(start), R"(","durationMs":)",
             json_millis(took), "}");
}

std::string list(const std::vector<std::string>& items) {
  std::string out;
  for (const auto& item : items) out += str(out.empty() ? "" : ",", quoted(item));
  return str("[", out, "]");
}
std::string plain_list(const std::vector<std::string>& items) {
  std::string out;
  for (const auto& item : items) out += str(out.empty() ? "" : ", ", item);
  return str("[", out, "]");
}

}  // namespace

LogLevel log_level(std::string_view name) {
  const std::string level = to_lower(name);
  if (level == "trace") return LogLevel::kTrace;
  if (level == "debug") return LogLevel::kDebug;
  if (level == "info") return LogLevel::kInfo;
  if (level == "warn" || level == "warning") return LogLevel::kWarn;
  if (level == "error") return LogLevel::kError;
  if (level == "fatal" || level == "critical") return LogLevel::kFatal;
  return LogLevel::kNone;
}

std::string event_json(Time time, std::string_view type, std::string_view record) {
  return str(R"({"time":")", iso8601_millis(time), R"(","type":")", type, R"(","record":)", record,
             "}");
}

std::string runtime_version_name(std::string_view runtime) {
  if (runtime.starts_with("provided.")) return str("provided:", runtime.substr(9), ".v1");
  const auto digit = std::min(runtime.find_first_of("0123456789"), runtime.size());
  std::string_view version = runtime.substr(digit);
  if (version.ends_with(".x")) version.remove_suffix(2);
  return str(runtime.substr(0, digit), ":", version, ".v1");
}

PlatformEvents::PlatformEvents(const Configuration& configuration, std::string runtime_version,
                               std::string runtime_arn)
    : json_(configuration.logging.format == "JSON"),
      records_(json_),
      level_(log_level(configuration.logging.system_level)),
      name_(configuration.name),
      version_(configuration.version),
      runtime_version_(std::move(runtime_version)),
      runtime_arn_(std::move(runtime_arn)) {}

bool PlatformEvents::logged(const PlatformEvent& event) const {
  if (!json_) return !event.text.empty();
  if (event.record.empty() || event.apis == PlatformEvent::Apis::kLogs) return false;
  return event.level >= (level_ == LogLevel::kNone ? LogLevel::kInfo : level_);
}

PlatformEvent PlatformEvents::init_start(Phase phase) const {
  PlatformEvent out{.type = "initStart", .apis = PlatformEvent::Apis::kTelemetry};
  if (!json_)
    out.text = str("INIT_START Runtime Version: ", runtime_version_,
                   "\tRuntime Version ARN: ", runtime_arn_);
  if (records_)
    out.record = str(R"({"initializationType":"on-demand","phase":")", phase_name(phase),
                     R"(","runtimeVersion":)", quoted(runtime_version_), R"(,"runtimeVersionArn":)",
                     quoted(runtime_arn_), R"(,"functionName":)", quoted(name_),
                     R"(,"functionVersion":)", quoted(version_), "}");
  return out;
}

PlatformEvent PlatformEvents::init_runtime_done(Phase phase, const Failure& failure) const {
  const auto status = status_of(failure.timed_out, failure.type);
  PlatformEvent out{.type = "initRuntimeDone",
                    .level = by_outcome(status, LogLevel::kDebug),
                    .apis = PlatformEvent::Apis::kTelemetry};
  if (records_)
    out.record = str(R"({"initializationType":"on-demand","phase":")", phase_name(phase),
                     R"(","status":")", status, '"', error_member(failure.reported_type()), "}");
  return out;
}

PlatformEvent PlatformEvents::init_report(Nanoseconds took, Phase phase,
                                          const Failure& failure) const {
  const auto status = status_of(failure.timed_out, failure.type);
  PlatformEvent out{.type = "initReport",
                    .level = by_outcome(status, LogLevel::kDebug),
                    .apis = PlatformEvent::Apis::kTelemetry};
  const std::string type = failure.reported_type();
  if (!json_ && status != "success")
    out.text = str("INIT_REPORT Init Duration: ", millis(took), " ms\tPhase: ", phase_name(phase),
                   "\tStatus: ", status, type.empty() ? "" : "\tError Type: ", type);
  if (records_)
    out.record = str(R"({"initializationType":"on-demand","phase":")", phase_name(phase),
                     R"(","status":")", status, R"(","metrics":{"durationMs":)", json_millis(took),
                     "}", error_member(type), "}");
  return out;
}

PlatformEvent PlatformEvents::start(std::string_view request_id, const Tracing& tracing) const {
  PlatformEvent out{.type = "start"};
  if (!json_) out.text = str("START RequestId: ", request_id, " Version: ", version_);
  if (records_)
    out.record = str(R"({"requestId":")", request_id, R"(","version":)", quoted(version_),
                     tracing_member(tracing.value), "}");
  return out;
}

PlatformEvent PlatformEvents::runtime_done(const Report& report, Time began) const {
  const auto status = status_of(report.timed_out, report.error_type);
  PlatformEvent out{.type = "runtimeDone", .level = by_outcome(status, LogLevel::kDebug)};
  if (records_)
    out.record = str(R"({"requestId":")", report.request_id, R"(","status":")", status,
                     R"(","metrics":{"durationMs":)", json_millis(report.runtime_took),
                     R"(,"producedBytes":)", report.produced_bytes, R"(},"spans":[)",
                     span("responseLatency", began, report.runtime_took), "]",
                     tracing_member(report.trace), error_member(report.error_type), "}");
  return out;
}

PlatformEvent PlatformEvents::end(std::string_view request_id) const {
  PlatformEvent out{.type = "end", .apis = PlatformEvent::Apis::kLogs};
  if (!json_) out.text = str("END RequestId: ", request_id);
  if (records_) out.record = str(R"({"requestId":")", request_id, R"("})");
  return out;
}

PlatformEvent PlatformEvents::report(const Report& report, Time began) const {
  const auto status = status_of(report.timed_out, report.error_type);
  PlatformEvent out{.type = "report", .level = by_outcome(status, LogLevel::kInfo)};
  if (!json_) {
    out.text =
        str("REPORT RequestId: ", report.request_id, "\tDuration: ", millis(report.duration),
            " ms\tBilled Duration: ", report.billed_ms(), " ms\tMemory Size: ", report.memory_mb,
            " MB\tMax Memory Used: ", report.memory_used_mb(), " MB");
    if (report.init) out.text += str("\tInit Duration: ", millis(*report.init), " ms");
    if (status != "success") out.text += str("\tStatus: ", status);
    if (status == "error") out.text += "\tError Type: " + report.error_type;
    out.text += "\t";
  }
  if (!records_) return out;
  const auto overhead = report.duration - report.runtime_took;
  out.record = str(
      R"({"requestId":")", report.request_id, R"(","metrics":{"durationMs":)",
      json_millis(report.duration), R"(,"billedDurationMs":)", report.billed_ms(),
      R"(,"memorySizeMB":)", report.memory_mb, R"(,"maxMemoryUsedMB":)", report.memory_used_mb(),
      report.init ? str(R"(,"initDurationMs":)", json_millis(*report.init)) : "", R"(},"status":")",
      status, '"',
      overhead > Nanoseconds(0)
          ? str(R"(,"spans":[)",
                span("extensionOverhead",
                     began + std::chrono::duration_cast<Duration>(report.runtime_took), overhead),
                "]")
          : "",
      tracing_member(report.trace), status == "error" ? error_member(report.error_type) : "", "}");
  return out;
}

PlatformEvent PlatformEvents::timed_out(std::string_view request_id, int timeout_s,
                                        Time now) const {
  PlatformEvent out{.apis = PlatformEvent::Apis::kNone};
  if (!json_)  // else its report says so
    out.text = str(iso8601_millis(now), ' ', request_id, " Task timed out after ",
                   fixed(timeout_s, 2), " seconds\n");
  return out;
}

PlatformEvent PlatformEvents::exited(std::string_view request_id, const Failure& failure) const {
  PlatformEvent out{.type = "fault", .apis = PlatformEvent::Apis::kLogs};
  if (!failure.body.empty() || failure.timed_out) return out;
  const std::string text =
      str("RequestId: ", request_id, " Error: ", failure.message, "\n", failure.type);
  if (!json_) out.text = text;
  if (records_) out.record = quoted(text);
  return out;
}

PlatformEvent PlatformEvents::extension(std::string_view name, std::string_view state,
                                        const std::vector<std::string>& events,
                                        std::string_view error_type) const {
  PlatformEvent out{.type = "extension",
                    .level = error_type.empty() ? LogLevel::kInfo : LogLevel::kError};
  if (!json_)
    out.text = str("EXTENSION\tName: ", name, "\tState: ", state, "\tEvents: ", plain_list(events),
                   error_type.empty() ? "" : "\tError Type: ", error_type);
  if (records_)
    out.record = str(R"({"name":)", quoted(name), R"(,"state":")", state, R"(","events":)",
                     list(events), error_member(error_type), "}");
  return out;
}

PlatformEvent PlatformEvents::subscription(PlatformEvent::Apis api, std::string_view name,
                                           const std::vector<std::string>& types) const {
  const bool telemetry = api == PlatformEvent::Apis::kTelemetry;
  PlatformEvent out{.type = telemetry ? "telemetrySubscription" : "logsSubscription", .apis = api};
  if (!json_)
    out.text = str(telemetry ? "TELEMETRY" : "LOGS", "\tName: ", name,
                   "\tState: Subscribed\tTypes: ", plain_list(types));
  if (records_)
    out.record =
        str(R"({"name":)", quoted(name), R"(,"state":"Subscribed","types":)", list(types), "}");
  return out;
}

PlatformEvent PlatformEvents::logs_dropped(std::uint64_t records, std::uint64_t bytes) {
  return {.type = "logsDropped",
          .level = LogLevel::kWarn,
          .record = str(R"({"reason":"Consumer seems to have fallen behind as it has not )",
                        R"(acknowledged receipt of logs.","droppedRecords":)", records,
                        R"(,"droppedBytes":)", bytes, "}")};
}

}  // namespace pileus::services::lambda
