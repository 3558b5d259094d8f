#include "sandbox/channel.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace pileus::sandbox {
namespace {

constexpr char kPlain = 0;
constexpr char kInMemoryFile = 1;

int send_once(int socket, char kind, std::string_view bytes, std::span<const int> fds, int flags) {
  iovec parts[2] = {{&kind, 1}, {const_cast<char*>(bytes.data()), bytes.size()}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxFds)];
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
    std::memcpy(CMSG_DATA(header), fds.data(), sizeof(int) * fds.size());
  }
  for (;;) {
    if (::sendmsg(socket, &message, flags | MSG_NOSIGNAL) >= 0) return 0;
    if (errno != EINTR) return errno;
  }
}

bool read_memory_file(int fd, std::string& out) {
  struct stat info{};
  if (::fstat(fd, &info) != 0 || info.st_size > static_cast<off_t>(kMaxPacket)) return false;
  out.resize(static_cast<std::size_t>(info.st_size));
  return ::pread(fd, out.data(), out.size(), 0) == static_cast<ssize_t>(out.size());
}

}  // namespace

int send_packet(int socket, std::string_view bytes, std::span<const int> fds, int flags) {
  if (fds.size() + 1 > kMaxFds || bytes.size() > kMaxPacket) return EMSGSIZE;
  if (bytes.size() <= kInline) return send_once(socket, kPlain, bytes, fds, flags);
  UniqueFd file(::memfd_create("packet", MFD_CLOEXEC));
  if (!file) return errno;
  if (::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    return EIO;
  std::vector<int> all(fds.begin(), fds.end());
  all.push_back(file.get());
  return send_once(socket, kInMemoryFile, {}, all, flags);
}

Received receive_packet(int socket, Packet& packet, int flags) {
  packet.fds.clear();
  packet.bytes.resize(kInline);
  char kind = kPlain;
  iovec parts[2] = {{&kind, 1}, {packet.bytes.data(), packet.bytes.size()}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxFds)];
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t size = 0;
  do {
    size = ::recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0)
    return errno == EAGAIN || errno == EWOULDBLOCK ? Received::kNothing : Received::kEnd;
  if (size == 0) return Received::kEnd;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      packet.fds.emplace_back(fd);
    }
  }
  packet.bytes.resize(static_cast<std::size_t>(size) - 1);
  if (kind == kInMemoryFile) {
    if (packet.fds.empty() || !read_memory_file(packet.fds.back().get(), packet.bytes))
      return Received::kEnd;
    packet.fds.pop_back();
  }
  return Received::kPacket;
}

}  // namespace pileus::sandbox
