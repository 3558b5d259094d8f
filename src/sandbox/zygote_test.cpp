// Starts by fork: that they are forks at all, that a fork is what an executed program would be, and
// that a zygote which fails costs nothing but its advantage.
#include <signal.h>
#include <unistd.h>

#include "base/text.h"
#include "sandbox/process_driver.h"
#include "sandbox/sys.h"
#include "sandbox/test_support.h"

namespace pileus::sandbox {
namespace {

Ran run_forked(const std::string& code, Spec spec = forked_python()) {
  Ran ran;
  auto sandbox = start_forked(code, std::move(spec));
  if (!sandbox) {
    ADD_FAILURE() << sandbox.error().message();
    return ran;
  }
  ran.output = read_all((*sandbox)->output_fd());
  ran.exit = test_loop().run((*sandbox)->wait()).value_or(Exit{.code = -1});
  ran.usage = (*sandbox)->usage();
  return ran;
}

// The launcher's child that runs an interpreter and is process of no sandbox.
std::vector<pid_t> zygotes() {
  std::vector<pid_t> out;
  const pid_t launcher = test_launcher()->pid();
  const auto children = read_small_file(str("/proc/", launcher, "/task/", launcher, "/children"));
  for (const auto child : split(children, ' ')) {
    const auto command = read_small_file(str("/proc/", trim(child), "/cmdline"));
    const auto status = read_small_file(str("/proc/", trim(child), "/status"));
    const auto pids = status.find("NSpid:");  // one number: the launcher's own pid namespace
    if (command.find("--zygote") == std::string::npos || pids == std::string::npos) continue;
    const auto line = status.substr(pids + 7, status.find('\n', pids) - pids - 7);
    if (line.find('\t') == std::string::npos)
      out.push_back(static_cast<pid_t>(parse_int(trim(child)).value_or(0)));
  }
  return out;
}

TEST(Zygote, A_fork_is_a_held_program_with_its_exit_status) {
  NEEDS_ISOLATION();
  Spec spec = forked_python();
  spec.listeners = {{"runtime", "127.0.0.1", 9001}};
  spec.hostname = "forked";
  const Ran ran = run_forked(
      "import os, socket, threading\n"
      "print(os.getppid(), socket.gethostname(), os.getcwd(), os.getsid(0) == os.getpid())\n"
      "socket.create_connection(('127.0.0.1', 9001))\n"
      "t = threading.Thread(target=lambda: print('thread')); t.start(); t.join()\n"
      "child = os.fork()\n"
      "if child == 0: os._exit(3)\n"
      "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
      "sys.exit(7)",
      spec);
  EXPECT_EQ(ran.output, "0 forked / True\nthread\n3\n");
  EXPECT_EQ(ran.exit.code, 7);
  EXPECT_EQ(ran.exit.signal, 0);
  if (test_driver().capabilities().cpu_limit) EXPECT_GT(ran.usage.cpu.count(), 0);
}

TEST(Zygote, A_fork_is_signalled_and_killed_like_any_program) {
  NEEDS_ISOLATION();
  const std::string code =
      "import signal, time\nsignal.signal(signal.SIGUSR1, lambda *a: (print('heard', "
      "flush=True)))\n"
      "print('up', flush=True)\nwhile True: time.sleep(60)";
  auto sandbox = start_forked(code);
  ASSERT_TRUE(sandbox.has_value()) << sandbox.error().message();
  const int output = (*sandbox)->output_fd();
  EXPECT_EQ(read_some(output, "up\n"), "up\n");
  (*sandbox)->signal(SIGUSR1);
  EXPECT_EQ(read_some(output, "heard\n"), "heard\n");
  if (test_driver().capabilities().freezer) {
    EXPECT_TRUE(test_loop().run((*sandbox)->freeze()).has_value());
    EXPECT_TRUE(test_loop().run((*sandbox)->thaw()).has_value());
  }
  (*sandbox)->kill();
  EXPECT_EQ(test_loop().run((*sandbox)->wait())->signal, SIGKILL);
  ::close(output);
}

TEST(Zygote, Forks_of_one_zygote_share_no_chance) {
  NEEDS_ISOLATION();
  Spec spec = forked_python();
  // All of it used before the fork too, as a program with state would.
  auto& code = spec.argv.back();
  code = "import random, ssl, uuid, tempfile\nrandom.random(); ssl.RAND_bytes(8); uuid.uuid1()\n" +
         code;
  spec.zygote = "chance";
  const std::string draw =
      "import os\nprint(os.getpid())\n"
      "for draw in (random.random(), ssl.RAND_bytes(8).hex(), uuid.uuid4(), os.urandom(8).hex()): "
      "print(draw)";
  const Ran once = run_forked(draw, spec);
  const auto first = split(once.output, '\n');
  const Ran again = run_forked(draw, spec);
  const auto second = split(again.output, '\n');
  ASSERT_EQ(second.size(), 6u) << again.output;
  ASSERT_EQ(first.size(), 6u);
  EXPECT_EQ(first[0], second[0]) << "a pid of its own is not what tells a fork from another";
  for (std::size_t i = 1; i < 5; ++i) EXPECT_NE(first[i], second[i]) << i;
}

TEST(Zygote, Nothing_of_the_zygote_is_within_reach_of_a_fork) {
  NEEDS_ISOLATION();
  const Ran ran = run_forked(R"py(
def attempt(name, action):
    try: broke = action()
    except BaseException as e: return
    if broke: print('BROKE', name, repr(broke))
def maps(kind): return [l for l in open('/proc/self/maps') if l.split()[1][1] == 'w' and l.split()[1][3] == kind]
attempt('memory shared with the zygote', lambda: maps('s'))
attempt('its program is written to', lambda: open('/proc/self/exe', 'r+b'))
attempt('its files are opened by mapping', lambda: [os.open('/proc/self/map_files/' + f, os.O_RDONLY) for f in os.listdir('/proc/self/map_files')])
attempt('its root', lambda: os.path.exists('/proc/self/root/run/pileus'))
attempt('its descriptors', lambda: [f for f in os.listdir('/proc/self/fd') if int(f) > 3])
attempt('its environment', lambda: [l for l in open('/proc/self/environ').read().split('\0') if l and not l.startswith(('PATH=', 'LC_CTYPE='))])
attempt('kill the parent', lambda: os.kill(os.getppid() or 999999, 9) or True)
attempt('kill all', lambda: os.kill(-1, 0) or False)
attempt('its session', lambda: os.getsid(0) != os.getpid())
attempt('trace', lambda: ctypes.CDLL(None).ptrace(16, 1, 0, 0) == 0)
attempt('another user namespace', lambda: int(open('/proc/self/uid_map').read().split()[2]) != 1)
attempt('processes', lambda: [p for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()])
attempt('no oom score', lambda: open('/proc/self/oom_score_adj').read() != '500\n')
attempt('another name space', lambda: len({os.stat('/proc/self/ns/' + n).st_ino for n in ('mnt', 'net', 'ipc', 'uts', 'pid', 'user', 'cgroup')}) != 7)
print('done')
)py");
  EXPECT_EQ(ran.output, "done\n");
}

TEST(Zygote, A_zygote_that_is_killed_costs_its_forks_nothing) {
  NEEDS_ISOLATION();
  auto living = start_forked("import time\nprint('up', flush=True)\ntime.sleep(600)");
  ASSERT_TRUE(living.has_value());
  const int output = (*living)->output_fd();
  EXPECT_EQ(read_some(output, "up\n"), "up\n");
  ASSERT_FALSE(zygotes().empty());
  for (const pid_t pid : zygotes()) ::kill(pid, SIGKILL);
  EXPECT_EQ(run_forked("print('next')").output, "next\n");
  (*living)->signal(SIGTERM);
  EXPECT_EQ(test_loop().run((*living)->wait())->signal, SIGTERM);
  ::close(output);
}

TEST(Zygote, One_that_cannot_serve_leaves_the_start_to_the_runner) {
  NEEDS_ISOLATION();
  Spec spec = forked_python();
  spec.zygote = "broken";
  spec.argv.back() = "import sys\nif sys.argv[-1] == '--zygote': sys.exit(3)\nprint('bare')";
  for (int i = 0; i < 4; ++i) {
    auto sandbox = start(spec);
    ASSERT_TRUE(sandbox.has_value()) << sandbox.error().message();
    EXPECT_EQ(read_all((*sandbox)->output_fd()), "bare\n");
    EXPECT_EQ(test_loop().run((*sandbox)->wait())->code, 0);
  }
}

TEST(Zygote, Tenants_share_none) {
  NEEDS_ISOLATION();
  Spec one = forked_python();
  Spec two = forked_python();
  one.zygote = "program/one";
  two.zygote = "program/two";
  const std::string layout = "print(hash('x'), hex(id(None)))";
  const std::string first = run_forked(layout, one).output;
  EXPECT_EQ(run_forked(layout, one).output, first) << "of one zygote";
  EXPECT_NE(run_forked(layout, two).output, first) << "of two";
}

TEST(Zygote, They_end_when_their_memory_is_wanted) {
  NEEDS_ISOLATION();
  EXPECT_EQ(run_forked("print('x')").output, "x\n");
  EXPECT_FALSE(zygotes().empty());
  test_driver().end_zygotes();
  ASSERT_TRUE(test_loop().run(test_driver().settle()).has_value());
  EXPECT_TRUE(zygotes().empty());
}

TEST(Zygote, Only_a_held_program_can_be_a_fork) {
  Spec spec = python("");
  spec.zygote = "x";
  EXPECT_TRUE(start(spec).error().is(errc::kInvalid));
}

}  // namespace
}  // namespace pileus::sandbox
