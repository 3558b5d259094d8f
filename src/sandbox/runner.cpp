#include "sandbox/runner.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "sandbox/channel.h"
#include "sandbox/root_fs.h"
#include "sandbox/seccomp_filter.h"
#include "sandbox/sys.h"

namespace pileus::sandbox {
namespace {

constexpr int kSocketAt = 20;  // above what a program is handed; closed by execve

void limit(int resource, rlim_t value) {
  rlimit current{};
  ::getrlimit(static_cast<__rlimit_resource>(resource), &current);
  if (current.rlim_max != RLIM_INFINITY && value > current.rlim_max) value = current.rlim_max;
  const rlimit wanted{value, value};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &wanted);
}

std::vector<char*> pointers(std::vector<std::string>& list) {
  std::vector<char*> out;
  for (auto& item : list) out.push_back(item.data());
  out.push_back(nullptr);
  return out;
}

void become_nobody() {
  ::setgroups(0, nullptr);
  if (::setresgid(kInsideGid, kInsideGid, kInsideGid) != 0 ||
      ::setresuid(kInsideUid, kInsideUid, kInsideUid) != 0)
    ::_exit(124);
  keep_capabilities(0);
  ::setsid();
  ::umask(022);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void apply_limits(const RunOrder& order) {
  limit(RLIMIT_NOFILE, order.max_files);
  limit(RLIMIT_MEMLOCK, 64 * 1024);
  limit(RLIMIT_MSGQUEUE, 0);
  // 1, not 0: the kernel starts a host's core handler ("|/usr/…") with a limit of 0, not with 1.
  limit(RLIMIT_CORE, 1);
  if (order.max_processes) limit(RLIMIT_NPROC, order.max_processes);
  if (order.data_bytes) limit(RLIMIT_DATA, order.data_bytes);
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
  // First out of the way of 0 to 3, then into place.
  const int null = ::fcntl(::open("/dev/null", O_RDWR), F_DUPFD, 30);
  const int output = ::fcntl(fds[0].get(), F_DUPFD, 30);
  const int hold = order.hold ? ::fcntl(fds[1].get(), F_DUPFD, 30) : -1;
  ::dup2(null, 0);
  ::dup2(output, 1);
  ::dup2(output, 2);
  if (hold >= 0) ::dup2(hold, 3);
  const unsigned first = hold >= 0 ? 4 : 3;
  ::syscall(SYS_close_range, first, unsigned(kSocketAt - 1), 0u);
  ::syscall(SYS_close_range, unsigned(kSocketAt + 1), ~0u, 0u);
  apply_limits(order);
  reset_signals();
  if (order.argv.empty()) give_up(ENOENT, "nothing");
  if (::chdir(order.working_directory.c_str()) != 0)
    give_up(errno, str(order.argv[0], " in ", order.working_directory));
  if (filter && !filter->empty())
    if (const int why = load_seccomp_filter(*filter)) give_up(why, order.argv[0]);
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
  order.max_files = in.get<std::uint32_t>();
  order.max_processes = in.get<std::uint32_t>();
  order.data_bytes = in.get<std::uint64_t>();
  order.hold = in.get<bool>();
  return order;
}

[[noreturn]] void await_order(const std::vector<sock_filter>* filter) {
  become_nobody();
  Packet packet;
  if (receive_packet(kSocketAt, packet) != Received::kPacket || packet.fds.empty()) ::_exit(125);
  RunOrder order = decode_order(packet.bytes);
  if (order.hold && packet.fds.size() < 2) ::_exit(125);
  execute(std::move(order), std::move(packet.fds), filter);
}

void enter_groups(const CgroupPaths& cgroup) {
  enter_freezer(cgroup);
  // Is the whole machine short of memory, a program goes before the server.
  write_file("/proc/self/oom_score_adj", "500");
}

[[noreturn]] void run(int socket, const CgroupPaths& cgroup,
                      const std::vector<sock_filter>* filter) {
  enter_groups(cgroup);
  ::dup3(socket, kSocketAt, O_CLOEXEC);
  close_all_but({kSocketAt});
  ::prctl(PR_SET_DUMPABLE, 1);  // else an init that is not root may not write our user map
  const int unshared = ::unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
  if (::send(kSocketAt, &unshared, sizeof unshared, MSG_NOSIGNAL) < 0 || unshared) ::_exit(125);
  char mapped = 0;
  if (::recv(kSocketAt, &mapped, 1, 0) != 1) ::_exit(125);
  await_order(filter);
}

[[noreturn]] void run_beside(int socket, int user_namespace, const CgroupPaths& cgroup,
                             const std::vector<sock_filter>* filter) {
  enter_groups(cgroup);
  if (::setns(user_namespace, CLONE_NEWUSER) != 0) ::_exit(125);
  ::dup3(socket, kSocketAt, O_CLOEXEC);
  close_all_but({kSocketAt});
  await_order(filter);
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
  const char mapped = 1;
  if (::send(runner.socket, &mapped, 1, MSG_NOSIGNAL) != 1)
    return sys_fail("tell the program's process");
  return runner;
}

Result<Runner> fork_beside(int user_namespace, const CgroupPaths& cgroup,
                           const std::vector<sock_filter>* filter) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return sys_fail("socketpair");
  Runner runner;
  runner.pid = clone_process(0);
  if (runner.pid == 0) run_beside(ends[1], user_namespace, cgroup, filter);
  ::close(ends[1]);
  runner.socket = ends[0];
  if (runner.pid < 0) {
    ::close(ends[0]);
    return sys_fail("fork one more process");
  }
  return runner;
}

int order_runner(const Runner& runner, const RunOrder& order, std::span<const int> fds) {
  Writer out;
  out.put(order.argv).put(order.environment).put(order.working_directory);
  out.put(order.max_files).put(order.max_processes).put(order.data_bytes).put(order.hold);
  return send_packet(runner.socket, out.bytes(), fds);
}

int runner_failure(const Runner& runner) {
  int why = 0;
  return ::recv(runner.socket, &why, sizeof why, MSG_DONTWAIT) == sizeof why ? why : 0;
}

void keep_capabilities(std::uint64_t kept) {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (int capability = 0; capability < 64; ++capability)
    if (!(kept >> capability & 1)) ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  for (int half = 0; half < 2; ++half) {
    const auto bits = static_cast<std::uint32_t>(kept >> (32 * half));
    data[half].effective = data[half].permitted = bits;
  }
  ::syscall(SYS_capset, &header, data);
}

}  // namespace pileus::sandbox
