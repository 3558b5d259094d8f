// The library a zygote loads (zygote.h): the interpreter calls pileus_serve_forks() when all that
// is to be shared is loaded, and that returns in the forks only. Each fork is a child of the
// launcher and process of a prepared sandbox: it enters the runner's namespaces and control groups,
// becomes the sandbox's user, and goes on where the interpreter called, as a held program. Nothing
// but C and system calls here; everything that went wrong ends the fork, and init lets the runner
// go on.
#include "sandbox/zygote_entry.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

// Of the interpreter that loaded us; a fork past the C library has to tell it itself.
extern "C" {
#pragma GCC visibility push(default)
__attribute__((weak)) void PyOS_BeforeFork();
__attribute__((weak)) void PyOS_AfterFork_Parent();
__attribute__((weak)) void PyOS_AfterFork_Child();
int pileus_serve_forks(int socket, int idle_ms);
#pragma GCC visibility pop
}

namespace pileus::sandbox {
namespace {

constexpr std::size_t kMost = 2 + kMaxGroups;  // descriptors of one packet

struct Received {
  long size = 0;
  int fds[kMost];
  std::size_t count = 0;
};

Received receive(int socket, void* what, std::size_t room) {
  Received out;
  char kind = 0;
  iovec parts[2] = {{&kind, 1}, {what, room}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMost)];
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  do {
    out.size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (out.size < 0 && errno == EINTR);
  if (out.size <= 0) return out;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count && out.count < kMost; ++i)
      std::memcpy(&out.fds[out.count++], CMSG_DATA(header) + i * sizeof(int), sizeof(int));
  }
  out.size = kind == 0 ? out.size - 1 : -1;
  return out;
}

template <class Body>
bool say(int socket, const Body& body) {
  char kind = 0;
  iovec parts[2] = {{&kind, 1}, {const_cast<Body*>(&body), sizeof body}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<long>(1 + sizeof body);
}

// What the C library does around a fork of its own and a system call does not: the calling thread's
// number in its descriptor, and its list of robust locks.
struct ThreadFacts {
  int* id_at = nullptr;
  void* robust = nullptr;
  std::size_t robust_size = 0;
  bool known = false;
  ThreadFacts() {
    known = ::prctl(PR_GET_TID_ADDRESS, &id_at) == 0 && id_at != nullptr && *id_at == ::getpid() &&
            ::syscall(SYS_get_robust_list, 0, &robust, &robust_size) == 0;
  }
};

void enter_group(int folder) {
  const int file = ::openat(folder, "cgroup.procs", O_WRONLY | O_CLOEXEC);
  if (file < 0 || ::write(file, "0", 1) != 1) ::_exit(125);
  ::close(file);
}

// In the fork. Until it is the sandbox's user nothing that is not ours has been looked at.
void enter(const ForkRequest& request, const Received& got) {
  const std::size_t first = request.into_unified ? 3 : 2;
  for (std::size_t i = first; i < got.count; ++i) enter_group(got.fds[i]);
  constexpr int kJoined =
      CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWUSER;
  if (::setns(got.fds[0], kJoined) != 0) ::_exit(125);
  keep_descriptor(got.fds[1]);
  if (!become_nobody()) ::_exit(125);
  if (!say(kSocketAt, Entered{::getpid()})) ::_exit(125);
  static struct {
    EnterOrder order;
    sock_filter filter[kMaxFilter];
  } packet;
  const Received answer = receive(kSocketAt, &packet, sizeof packet);
  const EnterOrder& order = packet.order;
  if (answer.size != static_cast<long>(sizeof order + order.count * sizeof(sock_filter)) ||
      answer.count < 1 + order.hold)
    ::_exit(125);
  place_descriptors(answer.fds[0], order.hold ? answer.fds[1] : -1);
  ::close(kSocketAt);
  apply_limits(order.limits);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::chdir("/") != 0) ::_exit(125);
  ::prctl(PR_SET_DUMPABLE, 1);  // as after an execve; else its own /proc is not its own
  if (order.count && load_filter(packet.filter, order.count) != 0) ::_exit(125);
}

bool still_wanted(int socket) {
  pollfd watched{socket, POLLIN, 0};
  return ::poll(&watched, 1, 0) == 0;  // init says nothing before us: anything there is its end
}

// A child of our parent, in the runner's pid namespace. 0 in the fork.
long fork_into(const ForkRequest& request, const Received& got, const ThreadFacts& thread,
               int own_namespaces) {
  if (::setns(got.fds[0], CLONE_NEWPID) != 0) return -1;
  clone_args arguments{};
  arguments.flags = CLONE_PARENT | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
  arguments.child_tid = reinterpret_cast<std::uint64_t>(thread.id_at);
  if (request.into_unified) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(got.fds[2]);
  }
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  const int why = errno;
  if (pid == 0) {
    ::syscall(SYS_set_robust_list, thread.robust, thread.robust_size);
    return 0;
  }
  // Lest it be kept alive. An ordinary user may not go back, and need not: each fork says anew.
  ::setns(own_namespaces, CLONE_NEWPID);
  errno = why;
  return pid;
}

// True in the fork.
bool serve_one(int socket, const ThreadFacts& thread, int own_namespaces) {
  ForkRequest request;
  const Received got = receive(socket, &request, sizeof request);
  if (got.size <= 0) ::_exit(0);  // the launcher has no more use for us
  ForkReply reply{request.handle, -1, EINVAL};
  if (got.size == sizeof request && got.count == 2 + request.groups && still_wanted(got.fds[1])) {
    if (PyOS_BeforeFork) PyOS_BeforeFork();
    const long pid = fork_into(request, got, thread, own_namespaces);
    if (pid == 0) {
      enter(request, got);
      if (PyOS_AfterFork_Child) PyOS_AfterFork_Child();
      return true;
    }
    reply.pid = static_cast<std::int32_t>(pid);
    reply.error = pid < 0 ? errno : 0;
    if (PyOS_AfterFork_Parent) PyOS_AfterFork_Parent();
  }
  for (std::size_t i = 0; i < got.count; ++i) ::close(got.fds[i]);
  if (!say(socket, reply)) ::_exit(0);
  return false;
}

}  // namespace
}  // namespace pileus::sandbox

// Returns 0 in a fork, which is a held program then, with its assignment at descriptor 3; -1 when
// nothing was asked for `idle_ms` milliseconds (-1: never), to be called again; an errno when this
// process cannot be a zygote. Called with a single thread, in Python with its global lock held
// (ctypes.PyDLL).
int pileus_serve_forks(int socket, int idle_ms) {
  using namespace pileus::sandbox;
  static int own = -1;
  const ThreadFacts thread;
  if (!thread.known) return ENOSYS;  // a kernel without CONFIG_CHECKPOINT_RESTORE
  if (own < 0) {
    own = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0u));
    if (own < 0) return errno;
    if (!say(socket, ForkReply{0, static_cast<std::int32_t>(::getpid()), 0})) ::_exit(0);
  }
  for (;;) {
    pollfd watched{socket, POLLIN, 0};
    if (::poll(&watched, 1, idle_ms) == 0) return -1;
    if (serve_one(socket, thread, own)) return 0;
  }
}
