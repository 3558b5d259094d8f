#include "services/lambda/telemetry.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"

namespace pileus::services::lambda {
namespace {

constexpr std::size_t kMaxAnswer = 64 * 1024;
constexpr Nanoseconds kRetryDelay = std::chrono::milliseconds(100);

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

// --- one connection ------------------------------------------------------------------------------

void TelemetrySink::begin(const std::vector<std::string>& events, Nanoseconds now) {
  std::string body;
  for (const auto& event : events) {
    if (to_.tcp)
      body += str(event, '\n');
    else
      body += str(body.empty() ? "[" : ",", event);
  }
  if (to_.tcp)
    out_ = std::move(body);
  else
    out_ = str(to_.method, ' ', to_.path, " HTTP/1.1\r\nHost: ", to_.host, ':', to_.port,
               "\r\nUser-Agent: pileus-telemetry\r\nContent-Type: application/json\r\n"
               "Content-Length: ",
               body.size() + 1, "\r\nConnection: close\r\n\r\n", body, "]");
  sent_ = 0;
  in_.clear();
  refused_ = false;
  until_ = now + kDeliveryLimit;
  state_ = to_.tcp && socket_ ? State::kSending : State::kWanted;
}

void TelemetrySink::connect(sandbox::UniqueFd socket) {
  socket_ = std::move(socket);
  const int on = 1;
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(to_.port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool made = ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 ||
                    errno == EINPROGRESS;
  if (made)
    state_ = State::kConnecting;
  else
    fail();
}

void TelemetrySink::fail() {
  socket_.reset();
  state_ = State::kFailed;
}

void TelemetrySink::send() {
  while (sent_ < out_.size()) {
    const ssize_t went = ::send(socket_.get(), out_.data() + sent_, out_.size() - sent_,
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (went < 0 && (would_block() || errno == ENOTCONN)) return;
    if (went <= 0) return fail();
    sent_ += static_cast<std::size_t>(went);
  }
  state_ = to_.tcp ? State::kDone : State::kReading;
}

void TelemetrySink::read() {
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && would_block()) return;
    if (got > 0) in_.append(buffer, static_cast<std::size_t>(got));
    const auto end = in_.find("\r\n");
    if (end == std::string::npos) {
      if (got <= 0 || in_.size() > kMaxAnswer) return fail();
      continue;
    }
    // The status is all that matters: 2xx took it.
    const auto parts = split(std::string_view(in_).substr(0, end), ' ');
    refused_ = parts.size() < 2 || !parts[1].starts_with("2");
    socket_.reset();
    state_ = refused_ ? State::kFailed : State::kDone;
    return;
  }
}

TelemetrySink::State TelemetrySink::step(Nanoseconds now) {
  const bool under_way = state_ == State::kWanted || state_ == State::kConnecting ||
                         state_ == State::kSending || state_ == State::kReading;
  if (under_way && now > until_) fail();
  if (state_ == State::kConnecting) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0)
      fail();
    else
      state_ = State::kSending;  // send() waits while it is not connected
  }
  if (state_ == State::kSending) send();
  if (state_ == State::kReading) read();
  return state_;
}

// --- all subscriptions ---------------------------------------------------------------------------

void Telemetry::open() { open_ = true; }

void Telemetry::close() {
  open_ = false;
  backlog_.clear();
  backlog_bytes_ = 0;
}

void Telemetry::clear() {
  close();
  subscribers_.clear();
}

void Telemetry::subscribe(Subscription subscription, Nanoseconds now) {
  std::erase_if(subscribers_, [&](const auto& each) {
    return each->what.extension == subscription.extension && each->what.api == subscription.api;
  });
  const auto& made = subscribers_.emplace_back(std::make_shared<Subscriber>());
  made->what = std::move(subscription);
  for (const auto& item : backlog_) offer(*made, item, now);
}

void Telemetry::add(TelemetryItem item, Nanoseconds now) {
  for (const auto& subscriber : subscribers_) offer(*subscriber, item, now);
  if (!open_) return;
  backlog_bytes_ += item.record.size();
  backlog_.push_back(std::move(item));
  while (backlog_bytes_ > kMaxBacklog) {
    backlog_bytes_ -= backlog_.front().record.size();
    backlog_.pop_front();
  }
}

void Telemetry::offer(Subscriber& subscriber, const TelemetryItem& item, Nanoseconds now) {
  const bool logs = subscriber.what.api == TelemetryApi::kLogs;
  if (!subscriber.what.wants(item.kind) || item.apis == PlatformEvent::Apis::kNone) return;
  if (item.apis == (logs ? PlatformEvent::Apis::kTelemetry : PlatformEvent::Apis::kLogs)) return;
  const bool as_text = !item.plain.empty() && !subscriber.what.structured;
  std::string text = event_json(item.time, item.type, as_text ? item.plain : item.record);
  if (subscriber.bytes + text.size() > kMaxUndelivered) {
    ++subscriber.dropped_records;
    subscriber.dropped_bytes += text.size();
    return;
  }
  if (subscriber.dropped_records > 0) {
    const auto dropped = PlatformEvents::logs_dropped(std::exchange(subscriber.dropped_records, 0),
                                                      std::exchange(subscriber.dropped_bytes, 0));
    push(subscriber, event_json(item.time, "platform.logsDropped", dropped.record), now);
  }
  push(subscriber, std::move(text), now);
}

void Telemetry::push(Subscriber& subscriber, std::string text, Nanoseconds now) {
  if (subscriber.waiting.size() <= subscriber.in_flight) subscriber.oldest = now;
  subscriber.bytes += text.size();
  subscriber.waiting.push_back(std::move(text));
}

void Telemetry::tick(Nanoseconds now, Due due) {
  const auto all = subscribers_;
  for (const auto& subscriber : all) advance(subscriber, now, due);
}

void Telemetry::advance(const std::shared_ptr<Subscriber>& subscriber, Nanoseconds now, Due due) {
  using State = TelemetrySink::State;
  Subscriber& it = *subscriber;
  if (it.sink.state() == State::kIdle) {
    const bool full = it.waiting.size() >= it.what.max_items || it.bytes >= it.what.max_bytes;
    const bool ripe = full || due == Due::kAll || now - it.oldest >= it.what.timeout;
    if (it.waiting.empty() || !ripe || now < it.retry_at) return;
    std::vector<std::string> batch;
    std::size_t bytes = 0;
    for (const auto& event : it.waiting) {
      if (batch.size() >= it.what.max_items ||
          (!batch.empty() && bytes + event.size() > it.what.max_bytes))
        break;
      bytes += event.size();
      batch.push_back(event);
    }
    it.in_flight = batch.size();
    it.sink.begin(batch, now);
  }
  if (it.sink.state() == State::kWanted && !std::exchange(it.asked, true)) {
    make_socket_([subscriber](Result<int> made) {
      subscriber->asked = false;
      sandbox::UniqueFd socket(made ? *made : -1);
      if (subscriber->sink.state() != State::kWanted) return;
      if (socket)
        subscriber->sink.connect(std::move(socket));
      else
        subscriber->sink.refuse();
    });
  }
  const State state = it.sink.step(now);
  if (state == State::kDone) finish(it, true, now);
  if (state == State::kFailed) finish(it, false, now);
}

void Telemetry::finish(Subscriber& subscriber, bool well, Nanoseconds now) {
  const bool give_up =
      !well && subscriber.sink.refused() && ++subscriber.attempts >= kDeliveryAttempts;
  if (!well && !give_up) subscriber.retry_at = now + kRetryDelay;
  if (well || give_up) {
    for (std::size_t i = 0; i < subscriber.in_flight && !subscriber.waiting.empty(); ++i) {
      const auto size = subscriber.waiting.front().size();
      subscriber.bytes -= size;
      if (give_up) {
        ++subscriber.dropped_records;
        subscriber.dropped_bytes += size;
      }
      subscriber.waiting.pop_front();
    }
    subscriber.attempts = 0;
    subscriber.oldest = now;
  }
  subscriber.in_flight = 0;
  subscriber.sink.rest();
}

bool Telemetry::delivering() const {
  return std::ranges::any_of(subscribers_, [](const auto& each) {
    return each->sink.state() != TelemetrySink::State::kIdle;
  });
}

bool Telemetry::delivered() const {
  return std::ranges::all_of(subscribers_, [](const auto& each) { return each->waiting.empty(); });
}

}  // namespace pileus::services::lambda
