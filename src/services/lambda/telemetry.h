// Telemetry: what one environment says, delivered to the extensions that subscribed: batches over
// HTTP, or lines over TCP, into the sandbox' own network. Moved by its environment's tick; nothing
// waits for it and nothing of it blocks. What nobody takes is dropped beyond kMaxUndelivered, and
// said so. Until the init phase is over all is kept for who may still subscribe. Its loop only.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <memory>

#include "base/clock.h"
#include "sandbox/unique_fd.h"
#include "services/lambda/platform_events.h"
#include "services/lambda/telemetry_subscription.h"

namespace pileus::services::lambda {

inline constexpr std::size_t kMaxUndelivered = 4u << 20;  // bytes, per subscription
inline constexpr std::size_t kMaxBacklog = 1u << 20;      // bytes kept for who may subscribe
inline constexpr Nanoseconds kDeliveryLimit = std::chrono::seconds(5);  // of one batch
inline constexpr int kDeliveryAttempts = 3;  // answered with an error, then it counts as dropped

struct TelemetryItem {
  TelemetryKind kind = TelemetryKind::kPlatform;
  PlatformEvent::Apis apis = PlatformEvent::Apis::kBoth;
  Time time{};
  std::string type;    // "platform.start", "function", "extension"
  std::string record;  // JSON
  std::string plain;   // of a function's JSON line: the record as text, for older schemas
};

// One connection into the sandbox, without waiting: step() goes as far as it can.
class TelemetrySink {
 public:
  enum class State { kIdle, kWanted, kConnecting, kSending, kReading, kDone, kFailed };
  explicit TelemetrySink(const Subscription& to) : to_(to) {}
  void begin(const std::vector<std::string>& events, Nanoseconds now);
  void connect(sandbox::UniqueFd socket);  // what kWanted asks for
  void refuse() { state_ = State::kFailed; }
  State step(Nanoseconds now);
  void rest() { state_ = State::kIdle; }
  State state() const { return state_; }
  bool refused() const { return refused_; }  // it was answered, but not with 2xx

 private:
  void send();
  void read();
  void fail();
  const Subscription& to_;
  State state_ = State::kIdle;
  sandbox::UniqueFd socket_;
  std::string out_, in_;
  std::size_t sent_ = 0;
  bool refused_ = false;
  Nanoseconds until_{0};
};

class Telemetry {
 public:
  // `socket` makes one of the sandbox' network and brings it to the completer.
  using MakeSocket = std::function<void(std::function<void(Result<int>)>)>;
  explicit Telemetry(MakeSocket socket) : make_socket_(std::move(socket)) {}

  void open();   // the init phase begins: all is kept
  void close();  // it is over
  bool open_for_subscriptions() const { return open_; }
  bool wanted() const { return open_ || !subscribers_.empty(); }
  void subscribe(Subscription subscription, Nanoseconds now);
  void add(TelemetryItem item, Nanoseconds now);
  // Delivers what is due; with kAll whatever there is.
  enum class Due { kByTime, kAll };
  void tick(Nanoseconds now, Due due);
  bool delivering() const;
  bool delivered() const;  // nothing waits
  void clear();            // the extensions are gone

 private:
  struct Subscriber {
    Subscription what;
    TelemetrySink sink{what};
    std::deque<std::string> waiting;
    std::size_t bytes = 0, in_flight = 0;
    int attempts = 0;
    Nanoseconds oldest{0}, retry_at{0};
    std::uint64_t dropped_records = 0, dropped_bytes = 0;
    bool asked = false;  // for a socket
  };
  void offer(Subscriber& subscriber, const TelemetryItem& item, Nanoseconds now);
  void push(Subscriber& subscriber, std::string text, Nanoseconds now);
  void advance(const std::shared_ptr<Subscriber>& subscriber, Nanoseconds now, Due due);
  void finish(Subscriber& subscriber, bool well, Nanoseconds now);
  MakeSocket make_socket_;
  bool open_ = false;
  std::deque<TelemetryItem> backlog_;
  std::size_t backlog_bytes_ = 0;
  std::list<std::shared_ptr<Subscriber>> subscribers_;  // shared with sockets under way
};

}  // namespace pileus::services::lambda
