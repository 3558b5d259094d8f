#include "sandbox/init.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "sandbox/channel.h"
#include "sandbox/root_fs.h"
#include "sandbox/runner.h"
#include "sandbox/sys.h"
#include "sandbox/zygote_entry.h"

namespace pileus::sandbox {
namespace {

// CAP_CHOWN, DAC_OVERRIDE, FOWNER, KILL, NET_BIND_SERVICE, SYS_ADMIN: while there is still
// something to mount. Afterwards only KILL, because the program is another user.
constexpr std::uint64_t kWhilePreparing =
    1ull << 0 | 1ull << 1 | 1ull << 3 | 1ull << 5 | 1ull << 10 | 1ull << 21;
constexpr std::uint64_t kAfterwards = 1ull << 5;
constexpr int kForkPatienceMs = 5000;  // a zygote that is being started takes some 100 ms

class Init {
 public:
  explicit Init(InitSetup setup) : setup_(std::move(setup)) {}

  [[noreturn]] void run() {
    const auto prepared = prepare();
    Writer out;
    out.put(Verb::kPrepared).put(prepared ? std::string() : prepared.error().message());
    out.put(no_outbound_).put(no_tmp_image_);
    UniqueFd runner(prepared ? static_cast<int>(::syscall(SYS_pidfd_open, runner_.pid, 0u)) : -1);
    const int number = runner.get();
    send_packet(setup_.launcher_fd, out.bytes(), {&number, number >= 0 ? 1u : 0u});
    runner.reset();
    if (!prepared) ::_exit(1);
    setup_.may_lack = false;
    obey();
  }

 private:
  Result<Unit> prepare();
  void keep_hold_of_cgroup();
  Result<Unit> mount_tmp(std::uint64_t bytes);
  [[noreturn]] void obey();
  void handle(Packet packet);
  Result<Unit> start(StartOrder order, std::vector<UniqueFd>& fds, UniqueFd fork,
                     std::vector<UniqueFd>& listeners);
  bool adopt(UniqueFd fork);
  Result<Unit> assign(AssignOrder order, std::vector<UniqueFd>& fds);
  Result<Unit> set_limits(std::uint64_t memory, std::uint32_t cpu, std::uint64_t tmp);
  Result<Unit> attach_mounts(const std::vector<std::string>& targets, std::vector<UniqueFd>& fds,
                             std::size_t first);
  Result<Unit> release_runner();
  void answer(Verb verb, const Result<Unit>& result, const std::vector<UniqueFd>& fds = {});
  void reap();
  [[noreturn]] void end(int status);

  InitSetup setup_;
  UniqueFd images_, dev_, child_signals_;
  std::vector<UniqueFd> cgroup_folders_;
  std::string no_outbound_, no_tmp_image_;
  std::uint64_t tmp_bytes_ = 0;
  Runner runner_;
  bool adopted_ = false;
  RunOrder order_;
  std::vector<UniqueFd> program_fds_;
};

// The group's folders by descriptor: their paths mean nothing in the new root.
void Init::keep_hold_of_cgroup() {
  CgroupPaths& group = setup_.cgroup;
  for (std::string* folder :
       {&group.memory, &group.cpu, &group.cpuacct, &group.pids, &group.freezer, &group.unified}) {
    if (folder->empty()) continue;
    UniqueFd fd(::open(folder->c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    *folder = fd ? str("/proc/self/fd/", fd.get()) : std::string();
    if (fd) cgroup_folders_.push_back(std::move(fd));
  }
}

Result<Unit> Init::prepare() {
  close_all_but({setup_.launcher_fd});
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  ::sigprocmask(SIG_SETMASK, &child, nullptr);
  child_signals_.reset(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
  // With the v1 freezer init must outlive the launcher for a moment, to thaw what has to die.
  if (setup_.cgroup.freezer.empty()) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, "sandbox-init");
  ::prctl(PR_SET_DUMPABLE, 0);
  images_.reset(::open(setup_.images.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  dev_.reset(::open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC));
  CgroupPaths to_enter = setup_.cgroup;
  if (setup_.cgroup_entered) to_enter.unified.clear();
  enter_cgroup(to_enter);
  keep_hold_of_cgroup();
  ::unshare(CLONE_NEWCGROUP);
  TRY(enter_network_namespace(setup_.nat, setup_.index, no_outbound_));
  if (!no_outbound_.empty() && !setup_.may_lack)
    return fail(std::string(errc::kIo), no_outbound_, 500);
  TRY(enter_root(setup_.scratch, setup_.root));
  TRY(mount_tmp(setup_.tmp_bytes));
  const unsigned host_uid = setup_.privileged ? kFirstHostUid + setup_.index : 0;
  TRY_ASSIGN(runner_, fork_runner(host_uid, host_uid, setup_.cgroup, setup_.filter));
  keep_capabilities(kWhilePreparing);
  return Unit{};
}

Result<Unit> Init::mount_tmp(std::uint64_t bytes) {
  const unsigned owner = setup_.privileged ? kFirstHostUid + setup_.index : 0;
  const TmpPlaces places{images_.get(), dev_.get(), owner, owner};
  if (tmp_bytes_) ::umount2("/tmp", MNT_DETACH);
  tmp_bytes_ = bytes;
  if (setup_.tmp_image) {
    const auto mounted = mount_tmp_image(places, bytes, setup_.index, "/tmp");
    if (mounted || !setup_.may_lack) return mounted;
    no_tmp_image_ = mounted.error().message();
  }
  return mount_tmp_memory(places, bytes, "/tmp");
}

void Init::obey() {
  pollfd watched[2] = {{setup_.launcher_fd, POLLIN, 0}, {child_signals_.get(), POLLIN, 0}};
  for (;;) {
    if (::poll(watched, 2, -1) < 0 && errno != EINTR) end(1);
    if (watched[1].revents) reap();
    if (!watched[0].revents) continue;
    Packet packet;
    const auto received = receive_packet(setup_.launcher_fd, packet, MSG_DONTWAIT);
    if (received == Received::kEnd) end(0);
    if (received == Received::kPacket) handle(std::move(packet));
  }
}

void Init::handle(Packet packet) {
  Reader in(packet.bytes);
  switch (in.get<Verb>()) {
    case Verb::kStart: {
      std::vector<UniqueFd> listeners;
      UniqueFd fork;
      if (in.get<bool>() && packet.fds.size() > 2) {
        fork = std::move(packet.fds[2]);
        packet.fds.erase(packet.fds.begin() + 2);
      }
      StartOrder order = StartOrder::decode(in);
      const auto started = start(std::move(order), packet.fds, std::move(fork), listeners);
      answer(Verb::kStarted, started, listeners);
      break;
    }
    case Verb::kAssign: {
      AssignOrder order = AssignOrder::decode(in);
      answer(Verb::kAssigned, assign(std::move(order), packet.fds));
      break;
    }
    case Verb::kSignal:
      if (runner_.pid > 0) ::kill(runner_.pid, in.get<std::int32_t>());
      break;
    default:
      break;
  }
}

void Init::answer(Verb verb, const Result<Unit>& result, const std::vector<UniqueFd>& fds) {
  Writer out;
  out.put(verb);
  if (verb == Verb::kStarted) out.put(adopted_);
  out.put(result ? std::string() : result.error().code())
      .put(result ? std::string() : result.error().message());
  std::vector<int> numbers;
  for (const auto& fd : fds) numbers.push_back(fd.get());
  send_packet(setup_.launcher_fd, out.bytes(), numbers);
}

Result<Unit> Init::set_limits(std::uint64_t memory, std::uint32_t cpu, std::uint64_t tmp) {
  if (memory) TRY(limit_memory(setup_.cgroup, memory));
  if (cpu) TRY(limit_cpu(setup_.cgroup, cpu));
  if (tmp && tmp != tmp_bytes_) TRY(mount_tmp(tmp));
  return Unit{};
}

Result<Unit> Init::attach_mounts(const std::vector<std::string>& targets,
                                 std::vector<UniqueFd>& fds, std::size_t first) {
  for (std::size_t i = 0; i < targets.size(); ++i) {
    struct stat info{};
    const int fd = fds[first + i].get();
    if (::fstat(fd, &info) != 0) return sys_fail("look at a mount");
    TRY(make_mount_point(targets[i], S_ISDIR(info.st_mode)));
    if (const int why = attach_mount(fd, targets[i]))
      return sys_fail(str("mount ", targets[i]), why);
  }
  return Unit{};
}

Result<Unit> Init::start(StartOrder order, std::vector<UniqueFd>& fds, UniqueFd fork,
                         std::vector<UniqueFd>& listeners) {
  const std::size_t own = order.hold == Hold::kProgram ? 2 : 1;
  if (fds.size() != own + order.targets.size())
    return fail(std::string(errc::kInvalid), "descriptors are missing", 500);
  TRY(set_limits(order.memory_bytes, order.cpu_millis, order.tmp_bytes));
  TRY(limit_processes(setup_.cgroup, order.max_processes + 1));  // + init
  TRY(attach_mounts(order.targets, fds, own));
  ::sethostname(order.hostname.data(), order.hostname.size());
  for (const auto& spec : order.listeners) {
    TRY_ASSIGN(UniqueFd listener, make_listener(spec.address, spec.port));
    listeners.push_back(std::move(listener));
  }
  // So that a program may open /dev/stdout.
  if (setup_.privileged)
    (void)!::fchown(fds[0].get(), kFirstHostUid + setup_.index, kFirstHostUid + setup_.index);
  order_ = {
      std::move(order.argv),
      std::move(order.environment),
      std::move(order.working_directory),
      {order.max_files,
       setup_.cgroup.pids.empty() && !setup_.cgroup.v2_controllers ? order.max_processes : 0,
       setup_.cgroup.memory.empty() && !setup_.cgroup.v2_controllers ? order.memory_bytes : 0},
      order.hold == Hold::kProgram};
  fds.resize(own);
  program_fds_ = std::move(fds);
  if (order.hold == Hold::kInit) return Unit{};
  if (!fork || !adopt(std::move(fork))) TRY(release_runner());
  if (order.hold == Hold::kNone) keep_capabilities(kAfterwards);
  return Unit{};
}

// A fork of a zygote takes the runner's place once it says that it has entered. False: none came,
// and the runner executes the program as ever. The launcher is its parent and sees its end.
bool Init::adopt(UniqueFd fork) {
  pollfd watched{fork.get(), POLLIN, 0};
  Packet packet;
  if (::poll(&watched, 1, kForkPatienceMs) != 1 ||
      receive_packet(fork.get(), packet, MSG_DONTWAIT) != Received::kPacket)
    return false;
  Reader in(packet.bytes);
  const auto entered = in.get<Entered>();
  EnterOrder order{order_.limits, order_.hold ? 1u : 0u, 0};
  std::string bytes(sizeof order, 0);
  if (setup_.filter) {
    order.count = static_cast<std::uint32_t>(setup_.filter->size());
    bytes.append(reinterpret_cast<const char*>(setup_.filter->data()),
                 setup_.filter->size() * sizeof(sock_filter));
  }
  std::memcpy(bytes.data(), &order, sizeof order);
  std::vector<int> numbers;
  for (const auto& fd : program_fds_) numbers.push_back(fd.get());
  if (!in.ok() || entered.pid <= 1 || order.count > kMaxFilter ||
      send_packet(fork.get(), bytes, numbers) != 0)
    return false;
  end_runner(runner_);
  runner_.pid = entered.pid;
  adopted_ = true;
  program_fds_.clear();
  order_ = {};
  return true;
}

Result<Unit> Init::assign(AssignOrder order, std::vector<UniqueFd>& fds) {
  if (fds.size() != order.targets.size())
    return fail(std::string(errc::kInvalid), "descriptors are missing", 500);
  TRY(set_limits(order.memory_bytes, order.cpu_millis, order.tmp_bytes));
  TRY(attach_mounts(order.targets, fds, 0));
  if (!program_fds_.empty()) {  // Hold::kInit: the program is still to come
    if (!order.argv.empty()) order_.argv = std::move(order.argv);
    order_.environment = std::move(order.environment);
    order_.working_directory = std::move(order.working_directory);
    if (order_.limits.data_bytes && order.memory_bytes)
      order_.limits.data_bytes = order.memory_bytes;
    TRY(release_runner());
  }
  keep_capabilities(kAfterwards);
  return Unit{};
}

Result<Unit> Init::release_runner() {
  std::vector<int> numbers;
  for (const auto& fd : program_fds_) numbers.push_back(fd.get());
  const int why = order_runner(runner_, order_, numbers);
  program_fds_.clear();
  order_ = {};
  if (why) return sys_fail("hand over the program", why);
  return Unit{};
}

void Init::reap() {
  signalfd_siginfo ignored;
  while (::read(child_signals_.get(), &ignored, sizeof ignored) > 0) {
  }
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid != runner_.pid) continue;
    ExitReport report;
    report.exit.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    report.exit.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    report.exit.execute_errno = runner_failure(runner_);
    report.exit.out_of_memory = oom_kills(setup_.cgroup) > 0;
    report.usage = cgroup_usage(setup_.cgroup);
    Writer out;
    out.put(Verb::kExited);
    report.encode(out);
    send_packet(setup_.launcher_fd, out.bytes());
    end(0);
  }
}

// What is left ends with process 1; under the v1 freezer it must be thawed to die.
void Init::end(int status) {
  ::kill(-1, SIGKILL);
  if (!setup_.cgroup.freezer.empty()) thaw_cgroup(setup_.cgroup);
  ::_exit(status);
}

}  // namespace

void run_init(InitSetup setup) { Init(std::move(setup)).run(); }

void StartOrder::encode(Writer& out) const {
  out.put(hold).put(hostname).put(working_directory).put(memory_bytes).put(tmp_bytes);
  out.put(cpu_millis).put(max_processes).put(max_files);
  out.put(static_cast<std::uint32_t>(listeners.size()));
  for (const auto& listener : listeners)
    out.put(listener.name).put(listener.address).put(listener.port);
  out.put(targets).put(argv).put(environment);
}

StartOrder StartOrder::decode(Reader& in) {
  StartOrder order;
  order.hold = in.get<Hold>();
  order.hostname = in.text();
  order.working_directory = in.text();
  order.memory_bytes = in.get<std::uint64_t>();
  order.tmp_bytes = in.get<std::uint64_t>();
  order.cpu_millis = in.get<std::uint32_t>();
  order.max_processes = in.get<std::uint32_t>();
  order.max_files = in.get<std::uint32_t>();
  const auto count = in.get<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    ListenerSpec spec;
    spec.name = in.text();
    spec.address = in.text();
    spec.port = in.get<std::uint16_t>();
    order.listeners.push_back(std::move(spec));
  }
  order.targets = in.list();
  order.argv = in.list();
  order.environment = in.list();
  return order;
}

void AssignOrder::encode(Writer& out) const {
  out.put(working_directory).put(memory_bytes).put(tmp_bytes).put(cpu_millis);
  out.put(targets).put(argv).put(environment);
}

AssignOrder AssignOrder::decode(Reader& in) {
  AssignOrder order;
  order.working_directory = in.text();
  order.memory_bytes = in.get<std::uint64_t>();
  order.tmp_bytes = in.get<std::uint64_t>();
  order.cpu_millis = in.get<std::uint32_t>();
  order.targets = in.list();
  order.argv = in.list();
  order.environment = in.list();
  return order;
}

void ExitReport::encode(Writer& out) const {
  out.put(exit.code).put(exit.signal).put(exit.out_of_memory).put(exit.execute_errno);
  out.put(usage.memory_bytes).put(usage.memory_peak_bytes).put(usage.cpu.count());
}

ExitReport ExitReport::decode(Reader& in) {
  ExitReport report;
  report.exit.code = in.get<int>();
  report.exit.signal = in.get<int>();
  report.exit.out_of_memory = in.get<bool>();
  report.exit.execute_errno = in.get<int>();
  report.usage.memory_bytes = in.get<std::uint64_t>();
  report.usage.memory_peak_bytes = in.get<std::uint64_t>();
  report.usage.cpu = Duration(in.get<Duration::rep>());
  return report;
}

}  // namespace pileus::sandbox
