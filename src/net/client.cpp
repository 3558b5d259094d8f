#include "net/client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "base/text.h"
#include "net/connection.h"
#include "net/http_parser.h"
#include "net/resolver.h"
#include "net/url.h"
#include "net/wire.h"

namespace pileus::net {

namespace {
constexpr std::size_t kHeadLimit = 64 * 1024;  // of an answer
constexpr std::size_t kReadBuffer = kHeadLimit + 1;
constexpr std::size_t kSlice = 256 * 1024;  // of a body, per write
constexpr std::size_t kUnsentInFlight = 64 * 1024;
constexpr auto kIdleLife = std::chrono::seconds(30);  // less than servers commonly keep them
constexpr Duration kSweep = std::chrono::seconds(15);

using SharedWire = std::shared_ptr<Wire>;  // shared by the pool or a call with operations in flight

// Connections are kept for requests that trust alike.
std::string pool_key(const Url& url, const std::vector<std::string>& thumbprints) {
  std::string key = url.origin();
  if (url.tls)
    for (const auto& thumbprint : thumbprints) key += "#" + thumbprint;
  return key;
}

std::unexpected<Error> io_error(const std::string& url, const std::string& why) {
  return fail(std::string(errc::kIo), str(url, ": ", why), 502);
}

bool is_idempotent(const std::string& method) {
  for (const char* known : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}) {
    if (method == known) return true;
  }
  return false;
}

std::string request_head(const ClientRequest& request, const Url& url) {
  std::string out =
      str(request.method, " ", url.target, " HTTP/1.1\r\nHost: ", url.host_header, "\r\n");
  const bool carries_body =
      request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (carries_body || !request.body.empty())
    out += str("Content-Length: ", request.body.size(), "\r\n");
  for (const auto& [name, value] : request.headers) {
    if (iequals(name, "host") || iequals(name, "content-length") || iequals(name, "connection") ||
        iequals(name, "transfer-encoding"))
      continue;
    out.append(name).append(": ").append(value).append("\r\n");
  }
  return out += "\r\n";
}

Result<Unit> check(const ClientRequest& request) {
  if (!valid_field(request.method, ""))
    return fail(std::string(errc::kInvalid), str("\"", request.method, "\" is not a method"));
  for (const auto& [name, value] : request.headers) {
    if (!valid_field(name, value))
      return fail(std::string(errc::kInvalid), str("the header field \"", name, "\" is malformed"));
  }
  return Unit{};
}

// One call on one connection.
struct Call {
  const ClientRequest& request;
  const Url& url;
  SharedWire wire;
  AnswerParser parser{};
  bool answered = false;  // some byte of the answer came
  bool reusable = false;

  Task<Result<ClientResponse>> converse();

 private:
  Task<Result<Unit>> send();
  Task<Result<Unit>> read_head();
  Task<Result<Unit>> read_body(std::string& out);
  std::unexpected<Error> lost(Wire::Event event) const;
};

std::unexpected<Error> Call::lost(Wire::Event event) const {
  if (event == Wire::Event::kStopped) return fail(cancelled_error());
  return io_error(request.url, "the connection closed before the answer was complete");
}

Task<Result<Unit>> Call::send() {
  const std::string_view body = request.body;
  wire->send(request_head(request, url), body.substr(0, kSlice));
  for (std::size_t at = kSlice; at < body.size(); at += kSlice) {
    const auto event = co_await wire->sent(kUnsentInFlight, Wire::kForever);
    if (event == Wire::Event::kStopped) co_return lost(event);
    if (event != Wire::Event::kReady) break;  // it may have answered before it closed
    wire->send(body.substr(at, kSlice));
  }
  co_return Unit{};
}

Task<Result<Unit>> Call::read_head() {
  for (;;) {
    parser.reset({.head_bytes = kHeadLimit, .body_bytes = request.body_limit});
    if (request.method == "HEAD") parser.expect_no_body();
    for (;;) {
      std::size_t consumed = 0;
      answered = answered || !wire->buffered().empty();
      const Parsed parsed = parser.parse_head(wire->buffered(), consumed);
      wire->consume(consumed);
      if (parsed == Parsed::kWrong && parser.status() == 413)
        co_return fail(
            std::string(errc::kLimit),
            str(request.url, ": the answer is larger than ", request.body_limit, " bytes"), 502);
      if (parsed == Parsed::kWrong)
        co_return io_error(request.url, str("the answer is malformed: ", parser.why()));
      if (parsed == Parsed::kDone) break;
      const auto event = co_await wire->more(Wire::kForever);
      if (event != Wire::Event::kReady) co_return lost(event);
    }
    if (parser.head.status >= 200 || parser.head.status == 101) co_return Unit{};
  }
}

Task<Result<Unit>> Call::read_body(std::string& out) {
  out.reserve(static_cast<std::size_t>(
      std::min<std::uint64_t>(parser.content_length().value_or(0), request.body_limit)));
  while (!parser.body_done()) {
    std::size_t consumed = 0;
    const Parsed parsed = parser.parse_body(wire->buffered(), consumed, out);
    wire->consume(consumed);
    if (parsed == Parsed::kWrong && parser.status() == 413)
      co_return fail(std::string(errc::kLimit),
                     str(request.url, ": the answer is larger than ", request.body_limit, " bytes"),
                     502);
    if (parsed == Parsed::kWrong)
      co_return io_error(request.url, str("the answer is malformed: ", parser.why()));
    if (parsed == Parsed::kDone) break;
    const auto event = co_await wire->more(Wire::kForever);
    if (event == Wire::Event::kReady) continue;
    if (event == Wire::Event::kClosed && !wire->cut_off() && parser.end_of_input() == Parsed::kDone)
      break;
    co_return lost(event);
  }
  co_return Unit{};
}

Task<Result<ClientResponse>> Call::converse() {
  CO_TRY(co_await send());
  CO_TRY(co_await read_head());
  ClientResponse response;
  CO_TRY(co_await read_body(response.body));
  response.status = parser.head.status;
  response.headers = std::move(parser.head.headers);
  reusable = parser.keep_alive() && response.status != 101 && wire->buffered().empty() &&
             !wire->ended() && wire->unsent() == 0 && !wire->broken();
  co_return response;
}

}  // namespace

class HttpClient::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(Loops& loops, Options options)
      : loops_(loops.impl()), options_(std::move(options)), pools_(loops_.loops.size()) {}

  Task<Result<ClientResponse>> send(EventLoop& loop, ClientRequest request);
  void shut_down();

 private:
  struct Idle {
    SharedWire wire;
    std::chrono::steady_clock::time_point since;
  };
  struct Pool {
    std::map<std::string, std::vector<Idle>> idle;
    bool sweeping = false;
  };
  Pool& pool_of(const EventLoop& loop);
  SharedWire take(EventLoop& loop, const std::string& origin);
  void keep(EventLoop& loop, const std::string& origin, SharedWire wire);
  void sweep(EventLoop& loop);
  Task<Result<SharedWire>> connect(EventLoop& loop, const Url& url, const ClientRequest& request);
  Task<Result<Unit>> secure(SharedWire wire, const Url& url, const ClientRequest& request);
  Task<Result<ClientResponse>> call_once(EventLoop& loop, const ClientRequest& request,
                                         const Url& url, SharedWire wire, bool& answered);

  Loops::Impl& loops_;
  const Options options_;
  std::vector<Pool> pools_;           // one a loop, touched on that loop only
  std::atomic<bool> closed_ = false;  // calls may finish after the client
  std::once_flag tls_made_;
  Result<TlsContext> tls_ = TlsContext();
};

HttpClient::Impl::Pool& HttpClient::Impl::pool_of(const EventLoop& loop) {
  std::size_t i = 0;
  while (loops_.loops[i].get() != &loop) ++i;
  return pools_[i];
}

SharedWire HttpClient::Impl::take(EventLoop& loop, const std::string& origin) {
  auto& idle = pool_of(loop).idle;
  const auto found = idle.find(origin);
  if (found == idle.end()) return nullptr;
  auto& kept = found->second;
  const auto oldest = std::chrono::steady_clock::now() - kIdleLife;
  while (!kept.empty()) {
    const Idle last = std::move(kept.back());
    kept.pop_back();
    if (last.since > oldest && last.wire->alive()) return last.wire;
    last.wire->close();
  }
  return nullptr;
}

void HttpClient::Impl::keep(EventLoop& loop, const std::string& origin, SharedWire wire) {
  if (closed_) return wire->close();
  Pool& pool = pool_of(loop);
  auto& kept = pool.idle[origin];
  if (kept.size() >= options_.idle_per_origin) {
    kept.front().wire->close();
    kept.erase(kept.begin());
  }
  wire->give_back_memory();
  kept.push_back({std::move(wire), std::chrono::steady_clock::now()});
  if (!std::exchange(pool.sweeping, true)) {
    loop.call_after(kSweep, [weak = weak_from_this(), &loop] {
      if (auto self = weak.lock()) self->sweep(loop);
    });
  }
}

void HttpClient::Impl::sweep(EventLoop& loop) {
  Pool& pool = pool_of(loop);
  const auto oldest = std::chrono::steady_clock::now() - kIdleLife;
  for (auto& [origin, kept] : pool.idle) {
    std::erase_if(kept, [&](const Idle& one) {
      if (one.since > oldest) return false;
      one.wire->close();
      return true;
    });
  }
  std::erase_if(pool.idle, [](const auto& entry) { return entry.second.empty(); });
  pool.sweeping = !pool.idle.empty();
  if (!pool.sweeping) return;
  loop.call_after(kSweep, [weak = weak_from_this(), &loop] {
    if (auto self = weak.lock()) self->sweep(loop);
  });
}

Task<Result<Unit>> HttpClient::Impl::secure(SharedWire wire, const Url& url,
                                            const ClientRequest& request) {
  const std::string& shown = request.url;
  std::call_once(tls_made_, [this] { tls_ = client_context(options_.extra_roots_pem); });
  if (!tls_) co_return fail(tls_.error());
  wire->start_tls(client_session(*tls_, url.host, request.thumbprints));
  for (;;) {
    if (const auto step = wire->handshake()) {
      if (*step == Wire::Event::kReady) co_return Unit{};
      co_return io_error(shown, str("TLS failed: ", tls_error(wire->tls())));
    }
    const auto event = co_await wire->tls_wait(Wire::kForever);
    if (event == Wire::Event::kStopped) co_return fail(cancelled_error());
    if (event != Wire::Event::kReady)
      co_return io_error(shown, "the peer closed the connection during the TLS handshake");
  }
}

Task<Result<SharedWire>> HttpClient::Impl::connect(EventLoop& loop, const Url& url,
                                                   const ClientRequest& request) {
  const std::string& shown = request.url;
  std::vector<Address> addresses;
  if (!url.unix_path.empty()) {
    CO_TRY_ASSIGN(const Address address, parse_address("unix:" + url.unix_path));
    addresses.push_back(address);
  } else {
    CO_TRY_ASSIGN(addresses, co_await resolve(loop, url.host, url.port));
  }
  int error = 0;
  for (const Address& address : addresses) {
    const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) co_return io_error(shown, std::strerror(errno));
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    error = ::connect(fd, address.get(), address.size) == 0 ? 0 : errno;
    if (error != 0 && error != EINPROGRESS) {
      ::close(fd);
      continue;
    }
    auto wire = std::make_shared<Wire>(loop, fd, kReadBuffer);
    if (error == EINPROGRESS) {
      if (co_await wire->writable(Wire::kForever) == Wire::Event::kStopped) {
        wire->close();
        co_return fail(cancelled_error());
      }
      error = wire->connect_error();
    }
    if (error == 0 && url.tls) {
      auto secured = co_await secure(wire, url, request);
      if (!secured) {
        wire->close();
        co_return fail(std::move(secured).error());
      }
    }
    if (error == 0) co_return wire;
    wire->close();
  }
  co_return io_error(shown, str("cannot connect: ", std::strerror(error)));
}

Task<Result<ClientResponse>> HttpClient::Impl::call_once(EventLoop& loop,
                                                         const ClientRequest& request,
                                                         const Url& url, SharedWire wire,
                                                         bool& answered) {
  Call call{request, url, wire};
  auto result = co_await with_deadline(request.timeout, call.converse());
  answered = call.answered;
  if (result && call.reusable)
    keep(loop, pool_key(url, request.thumbprints), std::move(wire));
  else
    wire->close();
  if (!result && result.error().is(errc::kDeadline)) {
    co_return fail(
        std::string(errc::kDeadline),
        str(request.url, ": no complete answer within ", request.timeout.count() / 1000, " ms"),
        504);
  }
  co_return result;
}

Task<Result<ClientResponse>> HttpClient::Impl::send(EventLoop& loop, ClientRequest request) {
  CO_TRY(check(request));
  CO_TRY_ASSIGN(const Url url, parse_url(request.url));
  bool answered = false;
  if (SharedWire kept = take(loop, pool_key(url, request.thumbprints))) {
    auto result = co_await call_once(loop, request, url, std::move(kept), answered);
    // The peer may have closed it while the request was on its way.
    const bool again =
        !result && result.error().is(errc::kIo) && !answered && is_idempotent(request.method);
    if (!again) co_return result;
  }
  auto wire = co_await with_deadline(request.connect_timeout, connect(loop, url, request));
  if (!wire) {
    if (!wire.error().is(errc::kDeadline)) co_return fail(std::move(wire).error());
    co_return fail(
        std::string(errc::kDeadline),
        str(request.url, ": no connection within ", request.connect_timeout.count() / 1000, " ms"),
        504);
  }
  co_return co_await call_once(loop, request, url, std::move(*wire), answered);
}

// Idle connections are closed on their own loops.
void HttpClient::Impl::shut_down() {
  closed_ = true;
  if (loops_.stopped()) {
    loops_.join();
    pools_.clear();
    return;
  }
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    loops_.loops[i]->post([self = shared_from_this(), i] {
      for (auto& [origin, kept] : self->pools_[i].idle) {
        for (auto& one : kept) one.wire->close();
      }
      self->pools_[i].idle.clear();
    });
  }
}

HttpClient::HttpClient(Loops& loops, Options options)
    : impl_(std::make_shared<Impl>(loops, std::move(options))) {}
HttpClient::~HttpClient() { impl_->shut_down(); }

Task<Result<ClientResponse>> HttpClient::send(ClientRequest request) {
  const auto impl = impl_;
  auto* const loop = dynamic_cast<EventLoop*>(co_await current_loop());
  if (!loop)
    co_return fail(std::string(errc::kInvalid), "the HTTP client works on the loops of net/ only",
                   500);
  co_return co_await impl->send(*loop, std::move(request));
}

}  // namespace pileus::net
