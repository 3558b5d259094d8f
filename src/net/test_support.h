// For tests of net/: a server on a free loopback port, and a blocking client of raw bytes.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <future>

#include "base/text.h"
#include "net/server.h"

namespace pileus::net::test {

// A blocking connection; everything gives up after kPatience.
class RawClient {
 public:
  static constexpr int kPatienceMs = 20'000;

  explicit RawClient(const std::string& address) {
    if (address.starts_with("unix:")) {
      sockaddr_un un{};
      un.sun_family = AF_UNIX;
      address.copy(un.sun_path, sizeof un.sun_path - 1, 5);
      open(AF_UNIX, reinterpret_cast<sockaddr*>(&un), sizeof un);
      return;
    }
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    inet_pton(AF_INET, address.substr(0, address.rfind(':')).c_str(), &in.sin_addr);
    open(AF_INET, reinterpret_cast<sockaddr*>(&in), sizeof in);
  }
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto put = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (put <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
  }
  // More bytes into `held`; false at the end, on a reset and after kPatience.
  bool receive() {
    pollfd waits{fd_, POLLIN, 0};
    if (::poll(&waits, 1, kPatienceMs) != 1) return false;
    char bytes[65536];
    const auto got = ::recv(fd_, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    held.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
  // Everything until the server closes.
  std::string read_to_end() {
    while (receive()) {
    }
    return std::exchange(held, {});
  }
  // Up to and with `mark`; what there is when the server closes before.
  std::string read_until(std::string_view mark) {
    for (;;) {
      if (const auto at = held.find(mark); at != std::string::npos) return take(at + mark.size());
      if (!receive()) return std::exchange(held, {});
    }
  }
  std::string read_exactly(std::size_t count) {
    while (held.size() < count && receive()) {
    }
    return take(std::min(count, held.size()));
  }
  // One answer with a Content-Length (or without a body).
  std::string read_answer() {
    std::string head = read_until("\r\n\r\n");
    const auto at = head.find("Content-Length: ");
    if (at != std::string::npos) head += read_exactly(std::stoul(head.substr(at + 16)));
    return head;
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  int fd() const { return fd_; }
  std::string held;

 private:
  void open(int family, const sockaddr* address, socklen_t size) {
    fd_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd_, address, size) != 0)
      throw std::runtime_error("cannot connect: " + std::string(std::strerror(errno)));
  }
  std::string take(std::size_t count) {
    std::string out = held.substr(0, count);
    held.erase(0, count);
    return out;
  }
  int fd_ = -1;
};

// Runs a task on a loop and waits for its value on this thread.
template <class T>
T run_on(Loop& loop, Task<T> task) {
  struct Runner {
    static Task<void> store(Task<T> inner, std::promise<T>& out) {
      out.set_value(co_await std::move(inner));
    }
  };
  std::promise<T> promise;
  auto future = promise.get_future();
  auto group = std::make_unique<TaskGroup>(loop);
  group->spawn(Runner::store(std::move(task), promise));
  T value = future.get();
  // The group belongs to the loop: it ends there, after the task's last step.
  std::promise<void> gone;
  loop.post([&] {
    group.reset();
    gone.set_value();
  });
  gone.get_future().wait();
  return value;
}

inline Task<Unit> as_unit(Task<void> task) {
  co_await std::move(task);
  co_return Unit{};
}

class TestServer {
 public:
  explicit TestServer(Handler handler, HttpServer::ListenOptions options = {},
                      std::size_t loops_count = 2, const std::string& where = "127.0.0.1:0")
      : loops(loops_count), server(std::make_unique<HttpServer>(loops, time)) {
    auto bound = server->listen(where, std::move(handler), std::move(options), &listener);
    if (!bound) throw std::runtime_error(bound.error().message());
    address = *bound;
  }
  SystemTime time;
  Loops loops;
  std::unique_ptr<HttpServer> server;
  HttpServer::ListenerId listener = 0;
  std::string address;
};

}  // namespace pileus::net::test
