// Addresses as text: "127.0.0.1:80", "[::1]:0", "unix:/path". Only net/ includes this.
#pragma once

#include <sys/socket.h>

#include <string>

#include "base/error.h"

namespace pileus::net {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

Result<Address> parse_address(const std::string& text);  // numeric hosts only
std::string host_text(
    const sockaddr_storage& address);  // "127.0.0.1" (also for ::ffff:127.0.0.1), "" for unix
std::uint16_t port_of(const sockaddr_storage& address);
std::string address_text(const sockaddr_storage& address);
bool is_loopback(const sockaddr_storage& address);

}  // namespace pileus::net
