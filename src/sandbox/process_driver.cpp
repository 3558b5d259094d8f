#include "sandbox/process_driver.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/task_group.h"
#include "base/text.h"
#include "sandbox/link.h"
#include "sandbox/sys.h"

namespace pileus::sandbox {
namespace {

constexpr std::size_t kMaxMounts = 64;
constexpr std::size_t kMaxListeners = 16;
constexpr std::size_t kMaxEnvironment = 1u << 20;  // what fits into the hold pipe
constexpr std::uint64_t kLeastTmp = 4ull << 20, kMostTmp = 64ull << 30;
constexpr Duration kFreezePatience = std::chrono::seconds(2);

using Environment = std::vector<std::pair<std::string, std::string>>;

std::vector<std::string> joined(const Environment& environment) {
  std::vector<std::string> out;
  for (const auto& [key, value] : environment) out.push_back(str(key, '=', value));
  return out;
}

std::unexpected<Error> invalid(std::string message) {
  return fail(std::string(errc::kInvalid), std::move(message));
}

Result<Unit> check_mounts(const std::vector<Mount>& mounts) {
  if (mounts.size() > kMaxMounts) return invalid(str("more than ", kMaxMounts, " mounts"));
  for (const auto& mount : mounts) {
    if (!mount.source.starts_with("/"))
      return invalid(str("mount source ", mount.source, " is not absolute"));
    if (!mount.target.starts_with("/") || mount.target.size() < 2 ||
        mount.target.find("/../") != std::string::npos || mount.target.ends_with("/.."))
      return invalid(str("mount target ", mount.target, " is not an absolute path"));
  }
  return Unit{};
}

Result<Unit> check_environment(const Environment& environment) {
  std::size_t size = 0;
  for (const auto& [key, value] : environment) {
    size += key.size() + value.size() + 2;
    if (key.empty() || key.find('=') != std::string::npos || key.find('\0') != std::string::npos ||
        value.find('\0') != std::string::npos)
      return invalid(
          str("environment variable ", key, " has no name, or a '=' or a zero byte in it"));
  }
  if (size > kMaxEnvironment) return invalid("the environment is larger than 1 MiB");
  return Unit{};
}

Result<Unit> check(const Spec& spec) {
  TRY(check_mounts(spec.mounts));
  TRY(check_environment(spec.environment));
  if (!spec.root.empty() && !spec.root.starts_with("/"))
    return invalid(str("root ", spec.root, " is not absolute"));
  if (spec.root.find_first_of(":,\\") != std::string::npos)
    return invalid(str("root ", spec.root, " has a colon, comma or backslash in it"));
  if (spec.listeners.size() > kMaxListeners)
    return invalid(str("more than ", kMaxListeners, " listeners"));
  if (spec.argv.empty() && spec.hold != Hold::kInit) return invalid("there is no program to run");
  if (!spec.argv.empty() && !spec.argv[0].starts_with("/"))
    return invalid(str("program ", spec.argv[0], " is not an absolute path"));
  if (!spec.zygote.empty() && spec.hold != Hold::kProgram)
    return invalid("only a held program can be the fork of a zygote");
  if (spec.tmp_bytes < kLeastTmp || spec.tmp_bytes > kMostTmp)
    return invalid("/tmp is 4 MiB to 64 GiB");
  if (spec.hostname.empty() || spec.hostname.size() > 63)
    return invalid("a host name has 1 to 63 characters");
  if (spec.max_processes == 0 || spec.max_files < 16 || spec.cpu_millis == 0)
    return invalid("limits of processes, files and CPU must leave something");
  return Unit{};
}

std::vector<Source> sources(const std::vector<Mount>& mounts) {
  std::vector<Source> out;
  for (const auto& mount : mounts) out.push_back({mount.source, mount.read_only});
  return out;
}

std::vector<std::string> targets(const std::vector<Mount>& mounts) {
  std::vector<std::string> out;
  for (const auto& mount : mounts) out.push_back(mount.target);
  return out;
}

struct Pipe {
  UniqueFd read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return sys_fail("make a pipe");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

class ProcessSandbox final : public Sandbox {
 public:
  ProcessSandbox(std::shared_ptr<Link> link, std::uint64_t handle, std::string id, Hold hold)
      : link_(std::move(link)), handle_(handle), id_(std::move(id)), hold_(hold) {}
  ~ProcessSandbox() override { link_->forget(handle_); }

  const std::string& id() const override { return id_; }
  int listener_fd(std::string_view name) override {
    const auto found = listeners_.find(name);
    return found == listeners_.end() ? -1 : found->second.release();
  }
  int output_fd() override { return output_.release(); }
  Task<Result<Unit>> assign(Assignment assignment) override;
  Task<Result<Exit>> wait() override { co_return co_await link_->expect_exit(handle_); }
  void kill() override { link_->kill(handle_); }
  void signal(int number) override {
    link_->send(Writer().put(Ask::kSignal).put(handle_).put(std::int32_t(number)).bytes());
  }
  Task<Result<Unit>> freeze() override;
  Task<Result<Unit>> thaw() override;
  Usage usage() override;
  void reset_peak() override;

 private:
  Result<Unit> hand_over(const Environment& environment);
  friend class ProcessDriverImpl;
  std::shared_ptr<Link> link_;  // shared with the driver: a sandbox may outlive it for a moment
  const std::uint64_t handle_;
  const std::string id_;
  const Hold hold_;
  bool assigned_ = false;
  CgroupPaths group_;
  std::map<std::string, UniqueFd, std::less<>> listeners_;
  UniqueFd output_, hold_pipe_;
  PeakMeter peak_;
};

// The template of an unusual size of /tmp is made before its first use; later ones find it.
Task<Result<Unit>> ensure_template(std::shared_ptr<Link> link, std::uint64_t bytes) {
  if (link->has_template(bytes)) co_return Unit{};
  const auto handle = link->next_handle();
  auto done = link->expect_done(handle);
  link->send(Writer().put(Ask::kTemplate).put(handle).put(bytes).bytes());
  CO_TRY(co_await done);
  link->add_template(bytes);
  co_return Unit{};
}

Task<Result<Unit>> ProcessSandbox::assign(Assignment assignment) {
  if (hold_ == Hold::kNone) co_return invalid("a sandbox that was not held takes no assignment");
  if (std::exchange(assigned_, true)) co_return invalid("the sandbox has its assignment already");
  CO_TRY(check_mounts(assignment.mounts));
  CO_TRY(check_environment(assignment.environment));
  if (assignment.tmp_bytes) CO_TRY(co_await ensure_template(link_, assignment.tmp_bytes));
  AssignOrder order;
  order.working_directory = assignment.working_directory;
  order.memory_bytes = assignment.memory_bytes;
  order.tmp_bytes = assignment.tmp_bytes;
  order.cpu_millis = assignment.cpu_millis;
  order.targets = targets(assignment.mounts);
  if (hold_ == Hold::kInit) {
    order.argv = assignment.argv;
    order.environment = joined(assignment.environment);
  }
  Writer out;
  out.put(Ask::kAssign).put(handle_);
  encode_sources(out, sources(assignment.mounts));
  order.encode(out);
  auto done = link_->expect_assignment(handle_);
  link_->send(out.bytes());
  CO_TRY(co_await done);
  if (hold_ == Hold::kProgram) CO_TRY(hand_over(assignment.environment));
  co_return Unit{};
}

// Never blocks: the pipe is made large enough first.
Result<Unit> ProcessSandbox::hand_over(const Environment& environment) {
  std::string text;
  for (const auto& variable : joined(environment)) text.append(variable).push_back('\0');
  if (text.size() > 65536 &&
      ::fcntl(hold_pipe_.get(), F_SETPIPE_SZ, static_cast<int>(kMaxEnvironment)) < 0)
    return sys_fail("enlarge the pipe of the assignment");
  const ssize_t written = ::write(hold_pipe_.get(), text.data(), text.size());
  const int why = errno;
  hold_pipe_.reset();
  if (written != static_cast<ssize_t>(text.size()))
    return sys_fail("hand over the assignment", why);
  return Unit{};
}

Task<Result<Unit>> ProcessSandbox::freeze() {
  const int why = freeze_cgroup(group_);
  if (why) co_return sys_fail("freeze", why);
  Duration waited{0};
  for (Duration pause{20}; !frozen_cgroup(group_); pause = std::min(pause * 2, Duration(2000))) {
    if (waited > kFreezePatience || link_->exited(handle_)) {
      thaw_cgroup(group_);
      co_return fail(std::string(errc::kIo), "the sandbox does not freeze", 500);
    }
    CO_TRY(co_await sleep_for(pause));
    waited += pause;
  }
  co_return Unit{};
}

Task<Result<Unit>> ProcessSandbox::thaw() {
  if (const int why = thaw_cgroup(group_)) co_return sys_fail("thaw", why);
  co_return Unit{};
}

Usage ProcessSandbox::usage() {
  if (const auto report = link_->exited(handle_)) return report->usage;
  Usage usage = cgroup_usage(group_);
  usage.memory_peak_bytes = peak_.read(group_, usage.memory_peak_bytes);
  return usage;
}

void ProcessSandbox::reset_peak() { peak_.reset(group_); }

class ProcessDriverImpl final : public ProcessDriver {
 public:
  ProcessDriverImpl(Launcher& launcher, ProcessOptions options)
      : link_(std::make_shared<Link>(launcher.socket(), std::move(options.on_launcher_death))) {
    LauncherOptions wishes{str(options.state_dir, "/sandbox"),
                           options.pool,
                           options.pool_most,
                           options.zygote_bytes,
                           options.tmp_bytes,
                           options.cgroups,
                           options.outbound,
                           options.tmp_images};
    Writer out;
    out.put(Ask::kConfigure).put(std::uint64_t(0));
    wishes.encode(out);
    link_->send(out.bytes());
    link_->add_template(options.tmp_bytes);
  }
  ~ProcessDriverImpl() override { link_->stop(); }

  Task<Result<std::unique_ptr<Sandbox>>> start(Spec spec) override;
  const Capabilities& capabilities() const override { return link_->ready().capabilities; }
  Task<Result<Unit>> settle() override;
  void end_zygotes() override {
    link_->send(Writer().put(Ask::kEndZygotes).put(std::uint64_t(0)).bytes());
  }

 private:
  std::shared_ptr<Link> link_;  // see ProcessSandbox
};

StartOrder to_order(Spec& spec) {
  StartOrder order;
  order.hold = spec.hold;
  order.hostname = spec.hostname;
  order.working_directory = spec.working_directory;
  order.memory_bytes = spec.memory_bytes;
  order.tmp_bytes = spec.tmp_bytes;
  order.cpu_millis = spec.cpu_millis;
  order.max_processes = spec.max_processes;
  order.max_files = spec.max_files;
  order.listeners = spec.listeners;
  order.targets = targets(spec.mounts);
  order.argv = spec.argv;
  order.environment = joined(spec.environment);
  return order;
}

Task<Result<std::unique_ptr<Sandbox>>> ProcessDriverImpl::start(Spec spec) {
  CO_TRY(check(spec));
  CO_TRY(co_await ensure_template(link_, spec.tmp_bytes));
  const auto handle = link_->next_handle();
  auto sandbox = std::make_unique<ProcessSandbox>(link_, handle, spec.id, spec.hold);
  std::vector<UniqueFd> fds;
  CO_TRY_ASSIGN(Pipe output, make_pipe());
  ::fcntl(output.read.get(), F_SETFL, O_NONBLOCK);
  sandbox->output_ = std::move(output.read);
  fds.push_back(std::move(output.write));
  if (spec.hold == Hold::kProgram) {
    CO_TRY_ASSIGN(Pipe hold, make_pipe());
    ::fcntl(hold.write.get(), F_SETFL, O_NONBLOCK);
    sandbox->hold_pipe_ = std::move(hold.write);
    fds.push_back(std::move(hold.read));
  }
  Writer out;
  out.put(Ask::kStart).put(handle).put(spec.root).put(spec.outbound == Outbound::kNat);
  out.put(spec.zygote);
  encode_sources(out, sources(spec.mounts));
  to_order(spec).encode(out);
  if (out.bytes().size() > kMaxPacket) co_return invalid("the specification is larger than 16 MiB");
  auto waiting = link_->expect_start(handle);
  link_->send(out.bytes(), std::move(fds));
  CO_TRY_ASSIGN(Started started, co_await waiting);
  sandbox->group_ = link_->ready().cgroups.paths(started.group);
  for (std::size_t i = 0; i < started.listeners.size() && i < spec.listeners.size(); ++i)
    sandbox->listeners_.emplace(spec.listeners[i].name, std::move(started.listeners[i]));
  co_return std::unique_ptr<Sandbox>(std::move(sandbox));
}

Task<Result<Unit>> ProcessDriverImpl::settle() {
  const auto handle = link_->next_handle();
  auto done = link_->expect_done(handle);
  link_->send(Writer().put(Ask::kSettle).put(handle).bytes());
  co_return co_await done;
}

}  // namespace

std::unique_ptr<ProcessDriver> make_process_driver(Launcher& launcher, ProcessOptions options) {
  return std::make_unique<ProcessDriverImpl>(launcher, std::move(options));
}

}  // namespace pileus::sandbox
