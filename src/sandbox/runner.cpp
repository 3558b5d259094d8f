#include "sandbox/runner.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "sandbox/channel.h"
#include "sandbox/sys.h"

namespace pileus::sandbox {
namespace {

std::vector<char*> pointers(std::vector<std::string>& list) {
  std::vector<char*> out;
  for (auto& item : list) out.push_back(item.data());
  out.push_back(nullptr);
  return out;
}

void reset_signals() {
  for (int number = 1; number < 65; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void give_up(int why, const std::string& program) {
  const std::string said = str("pileus: cannot execute ", program, ": ", std::strerror(why), "\n");
  (void)!::write(2, said.data(), said.size());
  (void)!::send(kSocketAt, &why, sizeof why, MSG_NOSIGNAL);
  ::_exit(why == ENOENT ? 127 : 126);
}

[[noreturn]] void execute(RunOrder order, std::vector<UniqueFd> fds,
                          const std::vector<sock_filter>* filter) {
  place_descriptors(fds[0].get(), order.hold ? fds[1].get() : -1);
  apply_limits(order.limits);
  reset_signals();
  if (order.argv.empty()) give_up(ENOENT, "nothing");
  if (::chdir(order.working_directory.c_str()) != 0)
    give_up(errno, str(order.argv[0], " in ", order.working_directory));
  if (filter && !filter->empty())
    if (const int why = load_filter(filter->data(), filter->size())) give_up(why, order.argv[0]);
  const auto argv = pointers(order.argv);
  const auto environment = pointers(order.environment);
  ::execve(argv[0], argv.data(), environment.data());
  give_up(errno, order.argv[0]);
}

RunOrder decode_order(const std::string& bytes) {
  Reader in(bytes);
  RunOrder order;
  order.argv = in.list();
  order.environment = in.list();
  order.working_directory = in.text();
  order.limits.max_files = in.get<std::uint32_t>();
  order.limits.max_processes = in.get<std::uint32_t>();
  order.limits.data_bytes = in.get<std::uint64_t>();
  order.hold = in.get<bool>();
  return order;
}

[[noreturn]] void run(int socket, const CgroupPaths& cgroup,
                      const std::vector<sock_filter>* filter) {
  enter_freezer(cgroup);
  // Else an ordinary user may not write here, nor its init our user map.
  ::prctl(PR_SET_DUMPABLE, 1);
  // Is the whole machine short of memory, a program goes before the server.
  write_file("/proc/self/oom_score_adj", "500");
  keep_descriptor(socket);
  const int unshared = ::unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
  if (::send(kSocketAt, &unshared, sizeof unshared, MSG_NOSIGNAL) < 0 || unshared) ::_exit(125);
  char mapped = 0;
  if (::recv(kSocketAt, &mapped, 1, 0) != 1) ::_exit(125);
  if (!become_nobody()) ::_exit(124);
  // Who enters a namespace by a process must be allowed to look at it. Nobody else is here yet.
  ::prctl(PR_SET_DUMPABLE, 1);
  if (::send(kSocketAt, &mapped, 1, MSG_NOSIGNAL) != 1) ::_exit(125);
  Packet packet;
  if (receive_packet(kSocketAt, packet) != Received::kPacket || packet.fds.empty()) ::_exit(125);
  RunOrder order = decode_order(packet.bytes);
  if (order.hold && packet.fds.size() < 2) ::_exit(125);
  execute(std::move(order), std::move(packet.fds), filter);
}

}  // namespace

Result<Runner> fork_runner(unsigned uid, unsigned gid, const CgroupPaths& cgroup,
                           const std::vector<sock_filter>* filter) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return sys_fail("socketpair");
  Runner runner;
  runner.pid =
      clone_process(0);  // not fork(): a sanitizer's fork starts a thread, which may not unshare
  if (runner.pid < 0) return sys_fail("fork the program's process");
  if (runner.pid == 0) run(ends[1], cgroup, filter);
  ::close(ends[1]);
  runner.socket = ends[0];
  int unshared = EIO;
  if (::recv(runner.socket, &unshared, sizeof unshared, 0) != sizeof unshared || unshared)
    return sys_fail("make the program's user namespace", unshared);
  const std::string process = str("/proc/", runner.pid);
  if (const int why = write_file(process + "/uid_map", str(kInsideUid, ' ', uid, " 1\n")))
    return sys_fail("map the program's user", why);
  if (const int why = write_file(process + "/gid_map", str(kInsideGid, ' ', gid, " 1\n")))
    return sys_fail("map the program's group", why);
  char ready = 1;
  if (::send(runner.socket, &ready, 1, MSG_NOSIGNAL) != 1 ||
      ::recv(runner.socket, &ready, 1, 0) != 1)
    return sys_fail("speak to the program's process");
  return runner;
}

int order_runner(const Runner& runner, const RunOrder& order, std::span<const int> fds) {
  Writer out;
  out.put(order.argv).put(order.environment).put(order.working_directory);
  out.put(order.limits.max_files).put(order.limits.max_processes).put(order.limits.data_bytes);
  out.put(order.hold);
  return send_packet(runner.socket, out.bytes(), fds);
}

int runner_failure(const Runner& runner) {
  int why = 0;
  return ::recv(runner.socket, &why, sizeof why, MSG_DONTWAIT) == sizeof why ? why : 0;
}

void end_runner(Runner& runner) {
  ::kill(runner.pid, SIGKILL);
  while (::waitpid(runner.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  ::close(runner.socket);
  runner = {};
}

}  // namespace pileus::sandbox
