// The launcher's own side: one thread, one epoll. It never waits for a sandbox: a start is a clone3
// (or a shell from the pool) and a packet to its init, which does the work in its own process.
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

#include "base/text.h"
#include "sandbox/channel.h"
#include "sandbox/init.h"
#include "sandbox/launcher.h"
#include "sandbox/root_fs.h"
#include "sandbox/seccomp_filter.h"
#include "sandbox/sys.h"

namespace pileus::sandbox {
namespace {

using Steady = std::chrono::steady_clock;
constexpr auto kRefillDelay =
    std::chrono::milliseconds(5);                        // after a start: it has the cores first
constexpr auto kLearnedLife = std::chrono::seconds(60);  // of prepared sandboxes for other roots
constexpr auto kCgroupRetry = std::chrono::milliseconds(20);
constexpr std::size_t kLearnedKeys = 4;
constexpr std::uint32_t kLearnedPool = 2;
constexpr unsigned kPreparingAtOnce = 2;

// What has to be known before a sandbox can be prepared.
struct Key {
  std::string root;
  bool nat = false;
  bool operator<(const Key& other) const {
    return std::tie(root, nat) < std::tie(other.root, other.nat);
  }
  bool operator==(const Key&) const = default;
};

struct Shell {
  unsigned index = 0;
  pid_t pid = -1;
  UniqueFd socket;
  Key key;
  std::uint64_t handle = 0;  // 0: in the pool
  bool prepared = false, started = false, exited = false, dying = false;
  std::string failure;
};

class LauncherProcess {
 public:
  explicit LauncherProcess(int server) : server_(server) {}
  [[noreturn]] void run();

 private:
  // set-up
  void configure(Reader& in);
  Result<Unit> own_namespaces();
  void prepare_machine();
  void tell_ready();
  // the server's wishes
  void handle(Packet packet);
  void start(std::uint64_t handle, Reader& in, std::vector<UniqueFd> fds);
  void assign(std::uint64_t handle, Reader& in);
  Result<Unit> open_mounts(const std::vector<Source>& sources, std::vector<UniqueFd>& fds);
  std::pair<pid_t, UniqueFd> begin_template(std::uint64_t bytes);
  std::string template_complaint(int fd);
  void make_template(std::uint64_t handle, std::uint64_t bytes);
  void kill_shell(Shell& shell);
  // shells
  Shell* spawn(const Key& key);
  Shell* take(const Key& key);
  void from_shell(Shell& shell);
  void hear(Shell& shell, Packet packet);
  void reap();
  void ended(Shell& shell);
  void refill();
  void tidy();
  void maybe_settled();
  void tell(Tell verb, std::uint64_t handle, std::string_view body = {},
            std::span<const int> fds = {});
  void tell_failure(Tell verb, std::uint64_t handle, const Error& error);
  Shell* by_handle(std::uint64_t handle);
  int next_wait() const;
  [[noreturn]] void finish();

  int server_;
  UniqueFd epoll_, signals_;
  LauncherOptions options_;
  Capabilities capabilities_;
  Cgroups cgroups_;
  HostNetwork network_;
  std::vector<sock_filter> filter_;
  bool configured_ = false, ready_ = false, privileged_ = true;
  std::map<unsigned, Shell> shells_;  // by index
  std::map<std::uint64_t, unsigned> handles_;
  std::map<Key, Steady::time_point> learned_;  // other keys in use lately
  std::map<pid_t, std::pair<std::uint64_t, UniqueFd>>
      templates_;                                     // being made, with their complaint
  std::map<unsigned, Steady::time_point> unremoved_;  // control groups still busy
  std::vector<std::uint64_t> settling_;
  unsigned next_index_ = 0;
  Steady::time_point refill_at_{};
  unsigned failures_ = 0;  // shells that could not be prepared, in a row
};

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
  watch(server_, 1);
  watch(signals_.get(), 2);
  for (;;) {
    epoll_event events[32];
    const int count = ::epoll_wait(epoll_.get(), events, 32, next_wait());
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == 1) {
        Packet packet;
        const auto received = receive_packet(server_, packet, MSG_DONTWAIT);
        if (received == Received::kEnd) finish();
        if (received == Received::kPacket) handle(std::move(packet));
      } else if (events[i].data.u64 == 2) {
        reap();
      } else if (auto found = shells_.find(static_cast<unsigned>(events[i].data.u64 - 16));
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
  for (const auto& [key, used] : learned_) due = std::min(due, used + kLearnedLife);
  if (due == Steady::time_point::max()) return -1;
  return static_cast<int>(
      std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(due - now).count()));
}

// --- set-up

// A mount namespace of our own, so that no mount outlives us; an ordinary user gets a user
// namespace for it.

Result<Unit> LauncherProcess::own_namespaces() {
  privileged_ = ::geteuid() == 0 && ::unshare(CLONE_NEWNS) == 0;
  if (!privileged_) {
    const unsigned uid = ::geteuid();
    const unsigned gid = ::getegid();
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
      return sys_fail(
          "this machine gives an ordinary user no user namespace "
          "(kernel.unprivileged_userns_clone, "
          "user.max_user_namespaces, AppArmor); run as root");
    ::prctl(PR_SET_DUMPABLE, 1);  // else /proc/self is not ours to write
    write_file("/proc/self/setgroups", "deny");
    if (const int why = write_file("/proc/self/uid_map", str("0 ", uid, " 1\n")))
      return sys_fail("map our user", why);
    if (const int why = write_file("/proc/self/gid_map", str("0 ", gid, " 1\n")))
      return sys_fail("map our group", why);
    ::prctl(PR_SET_DUMPABLE, 0);
  }
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) == 0) return Unit{};
  if (errno != EINVAL || !leave_and_mount_chroot()) return sys_fail("keep our mounts to ourselves");
  return Unit{};
}

void LauncherProcess::prepare_machine() {
  auto& missing = capabilities_.missing;
  cgroups_ = Cgroups::create(options_.cgroups, ::getpid(), missing);
  capabilities_.cgroup = cgroups_.kind();
  capabilities_.memory_limit = cgroups_.memory();
  capabilities_.cpu_limit = cgroups_.cpu();
  capabilities_.process_limit = cgroups_.pids();
  capabilities_.freezer = cgroups_.freezer();
  if (const auto made = make_directories(options_.folder, 0711); !made) {
    missing.push_back(str("no sandboxes: ", made.error().message()));
    return;
  }
  if (const auto own = own_namespaces(); !own) {
    missing.push_back(str("no sandboxes: ", own.error().message()));
    return;
  }
  if (!privileged_)
    missing.push_back(
        "a sandbox runs as your own user and shares its limits; run as root for a user of its own");
  Result<Unit> nat = fail("", "");
  const bool wanted = options_.outbound;
  if (wanted)
    nat = privileged_ ? network_.begin()
                      : fail(std::string(errc::kIo), "run as root to give them one");
  std::string no_images = "run as root to give it a loop device";
  std::pair<pid_t, UniqueFd> images{-1, UniqueFd()};
  if (options_.tmp_images && privileged_) images = begin_template(options_.tmp_bytes);
  const auto shared = prepare_shared(options_.folder + "/ns", missing);
  if (shared)
    capabilities_.isolation = true;
  else
    missing.push_back(str("no sandboxes: ", shared.error().message()));
  if (auto filter = compile_seccomp_filter()) {
    filter_ = std::move(*filter);
    capabilities_.seccomp = true;
  } else {
    missing.push_back(str("no system call filter: ", filter.error().message()));
  }
  if (images.first > 0) {
    no_images = template_complaint(images.second.get());
    while (::waitpid(images.first, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  options_.tmp_images = no_images.empty();
  if (!no_images.empty())
    missing.push_back(str("/tmp is held in memory and counts as a function's memory: ", no_images));
  if (nat) nat = network_.finish(missing);
  capabilities_.outbound = nat.has_value();
  if (!nat && wanted)
    missing.push_back(
        str("sandboxes have no network outside of themselves: ", nat.error().message()));
}

void LauncherProcess::configure(Reader& in) {
  options_ = LauncherOptions::decode(in);
  prepare_machine();
  configured_ = true;
  // The first shell is the proof: what it could not have is said with the capabilities.
  if (!capabilities_.isolation || !spawn({"", capabilities_.outbound})) tell_ready();
}

void LauncherProcess::tell_ready() {
  if (std::exchange(ready_, true)) return;
  Writer out;
  encode_capabilities(out, capabilities_);
  cgroups_.encode(out);
  out.put(options_.tmp_images);
  tell(Tell::kReady, 0, out.bytes());
  refill_at_ = Steady::now();
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
    case Ask::kCall: {
      std::vector<int> numbers;
      for (const auto& fd : packet.fds) numbers.push_back(fd.get());
      Shell* shell = by_handle(handle);
      for (const int fd : numbers)  // so that a program may open /dev/stdout
        if (shell && privileged_)
          (void)!::fchown(fd, kFirstHostUid + shell->index, kFirstHostUid + shell->index);
      if (shell) send_packet(shell->socket.get(), in.rest(), numbers);
      break;
    }
    case Ask::kTemplate:
      make_template(handle, in.get<std::uint64_t>());
      break;
    case Ask::kSettle:
      settling_.push_back(handle);
      break;
  }
}

Result<Unit> LauncherProcess::open_mounts(const std::vector<Source>& sources,
                                          std::vector<UniqueFd>& fds) {
  for (const auto& source : sources) {
    std::vector<std::string> folders = {source.path};
    folders.insert(folders.end(), source.below.begin(), source.below.end());
    UniqueFd fd(
        folders.size() > 1
            ? merge_mount(folders)
            : clone_mount(source.path, source.read_only ? Access::kReadOnly : Access::kWritable));
    if (!fd) return sys_fail(str("mount ", source.path));
    fds.push_back(std::move(fd));
  }
  return Unit{};
}

void LauncherProcess::start(std::uint64_t handle, Reader& in, std::vector<UniqueFd> fds) {
  Key key{in.text(), in.get<bool>()};
  key.nat = key.nat && capabilities_.outbound;
  const auto sources = decode_sources(in);
  const auto refuse = [&](const Error& error) {
    tell_failure(Tell::kStarted, handle, error);
    tell(Tell::kGone, handle);
  };
  if (!capabilities_.isolation)
    return refuse(Error(std::string(errc::kIo), capabilities_.missing.empty()
                                                    ? "no sandboxes"
                                                    : capabilities_.missing.back()));
  if (const auto opened = open_mounts(sources, fds); !opened) return refuse(opened.error());
  Shell* shell = take(key);
  if (!shell) return refuse(sys_fail("start a sandbox").error());
  shell->handle = handle;
  handles_[handle] = shell->index;
  std::vector<int> numbers;
  for (const auto& fd : fds) numbers.push_back(fd.get());
  const std::string order = Writer().put(Verb::kStart).raw(in.rest()).bytes();
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

// --- shells

Shell* LauncherProcess::spawn(const Key& key) {
  if (shells_.size() + unremoved_.size() >= HostNetwork::kPairs) {
    errno = EAGAIN;
    return nullptr;
  }
  // Round and round: the kernel takes a network namespace away some time after its last process.
  while (shells_.contains(next_index_) || unremoved_.contains(next_index_))
    next_index_ = (next_index_ + 1) % HostNetwork::kPairs;
  const unsigned index = std::exchange(next_index_, (next_index_ + 1) % HostNetwork::kPairs);
  const std::string name = str("s", index);
  cgroups_.make(name);
  const auto paths = cgroups_.paths(name);
  UniqueFd cgroup(
      paths.unified.empty() ? -1 : ::open(paths.unified.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return nullptr;
  UniqueFd own(ends[0]);
  UniqueFd other(ends[1]);
  constexpr std::uint64_t kNamespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC;
  bool entered = cgroup.get() >= 0;
  pid_t pid = clone_process(kNamespaces, cgroup.get());
  if (pid < 0 && entered) {
    entered = false;
    pid = clone_process(kNamespaces);
  }
  if (pid < 0) return nullptr;
  if (pid == 0) {
    run_init({.launcher_fd = other.get(),
              .index = index,
              .scratch = options_.folder + "/ns",
              .images = options_.folder,
              .root = key.root,
              .tmp_bytes = options_.tmp_bytes,
              .tmp_image = options_.tmp_images,
              .privileged = privileged_,
              .may_lack = !ready_,
              .nat = key.nat ? &network_ : nullptr,
              .cgroup = paths,
              .cgroup_entered = entered,
              .filter = &filter_});
  }
  Shell& shell = shells_[index];
  shell.index = index;
  shell.pid = pid;
  shell.socket = std::move(own);
  shell.key = key;
  epoll_event event{EPOLLIN, {.u64 = index + 16ull}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, shell.socket.get(), &event);
  return &shell;
}

// A prepared shell, else one being prepared, else a new one: its orders wait in its socket.
Shell* LauncherProcess::take(const Key& key) {
  if (const Key usual{"", capabilities_.outbound}; !(key == usual)) {
    if (learned_.size() < kLearnedKeys || learned_.contains(key)) learned_[key] = Steady::now();
  }
  Shell* best = nullptr;
  for (auto& [index, shell] : shells_) {
    if (shell.handle || shell.dying || !(shell.key == key)) continue;
    if (shell.prepared) return &shell;
    if (!best) best = &shell;
  }
  return best ? best : spawn(key);
}

void LauncherProcess::from_shell(Shell& shell) {
  for (;;) {
    Packet packet;
    const auto received = receive_packet(shell.socket.get(), packet, MSG_DONTWAIT);
    if (received == Received::kNothing) return;
    if (received == Received::kEnd) {  // SIGCHLD tells the rest
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, shell.socket.get(), nullptr);
      return;
    }
    hear(shell, std::move(packet));
  }
}

void LauncherProcess::hear(Shell& shell, Packet packet) {
  Reader in(packet.bytes);
  const Verb verb = in.get<Verb>();
  std::vector<int> numbers;
  for (const auto& fd : packet.fds) numbers.push_back(fd.get());
  if (verb == Verb::kPrepared) {
    shell.failure = in.text();
    shell.prepared = shell.failure.empty();
    const std::string no_outbound = in.text();
    const std::string no_image = in.text();
    if (!no_outbound.empty() && std::exchange(capabilities_.outbound, false))
      capabilities_.missing.push_back(
          str("sandboxes have no network outside of themselves: ", no_outbound));
    if (!no_image.empty() && std::exchange(options_.tmp_images, false))
      capabilities_.missing.push_back(
          str("/tmp is held in memory and counts as a function's memory: ", no_image));
    if (shell.prepared) failures_ = 0;
    if (!no_outbound.empty()) shell.key.nat = false;
    if (shell.prepared) tell_ready();
  } else if (verb == Verb::kStarted) {
    shell.started = true;
    tell(Tell::kStarted, shell.handle, Writer().put(str("s", shell.index)).raw(in.rest()).bytes(),
         numbers);
  } else if (verb == Verb::kAssigned) {
    tell(Tell::kAssigned, shell.handle, Writer().put("").raw(in.rest()).bytes());
  } else if (verb == Verb::kReply || verb == Verb::kEnded) {
    tell(verb == Verb::kReply ? Tell::kReply : Tell::kEnded, shell.handle, in.rest(), numbers);
  } else if (verb == Verb::kExited) {
    shell.exited = true;
    tell(Tell::kExited, shell.handle, in.rest());
  }
}

void LauncherProcess::reap() {
  signalfd_siginfo ignored;
  while (::read(signals_.get(), &ignored, sizeof ignored) > 0) {
  }
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (auto made = templates_.find(pid); made != templates_.end()) {
      tell(Tell::kTemplate, made->second.first,
           Writer().put(template_complaint(made->second.second.get())).bytes());
      templates_.erase(made);
      continue;
    }
    for (auto& [index, shell] : shells_) {
      if (shell.pid != pid) continue;
      ended(shell);
      break;
    }
  }
}

// Init is gone, and with it everything in the sandbox.
void LauncherProcess::ended(Shell& shell) {
  from_shell(shell);
  const unsigned index = shell.index;
  const std::string name = str("s", index);
  if (shell.handle) {
    if (!shell.started)
      tell_failure(
          Tell::kStarted, shell.handle,
          Error(std::string(errc::kIo),
                shell.failure.empty() ? "the sandbox ended while it was made" : shell.failure,
                500));
    if (!shell.exited) {
      ExitReport report;
      report.exit.signal = SIGKILL;
      report.exit.out_of_memory = oom_kills(cgroups_.paths(name)) > 0;
      report.usage = cgroup_usage(cgroups_.paths(name));
      Writer out;
      report.encode(out);
      tell(Tell::kExited, shell.handle, out.bytes());
    }
    tell(Tell::kGone, shell.handle);
    handles_.erase(shell.handle);
  } else if (!shell.prepared) {
    ++failures_;
    if (!ready_) {
      capabilities_.isolation = false;
      capabilities_.missing.push_back(str("no sandboxes: ", shell.failure));
      tell_ready();
    }
  }
  shells_.erase(index);
  if (!cgroups_.remove(name)) unremoved_[index] = Steady::now() + kCgroupRetry;
  if (refill_at_ == Steady::time_point{}) refill_at_ = Steady::now() + kRefillDelay;
}

// Brings the pool back to its size, a few at a time, once the starts of the moment are through.
void LauncherProcess::refill() {
  if (!ready_ || !capabilities_.isolation || refill_at_ == Steady::time_point{} ||
      Steady::now() < refill_at_)
    return;
  refill_at_ = {};
  if (failures_ > 8) return;
  std::map<Key, std::uint32_t> have;
  unsigned preparing = 0;
  for (const auto& [index, shell] : shells_) {
    if (shell.handle || shell.dying) continue;
    ++have[shell.key];
    preparing += !shell.prepared;
  }
  const auto top_up = [&](const Key& key, std::uint32_t wanted) {
    for (std::uint32_t count = have[key]; count < wanted; ++count) {
      if (preparing >= kPreparingAtOnce) {
        refill_at_ = Steady::now() + kRefillDelay;
        return;
      }
      if (!spawn(key)) return;
      ++preparing;
    }
  };
  top_up({"", capabilities_.outbound}, options_.pool);
  for (const auto& [key, used] : learned_) top_up(key, std::min(kLearnedPool, options_.pool));
}

void LauncherProcess::tidy() {
  const auto now = Steady::now();
  for (auto each = unremoved_.begin(); each != unremoved_.end();) {
    if (each->second > now) {
      ++each;
    } else if (cgroups_.remove(str("s", each->first))) {
      each = unremoved_.erase(each);
    } else {
      each->second = now + kCgroupRetry;
      ++each;
    }
  }
  for (auto each = learned_.begin(); each != learned_.end();) {
    if (each->second + kLearnedLife > now) {
      ++each;
      continue;
    }
    for (auto& [index, shell] : shells_)
      if (!shell.handle && shell.key == each->first) kill_shell(shell);
    each = learned_.erase(each);
  }
}

// Nothing is being made or taken away any more, and the pool is full.
void LauncherProcess::maybe_settled() {
  if (settling_.empty() || !ready_ || refill_at_ != Steady::time_point{} || !unremoved_.empty())
    return;
  for (const auto& [index, shell] : shells_)
    if (shell.dying || shell.exited || (!shell.handle && !shell.prepared)) return;
  for (const auto handle : std::exchange(settling_, {})) tell(Tell::kSettled, handle);
}

// The server is gone: so is everything.
void LauncherProcess::finish() {
  for (auto& [index, shell] : shells_) kill_shell(shell);
  shells_.clear();
  while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
  cgroups_.remove_all();
  network_.remove();
  ::_exit(0);
}

}  // namespace

void run_launcher(int server_fd) { LauncherProcess(server_fd).run(); }

}  // namespace pileus::sandbox
