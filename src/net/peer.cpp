#include "net/peer.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <memory>

#include "net/address.h"

namespace pileus::net {

namespace {

// As the kernel's table writes them: four 32-bit words (v4 in the first), in network order.
struct Words {
  std::uint32_t word[4] = {};
};

bool words_of(const sockaddr_storage& address, Words& out) {
  if (address.ss_family == AF_INET) {
    out.word[0] = reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr;
    return true;
  }
  if (address.ss_family != AF_INET6) return false;
  std::memcpy(out.word, reinterpret_cast<const sockaddr_in6&>(address).sin6_addr.s6_addr, 16);
  return true;
}

bool is_mapped(const sockaddr_storage& address) {
  return address.ss_family == AF_INET6 &&
         IN6_IS_ADDR_V4MAPPED(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
}

sockaddr_storage unmapped(const sockaddr_storage& address) {
  if (!is_mapped(address)) return address;
  sockaddr_storage out{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(out);
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  v4.sin_family = AF_INET;
  v4.sin_port = v6.sin6_port;
  std::memcpy(&v4.sin_addr, v6.sin6_addr.s6_addr + 12, 4);
  return out;
}

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

enum class Lookup { kFound, kNobody, kUnavailable };

Lookup ask_kernel(const sockaddr_storage& from, const sockaddr_storage& to, std::uint32_t& uid) {
  const Descriptor netlink{::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)};
  if (netlink.fd < 0) return Lookup::kUnavailable;
  struct {
    nlmsghdr header;
    inet_diag_req_v2 body;
  } ask{};
  ask.header.nlmsg_len = sizeof ask;
  ask.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  ask.header.nlmsg_flags = NLM_F_REQUEST;
  ask.body.sdiag_family = static_cast<__u8>(from.ss_family);
  ask.body.sdiag_protocol = IPPROTO_TCP;
  ask.body.idiag_states = ~0u;
  Words source, target;
  if (!words_of(from, source) || !words_of(to, target)) return Lookup::kNobody;
  std::memcpy(ask.body.id.idiag_src, source.word, sizeof source);
  std::memcpy(ask.body.id.idiag_dst, target.word, sizeof target);
  ask.body.id.idiag_sport = htons(port_of(from));
  ask.body.id.idiag_dport = htons(port_of(to));
  ask.body.id.idiag_cookie[0] = ask.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (::send(netlink.fd, &ask, sizeof ask, 0) != sizeof ask) return Lookup::kUnavailable;
  alignas(nlmsghdr) char answer[4096];
  const ssize_t got =
      ::recv(netlink.fd, answer, sizeof answer, MSG_DONTWAIT);  // answered within send
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer);
  if (got < 0 || !NLMSG_OK(header, static_cast<unsigned>(got))) return Lookup::kUnavailable;
  if (header->nlmsg_type == NLMSG_ERROR) {
    const auto* error = static_cast<const nlmsgerr*>(NLMSG_DATA(header));
    return error->error == -ENOENT ? Lookup::kNobody : Lookup::kUnavailable;
  }
  if (header->nlmsg_len < NLMSG_LENGTH(sizeof(inet_diag_msg))) return Lookup::kUnavailable;
  const auto* found = static_cast<const inet_diag_msg*>(NLMSG_DATA(header));
  // The kernel falls back to a listening socket of that port where the connection is gone.
  if (found->id.idiag_sport != ask.body.id.idiag_sport ||
      found->id.idiag_dport != ask.body.id.idiag_dport)
    return Lookup::kNobody;
  if (found->idiag_inode == 0 || found->idiag_state == TCP_TIME_WAIT) return Lookup::kNobody;
  uid = found->idiag_uid;
  return Lookup::kFound;
}

}  // namespace

std::optional<std::uint32_t> tcp_owner_from_proc(const sockaddr_storage& from,
                                                 const sockaddr_storage& to) {
  const bool v6 = from.ss_family == AF_INET6;
  const std::unique_ptr<FILE, int (*)(FILE*)> table(
      std::fopen(v6 ? "/proc/net/tcp6" : "/proc/net/tcp", "re"), std::fclose);
  if (!table) return std::nullopt;
  Words source, target;
  if (!words_of(from, source) || !words_of(to, target)) return std::nullopt;
  char wanted[160];
  if (v6) {
    std::snprintf(wanted, sizeof wanted, "%08X%08X%08X%08X:%04X %08X%08X%08X%08X:%04X",
                  source.word[0], source.word[1], source.word[2], source.word[3], port_of(from),
                  target.word[0], target.word[1], target.word[2], target.word[3], port_of(to));
  } else {
    std::snprintf(wanted, sizeof wanted, "%08X:%04X %08X:%04X", source.word[0], port_of(from),
                  target.word[0], port_of(to));
  }
  char line[512];
  while (std::fgets(line, sizeof line, table.get())) {
    const char* const at = std::strstr(line, wanted);
    if (!at) continue;
    // state tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
    unsigned uid = 0;
    unsigned long inode = 0;
    if (std::sscanf(at + std::strlen(wanted), " %*x %*x:%*x %*x:%*x %*x %u %*d %lu", &uid,
                    &inode) != 2 ||
        inode == 0)
      return std::nullopt;
    return uid;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> tcp_owner(const sockaddr_storage& from, const sockaddr_storage& to) {
  // A v4 client of a dual-stack listener is a v4 socket (or, rarely, a v6 one with mapped
  // addresses).
  const sockaddr_storage plain_from = unmapped(from), plain_to = unmapped(to);
  std::uint32_t uid = 0;
  switch (ask_kernel(plain_from, plain_to, uid)) {
    case Lookup::kFound:
      return uid;
    case Lookup::kNobody:
      return std::nullopt;
    case Lookup::kUnavailable:
      break;
  }
  return tcp_owner_from_proc(plain_from, plain_to);
}

Peer::Peer(int fd, bool own_namespace) : own_namespace_(own_namespace) {
  socklen_t size = sizeof local_;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&local_), &size);
  if (local_.ss_family == AF_UNIX) {
    ucred who{};
    size = sizeof who;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0) unix_uid_ = who.uid;
    return;
  }
  size = sizeof remote_;
  ::getpeername(fd, reinterpret_cast<sockaddr*>(&remote_), &size);
  address_ = host_text(remote_);
  port_ = port_of(remote_);
  local_port_ = port_of(local_);
}

std::optional<std::uint32_t> Peer::find_uid() const {
  if (local_.ss_family == AF_UNIX) return unix_uid_;
  // Sockets of another network namespace may wear the same addresses as strangers' of this one.
  if (!own_namespace_ || !is_loopback(remote_) || !is_loopback(local_)) return std::nullopt;
  return tcp_owner(remote_, local_);
}

bool Peer::is_local() const { return local_.ss_family == AF_UNIX || is_loopback(remote_); }

std::optional<std::uint32_t> Peer::uid() {
  std::call_once(asked_, [this] { uid_ = find_uid(); });
  return uid_;
}

std::optional<std::uint32_t> peer_uid(const Request& request) {
  return request.peer ? request.peer->uid() : std::nullopt;
}

}  // namespace pileus::net
