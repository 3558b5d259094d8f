#include "sandbox/network_ns.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace pileus::sandbox {
namespace {

constexpr std::uint32_t kRange = 198u << 24 | 18u << 16;  // 198.18.0.0/15, a /19 for each slot
constexpr const char* kForwarding = "/proc/sys/net/ipv4/ip_forward";

std::string dotted(std::uint32_t address) {
  return str(address >> 24, '.', address >> 16 & 255, '.', address >> 8 & 255, '.', address & 255);
}

// One netlink request, built piece by piece.
class Request {
 public:
  template <class Header>
  Request(std::uint16_t type, std::uint16_t flags, const Header& header) {
    nlmsghdr head{};
    head.nlmsg_type = type;
    head.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    raw(&head, sizeof head);
    raw(&header, sizeof header);
  }
  void raw(const void* data, std::size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
    bytes_.resize((bytes_.size() + 3) & ~std::size_t(3));
  }
  void attribute(std::uint16_t type, const void* data, std::size_t size) {
    const rtattr head{static_cast<unsigned short>(sizeof(rtattr) + size), type};
    raw(&head, sizeof head);
    raw(data, size);
  }
  void attribute(std::uint16_t type, const std::string& text) {
    attribute(type, text.c_str(), text.size() + 1);
  }
  void attribute(std::uint16_t type, std::uint32_t number) {
    attribute(type, &number, sizeof number);
  }
  // Nested attributes: what is added between open and close lies in it.
  std::size_t open(std::uint16_t type) {
    const std::size_t at = bytes_.size();
    attribute(type, nullptr, 0);
    return at;
  }
  void close(std::size_t at) {
    const auto size = static_cast<unsigned short>(bytes_.size() - at);
    std::memcpy(bytes_.data() + at, &size, sizeof size);
  }
  int send(int socket) {
    const auto size = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &size, sizeof size);
    if (::send(socket, bytes_.data(), bytes_.size(), 0) < 0) return errno;
    char answer[4096];
    const ssize_t got = ::recv(socket, answer, sizeof answer, 0);
    if (got < static_cast<ssize_t>(sizeof(nlmsghdr) + sizeof(int))) return EIO;
    int error = 0;
    std::memcpy(&error, answer + sizeof(nlmsghdr), sizeof error);
    return -error;
  }

 private:
  std::string bytes_;
};

UniqueFd netlink_socket() {
  return UniqueFd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
}

int interface_index(int socket, const std::string& name) {
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  return ::ioctl(socket, SIOCGIFINDEX, &request) == 0 ? request.ifr_ifindex : 0;
}

// The smallest MTU of the host's interfaces that are up: what is sent through veth must fit.
std::uint32_t host_mtu(int socket) {
  std::uint32_t least = 1500;
  if (struct if_nameindex* all = ::if_nameindex()) {
    for (auto* each = all; each->if_index; ++each) {
      ifreq request{};
      std::strncpy(request.ifr_name, each->if_name, IFNAMSIZ - 1);
      if (::ioctl(socket, SIOCGIFFLAGS, &request) != 0 || !(request.ifr_flags & IFF_UP)) continue;
      if (::ioctl(socket, SIOCGIFMTU, &request) == 0 &&
          static_cast<std::uint32_t>(request.ifr_mtu) < least && request.ifr_mtu >= 576)
        least = static_cast<std::uint32_t>(request.ifr_mtu);
    }
    ::if_freenameindex(all);
  }
  return least;
}

int add_veth(int host, const std::string& name, int namespace_fd, std::uint32_t mtu) {
  const ifinfomsg link{};
  Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, link);
  request.attribute(IFLA_IFNAME, name);
  request.attribute(IFLA_MTU, mtu);
  const auto info = request.open(IFLA_LINKINFO);
  request.attribute(IFLA_INFO_KIND, std::string("veth"));
  const auto data = request.open(IFLA_INFO_DATA);
  const auto peer = request.open(VETH_INFO_PEER);
  request.raw(&link, sizeof link);
  request.attribute(IFLA_IFNAME, std::string("eth0"));
  request.attribute(IFLA_MTU, mtu);
  request.attribute(IFLA_NET_NS_FD, static_cast<std::uint32_t>(namespace_fd));
  request.close(peer);
  request.close(data);
  request.close(info);
  return request.send(host);
}

void remove_link(int netlink, const std::string& name) {
  const ifinfomsg link{};
  Request request(RTM_DELLINK, 0, link);
  request.attribute(IFLA_IFNAME, name);
  request.send(netlink);
}

int add_address(int netlink, int index, std::uint32_t address) {
  ifaddrmsg message{};
  message.ifa_family = AF_INET;
  message.ifa_prefixlen = 31;
  message.ifa_index = static_cast<unsigned>(index);
  Request request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, message);
  request.attribute(IFA_LOCAL, htonl(address));
  request.attribute(IFA_ADDRESS, htonl(address));
  return request.send(netlink);
}

int add_default_route(int netlink, std::uint32_t gateway) {
  rtmsg message{};
  message.rtm_family = AF_INET;
  message.rtm_table = RT_TABLE_MAIN;
  message.rtm_protocol = RTPROT_BOOT;
  message.rtm_scope = RT_SCOPE_UNIVERSE;
  message.rtm_type = RTN_UNICAST;
  Request request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, message);
  request.attribute(RTA_GATEWAY, htonl(gateway));
  return request.send(netlink);
}

int bring_up(int netlink, int index) {
  ifinfomsg link{};
  link.ifi_index = index;
  link.ifi_flags = IFF_UP;
  link.ifi_change = IFF_UP;
  return Request(RTM_NEWLINK, 0, link).send(netlink);
}

std::string host_interfaces() {
  std::string names = "\"lo\"";
  if (struct if_nameindex* all = ::if_nameindex()) {
    for (auto* each = all; each->if_index; ++each)
      if (!std::string_view(each->if_name).starts_with("pls") &&
          std::string_view(each->if_name) != "lo")
        names += str(", \"", each->if_name, "\"");
    ::if_freenameindex(all);
  }
  return names;
}

// Everything that leaves a sandbox: nothing of the host, no neighbour, no metadata service.
std::string nft_rules(int slot, bool router_guard) {
  const std::string ours = str("\"pls", slot, "v*\"");
  const std::string table = str("table inet pileus_", slot);
  const std::string range = str(dotted(kRange + (static_cast<std::uint32_t>(slot) << 13)), "/19");
  std::string text =
      str(table, " {}\ndelete ", table, "\n", table, " {\n",
          " chain input { type filter hook input priority -10; policy accept; iifname ", ours,
          " reject with icmpx admin-prohibited; }\n",
          " chain forward { type filter hook forward priority -10; policy accept;\n", "  oifname ",
          ours, " ct state established,related accept\n  oifname ", ours, " drop\n", "  iifname ",
          ours, " jump outbound\n }\n",
          " chain outbound {\n  meta nfproto ipv6 drop\n  ip saddr != ", range, " drop\n",
          "  ip daddr { 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 198.18.0.0/15, 224.0.0.0/3 } "
          "reject with icmpx "
          "admin-prohibited\n }\n",
          " chain nat { type nat hook postrouting priority 100; ip saddr ", range,
          " oifname != ", ours, " masquerade; }\n}\n");
  // Where forwarding was off before us, the host shall not become a router between the interfaces
  // it had then. What comes later (Docker's bridges) is its maker's affair.
  if (router_guard) {
    const std::string had = host_interfaces();
    text += str(
        "table inet pileus_guard {}\ndelete table inet pileus_guard\ntable inet pileus_guard {\n"
        " chain forward { type filter hook forward priority -5; policy accept;\n  iifname { ",
        had, " } oifname { ", had, " } drop\n }\n}\n");
  }
  return text;
}

UniqueFd take_slot(int slot) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = str("pileus-network-", slot);
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) socket.reset();
  return socket;
}

pid_t start_nft(std::string_view text, int output_fd) {
  UniqueFd file(::memfd_create("nft", MFD_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) < 0) return -1;
  ::lseek(file.get(), 0, SEEK_SET);
  return start_tool({find_tool("nft"), "-f", "-"}, file.get(), output_fd);
}

}  // namespace

std::string HostNetwork::interface(unsigned index) const { return str("pls", slot_, 'v', index); }

std::uint32_t HostNetwork::host_address(unsigned index) const {
  return kRange + (static_cast<std::uint32_t>(slot_) << 13) + index * 2;
}

Result<Unit> HostNetwork::begin() {
  if (find_tool("nft").empty())
    return fail(std::string(errc::kIo), "nft is not installed (package nftables)", 500);
  for (unsigned slot = 0; slot < kSlots && !hold_; ++slot) {
    hold_ = take_slot(static_cast<int>(slot));
    slot_ = static_cast<int>(slot);
  }
  if (!hold_)
    return fail(std::string(errc::kLimit), "sixteen servers already run on this machine", 500);
  // Ours from an earlier server that was killed, or off before: guard it either way.
  const bool off = trim(read_small_file(kForwarding)) == "0";
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return sys_fail("pipe");
  said_.reset(ends[0]);
  UniqueFd writing(ends[1]);
  nft_ = start_nft(nft_rules(slot_, off), writing.get());
  if (nft_ < 0) return sys_fail("start nft");
  if (off) {
    if (const int why = write_file(kForwarding, "1"))
      return sys_fail("turn on IPv4 forwarding", why);
  }
  return Unit{};
}

Result<Unit> HostNetwork::finish(std::vector<std::string>& missing) {
  if (nft_ < 0) return fail(std::string(errc::kIo), "nft did not start", 500);
  std::string text;
  char buffer[1024];
  for (ssize_t size; (size = ::read(said_.get(), buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(size));
  int status = 0;
  while (::waitpid(nft_, &status, 0) < 0 && errno == EINTR) {
  }
  said_.reset();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return fail(std::string(errc::kIo),
                str("nft refused the rules: ", trim(std::string_view(text).substr(0, 300))), 500);
  up_ = true;
  std::string chain;
  if (run_tool({find_tool("nft"), "list", "chain", "ip", "filter", "FORWARD"}, &chain) == 0 &&
      chain.find("policy drop") != std::string::npos)
    missing.push_back(
        str("sandboxes may not reach the outside: another firewall on this host drops what is "
            "forwarded (Docker does); allow it with: iptables -I FORWARD -i 'pls+' -j ACCEPT; "
            "iptables -I FORWARD -o 'pls+' -j ACCEPT"));
  return Unit{};
}

void HostNetwork::remove() {
  if (!up_) return;
  up_ = false;
  std::string text = str("delete table inet pileus_", slot_, "\n");
  bool alone = true;
  for (unsigned slot = 0; slot < kSlots; ++slot)
    if (static_cast<int>(slot) != slot_ && !take_slot(static_cast<int>(slot))) alone = false;
  std::string tables;
  run_tool({find_tool("nft"), "list", "tables"}, &tables);
  if (alone && tables.find("pileus_guard") != std::string::npos) {
    text += "delete table inet pileus_guard\n";
    write_file(kForwarding, "0");
  }
  int status = 0;
  const pid_t pid = start_nft(text, -1);
  if (pid > 0) ::waitpid(pid, &status, 0);
  hold_.reset();
}

Result<Unit> enter_network_namespace(const HostNetwork* nat, unsigned index,
                                     std::string& no_outbound) {
  UniqueFd host_netlink = netlink_socket();
  UniqueFd host_socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const std::uint32_t mtu = nat ? host_mtu(host_socket.get()) : 1500;
  if (::unshare(CLONE_NEWNET) != 0) return sys_fail("make a network namespace");
  UniqueFd netlink = netlink_socket();
  if (!netlink) return sys_fail("open netlink");
  if (const int why = bring_up(netlink.get(), 1)) return sys_fail("bring loopback up", why);
  if (!nat) return Unit{};
  const std::string name = nat->interface(index);
  UniqueFd own(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  UniqueFd inside(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const std::uint32_t gateway = nat->host_address(index);
  const auto connect = [&]() -> Result<Unit> {
    int why = add_veth(host_netlink.get(), name, own.get(), mtu);
    if (why == EEXIST) {  // of a namespace that the kernel has not taken away yet
      remove_link(host_netlink.get(), name);
      why = add_veth(host_netlink.get(), name, own.get(), mtu);
    }
    if (why) return sys_fail("make a veth pair", why);
    const int near = interface_index(inside.get(), "eth0");
    const int far = interface_index(host_socket.get(), name);
    why = add_address(host_netlink.get(), far, gateway);
    if (why) return sys_fail("give the veth its address", why);
    why = add_address(netlink.get(), near, gateway + 1);
    if (why) return sys_fail("give the sandbox its address", why);
    why = bring_up(host_netlink.get(), far);
    if (why) return sys_fail("bring the veth up", why);
    why = bring_up(netlink.get(), near);
    if (why) return sys_fail("bring eth0 up", why);
    why = add_default_route(netlink.get(), gateway);
    if (why) return sys_fail("set the default route", why);
    return Unit{};
  };
  if (const auto connected = connect(); !connected) no_outbound = connected.error().message();
  return Unit{};
}

Result<UniqueFd> make_listener(const std::string& address, std::uint16_t port) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return sys_fail("make a listener");
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  if (::inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1)
    return fail(std::string(errc::kInvalid), str("listener address ", address, " is not IPv4"));
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) != 0 ||
      ::listen(socket.get(), 128) != 0)
    return sys_fail(str("listen on ", address, ':', port));
  return socket;
}

}  // namespace pileus::sandbox
