#include "net/connection.h"

#include <charconv>

#include "base/log.h"
#include "base/text.h"
#include "net/connection_streams.h"

namespace pileus::net {

namespace {
constexpr std::size_t kSlice = 256 * 1024;          // of a large body, per write
constexpr std::size_t kDiscardedBody = 256 * 1024;  // an unread body is read away up to this
constexpr Duration kLinger = std::chrono::seconds(2);
constexpr std::size_t kLingerBytes = 16ull << 20;
constexpr std::size_t kLeastBuffer = 64 * 1024;

constexpr bool is_token(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
}

bool is_ours(std::string_view name, bool drop_length) {
  switch (name.size()) {
    case 4:
      return iequals(name, "date");
    case 10:
      return iequals(name, "connection") || iequals(name, "keep-alive");
    case 14:
      return drop_length && iequals(name, "content-length");
    case 17:
      return iequals(name, "transfer-encoding");
    default:
      return false;
  }
}

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }
}  // namespace

bool valid_field(std::string_view name, std::string_view value) {
  return !name.empty() && std::all_of(name.begin(), name.end(), is_token) &&
         value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

// Runs a handler's or producer's task until it first waits; only then the connection starts to
// watch for the client going away (and sends what was held back to go with a first write).
struct Connection::Watched {
  Connection& connection;
  std::coroutine_handle<> task;
  PromiseBase& promise;
  bool await_ready() const { return false; }
  bool await_suspend(std::coroutine_handle<> parent) {
    promise.loop = connection.loop_;
    promise.stop = &connection.stop_;
    task.resume();
    if (task.done()) return false;
    promise.continuation = parent;
    if (!connection.head_.empty()) {
      connection.wire_->send(connection.head_);
      connection.head_.clear();
    }
    connection.watch();
    return true;
  }
  void await_resume() { connection.wire_->stop_watching(); }
};

// Goes on with the same request on another loop. For a moment no shelf has the connection: what it
// may have missed then (an abort, a drain) is looked up when it has arrived.
struct Connection::Move {
  Connection& connection;
  EventLoop& to;
  bool await_ready() const { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> self) {
    auto owned = connection.shelf_->connections.extract(&connection);
    connection.wire_->let_go();
    self.promise().loop = &to;
    to.post([&to = to, self, c = std::move(owned.mapped())]() mutable {
      Connection& arrived = *c;
      arrived.settle(to, std::move(c));
      self.resume();
    });
  }
  void await_resume() const {}
};

void Connection::settle(EventLoop& loop, std::unique_ptr<Connection> self) {
  loop_ = &loop;
  shelf_ = &owner_->shelf_of(loop);
  shelf_->connections.emplace(this, std::move(self));
  wire_->settle(loop);
  if (owner_->draining()) draining_ = true;
  if (owner_->aborting() || listener_->closed) abort();
}

// ---- life

Connection::Connection(EventLoop& loop, int fd, std::shared_ptr<Listener> listener,
                       std::shared_ptr<ConnectionOwner> owner, ConnectionShelf& shelf,
                       std::shared_ptr<Peer> peer)
    : loop_(&loop),
      listener_(std::move(listener)),
      limits_(listener_->options.limits),
      owner_(std::move(owner)),
      shelf_(&shelf),
      peer_(std::move(peer)),
      wire_(std::make_shared<Wire>(loop, fd, std::max(limits_.header_bytes, kLeastBuffer) + 1)) {
  request_.listener = &listener_->options.info;
  request_.peer_address = peer_->address();
  request_.peer_port = peer_->port();
  request_.local_port = peer_->local_port();
  request_.peer = peer_;
}

Connection::~Connection() { wire_->close(); }

void Connection::start() {
  task_.emplace(run());
  auto awaiter = (*task_).operator co_await();
  auto& promise = awaiter.handle.promise();
  promise.loop = loop_;  // no stop source: what this coroutine waits for ends with the wire
  awaiter.handle.resume();
}

void Connection::drain() {
  draining_ = true;
  if (idle_ && wire_->buffered().empty()) wire_->close();
}

void Connection::abort() {
  draining_ = true;
  stop_.stop();
  wire_->close();
}

void Connection::watch() {
  wire_->read_ahead([this] { stop_.stop(); });
}

Task<void> Connection::run() {
  try {
    co_await serve();
  } catch (const std::exception& error) {
    log::error("a connection ended with an exception", {{"what", error.what()}});
  } catch (...) {
    log::error("a connection ended with an exception of an unknown kind");
  }
  wire_->close();
  request_.body.reset();
  loop_->post([this] { owner_->ended(*this); });
}

Task<void> Connection::serve() {
  if (wire_->closed()) co_return;
  if (listener_->tls && !co_await secure()) co_return;
  for (;;) {
    if (!co_await read_request()) co_return;
    idle_ = false;
    prepare_request();
    if (const auto& place = listener_->options.place) {
      auto* const to = static_cast<EventLoop*>(place(request_));
      if (to && to != loop_ && wire_->movable()) co_await Move{*this, *to};
    }
    Response response;
    if (parser_.expect_other()) {
      response.status = 417;
      response.close = true;
    } else {
      try {
        auto task = listener_->handler(request_);
        auto awaiter = task.operator co_await();
        co_await Watched{*this, awaiter.handle, awaiter.handle.promise()};
        response = awaiter.await_resume();
      } catch (const std::exception& error) {
        response = failed(error.what());
      } catch (...) {
        response = failed("an exception of an unknown kind");
      }
    }
    const Next next = co_await answer(std::move(response));
    if (next == Next::kLinger) co_await linger();
    if (next != Next::kRequest) co_return;
    request_.body.reset();
    idle_ = true;
  }
}

Task<bool> Connection::secure() {
  const auto until = std::chrono::steady_clock::now() + limits_.header_timeout;
  auto left = [until] {
    return std::max(Duration(1),
                    std::chrono::ceil<Duration>(until - std::chrono::steady_clock::now()));
  };
  if (co_await wire_->readable(limits_.idle_timeout) != Wire::Event::kReady) co_return false;
  constexpr int kTlsHandshake = 0x16;
  const int first = wire_->first_byte();
  if (first < 0) co_return false;
  if (first != kTlsHandshake) co_return true;
  wire_->start_tls(server_session(listener_->tls));
  for (;;) {
    if (const auto step = wire_->handshake()) {
      if (*step != Wire::Event::kReady)
        log::debug("a TLS handshake failed",
                   {{"peer", peer_->address()}, {"why", tls_error(wire_->tls())}});
      request_.tls = *step == Wire::Event::kReady;
      co_return request_.tls;
    }
    if (co_await wire_->tls_wait(left()) != Wire::Event::kReady) co_return false;
  }
}

// False: the connection is to be closed (and was told why, where that is due).
Task<bool> Connection::read_request() {
  parser_.reset({.head_bytes = limits_.header_bytes, .body_bytes = limits_.body_bytes});
  std::optional<std::chrono::steady_clock::time_point> until;
  for (;;) {
    std::size_t consumed = 0;
    const Parsed parsed = parser_.parse_head(wire_->buffered(), consumed);
    wire_->consume(consumed);
    if (parsed == Parsed::kDone) co_return true;
    if (parsed == Parsed::kWrong) {
      co_await refuse(parser_.status());
      co_return false;
    }
    const bool begun = parser_.started() || !wire_->buffered().empty();
    if (!begun && (draining_ || owner_->draining())) co_return false;
    Duration patience = limits_.idle_timeout;
    if (begun) {
      const auto now = std::chrono::steady_clock::now();
      if (!until) until = now + limits_.header_timeout;
      patience = std::max(Duration(0), std::chrono::ceil<Duration>(*until - now));
    } else {
      wire_->give_back_memory();
    }
    const auto event = co_await wire_->more(patience);
    if (event == Wire::Event::kTimeout && begun) co_await refuse(408);
    if (event != Wire::Event::kReady) co_return false;
  }
}

void Connection::prepare_request() {
  std::swap(request_.method, parser_.head.method);
  std::swap(request_.target, parser_.head.target);
  std::swap(request_.headers, parser_.head.headers);
  request_.body = std::make_unique<ServerBody>(*this);
  body_failure_ = 0;
  continued_ = false;
  head_.clear();
}

Response Connection::failed(const char* what) {
  log::error("a handler ended with an exception",
             {{"what", what}, {"method", request_.method}, {"path", std::string(request_.path())}});
  Response response;
  response.status = 500;
  return response;
}

// ---- answers

void Connection::append_date() {
  const auto second = std::chrono::floor<std::chrono::seconds>(owner_->real_time().now());
  if (second.time_since_epoch().count() != shelf_->date_second) {
    shelf_->date_second = second.time_since_epoch().count();
    shelf_->date = "Date: " + http_date(second) + "\r\n";
  }
  head_ += shelf_->date;
}

void Connection::append_fields(const Response& response, bool drop_length) {
  for (const auto& [name, value] : response.headers) {
    if (is_ours(name, drop_length)) continue;
    head_.append(name).append(": ").append(value).append("\r\n");
  }
}

void Connection::write_head(const Response& response, bool keep_alive,
                            std::optional<std::uint64_t> length, bool chunked) {
  if (response.status == 200) {
    head_ += "HTTP/1.1 200 OK\r\n";
  } else {
    head_.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
    head_.append(reason_phrase(response.status)).append("\r\n");
  }
  append_date();
  if (length) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, *length).ptr;
    head_.append("Content-Length: ").append(digits, end).append("\r\n");
  }
  if (chunked) head_ += "Transfer-Encoding: chunked\r\n";
  if (response.upgrade)
    head_ += "Connection: Upgrade\r\n";
  else if (!keep_alive)
    head_ += "Connection: close\r\n";
  else if (parser_.http10())
    head_ += "Connection: keep-alive\r\n";
  append_fields(response, true);
  head_ += "\r\n";
}

Connection::Next Connection::after(bool keep_alive) const {
  if (wire_->broken()) return Next::kClose;
  if (keep_alive) return Next::kRequest;
  const bool input_left = !parser_.body_done() || !wire_->buffered().empty();
  return input_left ? Next::kLinger : Next::kClose;
}

Task<Connection::Next> Connection::answer(Response response) {
  for (const auto& [name, value] : response.headers) {
    if (valid_field(name, value)) continue;
    response = failed("the handler gave an invalid header field");
    break;
  }
  if (response.status < 100 || response.status > 999)
    response = failed("the handler gave an invalid status");
  if (body_failure_ != 0) {  // whatever the handler made of it, the framing is lost
    response = Response{};
    response.status = body_failure_;
    response.close = true;
  }
  if (response.upgrade) {
    co_await upgrade(response);
    co_return Next::kClose;
  }
  // A client that waits for "100 Continue" may or may not send its body now: nobody can know.
  const bool body_lost = !parser_.body_done() && parser_.expect_continue() && !continued_;
  const bool keep_alive =
      parser_.keep_alive() && !response.close && !draining_ && !owner_->draining() && !body_lost;
  const bool no_body = request_.method == "HEAD" || has_no_body(response.status);
  if (response.stream) {
    const Next next = co_await stream(response, keep_alive, no_body);
    if (next != Next::kRequest) co_return next;
  } else {
    std::optional<std::uint64_t> length = response.body.size();
    if (no_body && response.body.empty()) {
      if (has_no_body(response.status)) length.reset();
      if (const auto given = response.headers.find("content-length")) {
        if (response.status != 204 && response.status >= 200)
          length = static_cast<std::uint64_t>(parse_int(*given).value_or(0));
      }
    }
    if (response.status == 204 || response.status < 200) length.reset();
    write_head(response, keep_alive, length, false);
    const std::string_view body = no_body ? std::string_view() : std::string_view(response.body);
    if (body.size() <= kSlice) {
      wire_->send(head_, body);
      head_.clear();
      if (wire_->unsent() > 0 &&
          co_await wire_->sent(0, limits_.body_stall_timeout) != Wire::Event::kReady)
        co_return Next::kClose;
    } else if (!co_await send_large(body)) {
      co_return Next::kClose;
    }
  }
  if (keep_alive && !parser_.body_done() && !co_await discard_body()) co_return Next::kLinger;
  co_return after(keep_alive);
}

// Slice by slice, so that what the socket does not take is never copied whole.
Task<bool> Connection::send_large(std::string_view body) {
  wire_->send(head_, body.substr(0, kSlice));
  head_.clear();
  for (std::size_t at = kSlice;; at += kSlice) {
    const bool last = at >= body.size();
    const auto event = co_await wire_->sent(last ? 0 : kUnsentInFlight, limits_.body_stall_timeout);
    if (event != Wire::Event::kReady) co_return false;
    if (last) co_return true;
    wire_->send(body.substr(at, kSlice));
  }
}

Task<Connection::Next> Connection::stream(Response& response, bool keep_alive, bool no_body) {
  std::optional<std::uint64_t> length;
  if (const auto given = response.headers.find("content-length")) {
    if (const auto number = parse_int(*given); number && *number >= 0)
      length = static_cast<std::uint64_t>(*number);
  }
  using Framing = StreamWriter::Framing;
  const Framing framing = length             ? Framing::kLength
                          : parser_.http10() ? Framing::kToClose
                                             : Framing::kChunked;
  if (framing == Framing::kToClose && !no_body) keep_alive = false;
  const bool bare = response.status == 204 || response.status < 200;
  write_head(response, keep_alive, bare ? std::nullopt : length,
             framing == Framing::kChunked && !bare && response.status != 304);
  if (no_body) {
    wire_->send(head_);
    head_.clear();
    co_return co_await wire_->sent(0, limits_.body_stall_timeout) == Wire::Event::kReady
        ? after(keep_alive)
        : Next::kClose;
  }
  StreamWriter writer(*this, framing, length.value_or(0));
  bool whole = false;
  try {
    auto task = response.stream(writer);
    auto awaiter = task.operator co_await();
    co_await Watched{*this, awaiter.handle, awaiter.handle.promise()};
    const auto produced = awaiter.await_resume();
    whole = produced && writer.complete();
    if (produced && !whole) log::error("a streamed body was shorter than its Content-Length", {});
  } catch (const std::exception& error) {
    log::error("a streamed body ended with an exception", {{"what", error.what()}});
  }
  // The client must see that something is missing: no last chunk, the connection breaks.
  if (!whole || body_failure_ != 0) {
    wire_->send(head_);
    head_.clear();
    co_await wire_->sent(0, limits_.body_stall_timeout);
    co_return Next::kClose;
  }
  writer.finish();
  if (co_await wire_->sent(0, limits_.body_stall_timeout) != Wire::Event::kReady)
    co_return Next::kClose;
  co_return keep_alive ? Next::kRequest : after(false);
}

Task<void> Connection::upgrade(Response& response) {
  write_head(response, true, std::nullopt, false);
  wire_->send(head_);
  head_.clear();
  UpgradedStream bytes(*this);
  auto task = response.upgrade(bytes);
  task.set_stop(&stop_);
  try {
    co_await std::move(task);
  } catch (const std::exception& error) {
    log::error("an upgraded connection ended with an exception", {{"what", error.what()}});
  }
  co_await wire_->sent(0, limits_.body_stall_timeout);
}

// ---- ends

// Reads away a body that the handler did not want, so that the next request can be found.
Task<bool> Connection::discard_body() {
  if (parser_.content_length().value_or(0) > kDiscardedBody) co_return false;
  std::size_t discarded = 0;
  for (;;) {
    std::string out;
    std::size_t consumed = 0;
    const Parsed parsed = parser_.parse_body(wire_->buffered(), consumed, out);
    wire_->consume(consumed);
    if (parsed == Parsed::kDone) co_return true;
    discarded += consumed;
    if (parsed == Parsed::kWrong || discarded > kDiscardedBody) co_return false;
    if (co_await wire_->more(limits_.body_stall_timeout) != Wire::Event::kReady) co_return false;
  }
}

Task<void> Connection::refuse(int status) {
  Response response;
  response.status = status;
  head_.clear();
  write_head(response, false, 0, false);
  wire_->send(head_);
  head_.clear();
  if (co_await wire_->sent(0, limits_.body_stall_timeout) == Wire::Event::kReady) co_await linger();
}

// Closing with unread input makes the kernel reset the connection, which can overtake the answer:
// so say that nothing more comes, and read away for a moment.
Task<void> Connection::linger() {
  wire_->shutdown_write();
  const auto until = std::chrono::steady_clock::now() + kLinger;
  std::size_t discarded = 0;
  while (discarded < kLingerBytes) {
    const std::size_t held = wire_->buffered().size();
    wire_->consume(held);
    discarded += held;
    const auto left = std::chrono::ceil<Duration>(until - std::chrono::steady_clock::now());
    if (left <= Duration::zero() || co_await wire_->more(left) != Wire::Event::kReady) co_return;
  }
}

}  // namespace pileus::net
