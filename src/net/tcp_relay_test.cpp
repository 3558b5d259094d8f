#include "net/tcp_relay.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

namespace pileus::net {
namespace {

int bound(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(fd, 8), 0);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

int dial(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return fd;
}

std::string read_all(int fd, std::size_t size) {
  std::string out;
  char bytes[4096];
  while (out.size() < size) {
    const auto got = ::recv(fd, bytes, sizeof bytes, 0);
    if (got <= 0) break;
    out.append(bytes, static_cast<std::size_t>(got));
  }
  return out;
}

TEST(TcpRelay, Carries_bytes_both_ways_through_sockets_that_listened_before) {
  std::uint16_t target_port = 0, unused = 0;
  const int target = bound(target_port);
  auto relay = TcpRelay::listen(0, ::geteuid());
  ASSERT_TRUE(relay) << relay.error().message();
  (*relay)->connect_through({bound(unused)}, target_port);
  const std::string large(1 << 20, 'x');
  for (int round = 0; round < 3; ++round) {  // the one socket is used again
    const int client = dial((*relay)->port());
    const int inside = ::accept(target, nullptr, nullptr);
    std::thread writer([&] { EXPECT_GT(::send(client, large.data(), large.size(), 0), 0); });
    EXPECT_EQ(read_all(inside, large.size()), large);
    writer.join();
    EXPECT_EQ(::send(inside, "back", 4, 0), 4);
    EXPECT_EQ(read_all(client, 4), "back");
    ::shutdown(client, SHUT_WR);
    EXPECT_EQ(read_all(inside, 1), "");
    ::close(inside);
    EXPECT_EQ(read_all(client, 1), "");  // then the socket is free again
    ::close(client);
  }
  ::close(target);
}

TEST(TcpRelay, Refuses_what_has_nowhere_to_go_and_ends_with_its_sockets) {
  std::uint16_t target_port = 0, unused = 0;
  const int target = bound(target_port);
  auto relay = TcpRelay::listen(0, ::geteuid());
  ASSERT_TRUE(relay);
  const int nowhere = dial((*relay)->port());
  EXPECT_EQ(read_all(nowhere, 1), "");
  (*relay)->connect_through({bound(unused)}, target_port);
  const int first = dial((*relay)->port());
  const int inside = ::accept(target, nullptr, nullptr);
  const int second = dial((*relay)->port());
  EXPECT_EQ(read_all(second, 1), "");
  (*relay)->connect_through({}, target_port);
  EXPECT_EQ(read_all(first, 1), "");
  for (const int fd : {nowhere, first, inside, second, target}) ::close(fd);
}

}  // namespace
}  // namespace pileus::net
