// DebugPort: the way from a port of the host's loopback to a debugger's port inside a sandbox. The
// sandbox's network reaches nobody and nobody reaches it, so it is made with some listeners more;
// their sockets, given to the server, are turned round and connect to the debugger from within.
// Belongs to one loop; the bytes are moved by the relay's own thread.
#pragma once

#include <memory>

#include "net/tcp_relay.h"
#include "services/lambda/runtimes.h"

namespace pileus::services::lambda {

inline constexpr std::uint16_t kDebuggerPort = 9229;      // inside, on its loopback
inline constexpr std::uint16_t kFirstDebugSocket = 9300;  // and those after it
inline constexpr std::size_t kDebugSockets = 8;           // connections at a time

class DebugPort {
 public:
  // Listens at 127.0.0.1:`port`, 0 for any, to `owner` and root.
  static Result<std::shared_ptr<DebugPort>> open(std::uint16_t port, std::uint32_t owner);
  std::uint16_t port() const { return relay_->port(); }

  static void add_to(sandbox::Spec& spec, const std::string& state_directory);
  // From now on connections go to this sandbox.
  void attach(sandbox::Sandbox& sandbox);
  // Has the runtime open its debugger before it loads the handler, and wait for a client.
  static void prepare(const Runtime& runtime, sandbox::Assignment& what);
  static bool can_debug(RuntimeKind kind) {
    return kind == RuntimeKind::kNode || kind == RuntimeKind::kPython;
  }
  // The folder that add_to() mounts, made under `state_directory`. Blocks shortly.
  static Result<Unit> make_folder(const std::string& state_directory);

 private:
  explicit DebugPort(std::unique_ptr<net::TcpRelay> relay) : relay_(std::move(relay)) {}
  std::unique_ptr<net::TcpRelay> relay_;
};

}  // namespace pileus::services::lambda
