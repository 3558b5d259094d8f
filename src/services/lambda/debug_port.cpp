#include "services/lambda/debug_port.h"

#include "base/text.h"

namespace pileus::services::lambda {
namespace {
std::string name_of(std::size_t index) { return str("debug", index); }
}  // namespace

Result<std::shared_ptr<DebugPort>> DebugPort::open(std::uint16_t port) {
  TRY_ASSIGN(auto relay, net::TcpRelay::listen(port));
  return std::shared_ptr<DebugPort>(new DebugPort(std::move(relay)));
}

void DebugPort::add_listeners(sandbox::Spec& spec) {
  for (std::size_t i = 0; i < kDebugSockets; ++i)
    spec.listeners.push_back(
        {name_of(i), "127.0.0.1", static_cast<std::uint16_t>(kFirstDebugSocket + i)});
}

void DebugPort::attach(sandbox::Sandbox& sandbox) {
  std::vector<int> sockets;
  for (std::size_t i = 0; i < kDebugSockets; ++i)
    if (const int fd = sandbox.listener_fd(name_of(i)); fd >= 0) sockets.push_back(fd);
  relay_->connect_through(std::move(sockets), kDebuggerPort);
}

}  // namespace pileus::services::lambda
