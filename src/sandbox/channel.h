// Packets with descriptors over a SOCK_SEQPACKET pair. A packet larger than kInline travels in a
// memory file, so a big environment never meets the socket's size limit. At most kMaxFds each.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "sandbox/unique_fd.h"

namespace pileus::sandbox {

inline constexpr std::size_t kInline = 32 * 1024;
inline constexpr std::size_t kMaxPacket = 16u << 20;
inline constexpr std::size_t kMaxFds = 200;

struct Packet {
  std::string bytes;
  std::vector<UniqueFd> fds;
};

enum class Received { kPacket, kNothing, kEnd };

// 0, or errno (EAGAIN when `flags` has MSG_DONTWAIT and the socket is full).
int send_packet(int socket, std::string_view bytes, std::span<const int> fds = {}, int flags = 0);
// kNothing: nothing there (with MSG_DONTWAIT). kEnd: the other side is gone.
Received receive_packet(int socket, Packet& packet, int flags = 0);

}  // namespace pileus::sandbox
