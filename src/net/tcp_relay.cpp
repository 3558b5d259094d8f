#include "net/tcp_relay.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "base/text.h"
#include "net/peer.h"

namespace pileus::net {
namespace {

constexpr std::size_t kBuffer = 64 * 1024;  // bytes on their way in one direction

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Whatever the socket did before, it can connect anew.
void make_fresh(int fd) {
  sockaddr nothing{};
  nothing.sa_family = AF_UNSPEC;
  (void)::connect(fd, &nothing, sizeof nothing);
}

bool connect_to(int fd, std::uint16_t port) {
  make_fresh(fd);
  const auto address = loopback(port);
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
         errno == EINPROGRESS;
}

// One direction of a connection.
struct Flow {
  std::string waiting;
  bool ended = false;

  bool wants_input() const { return !ended && waiting.size() < kBuffer; }
  // False when the connection is broken.
  bool read(int from) {
    char bytes[16 * 1024];
    const auto got = ::recv(from, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got == 0) ended = true;
    if (got > 0) waiting.append(bytes, static_cast<std::size_t>(got));
    return got >= 0 || errno == EAGAIN || errno == EINTR;
  }
  bool write(int to) {
    if (waiting.empty()) return true;
    const auto sent = ::send(to, waiting.data(), waiting.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) waiting.erase(0, static_cast<std::size_t>(sent));
    return sent >= 0 || errno == EAGAIN || errno == EINTR;
  }
};

}  // namespace

class TcpRelay::Impl {
 public:
  Impl(int listener, int wake, std::uint16_t port, std::uint32_t user)
      : port(port), listener_(listener), wake_(wake), user_(user) {
    thread_ = std::thread([this] { run(); });
  }
  ~Impl() {
    stopping_ = true;
    wake();
    thread_.join();
    for (const int fd : free_) ::close(fd);
    for (const int fd : fresh_) ::close(fd);
    ::close(listener_);
    ::close(wake_);
  }

  void exchange(std::vector<int> sockets, std::uint16_t to) {
    {
      std::lock_guard lock(mutex_);
      for (const int fd : fresh_) ::close(fd);
      fresh_ = std::move(sockets);
      to_ = to;
      exchanged_ = true;
    }
    wake();
  }

  const std::uint16_t port;

 private:
  struct Connection {
    int client, inside;  // client: -1 once it is gone
    Flow in, out;        // to the sandbox, from it
    bool said_end = false, open = true;
  };

  void wake() {
    const std::uint64_t one = 1;
    (void)!::write(wake_, &one, sizeof one);
  }

  // The client is gone: what is inside hears an ordinary end, however the client went. Debuggers
  // do not all survive a reset.
  void leave(Connection& connection) {
    if (connection.client >= 0) ::close(std::exchange(connection.client, -1));
    connection.in.ended = true;
    connection.in.waiting.clear();
  }

  void close(Connection& connection) {
    leave(connection);
    make_fresh(connection.inside);
    free_.push_back(connection.inside);
    connection.open = false;
  }

  void take_exchanged() {
    std::uint64_t count = 0;
    (void)!::read(wake_, &count, sizeof count);
    std::lock_guard lock(mutex_);
    if (!std::exchange(exchanged_, false)) return;
    for (auto& connection : connections_) close(connection);
    connections_.clear();
    for (const int fd : free_) ::close(fd);
    free_ = std::move(fresh_);
    fresh_.clear();
    inside_port_ = to_;
    for (const int fd : free_) ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  }

  bool let_in(int client) const {
    sockaddr_storage from{}, to{};
    socklen_t from_size = sizeof from, to_size = sizeof to;
    ::getpeername(client, reinterpret_cast<sockaddr*>(&from), &from_size);
    ::getsockname(client, reinterpret_cast<sockaddr*>(&to), &to_size);
    const auto owner = tcp_owner(from, to);
    return owner && (*owner == 0 || *owner == user_);
  }

  void accept() {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return;
    if (!let_in(client) || free_.empty() || !connect_to(free_.back(), inside_port_)) {
      ::close(client);
      return;
    }
    connections_.push_back({client, free_.back(), {}, {}, false, true});
    free_.pop_back();
  }

  static short events_of(const Flow& reads, const Flow& writes) {
    return static_cast<short>((reads.wants_input() ? POLLIN : 0) |
                              (writes.waiting.empty() ? 0 : POLLOUT));
  }

  void serve(Connection& connection, short client, short inside) {
    auto& [client_fd, inside_fd, in, out, said_end, open] = connection;
    constexpr short kReadable = POLLIN | POLLHUP | POLLERR;
    bool here = client_fd >= 0, there = true;
    if (here && (client & kReadable) && in.wants_input()) here = in.read(client_fd);
    if ((inside & kReadable) && out.wants_input()) there = out.read(inside_fd);
    if (there && (inside & POLLOUT)) there = in.write(inside_fd);
    if (here && in.ended && (client & (POLLHUP | POLLERR))) here = false;
    if (here && (client & POLLOUT)) here = out.write(client_fd);
    if (!here) {
      leave(connection);
      out.waiting.clear();
    }
    if (in.ended && in.waiting.empty() && !std::exchange(said_end, true))
      ::shutdown(inside_fd, SHUT_WR);
    if (!there || (out.ended && out.waiting.empty())) close(connection);
  }

  void run() {
    while (!stopping_) {
      std::vector<pollfd> polled = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
      for (const auto& c : connections_) {
        polled.push_back({c.client, events_of(c.in, c.out), 0});
        polled.push_back({c.inside, events_of(c.out, c.in), 0});
      }
      if (::poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) return;
      for (std::size_t i = 0; i < connections_.size(); ++i)
        serve(connections_[i], polled[2 + 2 * i].revents, polled[3 + 2 * i].revents);
      std::erase_if(connections_, [](const auto& c) { return !c.open; });
      if (polled[0].revents & POLLIN) take_exchanged();  // first: what comes now uses those
      if (polled[1].revents & POLLIN) accept();
    }
    for (auto& connection : connections_) close(connection);
    connections_.clear();
  }

  const int listener_, wake_;
  const std::uint32_t user_;
  std::atomic<bool> stopping_{false};
  // Of the thread.
  std::vector<Connection> connections_;
  std::vector<int> free_;
  std::uint16_t inside_port_ = 0;
  std::mutex mutex_;  // guards what follows
  std::vector<int> fresh_;
  std::uint16_t to_ = 0;
  bool exchanged_ = false;
  std::thread thread_;
};

Result<std::unique_ptr<TcpRelay>> TcpRelay::listen(std::uint16_t port, std::uint32_t user) {
  const auto refused = [&](std::string_view what, int fd) {
    const std::string why = std::strerror(errno);
    if (fd >= 0) ::close(fd);
    return fail(std::string(errc::kIo), str(what, " 127.0.0.1:", port, ": ", why), 500);
  };
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return refused("cannot make a socket for", -1);
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  auto address = loopback(port);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, 16) != 0)
    return refused("cannot listen at", fd);
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0) return refused("cannot watch", fd);
  return std::unique_ptr<TcpRelay>(
      new TcpRelay(std::make_unique<Impl>(fd, wake, ntohs(address.sin_port), user)));
}

TcpRelay::TcpRelay(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TcpRelay::~TcpRelay() = default;
std::uint16_t TcpRelay::port() const { return impl_->port; }
void TcpRelay::connect_through(std::vector<int> sockets, std::uint16_t port) {
  impl_->exchange(std::move(sockets), port);
}

}  // namespace pileus::net
