// The event loops and the HTTP server. The only room that knows sockets and TLS.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/task_group.h"
#include "net/http.h"

namespace pileus::net {

// One event loop per core, each on a thread of its own.
class Loops {
 public:
  // `count` threads (at most 64); 0 means one per core.
  explicit Loops(std::size_t count = 0);
  ~Loops();  // stops and joins
  Loop& at(std::size_t index);
  std::size_t size() const;
  // The loop a key belongs to (same key, same loop, while the process lives).
  Loop& home(std::string_view key);
  void stop();  // ends the loops, also while they have work; any thread

  class Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// Limits of a listener; every one is a bound on what a stranger can cost.
struct ServerLimits {
  std::size_t header_bytes = 64 * 1024;   // request line and fields; else 431
  std::size_t body_bytes = 256ull << 20;  // else 413 (handlers set tighter ones in read_all)
  Duration header_timeout =
      std::chrono::seconds(15);                      // from the first byte to the end of the header
  Duration idle_timeout = std::chrono::seconds(65);  // keep-alive between requests
  Duration body_stall_timeout =
      std::chrono::seconds(60);      // no byte of the body moved; also for writes
  std::size_t connections = 10'000;  // per listener; further ones wait in the backlog
};

// TLS from PEM text; the first byte of a connection decides between TLS and plain text.
struct TlsIdentity {
  std::string certificate_chain_pem;
  std::string private_key_pem;
};

class HttpServer {
 public:
  HttpServer(Loops& loops, const RealTime& real);
  ~HttpServer();  // closes what is open and, off the loops, waits until the handlers have ended

  using ListenerId = std::uint64_t;
  struct ListenOptions {
    ListenerInfo info;
    ServerLimits limits;
    std::optional<TlsIdentity> tls;
    // A certificate for a name that a client asks for, where `tls` does not do (nothing: it does).
    // Asked once a name (the answer is kept), on a loop: it must not block. Needs `tls`.
    std::function<std::optional<TlsIdentity>(const std::string& server_name)> tls_by_name;
    Loop* loop = nullptr;  // all connections on this loop; nullptr: spread over the loops
    // Where a request is to be handled, asked when its head is known: the connection moves to that
    // loop, so that the handler finds its state there and hops no more. nullptr: where it is.
    std::function<Loop*(const Request& request)> place;
  };
  // Binds and listens: "127.0.0.1:4566", "[::1]:0", "unix:/path". Gives the bound address with its
  // real port. errc::kIo with a remedy when the address is taken.
  Result<std::string> listen(const std::string& address, Handler handler, ListenOptions options,
                             ListenerId* id = nullptr);
  // Takes over a listening socket made elsewhere (inside a sandbox's network namespace).
  Result<ListenerId> listen_fd(int fd, Handler handler, ListenOptions options);
  // Stops accepting on one listener and closes its connections. Any thread.
  void close(ListenerId id);
  // Stops accepting everywhere, lets requests in flight finish (at most `patience`), then closes.
  Task<void> drain(Duration patience);

  class Impl;

 private:
  std::shared_ptr<Impl> impl_;  // shared with the connections
};

// The uid at the other end of a TCP connection over loopback (from the kernel's socket table), or
// nothing when it cannot be known. Costs a system call or two: ask once per connection and key.
std::optional<std::uint32_t> peer_uid(const Request& request);

}  // namespace pileus::net
