// Nothing stays: not after sandboxes, not after a server that is killed, not after a launcher that
// is killed. And the same tests once more in the other worlds: v1 control groups only, none at all,
// an ordinary user.
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>

#include "base/text.h"
#include "sandbox/sys.h"
#include "sandbox/test_support.h"

namespace pileus::sandbox {
namespace {

std::size_t entries(const std::string& path) {
  std::size_t count = 0;
  if (DIR* directory = ::opendir(path.c_str())) {
    while (::readdir(directory)) ++count;
    ::closedir(directory);
  }
  return count;
}

// Processes of the tree below `root`, by name.
std::vector<pid_t> descendants(pid_t root) {
  std::vector<pid_t> out;
  for (const auto child :
       split(read_small_file(str("/proc/", root, "/task/", root, "/children")), ' ')) {
    const auto pid = parse_int(trim(child));
    if (!pid) continue;
    out.push_back(static_cast<pid_t>(*pid));
    for (const pid_t below : descendants(static_cast<pid_t>(*pid))) out.push_back(below);
  }
  return out;
}

std::vector<std::string> groups_of(pid_t launcher) {
  std::vector<std::string> out;
  std::string text;
  run_tool({"/usr/bin/find", "/sys/fs/cgroup", "-maxdepth", "6", "-type", "d", "-name",
            str("pileus-", launcher, "-*")},
           &text);
  for (const auto line : split(text, '\n'))
    if (line.starts_with("/")) out.emplace_back(line);
  return out;
}

struct Counts {
  std::size_t mine = entries("/proc/self/fd");
  std::size_t launcher = entries(str("/proc/", test_launcher()->pid(), "/fd"));
  std::size_t processes = descendants(test_launcher()->pid()).size();
  std::size_t mounts =
      split(read_small_file(str("/proc/", test_launcher()->pid(), "/mountinfo")), '\n').size();
  std::size_t own_mounts = split(read_small_file("/proc/self/mountinfo"), '\n').size();
  std::size_t loops = 0, groups = 0;
  Counts() {
    std::string text;
    run_tool({find_tool("losetup"), "-a"}, &text);
    for (const auto line : split(text, '\n'))  // other servers have theirs
      loops += line.find("pileus-sandbox-") != std::string_view::npos;
    for (const auto& group : groups_of(test_launcher()->pid())) groups += entries(group);
  }
  bool operator==(const Counts&) const = default;
};
void PrintTo(const Counts& c, std::ostream* out) {
  *out << "fds " << c.mine << ", launcher's fds " << c.launcher << ", processes " << c.processes
       << ", mounts " << c.mounts << " " << c.own_mounts << ", loops " << c.loops << ", groups "
       << c.groups;
}

TEST(Leftovers, Nothing_stays_of_many_sandboxes) {
  NEEDS_ISOLATION();
  test_driver().end_zygotes();
  ASSERT_TRUE(test_loop().run(test_driver().settle()).has_value());
  run(python("print('warm')"));
  ASSERT_TRUE(test_loop().run(test_driver().settle()).has_value());
  const Counts before;
  for (int round = 0; round < 8; ++round) {
    std::vector<std::unique_ptr<Sandbox>> all;
    for (int i = 0; i < 6; ++i) {
      Spec spec = python("import os, time\nos.fork()\ntime.sleep(600)");
      spec.listeners = {{"runtime", "127.0.0.1", 9001}};
      spec.outbound = Outbound::kNat;
      if (i % 2) spec.hold = Hold::kProgram;
      if (i % 3 == 2) spec.argv = {"/no/such"};
      auto sandbox = start(spec);
      ASSERT_TRUE(sandbox.has_value()) << sandbox.error().message();
      all.push_back(std::move(*sandbox));
    }
    if (round % 2) all[0]->kill();
  }
  ASSERT_TRUE(test_loop().run(test_driver().settle()).has_value());
  EXPECT_EQ(Counts(), before);
}

TEST(Leftovers, Nothing_stays_of_forks_and_their_zygote) {
  NEEDS_ISOLATION();
  test_driver().end_zygotes();
  ASSERT_TRUE(test_loop().run(test_driver().settle()).has_value());
  const Counts before;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<Sandbox>> all;
    for (int i = 0; i < 4; ++i) {
      auto sandbox = start_forked("import time\nif os.fork(): sys.exit(1)\ntime.sleep(600)");
      ASSERT_TRUE(sandbox.has_value()) << sandbox.error().message();
      all.push_back(std::move(*sandbox));
    }
    if (round == 1) test_driver().end_zygotes();
  }
  test_driver().end_zygotes();
  ASSERT_TRUE(test_loop().run(test_driver().settle()).has_value());
  EXPECT_EQ(Counts(), before);
}

TEST(Leftovers, A_start_that_is_given_up_leaves_nothing) {
  NEEDS_ISOLATION();
  test_driver().end_zygotes();
  ASSERT_TRUE(test_loop().run(test_driver().settle()).has_value());
  const Counts before;
  for (int i = 0; i < 10; ++i) {
    const auto given_up = test_loop().run(with_deadline(
        Duration(i * 100), test_driver().start(python("import time\ntime.sleep(600)"))));
    if (!given_up) EXPECT_TRUE(given_up.error().is(errc::kDeadline)) << given_up.error().message();
  }
  ASSERT_TRUE(test_loop().run(test_driver().settle()).has_value());
  EXPECT_EQ(Counts(), before);
}

std::string self_path() {
  char path[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  return std::string(path, size > 0 ? static_cast<std::size_t>(size) : 0);
}

bool alive(pid_t pid) {
  const std::string stat = read_small_file(str("/proc/", pid, "/stat"));
  return !stat.empty() &&
         stat.find(") Z ") == std::string::npos;  // a zombie is its parent's affair
}

// A server of its own, holding two sandboxes.
struct HeldServer {
  std::string folder = temporary_folder();
  pid_t server = -1, launcher = -1;
  std::vector<pid_t> processes;
  explicit HeldServer(const char* groups) {
    int ends[2];
    if (::pipe(ends) != 0) return;
    server = start_tool({self_path(), "--hold", folder, groups}, -1, ends[1]);
    ::close(ends[1]);
    said_.reset(ends[0]);
    const std::string said = read_some(ends[0], "\n");
    if (said.starts_with("up "))
      launcher = static_cast<pid_t>(parse_int(trim(std::string_view(said).substr(3))).value_or(-1));
    if (launcher > 0) processes = descendants(launcher);
  }
  ~HeldServer() { remove_tree(folder); }
  // Until the processes are gone: there is nothing to wait on for what is not our child.
  bool gone() {
    for (int i = 0; i < 1000; ++i) {
      bool any = alive(launcher);
      for (const pid_t pid : processes) any = any || alive(pid);
      if (!any) return true;
      ::usleep(10'000);
    }
    return false;
  }

 private:
  UniqueFd said_;  // open as long as the server may write
};

void kill_the_server(const char* groups) {
  HeldServer held(groups);
  ASSERT_GT(held.launcher, 0);
  ASSERT_GE(held.processes.size(), 4u);
  ::kill(held.server, SIGKILL);
  ::waitpid(held.server, nullptr, 0);
  EXPECT_TRUE(held.gone());
  EXPECT_TRUE(groups_of(held.launcher).empty());
}

TEST(Leftovers, A_server_that_is_killed_takes_everything_with_it) {
  NEEDS_ISOLATION();
  kill_the_server("auto");
}

TEST(Leftovers, Also_what_the_v1_freezer_holds) {
  NEEDS_ISOLATION();
  kill_the_server("v1");
}

TEST(Leftovers, A_launcher_that_is_killed_ends_the_server_and_the_next_one_cleans_up) {
  NEEDS_ISOLATION();
  HeldServer held("auto");
  ASSERT_GT(held.launcher, 0);
  ::kill(held.launcher, SIGKILL);
  int status = 0;
  ::waitpid(held.server, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 70) << "the server says so and ends";
  EXPECT_TRUE(held.gone()) << "no sandbox goes on without its launcher";
  HeldServer next("auto");
  EXPECT_GT(next.launcher, 0);
  EXPECT_TRUE(groups_of(held.launcher).empty())
      << "control groups of the dead are removed at start";
  ::kill(next.server, SIGKILL);
  ::waitpid(next.server, nullptr, 0);
  EXPECT_TRUE(next.gone());
}

// Runs this binary's other tests in another world.
void run_again(const std::vector<std::string>& before, const char* filter) {
  const std::string folder = temporary_folder();
  ::chmod(folder.c_str(), 0755);
  const std::string copy = folder + "/sandbox_test";
  std::string text;
  ASSERT_EQ(run_tool({"/bin/cp", self_path(), copy}), 0);
  std::vector<std::string> argv = before;
  argv.insert(argv.end(), {copy, str("--gtest_filter=", filter), "--gtest_brief=1"});
  const int status = run_tool(argv, &text);
  remove_tree(folder);
  EXPECT_EQ(status, 0) << text;
  EXPECT_NE(text.find("PASSED"), std::string::npos) << text;
}

TEST(Worlds, With_v1_control_groups_only) {
  NEEDS_ISOLATION();
  if (test_driver().capabilities().cgroup != "hybrid")
    GTEST_SKIP() << "no v1 hierarchies beside v2 here";
  run_again({"/usr/bin/env", "PILEUS_TEST_CGROUPS=v1"}, "ProcessDriver.*:Zygote.*");
}

TEST(Worlds, Without_control_groups) {
  NEEDS_ISOLATION();
  run_again({"/usr/bin/env", "PILEUS_TEST_CGROUPS=none"}, "ProcessDriver.*:Zygote.*:RedTeam.Desc*");
}

TEST(Worlds, As_an_ordinary_user) {
  NEEDS_ISOLATION();
  if (::geteuid() != 0) GTEST_SKIP() << "this is one already";
  const std::string setpriv = find_tool("setpriv");
  if (setpriv.empty()) GTEST_SKIP() << "setpriv (util-linux) is not installed";
  if (run_tool({setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/unshare",
                "-U", "/bin/true"}) != 0)
    GTEST_SKIP() << "an ordinary user gets no user namespace here";
  run_again({setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/env",
             "HOME=/tmp", "TMPDIR=/tmp"},
            "ProcessDriver.*:Zygote.*:RedTeam.*:Outbound.*");
}

}  // namespace
}  // namespace pileus::sandbox
