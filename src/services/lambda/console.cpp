#include "services/lambda/console.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/json.h"
#include "base/text.h"
#include "services/lambda/invocation.h"

namespace pileus::services::lambda {
namespace {

constexpr std::size_t kReadAtOnce = 64 * 1024;
// So that one chatty function does not hold the loop.
constexpr std::size_t kReadPerDrain = 4u << 20;

Nanoseconds now_of(const RealTime& real) { return real.monotonic(); }

}  // namespace

void Console::begin(const Configuration& configuration, PlatformEvents events,
                    std::shared_ptr<LogStream> log) {
  drain();  // what the interpreter said while held belongs to nobody
  output_.partial.clear();
  frames_.take_rest();
  events_.emplace(std::move(events));
  log_ = std::move(log);
  json_ = configuration.logging.format == "JSON";
  least_ = json_ ? log_level(configuration.logging.application_level) : LogLevel::kNone;
}

void Console::attach(sandbox::UniqueFd output, sandbox::UniqueFd log) {
  output_.fd = std::move(output);
  frames_fd_ = std::move(log);
}

void Console::attach_extension(sandbox::UniqueFd output) {
  extensions_.push_back({std::move(output), TelemetryKind::kExtension, {}});
}

void Console::detach_all() {
  drain_rest();
  attach({}, {});
  extensions_.clear();
}

void Console::platform(const PlatformEvent& event) {
  const Time now = clock_.now();
  if (events_->logged(event))
    write(json_ ? event_json(now, str("platform.", event.type), event.record) + "\n"
                : event.text + "\n");
  if (event.record.empty() || event.apis == PlatformEvent::Apis::kNone || !telemetry_.wanted())
    return;
  telemetry_.add(
      {TelemetryKind::kPlatform, event.apis, now, str("platform.", event.type), event.record, {}},
      now_of(real_));
}

// --- what processes say --------------------------------------------------------------------------

bool Console::read(int fd, std::string& into) {
  char buffer[kReadAtOnce];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    into.assign(buffer, static_cast<std::size_t>(got));
    return true;
  }
}

void Console::drain() {
  drain(output_);
  drain_frames();
  for (auto& extension : extensions_) drain(extension);
}

void Console::drain(Source& source) {
  if (!source.fd) return;
  std::string bytes;
  for (std::size_t total = 0; total < kReadPerDrain && read(source.fd.get(), bytes);) {
    total += bytes.size();
    if (!log_) continue;
    std::string_view rest = bytes;
    for (auto at = rest.find('\n'); at != std::string_view::npos; at = rest.find('\n')) {
      source.partial += rest.substr(0, at + 1);
      line(source.kind, std::exchange(source.partial, {}));
      rest.remove_prefix(at + 1);
    }
    source.partial += rest;
    if (source.partial.size() > kMaxLine) line(source.kind, std::exchange(source.partial, {}));
    if (bytes.size() < kReadAtOnce) break;
  }
}

void Console::drain_frames() {
  if (!frames_fd_) return;
  std::string bytes;
  for (std::size_t total = 0; total < kReadPerDrain && read(frames_fd_.get(), bytes);) {
    total += bytes.size();
    if (!log_) continue;
    frames_.add(bytes);
    while (auto frame = frames_.next()) {
      if (!frame->message.ends_with('\n')) frame->message += '\n';
      said(TelemetryKind::kFunction, std::move(frame->message), frame->level, frame->json);
    }
  }
}

// An event is done: what it printed without a line end is a line too.
void Console::drain_rest() {
  drain();
  if (!log_) return;
  if (!output_.partial.empty())
    line(TelemetryKind::kFunction, std::exchange(output_.partial, {}) + "\n");
}

// One line of standard output. A runtime's client that has no framed stream writes the line ends
// within one message as carriage returns.
void Console::line(TelemetryKind kind, std::string text) {
  std::replace(text.begin(), text.end(), '\r', '\n');
  const bool json = text.starts_with('{');
  said(kind, std::move(text), LogLevel::kNone, json);
}

// `json`: it may be a record, whose own level counts where the frame names none.
void Console::said(TelemetryKind kind, std::string text, LogLevel level, bool json) {
  const std::string_view plain = std::string_view(text).substr(0, text.find_last_not_of('\n') + 1);
  bool object = false;
  if (json_ && json && plain.starts_with('{') &&
      (least_ != LogLevel::kNone || telemetry_.wanted())) {
    const auto parsed = parse_json(plain);
    object = parsed && parsed->is_object();
    if (object && level == LogLevel::kNone && kind == TelemetryKind::kFunction) {
      const auto named = log_level(find_string(*parsed, "level"));
      level = named == LogLevel::kNone ? LogLevel::kInfo : named;
    }
  }
  if (least_ != LogLevel::kNone && level != LogLevel::kNone && level < least_ &&
      kind == TelemetryKind::kFunction)
    return;
  if (telemetry_.wanted())
    telemetry_.add(
        {kind, PlatformEvent::Apis::kBoth, clock_.now(),
         kind == TelemetryKind::kFunction ? "function" : "extension",
         object ? std::string(plain) : quoted(plain), object ? quoted(plain) : std::string()},
        now_of(real_));
  write(std::move(text));
}

void Console::write(std::string text) {
  if (tailing_) {
    tail_ += text;
    if (tail_.size() > 4 * kLogTail) tail_.erase(0, tail_.size() - 2 * kLogTail);
  }
  if (log_) log_->write(clock_.now(), std::move(text));
}

void Console::tail(bool wanted) {
  tailing_ = wanted;
  tail_.clear();
}

std::string Console::take_tail() {
  if (tail_.size() > kLogTail) tail_.erase(0, tail_.size() - kLogTail);
  tailing_ = false;
  return std::exchange(tail_, {});
}

}  // namespace pileus::services::lambda
