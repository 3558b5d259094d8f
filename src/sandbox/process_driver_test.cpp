#include "sandbox/process_driver.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "base/text.h"
#include "sandbox/sys.h"
#include "sandbox/test_support.h"

namespace pileus::sandbox {
namespace {

// A folder that goes with its test.
struct Folder {
  std::string path = temporary_folder();
  Folder() { ::chmod(path.c_str(), 0755); }
  ~Folder() { remove_tree(path); }
  void put(const std::string& name, std::string_view text, unsigned mode = 0644) {
    ASSERT_TRUE(make_file(str(path, '/', name), text, mode).has_value());
  }
};

int accept_within(int listener, int millis = 10'000) {
  pollfd watched{listener, POLLIN, 0};
  return ::poll(&watched, 1, millis) == 1 ? ::accept(listener, nullptr, nullptr) : -1;
}

// What a held runtime does: reads descriptor 3 to its end, then says what it found.
constexpr const char* kHeld = R"py(
import os, sys, socket
print('holding', flush=True)
data = b''
while True:
    part = os.read(3, 65536)
    if not part: break
    data += part
for item in sorted(data.decode().split('\0')[:-1]): print(item)
print(open('/var/task/code.txt').read())
s = socket.create_connection(('127.0.0.1', 9001))
s.sendall(b'next')
print(s.recv(100).decode(), flush=True)
)py";

Spec held_python() {
  Spec spec = python(kHeld);
  spec.hold = Hold::kProgram;
  spec.listeners = {{"runtime", "127.0.0.1", 9001}, {"aws", "127.0.0.1", 9002}};
  return spec;
}

TEST(ProcessDriver, A_program_runs_and_its_output_and_exit_status_come_back) {
  NEEDS_ISOLATION();
  const Ran ran =
      run(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"));
  EXPECT_EQ(ran.output, "out\nerr\n");
  EXPECT_EQ(ran.exit.code, 7);
  EXPECT_EQ(ran.exit.signal, 0);
  EXPECT_FALSE(ran.exit.out_of_memory);
}

TEST(ProcessDriver, Folders_are_merged_into_one_mount_that_cannot_be_written) {
  NEEDS_ISOLATION();
  Folder top, middle, bottom;  // their names need no escapes, whatever is in them
  top.put("who", "top");
  middle.put("who", "middle");
  middle.put("only", "middle");
  ASSERT_TRUE(make_directories(bottom.path + "/deep,er:folder").has_value());
  bottom.put("deep,er:folder/only", "bottom");
  bottom.put("below", "bottom");
  Spec spec = python(R"py(
print(open('/opt/who').read(), open('/opt/only').read(), open('/opt/below').read())
try: open('/opt/new', 'w')
except OSError as e: print(e.strerror)
print('\n'.join(line for line in open('/proc/self/mountinfo') if ' /opt ' in line and '/tmp/' in line))
)py");
  spec.mounts = {{top.path, "/opt", true, {middle.path, bottom.path}}};
  EXPECT_EQ(run(spec).output, "top middle bottom\nRead-only file system\n\n");
  spec.mounts[0].below = {bottom.path + "/deep,er:folder"};
  EXPECT_EQ(run(python("print(open('/opt/who').read())")).exit.code, 1);
  spec.argv.back() = "print(open('/opt/who').read(), open('/opt/only').read())";
  EXPECT_EQ(run(spec).output, "top bottom\n");
  spec.mounts[0].read_only = false;
  EXPECT_FALSE(start(spec).has_value());
  spec.mounts[0] = {top.path, "/opt", true, {"/nonexistent/folder"}};
  EXPECT_FALSE(start(spec).has_value());
}

TEST(ProcessDriver, What_the_machine_cannot_do_is_said_in_sentences) {
  const auto& can = test_driver().capabilities();
  for (const auto& sentence : can.missing) std::printf("missing: %s\n", sentence.c_str());
  std::printf("cgroup %s memory %d cpu %d pids %d freezer %d outbound %d seccomp %d\n",
              can.cgroup.c_str(), can.memory_limit, can.cpu_limit, can.process_limit, can.freezer,
              can.outbound, can.seccomp);
  const bool all = can.isolation && can.memory_limit && can.cpu_limit && can.process_limit &&
                   can.freezer && can.outbound && can.seccomp;
  if (!all) EXPECT_FALSE(can.missing.empty());
}

TEST(ProcessDriver, A_held_program_gets_mounts_and_environment_and_reaches_its_listener) {
  NEEDS_ISOLATION();
  Folder code;
  code.put("code.txt", "the code");
  auto sandbox = start(held_python());
  ASSERT_TRUE(sandbox.has_value()) << sandbox.error().message();
  const int listener = (*sandbox)->listener_fd("runtime");
  ASSERT_GE(listener, 0);
  EXPECT_EQ((*sandbox)->listener_fd("runtime"), -1) << "it was given away";
  EXPECT_EQ((*sandbox)->listener_fd("other"), -1);
  const int output = (*sandbox)->output_fd();
  EXPECT_EQ(read_some(output, "holding\n"), "holding\n");
  Assignment assignment;
  assignment.mounts = {{code.path, "/var/task", true}};
  assignment.environment = {{"A", "1"}, {"B", "two words"}};
  const auto assigned = test_loop().run((*sandbox)->assign(assignment));
  ASSERT_TRUE(assigned.has_value()) << assigned.error().message();
  const int connection = accept_within(listener);
  ASSERT_GE(connection, 0);
  char request[8] = {};
  EXPECT_EQ(::read(connection, request, sizeof request), 4);
  EXPECT_EQ(::write(connection, "event", 5), 5);
  EXPECT_EQ(read_all(output), "A=1\nB=two words\nthe code\nevent\n");
  EXPECT_EQ(test_loop().run((*sandbox)->wait())->code, 0);
  EXPECT_FALSE(test_loop().run((*sandbox)->assign(assignment)).has_value()) << "once only";
  ::close(connection);
  ::close(listener);
}

TEST(ProcessDriver, A_held_init_executes_what_it_is_assigned) {
  NEEDS_ISOLATION();
  Folder code;
  code.put("bootstrap", "#!/bin/sh\necho \"$WHO in $(pwd)\"\n", 0755);
  Spec spec;
  spec.id = "init";
  spec.outbound = Outbound::kNone;
  spec.hold = Hold::kInit;
  auto sandbox = start(spec);
  ASSERT_TRUE(sandbox.has_value()) << sandbox.error().message();
  Assignment assignment;
  assignment.mounts = {{code.path, "/var/task", true}};
  assignment.argv = {"/var/task/bootstrap"};
  assignment.environment = {{"WHO", "bootstrap"}, {"PATH", "/bin"}};
  const auto assigned = test_loop().run((*sandbox)->assign(assignment));
  ASSERT_TRUE(assigned.has_value()) << assigned.error().message();
  EXPECT_EQ(read_all((*sandbox)->output_fd()), "bootstrap in /var/task\n");
  EXPECT_EQ(test_loop().run((*sandbox)->wait())->code, 0);
}

TEST(ProcessDriver, A_large_environment_arrives_whole) {
  NEEDS_ISOLATION();
  Spec spec = python(
      "import os\nd=b''\nwhile True:\n  p=os.read(3,1<<20)\n  if not p: break\n  "
      "d+=p\nprint(len(d))");
  spec.hold = Hold::kProgram;
  auto sandbox = start(spec);
  ASSERT_TRUE(sandbox.has_value()) << sandbox.error().message();
  Assignment assignment;
  assignment.environment = {{"BIG", std::string(500'000, 'x')}};
  ASSERT_TRUE(test_loop().run((*sandbox)->assign(assignment)).has_value());
  EXPECT_EQ(read_all((*sandbox)->output_fd()), "500005\n");
}

TEST(ProcessDriver, A_program_that_is_not_there_is_told_by_its_errno) {
  NEEDS_ISOLATION();
  Spec spec = python("");
  spec.argv = {"/var/task/bootstrap"};
  const Ran ran = run(spec);
  EXPECT_EQ(ran.exit.execute_errno, ENOENT);
  EXPECT_EQ(ran.exit.code, 127);
  EXPECT_NE(ran.output.find("/var/task/bootstrap"), std::string::npos);
}

TEST(ProcessDriver, Specifications_that_cannot_be_are_refused) {
  NEEDS_ISOLATION();
  const auto refused = [](auto change) {
    Spec spec = python("");
    change(spec);
    const auto sandbox = start(spec);
    EXPECT_FALSE(sandbox.has_value());
    return sandbox ? std::string() : sandbox.error().code();
  };
  EXPECT_EQ(refused([](Spec& s) { s.argv.clear(); }), errc::kInvalid);
  EXPECT_EQ(refused([](Spec& s) { s.argv = {"python3"}; }), errc::kInvalid);
  EXPECT_EQ(refused([](Spec& s) { s.mounts = {{"relative", "/var/task", true}}; }), errc::kInvalid);
  EXPECT_EQ(refused([](Spec& s) { s.mounts = {{"/usr", "/var/../../x", true}}; }), errc::kInvalid);
  EXPECT_EQ(refused([](Spec& s) { s.environment = {{"A=B", "c"}}; }), errc::kInvalid);
  EXPECT_EQ(refused([](Spec& s) { s.listeners = {{"x", "nowhere", 1}}; }), errc::kInvalid);
  EXPECT_EQ(refused([](Spec& s) { s.mounts = {{"/no/such/folder", "/var/task", true}}; }),
            errc::kIo);
  EXPECT_EQ(refused([](Spec& s) { s.mounts = {{"/usr", "/usr/no/such/place", true}}; }),
            errc::kInvalid);
  EXPECT_EQ(refused([](Spec& s) { s.root = "/no/such/root"; }), errc::kIo);
}

TEST(ProcessDriver, The_memory_limit_kills_and_says_so) {
  NEEDS_ISOLATION();
  if (!test_driver().capabilities().memory_limit) GTEST_SKIP() << "no memory controller";
  const Ran ran = run(python("print('before'); b = bytearray(2 << 30); print('after')"));
  EXPECT_EQ(ran.output, "before\n");
  EXPECT_EQ(ran.exit.signal, 9);
  EXPECT_TRUE(ran.exit.out_of_memory);
  EXPECT_GT(ran.usage.memory_peak_bytes, 100ull << 20);
  EXPECT_LE(ran.usage.memory_peak_bytes, 128ull << 20);
}

TEST(ProcessDriver, Without_a_memory_controller_each_process_is_limited) {
  NEEDS_ISOLATION();
  if (test_driver().capabilities().memory_limit) GTEST_SKIP() << "there is one";
  const Ran ran = run(
      python("try: b = bytearray(2 << 30); print('had it')\nexcept MemoryError: print('refused')"));
  EXPECT_EQ(ran.output, "refused\n");
}

TEST(ProcessDriver, Memory_of_less_than_the_limit_is_there) {
  NEEDS_ISOLATION();
  EXPECT_EQ(run(python("b = bytearray(100 << 20); print('had it')")).output, "had it\n");
}

TEST(ProcessDriver, The_tmp_folder_has_its_size_and_is_not_memory) {
  NEEDS_ISOLATION();
  Spec spec = python(R"py(
import os
s = os.statvfs('/tmp')
print(s.f_bavail * s.f_bsize)
print(os.listdir('/tmp'))
written = 0
try:
    with open('/tmp/fill', 'wb', buffering=0) as f:
        while True: written += f.write(b'x' * (1 << 20))
except OSError as e: print(e.strerror)
print(written >> 20)
)py");
  spec.tmp_bytes = 64ull << 20;
  spec.memory_bytes = 40ull << 20;  // less than what is written
  const Ran ran = run(spec);
  const bool in_memory = ran.exit.signal == 9;
  if (in_memory) GTEST_SKIP() << "no loop devices: /tmp is memory here";
  EXPECT_EQ(ran.exit.signal, 0) << "filling /tmp must not count as memory";
  const std::string expected = str(64ull << 20, "\n[]\nNo space left on device\n");
  ASSERT_EQ(ran.output.substr(0, expected.size()), expected);
  const auto megabytes =
      parse_int(trim(std::string_view(ran.output).substr(expected.size()))).value_or(0);
  EXPECT_GE(megabytes, 62);
  EXPECT_LE(megabytes, 64);
}

TEST(ProcessDriver, Another_size_of_tmp_at_start_and_at_assignment) {
  NEEDS_ISOLATION();
  const std::string code = "import os; s = os.statvfs('/tmp'); print(s.f_bavail * s.f_bsize >> 20)";
  Spec spec = python(code);
  spec.tmp_bytes = 700ull << 20;
  EXPECT_EQ(run(spec).output, "700\n");
  spec = python("import os\nos.read(3, 1000)\n" + code);
  spec.hold = Hold::kProgram;
  auto sandbox = start(spec);
  ASSERT_TRUE(sandbox.has_value());
  Assignment assignment;
  assignment.tmp_bytes = 1024ull << 20;
  ASSERT_TRUE(test_loop().run((*sandbox)->assign(assignment)).has_value());
  EXPECT_EQ(read_all((*sandbox)->output_fd()), "1024\n");
}

TEST(ProcessDriver, Freeze_stops_it_and_thaw_lets_it_go_on) {
  NEEDS_ISOLATION();
  if (!test_driver().capabilities().freezer) GTEST_SKIP() << "no freezer";
  auto sandbox = start(python("import time\nprint('up')\nwhile True: pass"));
  ASSERT_TRUE(sandbox.has_value());
  const int output = (*sandbox)->output_fd();
  read_some(output, "up\n");
  const auto frozen = test_loop().run((*sandbox)->freeze());
  ASSERT_TRUE(frozen.has_value()) << frozen.error().message();
  const auto before = (*sandbox)->usage().cpu;
  ::usleep(50'000);  // while this passes nothing may be used
  EXPECT_EQ((*sandbox)->usage().cpu, before);
  ASSERT_TRUE(test_loop().run((*sandbox)->thaw()).has_value());
  while ((*sandbox)->usage().cpu == before) ::usleep(1000);
  ASSERT_TRUE(test_loop().run((*sandbox)->freeze()).has_value());
  (*sandbox)->kill();
  EXPECT_EQ(test_loop().run((*sandbox)->wait())->signal, 9) << "what is frozen can be killed";
  ::close(output);
}

TEST(ProcessDriver, The_cpu_limit_binds) {
  NEEDS_ISOLATION();
  if (!test_driver().capabilities().cpu_limit) GTEST_SKIP() << "no CPU controller";
  Spec spec = python(
      "import time\ne = time.monotonic() + 1\nwhile time.monotonic() < e: "
      "pass\nprint(time.process_time())");
  spec.cpu_millis = 200;
  const Ran ran = run(spec);
  const double used = parse_double(trim(ran.output)).value_or(9);
  EXPECT_LT(used, 0.45);
}

TEST(ProcessDriver, The_peak_can_be_started_again) {
  NEEDS_ISOLATION();
  if (!test_driver().capabilities().memory_limit) GTEST_SKIP() << "no memory controller";
  auto sandbox =
      start(python("import time\nb = bytearray(90 << 20)\ndel b\nprint('done')\ntime.sleep(60)"));
  ASSERT_TRUE(sandbox.has_value());
  read_some((*sandbox)->output_fd(), "done\n");
  EXPECT_GT((*sandbox)->usage().memory_peak_bytes, 80ull << 20);
  (*sandbox)->reset_peak();
  EXPECT_LT((*sandbox)->usage().memory_peak_bytes, 80ull << 20);
}

TEST(ProcessDriver, Signals_reach_the_main_program) {
  NEEDS_ISOLATION();
  auto sandbox =
      start(python("import signal, time, sys\nsignal.signal(15, lambda *a: (print('term'), "
                   "sys.exit(3)))\nprint('up')\ntime.sleep(60)"));
  ASSERT_TRUE(sandbox.has_value());
  const int output = (*sandbox)->output_fd();
  read_some(output, "up\n");
  (*sandbox)->signal(15);
  EXPECT_EQ(read_all(output), "term\n");
  EXPECT_EQ(test_loop().run((*sandbox)->wait())->code, 3);
}

TEST(ProcessDriver, Children_left_behind_end_with_the_program) {
  NEEDS_ISOLATION();
  const Ran ran = run(python(
      "import os, time\nif os.fork() == 0:\n  os.setsid()\n  time.sleep(600)\nprint('parent')"));
  EXPECT_EQ(ran.output, "parent\n") << "the output ends although a child held it";
  EXPECT_EQ(ran.exit.code, 0);
}

TEST(ProcessDriver, A_root_of_its_own_replaces_the_hosts_directories) {
  NEEDS_ISOLATION();
  Folder root;
  root.put("marker", "own root");
  for (const char* name : {"usr", "lib64", "lib", "bin"})
    ::mkdir(str(root.path, '/', name).c_str(), 0755);
  Spec spec = python("print(open('/marker').read()); import os; print(sorted(os.listdir('/etc')))");
  spec.root = root.path;
  spec.mounts = {{"/usr", "/usr", true}, {"/lib64", "/lib64", true}, {"/lib", "/lib", true}};
  const Ran ran = run(spec);
  EXPECT_TRUE(ran.output.starts_with("own root\n")) << ran.output;
  EXPECT_EQ(::access(str(root.path, "/etc").c_str(), F_OK), -1)
      << "the given folder stays as it was";
}

TEST(ProcessDriver, A_writable_mount_and_a_single_file) {
  NEEDS_ISOLATION();
  Folder data;
  ::chmod(data.path.c_str(), 0777);
  data.put("one", "single");
  Spec spec =
      python("print(open('/opt/deep/er/one').read()); open('/mnt/data/new', 'w').write('written')");
  spec.mounts = {{data.path + "/one", "/opt/deep/er/one", true}, {data.path, "/mnt/data", false}};
  EXPECT_EQ(run(spec).output, "single\n");
  EXPECT_EQ(read_small_file(data.path + "/new"), "written");
}

}  // namespace
}  // namespace pileus::sandbox
