// Console: everything that is said in one environment, in order: by the function (standard output,
// framed messages), its extensions, and the platform. It goes to the log stream, to the tail of the
// running event, and to who subscribed to telemetry. Application and system log levels hold here
// (JSON format). Reads are without waiting, at the environment's drain. Its loop only.
#pragma once

#include <list>
#include <memory>
#include <optional>

#include "sandbox/unique_fd.h"
#include "services/lambda/frames.h"
#include "services/lambda/log_shipper.h"
#include "services/lambda/telemetry.h"

namespace pileus::services::lambda {

class Console {
 public:
  Console(Clock& clock, const RealTime& real, Telemetry& telemetry)
      : clock_(clock), real_(real), telemetry_(telemetry) {}

  // From here on it belongs to a function.
  void begin(const Configuration& configuration, PlatformEvents events,
             std::shared_ptr<LogStream> log);
  PlatformEvents& events() { return *events_; }

  void attach(sandbox::UniqueFd output, sandbox::UniqueFd log);  // the runtime's, instead of before
  void attach_extension(sandbox::UniqueFd output);
  void detach_all();  // their processes have ended

  void platform(const PlatformEvent& event);
  void drain();       // what was said until now; before begin() it is nobody's
  void drain_rest();  // and the line that has no end yet
  void tail(bool wanted);
  std::string take_tail();

 private:
  struct Source {
    sandbox::UniqueFd fd;
    TelemetryKind kind = TelemetryKind::kFunction;
    std::string partial;  // after the last line end
  };
  bool read(int fd, std::string& into);
  void drain(Source& source);
  void drain_frames();
  void line(TelemetryKind kind, std::string text);
  void said(TelemetryKind kind, std::string text, LogLevel level, bool json);
  void write(std::string text);

  Clock& clock_;
  const RealTime& real_;
  Telemetry& telemetry_;
  std::optional<PlatformEvents> events_;
  std::shared_ptr<LogStream> log_;  // shared with its flush
  bool json_ = false;
  LogLevel least_ = LogLevel::kNone;
  Source output_;
  sandbox::UniqueFd frames_fd_;
  FrameReader frames_;
  std::list<Source> extensions_;
  bool tailing_ = false;
  std::string tail_;
};

}  // namespace pileus::services::lambda
