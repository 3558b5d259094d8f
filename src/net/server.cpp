#include "net/server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/log.h"
#include "base/text.h"
#include "net/address.h"
#include "net/connection.h"

namespace pileus::net {

namespace {
constexpr int kBacklog = 4096;
constexpr int kAcceptsPerTurn = 32;  // then other work of the loop has its turn
constexpr Duration kAcceptPause = std::chrono::milliseconds(100);  // when descriptors run out
constexpr int kProbeAfterSeconds = 60, kProbeEverySeconds = 15;
constexpr Duration kAbortPatience = std::chrono::seconds(5);

std::unexpected<Error> refused(const std::string& address, const char* what) {
  const int why = errno;
  const char* remedy = why == EADDRINUSE
                           ? "; another program has it: stop that or choose another port"
                       : why == EACCES        ? "; ports below 1024 need CAP_NET_BIND_SERVICE"
                       : why == EADDRNOTAVAIL ? "; no interface of this machine has that address"
                                              : "";
  return fail(std::string(errc::kIo),
              str("cannot ", what, " ", address, ": ", std::strerror(why), remedy), 503);
}
}  // namespace

// Accepts for one listener, on one loop.
struct Acceptor {
  Acceptor(EventLoop& its_loop, int fd, std::shared_ptr<Listener> its_listener)
      : loop(its_loop), socket(its_loop.context(), fd), listener(std::move(its_listener)) {}
  EventLoop& loop;
  asio::posix::stream_descriptor socket;
  std::shared_ptr<Listener> listener;  // shared with its connections
  bool waiting = false;                // for the kernel or a pause
  bool closed = false;
};

class HttpServer::Impl final : public ConnectionOwner, public std::enable_shared_from_this<Impl> {
 public:
  Impl(Loops& loops, const RealTime& real)
      : loops_(loops.impl()), real_(real), shelves_(loops_.loops.size()) {}

  Result<ListenerId> add(int fd, std::string address, Handler handler, ListenOptions options,
                         bool own_namespace);
  void close(ListenerId id);
  Task<void> drain(Duration patience);
  void shut_down();  // of the destructor

  void ended(Connection& connection) override;
  const RealTime& real_time() const override { return real_; }
  bool draining() const override { return draining_; }
  bool aborting() const override { return aborting_; }
  ConnectionShelf& shelf_of(const EventLoop& loop) override { return shelves_[index_of(loop)]; }

 private:
  std::size_t index_of(const EventLoop& loop) const;
  EventLoop& next_loop(const Listener& listener);
  void accept(const std::shared_ptr<Acceptor>& acceptor);
  void wait_for_clients(const std::shared_ptr<Acceptor>& acceptor);
  void adopt(EventLoop& loop, int fd, std::shared_ptr<Listener> listener);
  void close_acceptor(const std::shared_ptr<Acceptor>& acceptor);
  void close_acceptors();
  void on_connections(ListenerId of, void (Connection::*what)());  // 0: of all listeners
  void wake_if_empty();
  Task<Result<Unit>> all_ended();

  Loops::Impl& loops_;
  const RealTime& real_;
  std::vector<ConnectionShelf> shelves_;  // one a loop, touched on that loop only
  std::atomic<std::size_t> open_ = 0;
  std::atomic<bool> draining_ = false;
  std::atomic<bool> aborting_ = false;
  std::atomic<std::size_t> turn_ = 0;

  std::mutex mutex_;  // guards what follows
  std::condition_variable none_left_;
  ListenerId next_id_ = 1;
  std::map<ListenerId, std::shared_ptr<Acceptor>> acceptors_;  // shared with their waits
  std::vector<Completer<Unit>> waiting_;
};

std::size_t HttpServer::Impl::index_of(const EventLoop& loop) const {
  for (std::size_t i = 0; i < loops_.loops.size(); ++i) {
    if (loops_.loops[i].get() == &loop) return i;
  }
  return 0;
}

EventLoop& HttpServer::Impl::next_loop(const Listener& listener) {
  if (listener.options.loop) return static_cast<EventLoop&>(*listener.options.loop);
  return *loops_.loops[turn_++ % loops_.loops.size()];
}

// ---- listening

Result<HttpServer::ListenerId> HttpServer::Impl::add(int fd, std::string address, Handler handler,
                                                     ListenOptions options, bool own_namespace) {
  auto listener = std::make_shared<Listener>();
  if (options.tls) {
    auto context = server_context(*options.tls);
    if (!context) {
      ::close(fd);
      return fail(std::move(context).error());
    }
    listener->tls = std::move(*context);
    if (options.tls_by_name) {
      listener->tls_names = std::make_unique<TlsNames>(options.tls_by_name);
      choose_by_name(listener->tls, *listener->tls_names);
    }
  }
  if (address.starts_with("unix:")) listener->unix_path = address.substr(5);
  listener->handler = std::move(handler);
  listener->options = std::move(options);
  listener->address = std::move(address);
  listener->own_namespace = own_namespace;
  const int flags = ::fcntl(fd, F_GETFL);
  ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);

  EventLoop& loop = next_loop(*listener);
  std::lock_guard lock(mutex_);
  const ListenerId id = listener->id = next_id_++;
  // The descriptor enters the loop's reactor on the loop's own thread.
  loop.post([self = shared_from_this(), this, &loop, fd, listener] {
    auto acceptor = std::make_shared<Acceptor>(loop, fd, listener);
    {
      std::lock_guard inner(mutex_);
      const auto known = acceptors_.find(listener->id);
      if (known == acceptors_.end())
        acceptor->closed = true;  // closed in the meantime
      else
        known->second = acceptor;
    }
    if (acceptor->closed || draining_) return close_acceptor(acceptor);
    wait_for_clients(acceptor);
  });
  acceptors_.emplace(id, nullptr);
  return id;
}

void HttpServer::Impl::wait_for_clients(const std::shared_ptr<Acceptor>& acceptor) {
  if (acceptor->closed || std::exchange(acceptor->waiting, true)) return;
  acceptor->socket.async_wait(asio::posix::stream_descriptor::wait_read,
                              [self = shared_from_this(), acceptor](error_code error) {
                                acceptor->waiting = false;
                                if (!error) self->accept(acceptor);
                              });
}

void HttpServer::Impl::accept(const std::shared_ptr<Acceptor>& acceptor) {
  Listener& listener = *acceptor->listener;
  for (int i = 0; i < kAcceptsPerTurn && !acceptor->closed; ++i) {
    if (listener.open >= listener.options.limits.connections) return;  // ended() goes on
    const int fd =
        ::accept4(acceptor->socket.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EAGAIN) break;
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        log::warn("cannot accept connections for a moment", {{"why", std::strerror(errno)}});
        acceptor->waiting = true;
        acceptor->loop.call_after(kAcceptPause, [self = shared_from_this(), acceptor] {
          acceptor->waiting = false;
          self->wait_for_clients(acceptor);
        });
        return;
      }
      continue;  // a client that has gone already
    }
    ++listener.open;
    ++open_;
    EventLoop& loop = next_loop(listener);
    if (&loop == &acceptor->loop) {
      adopt(loop, fd, acceptor->listener);
    } else {
      loop.post([self = shared_from_this(), &loop, fd, shared = acceptor->listener] {
        self->adopt(loop, fd, shared);
      });
    }
  }
  wait_for_clients(acceptor);
}

void HttpServer::Impl::adopt(EventLoop& loop, int fd, std::shared_ptr<Listener> listener) {
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);  // refused by unix sockets
  auto peer = std::make_shared<Peer>(fd, listener->own_namespace);
  if (!peer->is_local()) {  // a machine that vanished must not hold a waiting handler for ever
    ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &kProbeAfterSeconds, sizeof kProbeAfterSeconds);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &kProbeEverySeconds, sizeof kProbeEverySeconds);
  }
  ConnectionShelf& shelf = shelf_of(loop);
  auto connection = std::make_unique<Connection>(loop, fd, std::move(listener), shared_from_this(),
                                                 shelf, std::move(peer));
  Connection& started = *connection;
  shelf.connections.emplace(&started, std::move(connection));
  if (draining_) started.drain();
  if (aborting_ || started.listener().closed) started.abort();
  started.start();
}

void HttpServer::Impl::ended(Connection& connection) {
  const auto self = shared_from_this();
  const auto id = connection.listener().id;
  auto& listener = const_cast<Listener&>(connection.listener());
  const bool was_full = listener.open-- == listener.options.limits.connections;
  if (was_full) {
    std::lock_guard lock(mutex_);
    const auto found = acceptors_.find(id);
    if (found != acceptors_.end() && found->second) {
      found->second->loop.post(
          [self, acceptor = found->second] { self->wait_for_clients(acceptor); });
    }
  }
  shelf_of(static_cast<EventLoop&>(*Loop::current())).connections.erase(&connection);
  --open_;
  wake_if_empty();
}

// ---- closing

void HttpServer::Impl::close_acceptor(const std::shared_ptr<Acceptor>& acceptor) {
  acceptor->closed = true;
  error_code ignored;
  acceptor->socket.close(ignored);
  if (!acceptor->listener->unix_path.empty()) ::unlink(acceptor->listener->unix_path.c_str());
}

void HttpServer::Impl::on_connections(ListenerId of, void (Connection::*what)()) {
  for (std::size_t i = 0; i < loops_.loops.size(); ++i) {
    loops_.loops[i]->post([self = shared_from_this(), this, i, of, what] {
      // None leaves the shelf within: ends are posted.
      for (auto& [key, connection] : shelves_[i].connections) {
        if (of == 0 || connection->listener().id == of) (key->*what)();
      }
    });
  }
}

void HttpServer::Impl::close(ListenerId id) {
  std::shared_ptr<Acceptor> acceptor;
  {
    std::lock_guard lock(mutex_);
    const auto found = acceptors_.find(id);
    if (found == acceptors_.end()) return;
    acceptor = found->second;
    acceptors_.erase(found);
  }
  if (acceptor) acceptor->listener->closed = true;
  if (acceptor)
    acceptor->loop.post([self = shared_from_this(), acceptor] { self->close_acceptor(acceptor); });
  on_connections(id, &Connection::abort);
}

void HttpServer::Impl::close_acceptors() {
  std::lock_guard lock(mutex_);
  for (auto& [id, acceptor] : acceptors_) {
    if (acceptor)
      acceptor->loop.post(
          [self = shared_from_this(), shared = acceptor] { self->close_acceptor(shared); });
  }
  acceptors_.clear();
}

void HttpServer::Impl::wake_if_empty() {
  if (open_ > 0) return;
  std::vector<Completer<Unit>> waiting;
  {
    std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
    none_left_.notify_all();
  }
  for (auto& waiter : waiting) waiter.complete(Unit{});
}

Task<Result<Unit>> HttpServer::Impl::all_ended() {
  Completion<Unit> ended;
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(ended.completer());
  }
  wake_if_empty();
  co_return co_await ended;
}

Task<void> HttpServer::Impl::drain(Duration patience) {
  const auto self = shared_from_this();
  draining_ = true;
  close_acceptors();
  on_connections(0, &Connection::drain);
  if (co_await with_deadline(patience, all_ended())) co_return;
  log::warn("closing connections that did not end in time", {{"open", std::to_string(open_)}});
  aborting_ = true;
  on_connections(0, &Connection::abort);
  (void)co_await with_deadline(kAbortPatience, all_ended());
}

void HttpServer::Impl::shut_down() {
  draining_ = aborting_ = true;
  const bool on_loop = dynamic_cast<EventLoop*>(Loop::current()) != nullptr;
  if (loops_.stopped()) {
    loops_.join();
    for (auto& shelf : shelves_) {
      const auto gone = std::move(shelf.connections);  // ends post into nothing
    }
    std::lock_guard lock(mutex_);
    for (auto& [id, acceptor] : acceptors_) {
      if (acceptor) close_acceptor(acceptor);
    }
    acceptors_.clear();
    return;
  }
  close_acceptors();
  on_connections(0, &Connection::abort);
  if (on_loop) return;
  std::unique_lock lock(mutex_);
  if (!none_left_.wait_for(lock, kAbortPatience, [this] { return open_ == 0 || loops_.stopped(); }))
    log::error("handlers go on although their server is gone", {{"open", std::to_string(open_)}});
}

// ---- the public face

HttpServer::HttpServer(Loops& loops, const RealTime& real)
    : impl_(std::make_shared<Impl>(loops, real)) {}
HttpServer::~HttpServer() { impl_->shut_down(); }

Result<std::string> HttpServer::listen(const std::string& address, Handler handler,
                                       ListenOptions options, ListenerId* id) {
  TRY_ASSIGN(const Address where, parse_address(address));
  const int fd = ::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return refused(address, "open a socket for");
  const int one = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (where.family() == AF_INET6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  if (where.family() == AF_UNIX) {
    // A socket file that nobody listens on is left over from a program that was killed.
    const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct stat status{};
    const char* const path = reinterpret_cast<const sockaddr_un*>(where.get())->sun_path;
    if (probe >= 0 && ::connect(probe, where.get(), where.size) != 0 && errno == ECONNREFUSED &&
        ::stat(path, &status) == 0 && S_ISSOCK(status.st_mode))
      ::unlink(path);
    if (probe >= 0) ::close(probe);
  }
  if (::bind(fd, where.get(), where.size) != 0 || ::listen(fd, kBacklog) != 0) {
    auto error = refused(address, "listen on");
    ::close(fd);
    return error;
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  const std::string text = address_text(bound);
  options.info.loopback = is_loopback(bound);
  TRY_ASSIGN(const ListenerId made,
             impl_->add(fd, text, std::move(handler), std::move(options), true));
  if (id) *id = made;
  return text;
}

Result<HttpServer::ListenerId> HttpServer::listen_fd(int fd, Handler handler,
                                                     ListenOptions options) {
  int listening = 0;
  socklen_t size = sizeof listening;
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || !listening)
    return fail(std::string(errc::kInvalid), "the descriptor is not a listening socket");
  sockaddr_storage bound{};
  size = sizeof bound;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  // The path of a unix socket made elsewhere is its maker's to remove.
  const std::string text = bound.ss_family == AF_UNIX ? "unix socket" : address_text(bound);
  return impl_->add(fd, text, std::move(handler), std::move(options), false);
}

void HttpServer::close(ListenerId id) { impl_->close(id); }
Task<void> HttpServer::drain(Duration patience) {
  const auto impl = impl_;
  co_await impl->drain(patience);
}

}  // namespace pileus::net
