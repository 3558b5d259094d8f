#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "base/text.h"

namespace pileus::net {

namespace {
std::unexpected<Error> bad(const std::string& text) {
  return fail(
      std::string(errc::kInvalid),
      str("\"", text, "\" is not an address; write 127.0.0.1:4566, [::1]:4566 or unix:/path"));
}

Result<Address> unix_address(const std::string& path) {
  Address out;
  auto* un = reinterpret_cast<sockaddr_un*>(&out.storage);
  if (path.empty() || path.size() >= sizeof un->sun_path)
    return fail(std::string(errc::kInvalid),
                str("the socket path \"", path, "\" is empty or too long"));
  un->sun_family = AF_UNIX;
  std::memcpy(un->sun_path, path.data(), path.size());
  out.size = sizeof(sockaddr_un);
  return out;
}

in_addr mapped_v4(const in6_addr& address) {
  in_addr out;
  std::memcpy(&out, address.s6_addr + 12, 4);
  return out;
}
}  // namespace

Result<Address> parse_address(const std::string& text) {
  if (text.starts_with("unix:")) return unix_address(text.substr(5));
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return bad(text);
  const auto port = parse_int(std::string_view(text).substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) return bad(text);
  std::string host = text.substr(0, colon);
  Address out;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6->sin6_addr) != 1)
      return bad(text);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<std::uint16_t>(*port));
    out.size = sizeof(sockaddr_in6);
    return out;
  }
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) != 1) return bad(text);
  v4->sin_family = AF_INET;
  v4->sin_port = htons(static_cast<std::uint16_t>(*port));
  out.size = sizeof(sockaddr_in);
  return out;
}

std::string host_text(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  } else if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
      const in_addr v4 = mapped_v4(v6);
      inet_ntop(AF_INET, &v4, text, sizeof text);
    } else {
      inet_ntop(AF_INET6, &v6, text, sizeof text);
    }
  }
  return text;
}

std::uint16_t port_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return 0;
}

std::string address_text(const sockaddr_storage& address) {
  if (address.ss_family == AF_UNIX)
    return str("unix:", reinterpret_cast<const sockaddr_un&>(address).sun_path);
  const std::string host = host_text(address);
  const bool bracket = host.find(':') != std::string::npos;
  return bracket ? str("[", host, "]:", port_of(address)) : str(host, ":", port_of(address));
}

bool is_loopback(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    return (ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24) == 127;
  }
  if (address.ss_family != AF_INET6) return false;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return v6.s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace pileus::net
