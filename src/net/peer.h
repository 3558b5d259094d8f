// Peer: the other end of a server connection, kept for peer_uid(). Only net/ includes this.
#pragma once

#include <sys/socket.h>

#include <mutex>

#include "net/server.h"

namespace pileus::net {

class Peer {
 public:
  Peer(int fd, bool own_namespace);
  const std::string& address() const { return address_; }
  std::uint16_t port() const { return port_; }
  std::uint16_t local_port() const { return local_port_; }
  bool is_local() const;  // loopback or a unix socket
  std::optional<std::uint32_t> uid();

 private:
  std::optional<std::uint32_t> find_uid() const;
  sockaddr_storage remote_{}, local_{};
  std::string address_;
  std::uint16_t port_ = 0, local_port_ = 0;
  bool own_namespace_;
  std::optional<std::uint32_t> unix_uid_;
  std::once_flag asked_;
  std::optional<std::uint32_t> uid_;
};

// The uid that owns the TCP socket `from` → `to` of this network namespace. Nothing for a socket
// that no process holds any more: the kernel would call that root's.
std::optional<std::uint32_t> tcp_owner(const sockaddr_storage& from, const sockaddr_storage& to);
std::optional<std::uint32_t> tcp_owner_from_proc(const sockaddr_storage& from,
                                                 const sockaddr_storage& to);

}  // namespace pileus::net
