// The network of a sandbox: its own namespace with loopback up, listeners made in it, and for
// Outbound::kNat a veth pair to the host. All by netlink, no program is run. HostNetwork is the
// host's side, set up once by the launcher: address range, forwarding, one nftables table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sandbox/sandbox.h"
#include "sandbox/sys.h"

namespace pileus::sandbox {

// One of sixteen slots per host network namespace, held by an abstract socket: so two servers do
// not meet, and nothing stays when one is killed. Slot n owns 198.18.0.0/15's n-th /19 (addresses
// set apart for benchmarks, in use nowhere), interfaces pls<n>v* and table pileus_<n>.
class HostNetwork {
 public:
  static constexpr unsigned kSlots = 16;
  static constexpr unsigned kPairs = 4096;  // sandboxes with outbound per server
  // Starts nft and goes on; finish() waits for it.
  Result<Unit> begin();
  Result<Unit> finish(std::vector<std::string>& missing);
  void remove();  // table, forwarding; what the kernel does not take away itself
  bool up() const { return up_; }
  std::string interface(unsigned index) const;       // "pls0v12"
  std::uint32_t host_address(unsigned index) const;  // host byte order; +1 is the sandbox's

 private:
  UniqueFd hold_;
  int slot_ = -1;
  pid_t nft_ = -1;
  UniqueFd said_;
  bool up_ = false;
};

// Called in the process that shall get the namespace; in the host's one before.
Result<Unit> enter_network_namespace(const HostNetwork* nat, unsigned index,
                                     std::string& no_outbound);

// A listening, non-blocking TCP socket in the calling process' namespace.
Result<UniqueFd> make_listener(const std::string& address, std::uint16_t port);

}  // namespace pileus::sandbox
