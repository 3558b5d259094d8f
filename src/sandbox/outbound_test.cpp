// Outbound::kNat, with an "outside" of the test's own: a network namespace behind a veth, to which
// the host has a route. No packet leaves the machine.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "sandbox/sys.h"
#include "sandbox/test_support.h"

namespace pileus::sandbox {
namespace {

// A server at `address`:8080 that tells each client which address it came from.
class Outside {
 public:
  Outside() {
    const int base = ::getpid() % 60 * 4;
    host = str("203.0.113.", base + 1);
    address = str("203.0.113.", base + 2);
    int ends[2];
    if (::pipe(ends) != 0) return;
    said_.reset(ends[0]);
    pid_ = start_tool(
        {"/usr/bin/unshare", "-n", "/usr/bin/python3", "-I", "-S", "-u", "-c",
         "import socket\ns = socket.create_server(('', 8080))\nprint('up')\n"
         "while True:\n  c, peer = s.accept()\n  c.sendall(peer[0].encode())\n  c.close()"},
        -1, ends[1]);
    ::close(ends[1]);
    read_some(ends[0], "up\n");
    const std::string ip = find_tool("ip");
    const std::string link = str("tst", ::getpid());
    const std::vector<std::string> inside = {"/usr/bin/nsenter", "-t", str(pid_), "-n", ip};
    const auto in = [&](std::vector<std::string> rest) {
      rest.insert(rest.begin(), inside.begin(), inside.end());
      return run_tool(rest) == 0;
    };
    up = run_tool({ip, "link", "add", link, "type", "veth", "peer", "name", "out0", "netns",
                   str(pid_)}) == 0 &&
         run_tool({ip, "address", "add", host + "/30", "dev", link}) == 0 &&
         run_tool({ip, "link", "set", link, "up"}) == 0 &&
         in({"address", "add", address + "/30", "dev", "out0"}) &&
         in({"link", "set", "out0", "up"});
  }
  ~Outside() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  bool up = false;
  std::string host, address;

 private:
  pid_t pid_ = -1;
  UniqueFd said_;
};

Spec connecting_to(const std::string& address, Outbound outbound) {
  Spec spec =
      python(str("import socket\ntry: print(socket.create_connection(('", address,
                 "', 8080), 5).recv(100).decode())\nexcept OSError as e: print(e.strerror)"));
  spec.outbound = outbound;
  return spec;
}

TEST(Outbound, The_outside_is_reached_and_sees_the_hosts_address) {
  NEEDS_ISOLATION();
  if (!test_driver().capabilities().outbound) GTEST_SKIP() << "no outbound here";
  if (find_tool("ip").empty()) GTEST_SKIP() << "ip (iproute2) is not installed";
  Outside outside;
  if (!outside.up) GTEST_SKIP() << "the test may not make its outside here";
  EXPECT_EQ(run(connecting_to(outside.address, Outbound::kNat)).output, outside.host + "\n");
  EXPECT_EQ(run(connecting_to(outside.address, Outbound::kNone)).output,
            "Network is unreachable\n");
}

TEST(Outbound, Without_it_specifications_that_want_it_still_start) {
  NEEDS_ISOLATION();
  if (test_driver().capabilities().outbound)
    GTEST_SKIP() << "there is outbound here; the ordinary user's run shows it";
  EXPECT_EQ(run(connecting_to("203.0.113.2", Outbound::kNat)).output, "Network is unreachable\n");
}

}  // namespace
}  // namespace pileus::sandbox
