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
#include <sys/wait.h>

#include <cerrno>
#include <map>
#include <optional>

#include "base/text.h"
#include "sandbox/channel.h"
#include "sandbox/root_fs.h"
#include "sandbox/runner.h"
#include "sandbox/sys.h"

namespace pileus::sandbox {
namespace {

// CAP_CHOWN, DAC_OVERRIDE, FOWNER, KILL, NET_BIND_SERVICE, SYS_ADMIN: while there is still
// something to mount. Afterwards only KILL, because the program is another user.
constexpr std::uint64_t kWhilePreparing =
    1ull << 0 | 1ull << 1 | 1ull << 3 | 1ull << 5 | 1ull << 10 | 1ull << 21;
constexpr std::uint64_t kAfterwards = 1ull << 5;

class Init {
 public:
  explicit Init(InitSetup setup) : setup_(std::move(setup)) {}

  [[noreturn]] void run() {
    const auto prepared = prepare();
    Writer out;
    out.put(Verb::kPrepared).put(prepared ? std::string() : prepared.error().message());
    out.put(no_outbound_).put(no_tmp_image_);
    send_packet(setup_.launcher_fd, out.bytes());
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
  Result<Unit> start(StartOrder order, std::vector<UniqueFd>& fds,
                     std::vector<UniqueFd>& listeners);
  Result<Unit> assign(AssignOrder order, std::vector<UniqueFd>& fds);
  Result<Unit> set_limits(std::uint64_t memory, std::uint32_t cpu, std::uint64_t tmp);
  Result<Unit> attach_mounts(const std::vector<std::string>& targets, std::vector<UniqueFd>& fds,
                             std::size_t first);
  Result<Unit> release_runner();
  void answer(Verb verb, const Result<Unit>& result, const std::vector<UniqueFd>& fds = {});
  void reply(std::uint32_t token, const Result<Unit>& result, UniqueFd fd = UniqueFd());
  Result<Unit> spawn(std::uint32_t id, ProcessOrder order, std::vector<UniqueFd>& fds);
  Result<Unit> clear();
  void ended(const Runner& runner, int status, std::optional<std::uint32_t> id);
  void reaped(pid_t pid, int status);
  void reap();
  [[noreturn]] void end(int status);

  InitSetup setup_;
  UniqueFd images_, dev_, child_signals_;
  std::vector<UniqueFd> cgroup_folders_;
  std::string no_outbound_, no_tmp_image_;
  std::uint64_t tmp_bytes_ = 0;
  Runner runner_;
  UniqueFd user_namespace_;                 // the runner's
  std::map<std::uint32_t, Runner> beside_;  // spawned, by id
  bool keep_ = false, main_ended_ = false;
  std::uint64_t oom_kills_ = 0;  // told already
  RunOrder order_;
  RunOrder limits_;  // of the program that was released: others get the same
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
  user_namespace_.reset(
      ::open(str("/proc/", runner_.pid, "/ns/user").c_str(), O_RDONLY | O_CLOEXEC));
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
      StartOrder order = StartOrder::decode(in);
      answer(Verb::kStarted, start(std::move(order), packet.fds, listeners), listeners);
      break;
    }
    case Verb::kAssign: {
      AssignOrder order = AssignOrder::decode(in);
      answer(Verb::kAssigned, assign(std::move(order), packet.fds));
      break;
    }
    case Verb::kSignal:
      if (!main_ended_) ::kill(runner_.pid, in.get<std::int32_t>());
      break;
    case Verb::kRelease: {
      const auto token = in.get<std::uint32_t>();
      reply(token, program_fds_.empty() ? Result<Unit>(Unit{}) : release_runner());
      break;
    }
    case Verb::kSpawn: {
      const auto id = in.get<std::uint32_t>();
      reply(id, spawn(id, ProcessOrder::decode(in), packet.fds));
      break;
    }
    case Verb::kSocket: {
      const auto token = in.get<std::uint32_t>();
      UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      const Result<Unit> made = socket ? Result<Unit>(Unit{}) : sys_fail("make a socket");
      reply(token, made, std::move(socket));
      break;
    }
    case Verb::kClear: {
      const auto token = in.get<std::uint32_t>();
      reply(token, clear());
      break;
    }
    case Verb::kSignalProcess: {
      const auto found = beside_.find(in.get<std::uint32_t>());
      if (found != beside_.end()) ::kill(found->second.pid, in.get<std::int32_t>());
      break;
    }
    default:
      break;
  }
}

void Init::answer(Verb verb, const Result<Unit>& result, const std::vector<UniqueFd>& fds) {
  Writer out;
  out.put(verb)
      .put(result ? std::string() : result.error().code())
      .put(result ? std::string() : result.error().message());
  std::vector<int> numbers;
  for (const auto& fd : fds) numbers.push_back(fd.get());
  send_packet(setup_.launcher_fd, out.bytes(), numbers);
}

void Init::reply(std::uint32_t token, const Result<Unit>& result, UniqueFd fd) {
  Writer out;
  out.put(Verb::kReply)
      .put(token)
      .put(result ? std::string() : result.error().code())
      .put(result ? std::string() : result.error().message());
  const int number = fd.get();
  send_packet(setup_.launcher_fd, out.bytes(), std::span(&number, number >= 0 ? 1 : 0));
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

Result<Unit> Init::start(StartOrder order, std::vector<UniqueFd>& fds,
                         std::vector<UniqueFd>& listeners) {
  const bool third = order.hold == Hold::kProgram || order.log;  // descriptor 3
  const std::size_t own = third ? 2 : 1;
  keep_ = order.keep;
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
  order_ = {std::move(order.argv),
            std::move(order.environment),
            std::move(order.working_directory),
            order.max_files,
            setup_.cgroup.pids.empty() && !setup_.cgroup.v2_controllers ? order.max_processes : 0,
            setup_.cgroup.memory.empty() && !setup_.cgroup.v2_controllers ? order.memory_bytes : 0,
            third};
  fds.resize(own);
  program_fds_ = std::move(fds);
  if (order.hold == Hold::kInit) return Unit{};
  TRY(release_runner());
  if (order.hold == Hold::kNone) keep_capabilities(kAfterwards);
  return Unit{};
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
    if (order_.data_bytes && order.memory_bytes) order_.data_bytes = order.memory_bytes;
    if (order.release) TRY(release_runner());
  }
  keep_capabilities(kAfterwards);
  return Unit{};
}

Result<Unit> Init::release_runner() {
  std::vector<int> numbers;
  for (const auto& fd : program_fds_) numbers.push_back(fd.get());
  const int why = order_runner(runner_, order_, numbers);
  program_fds_.clear();
  limits_ = {{}, {}, "", order_.max_files, order_.max_processes, order_.data_bytes, false};
  order_ = {};
  if (why) return sys_fail("hand over the program", why);
  return Unit{};
}

// One more process: with what the program was given, and nothing more.
Result<Unit> Init::spawn(std::uint32_t id, ProcessOrder order, std::vector<UniqueFd>& fds) {
  if (fds.size() != (order.log ? 2u : 1u) || beside_.contains(id) || !user_namespace_)
    return fail(std::string(errc::kInvalid), "descriptors are missing", 500);
  TRY_ASSIGN(Runner runner, fork_beside(user_namespace_.get(), setup_.cgroup, setup_.filter));
  RunOrder run = program_fds_.empty() ? limits_ : order_;
  run.argv = std::move(order.argv);
  run.environment = std::move(order.environment);
  run.working_directory = std::move(order.working_directory);
  run.hold = order.log;
  std::vector<int> numbers;
  for (const auto& fd : fds) numbers.push_back(fd.get());
  if (const int why = order_runner(runner, run, numbers)) {
    ::close(runner.socket);
    ::kill(runner.pid, SIGKILL);
    return sys_fail("hand over a process", why);
  }
  beside_.emplace(id, runner);
  return Unit{};
}

// All but init: killed, and reaped here, so that nothing is left when this is answered.
Result<Unit> Init::clear() {
  if (!keep_) return fail(std::string(errc::kInvalid), "the sandbox is not kept", 500);
  ::kill(-1, SIGKILL);
  if (!setup_.cgroup.freezer.empty()) thaw_cgroup(setup_.cgroup);
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, 0)) > 0 || errno == EINTR;)
    if (pid > 0) reaped(pid, status);
  return Unit{};
}

void Init::ended(const Runner& runner, int status, std::optional<std::uint32_t> id) {
  ExitReport report;
  report.exit.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  report.exit.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  report.exit.execute_errno = runner_failure(runner);
  const auto kills = oom_kills(setup_.cgroup);
  report.exit.out_of_memory = kills > std::exchange(oom_kills_, kills);
  report.usage = cgroup_usage(setup_.cgroup);
  Writer out;
  out.put(id ? Verb::kEnded : Verb::kExited);
  if (id) out.put(*id);
  report.encode(out);
  send_packet(setup_.launcher_fd, out.bytes());
}

void Init::reaped(pid_t pid, int status) {
  if (pid == runner_.pid && !main_ended_) {
    main_ended_ = true;
    ended(runner_, status, std::nullopt);
    if (!keep_) end(0);
    return;
  }
  for (auto each = beside_.begin(); each != beside_.end(); ++each) {
    if (each->second.pid != pid) continue;
    ended(each->second, status, each->first);
    ::close(each->second.socket);
    beside_.erase(each);
    return;
  }
}

void Init::reap() {
  signalfd_siginfo ignored;
  while (::read(child_signals_.get(), &ignored, sizeof ignored) > 0) {
  }
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) reaped(pid, status);
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
  out.put(targets).put(argv).put(environment).put(keep).put(log);
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
  order.keep = in.get<bool>();
  order.log = in.get<bool>();
  return order;
}

void ProcessOrder::encode(Writer& out) const {
  out.put(argv).put(environment).put(working_directory).put(log);
}

ProcessOrder ProcessOrder::decode(Reader& in) {
  ProcessOrder order;
  order.argv = in.list();
  order.environment = in.list();
  order.working_directory = in.text();
  order.log = in.get<bool>();
  return order;
}

void AssignOrder::encode(Writer& out) const {
  out.put(working_directory).put(memory_bytes).put(tmp_bytes).put(cpu_millis);
  out.put(targets).put(argv).put(environment).put(release);
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
  order.release = in.get<bool>();
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
