// More than one process in a sandbox: spawned beside the main program, cleared, reached by TCP.
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "sandbox/process_driver.h"
#include "sandbox/sys.h"
#include "sandbox/test_support.h"

namespace pileus::sandbox {
namespace {

Process python_process(const std::string& code) {
  return {{"/usr/bin/python3", "-I", "-S", "-c", code}, {{"KEY", "value"}}, "/", false};
}

Spec kept(const std::string& code) {
  Spec spec = python(code);
  spec.keep = spec.log = true;
  return spec;
}

constexpr const char* kWait = "import time; print('here', flush=True); time.sleep(600)";

TEST(Beside, A_spawned_process_is_as_confined_as_the_program_and_sees_it) {
  NEEDS_ISOLATION();
  auto sandbox = start(kept(kWait));
  ASSERT_TRUE(sandbox) << sandbox.error().message();
  const UniqueFd main((*sandbox)->output_fd());
  EXPECT_EQ(read_some(main.get(), "here\n"), "here\n");
  auto spawned = test_loop().run((*sandbox)->spawn(python_process(R"py(
import os
status = dict(line.split(':', 1) for line in open('/proc/self/status') if ':' in line)
print(os.getuid(), status['CapEff'].strip(), status['CapBnd'].strip(), status['NoNewPrivs'].strip())
print(status['Seccomp'].strip(), os.environ.get('KEY'), 'PATH' in os.environ, sorted(os.listdir('/proc/self/fd'))[:3])
print(any(b'sleep' in open('/proc/%s/cmdline' % p, 'rb').read() for p in os.listdir('/proc') if p.isdigit() and p != str(os.getpid())))
)py")));
  ASSERT_TRUE(spawned) << spawned.error().message();
  const UniqueFd output(spawned->output_fd);
  const auto exit = test_loop().run((*sandbox)->wait_for(spawned->id));
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->code, 0);
  EXPECT_EQ(read_all(::dup(output.get())), str("993 0000000000000000 0000000000000000 1\n",
                                               test_driver().capabilities().seccomp ? 2 : 0,
                                               " value False ['0', '1', '2']\nTrue\n"));
}

TEST(Beside, Cleared_a_kept_sandbox_runs_another_program_with_the_same_tmp) {
  NEEDS_ISOLATION();
  auto sandbox = start(kept(str("open('/tmp/mark', 'w').write('x'); ", kWait)));
  ASSERT_TRUE(sandbox);
  const UniqueFd main((*sandbox)->output_fd());
  read_some(main.get(), "here\n");
  auto other = test_loop().run((*sandbox)->spawn(python_process(kWait)));
  ASSERT_TRUE(other);
  const UniqueFd other_output(other->output_fd);
  ASSERT_TRUE(test_loop().run((*sandbox)->clear()));
  EXPECT_EQ(test_loop().run((*sandbox)->wait())->signal, SIGKILL);
  EXPECT_EQ(test_loop().run((*sandbox)->wait_for(other->id))->signal, SIGKILL);
  auto next = test_loop().run((*sandbox)->spawn(python_process("print(open('/tmp/mark').read())")));
  ASSERT_TRUE(next) << next.error().message();
  const UniqueFd output(next->output_fd);
  EXPECT_EQ(read_some(output.get(), "x\n"), "x\n");
  EXPECT_EQ(test_loop().run((*sandbox)->wait_for(next->id))->code, 0);
}

TEST(Beside, A_program_that_cannot_be_executed_is_told_and_a_signal_arrives) {
  NEEDS_ISOLATION();
  auto sandbox = start(kept(kWait));
  ASSERT_TRUE(sandbox);
  auto missing = test_loop().run((*sandbox)->spawn({{"/opt/nothing"}, {}, "/", false}));
  ASSERT_TRUE(missing);
  const UniqueFd said(missing->output_fd);
  EXPECT_EQ(test_loop().run((*sandbox)->wait_for(missing->id))->execute_errno, ENOENT);
  auto waiting = test_loop().run((*sandbox)->spawn(python_process(
      "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\n"
      "print('set', flush=True)\ntime.sleep(600)")));
  ASSERT_TRUE(waiting);
  const UniqueFd output(waiting->output_fd);
  read_some(output.get(), "set\n");
  (*sandbox)->signal_process(waiting->id, SIGTERM);
  EXPECT_EQ(test_loop().run((*sandbox)->wait_for(waiting->id))->code, 9);
}

TEST(Beside, A_socket_of_its_network_reaches_what_listens_inside) {
  NEEDS_ISOLATION();
  auto sandbox = start(kept(R"py(
import socket
l = socket.create_server(('127.0.0.1', 8124))
print('here', flush=True)
c, _ = l.accept()
print(c.recv(100).decode(), flush=True)
)py"));
  ASSERT_TRUE(sandbox);
  const UniqueFd main((*sandbox)->output_fd());
  read_some(main.get(), "here\n");
  auto socket = test_loop().run((*sandbox)->socket());
  ASSERT_TRUE(socket) << socket.error().message();
  const UniqueFd fd(*socket);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(8124);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to);
  pollfd watched{fd.get(), POLLOUT, 0};
  ASSERT_EQ(::poll(&watched, 1, 10'000), 1);
  EXPECT_EQ(::send(fd.get(), "from outside", 12, MSG_NOSIGNAL), 12);
  EXPECT_EQ(read_some(main.get(), "outside\n"), "from outside\n");
}

TEST(Beside, Descriptor_3_brings_the_assignment_and_then_takes_the_log) {
  NEEDS_ISOLATION();
  Spec spec = kept(R"py(
import os
data = b''
while (part := os.read(3, 65536)): data += part
os.write(3, b'frame: ' + data)
)py");
  spec.hold = Hold::kProgram;
  auto sandbox = start(spec);
  ASSERT_TRUE(sandbox);
  const UniqueFd log((*sandbox)->log_fd());
  Assignment what;
  what.environment = {{"A", "1"}};
  what.working_directory = "/";
  what.release = false;
  ASSERT_TRUE(test_loop().run((*sandbox)->assign(what)));
  auto first = test_loop().run((*sandbox)->spawn(python_process("print('before')")));
  ASSERT_TRUE(first);
  const UniqueFd said(first->output_fd);
  EXPECT_EQ(test_loop().run((*sandbox)->wait_for(first->id))->code, 0);
  ASSERT_TRUE(test_loop().run((*sandbox)->release()));
  EXPECT_EQ(read_some(log.get(), std::string_view("A=1\0", 4)), std::string("frame: A=1\0", 11));
  EXPECT_FALSE(test_loop().run((*sandbox)->release()));
}

TEST(Beside, What_waits_in_init_is_released_too) {
  NEEDS_ISOLATION();
  Spec spec = kept("print('never')");
  spec.argv.clear();
  spec.hold = Hold::kInit;
  auto sandbox = start(spec);
  ASSERT_TRUE(sandbox);
  const UniqueFd output((*sandbox)->output_fd()), log((*sandbox)->log_fd());
  Assignment what;
  what.argv = {"/usr/bin/python3", "-I", "-S", "-c",
               "import os; print('ran'); os.write(3, b'logged')"};
  what.working_directory = "/";
  what.release = false;
  ASSERT_TRUE(test_loop().run((*sandbox)->assign(what)));
  ASSERT_TRUE(test_loop().run((*sandbox)->release()));
  EXPECT_EQ(read_some(output.get(), "ran\n"), "ran\n");
  EXPECT_EQ(read_some(log.get(), "logged"), "logged");
}

}  // namespace
}  // namespace pileus::sandbox
