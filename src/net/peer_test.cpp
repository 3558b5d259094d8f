#include "net/peer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>

#include "net/test_support.h"

namespace pileus::net {
namespace {

using test::RawClient;
using test::TestServer;
using testing::EndsWith;

Task<Response> who(Request& request) {
  const auto uid = peer_uid(request);
  Response response;
  response.body = uid ? str("uid ", *uid) : "nobody";
  co_return response;
}

TEST(PeerUid, Is_known_over_loopback) {
  TestServer server(who);
  RawClient client(server.address);
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.read_answer(), EndsWith(str("uid ", ::geteuid())));
}

TEST(PeerUid, Is_known_over_IPv6_loopback) {
  SystemTime time;
  Loops loops(1);
  HttpServer server(loops, time);
  const auto address = server.listen("[::1]:0", who, {});
  if (!address) GTEST_SKIP() << "no IPv6 here: " << address.error().message();
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_addr = in6addr_loopback;
  in.sin6_port = htons(static_cast<std::uint16_t>(std::stoi(address->substr(6))));
  ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&in), sizeof in), 0);
  const std::string_view get = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  ::send(fd, get.data(), get.size(), 0);
  std::string answer;
  char bytes[1000];
  for (ssize_t got; (got = ::recv(fd, bytes, sizeof bytes, 0)) > 0;)
    answer.append(bytes, static_cast<std::size_t>(got));
  ::close(fd);
  EXPECT_THAT(answer, EndsWith(str("uid ", ::geteuid())));
}

TEST(PeerUid, Is_known_over_a_unix_socket) {
  char folder[] = "/tmp/net_test.XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  TestServer server(who, {}, 1, std::string("unix:") + folder + "/s");
  RawClient client(server.address);
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.read_answer(), EndsWith(str("uid ", ::geteuid())));
  server.server.reset();
  ::rmdir(folder);
}

TEST(PeerUid, Tells_another_user) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  TestServer server(who);
  int out[2];
  ASSERT_EQ(::pipe(out), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setuid(65534) != 0) ::_exit(1);
    RawClient client(server.address);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string answer = client.read_answer();
    ::_exit(::write(out[1], answer.data(), answer.size()) < 0);
  }
  ::close(out[1]);
  char bytes[4096];
  const ssize_t got = ::read(out[0], bytes, sizeof bytes);
  ::close(out[0]);
  ::waitpid(child, nullptr, 0);
  EXPECT_THAT(std::string(bytes, static_cast<std::size_t>(std::max<ssize_t>(got, 0))),
              EndsWith("uid 65534"));
}

// The owner of a closed socket reads as uid 0 in the kernel's table: that must not make root of a
// stranger who sends a request and closes at once.
TEST(PeerUid, Is_nobody_after_the_peer_closed) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_storage here{};
  auto& in = reinterpret_cast<sockaddr_in&>(here);
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof in;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&in), sizeof in), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&here), &size);
  auto client = std::make_unique<RawClient>(str("127.0.0.1:", ntohs(in.sin_port)));
  const int accepted = ::accept(listener, nullptr, nullptr);
  sockaddr_storage there{};
  size = sizeof there;
  ::getpeername(accepted, reinterpret_cast<sockaddr*>(&there), &size);
  EXPECT_EQ(tcp_owner(there, here), ::geteuid());
  EXPECT_EQ(tcp_owner_from_proc(there, here), ::geteuid());
  client.reset();
  EXPECT_EQ(tcp_owner(there, here), std::nullopt);
  EXPECT_EQ(tcp_owner_from_proc(there, here), std::nullopt);
  ::close(accepted);
  EXPECT_EQ(tcp_owner(there, here), std::nullopt);
  // Nor does the listening socket answer for a connection that never was.
  EXPECT_EQ(tcp_owner(here, there), std::nullopt);
  ::close(listener);
}

TEST(PeerUid, Is_nobody_on_descriptors_from_elsewhere_and_in_requests_made_by_hand) {
  TestServer server(who);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&in), sizeof in), 0);
  ASSERT_EQ(::listen(fd, 10), 0);
  socklen_t size = sizeof in;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&in), &size);
  ASSERT_TRUE(server.server->listen_fd(fd, who, {}));
  RawClient client(str("127.0.0.1:", ntohs(in.sin_port)));
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.read_answer(), EndsWith("nobody"));
  EXPECT_EQ(peer_uid(Request{}), std::nullopt);
}

}  // namespace
}  // namespace pileus::net
