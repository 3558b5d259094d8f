#include <fcntl.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <iterator>

#include "base/text.h"
#include "sandbox/launcher_process.h"
#include "sandbox/sys.h"
#include "sandbox/tmp_image.h"

namespace pileus::sandbox {
void LauncherProcess::tell(Tell verb, std::uint64_t handle, std::string_view body,
                           std::span<const int> fds) {
  Writer out;
  out.put(verb).put(handle).raw(body);
  if (send_packet(server_, out.bytes(), fds) == EPIPE) finish();
}

void LauncherProcess::tell_failure(Tell verb, std::uint64_t handle, const Error& error) {
  Writer out;
  out.put("").put(error.code()).put(error.message());
  tell(verb, handle, out.bytes());
}

Shell* LauncherProcess::by_handle(std::uint64_t handle) {
  const auto found = handles_.find(handle);
  return found == handles_.end() ? nullptr : &shells_.at(found->second);
}

void LauncherProcess::run() {
  ::setsid();  // Ctrl-C is for the server; we follow when it has ended
  ::prctl(PR_SET_NAME, "pileus-launcher");
  ::prctl(PR_SET_DUMPABLE, 0);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT}) ::signal(number, SIG_IGN);
  ::fcntl(server_, F_SETFD, FD_CLOEXEC);
  rlimit files{};  // one descriptor for each sandbox
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  // Nothing of the host's session: neither its keys nor its files.
  ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(null, 0);
  ::dup2(null, 1);
  close_all_but({server_});
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &child, nullptr);
  signals_.reset(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  const auto watch = [&](int fd, std::uint64_t data) {
    epoll_event event{EPOLLIN, {.u64 = data}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  };
  watch(server_, kServerEvent);
  watch(signals_.get(), kChildEvent);
  for (;;) {
    epoll_event events[32];
    const int count = ::epoll_wait(epoll_.get(), events, 32, next_wait());
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == kServerEvent) {
        Packet packet;
        const auto received = receive_packet(server_, packet, MSG_DONTWAIT);
        if (received == Received::kEnd) finish();
        if (received == Received::kPacket) handle(std::move(packet));
      } else if (events[i].data.u64 == kChildEvent) {
        reap();
      } else if (events[i].data.u64 == kZygoteEvent) {
        hear_zygotes();
      } else if (auto found = shells_.find(static_cast<unsigned>(events[i].data.u64 - kFirstShell));
                 found != shells_.end()) {
        from_shell(found->second);
      }
    }
    tidy();
    refill();
    maybe_settled();
  }
}

int LauncherProcess::next_wait() const {
  const auto now = Steady::now();
  auto due = Steady::time_point::max();
  if (refill_at_ != Steady::time_point{}) due = std::min(due, refill_at_);
  for (const auto& [index, at] : unremoved_) due = std::min(due, at);
  due = std::min(due, zygotes_.due());
  if (!starts_.empty()) due = std::min(due, starts_.front() + kStartsWindow);
  for (const auto& [key, used] : learned_) due = std::min(due, used + kLearnedLife);
  if (due == Steady::time_point::max()) return -1;
  return static_cast<int>(
      std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(due - now).count()));
}

// --- the server's wishes

void LauncherProcess::handle(Packet packet) {
  Reader in(packet.bytes);
  const Ask verb = in.get<Ask>();
  const auto handle = in.get<std::uint64_t>();
  switch (verb) {
    case Ask::kConfigure:
      configure(in);
      break;
    case Ask::kStart:
      start(handle, in, std::move(packet.fds));
      break;
    case Ask::kAssign:
      assign(handle, in);
      break;
    case Ask::kKill:
      if (Shell* shell = by_handle(handle)) kill_shell(*shell);
      break;
    case Ask::kSignal:
      if (Shell* shell = by_handle(handle))
        send_packet(shell->socket.get(),
                    Writer().put(Verb::kSignal).put(in.get<std::int32_t>()).bytes());
      break;
    case Ask::kTemplate:
      make_template(handle, in.get<std::uint64_t>());
      break;
    case Ask::kEndZygotes:
      zygotes_.end_all();
      break;
    case Ask::kSettle:
      settling_.push_back(handle);
      break;
  }
}

Result<Unit> LauncherProcess::open_mounts(const std::vector<Source>& sources,
                                          std::vector<UniqueFd>& fds) {
  for (const auto& source : sources) {
    UniqueFd fd(clone_mount(source.path, source.read_only ? Access::kReadOnly : Access::kWritable));
    if (!fd) return sys_fail(str("mount ", source.path));
    fds.push_back(std::move(fd));
  }
  return Unit{};
}

namespace {

ZygoteSpec zygote_spec(const std::string& name, const Key& key, const std::vector<Source>& sources,
                       Reader in) {
  if (name.empty()) return {};
  StartOrder order = StartOrder::decode(in);
  if (order.hold != Hold::kProgram) return {};
  ZygoteSpec spec{name,
                  key.root,
                  {},
                  std::move(order.targets),
                  std::move(order.argv),
                  std::move(order.environment)};
  for (const auto& source : sources) spec.sources.push_back(source.path);
  return spec;
}

}  // namespace

void LauncherProcess::start(std::uint64_t handle, Reader& in, std::vector<UniqueFd> fds) {
  Key key{in.text(), in.get<bool>()};
  key.nat = key.nat && capabilities_.outbound;
  const std::string zygote = in.text();
  const auto sources = decode_sources(in);
  const auto refuse = [&](const Error& error) {
    tell_failure(Tell::kStarted, handle, error);
    tell(Tell::kGone, handle);
  };
  if (!capabilities_.isolation)
    return refuse(Error(std::string(errc::kIo), capabilities_.missing.empty()
                                                    ? "no sandboxes"
                                                    : capabilities_.missing.back()));
  std::vector<UniqueFd> mounts;
  if (const auto opened = open_mounts(sources, mounts); !opened) return refuse(opened.error());
  Shell* shell = take(key);
  if (!shell) return refuse(sys_fail("start a sandbox").error());
  shell->handle = handle;
  handles_[handle] = shell->index;
  if (starts_.size() < options_.pool_most && key == Key{"", capabilities_.outbound})
    starts_.push_back(Steady::now());
  UniqueFd fork = wish_fork(*shell, zygote_spec(zygote, key, sources, in));
  const std::string order = Writer().put(Verb::kStart).put(bool(fork)).raw(in.rest()).bytes();
  if (fork)
    fds.push_back(std::move(fork));
  else
    shell->runner.reset();
  std::move(mounts.begin(), mounts.end(), std::back_inserter(fds));
  std::vector<int> numbers;
  for (const auto& fd : fds) numbers.push_back(fd.get());
  if (const int why = send_packet(shell->socket.get(), order, numbers)) {
    tell_failure(Tell::kStarted, handle, sys_fail("speak to a sandbox", why).error());
    shell->started = true;
    kill_shell(*shell);
  }
  if (refill_at_ == Steady::time_point{}) refill_at_ = Steady::now() + kRefillDelay;
}

void LauncherProcess::assign(std::uint64_t handle, Reader& in) {
  const auto sources = decode_sources(in);
  Shell* shell = by_handle(handle);
  if (!shell)
    return tell_failure(Tell::kAssigned, handle,
                        Error(std::string(errc::kNotFound), "the sandbox has ended"));
  std::vector<UniqueFd> fds;
  if (const auto opened = open_mounts(sources, fds); !opened)
    return tell_failure(Tell::kAssigned, handle, opened.error());
  std::vector<int> numbers;
  for (const auto& fd : fds) numbers.push_back(fd.get());
  if (const int why = send_packet(shell->socket.get(),
                                  Writer().put(Verb::kAssign).raw(in.rest()).bytes(), numbers))
    tell_failure(Tell::kAssigned, handle, sys_fail("speak to a sandbox", why).error());
}

// In a child, because mkfs takes some milliseconds. Its complaint, if any, comes through the pipe.
std::pair<pid_t, UniqueFd> LauncherProcess::begin_template(std::uint64_t bytes) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {-1, UniqueFd()};
  UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const pid_t pid = ::fork();
  if (pid != 0) return {pid, std::move(reading)};
  ::close(server_);
  const auto made = make_tmp_template(options_.folder, bytes);
  if (!made)
    (void)!::write(writing.get(), made.error().message().data(), made.error().message().size());
  ::_exit(made ? 0 : 1);
}

std::string LauncherProcess::template_complaint(int fd) {
  char text[512];
  const ssize_t size = ::read(fd, text, sizeof text);
  return std::string(text, size > 0 ? static_cast<std::size_t>(size) : 0);
}

void LauncherProcess::make_template(std::uint64_t handle, std::uint64_t bytes) {
  if (!options_.tmp_images) return tell(Tell::kTemplate, handle, Writer().put("").bytes());
  auto [pid, complaint] = begin_template(bytes);
  if (pid < 0)
    return tell(Tell::kTemplate, handle, Writer().put("no process for mkfs.ext4").bytes());
  templates_.emplace(pid, std::pair(handle, std::move(complaint)));
}

// SIGKILL first, so that nothing of it runs once more when it is thawed (v1) to die.
void LauncherProcess::kill_shell(Shell& shell) {
  shell.dying = true;
  ::kill(shell.pid, SIGKILL);
  const auto paths = cgroups_.paths(str("s", shell.index));
  if (!paths.unified.empty()) write_file(paths.unified + "/cgroup.kill", "1");
  if (!paths.freezer.empty()) {
    for (const auto line : split(read_small_file(paths.freezer + "/cgroup.procs"), '\n'))
      if (const auto pid = parse_int(line); pid && *pid > 1)
        ::kill(static_cast<pid_t>(*pid), SIGKILL);
    thaw_cgroup(paths);
  }
}

// The server is gone: so is everything.
void LauncherProcess::finish() {
  zygotes_.kill_all();
  for (auto& [index, shell] : shells_) kill_shell(shell);
  shells_.clear();
  while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
  cgroups_.remove_all();
  network_.remove();
  ::_exit(0);
}

void run_launcher(int server_fd) { LauncherProcess(server_fd).run(); }

}  // namespace pileus::sandbox
