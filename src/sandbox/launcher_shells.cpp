// The launcher's shells: made, kept ahead of need, heard, taken away.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "sandbox/init.h"
#include "sandbox/launcher_process.h"
#include "sandbox/sys.h"

namespace pileus::sandbox {
namespace {

constexpr std::size_t kMaxUnknown = 1024;
constexpr auto kCgroupRetry = std::chrono::milliseconds(20);
constexpr std::size_t kLearnedKeys = 4;
constexpr std::uint32_t kLearnedPool = 2;
constexpr unsigned kPreparingAtOnce = 2;

}  // namespace

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
  epoll_event event{EPOLLIN, {.u64 = index + kFirstShell}};
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
    // Only a start by fork has a use for the runner's descriptor.
    if (!packet.fds.empty() && (!shell.handle || shell.fork))
      shell.runner = std::move(packet.fds[0]);
    pass_fork_on(shell);
  } else if (verb == Verb::kStarted) {
    shell.started = true;
    shell.adopted = in.get<bool>();
    tell(Tell::kStarted, shell.handle, Writer().put(str("s", shell.index)).raw(in.rest()).bytes(),
         numbers);
    program_ended(shell);
    if (shell.adopted) end_orphans();
  } else if (verb == Verb::kAssigned) {
    tell(Tell::kAssigned, shell.handle, Writer().put("").raw(in.rest()).bytes());
  } else if (verb == Verb::kExited) {
    shell.exited = true;
    tell(Tell::kExited, shell.handle, in.rest());
  }
}

void LauncherProcess::reap() {
  signalfd_siginfo ignored;
  while (::read(signals_.get(), &ignored, sizeof ignored) > 0) {
  }
  hear_zygotes();
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (program_reaped(pid, status)) continue;
    if (zygotes_.has(pid)) {
      hear_zygotes();  // its last words
      zygotes_.ended(pid);
      end_orphans();
      continue;
    }
    if (auto made = templates_.find(pid); made != templates_.end()) {
      tell(Tell::kTemplate, made->second.first,
           Writer().put(template_complaint(made->second.second.get())).bytes());
      templates_.erase(made);
      continue;
    }
    const auto shell = std::find_if(shells_.begin(), shells_.end(),
                                    [&](const auto& item) { return item.second.pid == pid; });
    if (shell != shells_.end())
      ended(shell->second);
    else if (unknown_.size() < kMaxUnknown)
      unknown_[pid] = status;
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
  top_up({"", capabilities_.outbound}, wanted_shells());
  for (const auto& [key, used] : learned_) top_up(key, std::min(kLearnedPool, options_.pool));
}

// As many as were started lately, between the bounds.
std::uint32_t LauncherProcess::wanted_shells() const {
  const auto lately = static_cast<std::uint32_t>(starts_.size());
  return std::max(options_.pool, std::min(lately, options_.pool_most));
}

void LauncherProcess::tidy() {
  const auto now = Steady::now();
  zygotes_.tend(now);
  if (!starts_.empty() && starts_.front() + kStartsWindow <= now) {
    while (!starts_.empty() && starts_.front() + kStartsWindow <= now) starts_.pop_front();
    std::uint32_t spare = 0;
    for (auto& [index, shell] : shells_)
      if (!shell.handle && !shell.dying && shell.key == Key{"", capabilities_.outbound} &&
          ++spare > wanted_shells())
        kill_shell(shell);
  }
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

// --- forks of zygotes

// The socket to the fork that shall take the runner's place; none: the runner goes on.
UniqueFd LauncherProcess::wish_fork(Shell& shell, ZygoteSpec spec) {
  if (spec.name.empty() || !zygotes_.wanted(spec)) return {};
  if (const int fd = zygotes_.take_new_socket(); fd >= 0) {
    epoll_event event{EPOLLIN, {.u64 = kZygoteEvent}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  }
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return {};
  shell.fork.emplace();
  shell.fork->handle = shell.handle;
  shell.fork->init.reset(ends[1]);
  shell.zygote = std::move(spec);
  pass_fork_on(shell);
  return UniqueFd(ends[0]);
}

// To the zygote, once the sandbox is prepared: the fork enters what the runner is in.
void LauncherProcess::pass_fork_on(Shell& shell) {
  if (!shell.fork || !shell.runner) return;
  ForkWish wish = std::move(*shell.fork);
  shell.fork.reset();
  wish.runner = std::move(shell.runner);
  const auto paths = cgroups_.paths(str("s", shell.index));
  auto folders = paths.folders();
  wish.into_unified = !paths.unified.empty();
  if (wish.into_unified) {  // first
    std::erase(folders, paths.unified);
    folders.insert(folders.begin(), paths.unified);
  }
  for (const auto& folder : folders)
    wish.groups.emplace_back(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  shell.forked_by = zygotes_.fork(shell.zygote, std::move(wish));
  shell.zygote = {};
}

void LauncherProcess::hear_zygotes() {
  for (const auto& [handle, pid] : zygotes_.hear()) {
    const auto known = unknown_.find(pid);
    Shell* shell = by_handle(handle);
    if (shell) shell->program = pid;
    if (known == unknown_.end() || ::kill(pid, 0) == 0) {  // the second: another of that number
      programs_[pid] = handle;
    } else if (shell) {
      shell->program_end = known->second;
      program_ended(*shell);
    }
    if (known != unknown_.end()) unknown_.erase(known);
  }
}

// A zygote that was killed right after a fork has not told its pid, so its end would not be seen.
void LauncherProcess::end_orphans() {
  for (auto& [index, shell] : shells_)
    if (shell.adopted && shell.program < 0 && !shell.dying && !zygotes_.has(shell.forked_by))
      kill_shell(shell);
}

bool LauncherProcess::program_reaped(pid_t pid, int status) {
  const auto found = programs_.find(pid);
  if (found == programs_.end()) return false;
  if (Shell* shell = by_handle(found->second)) {
    shell->program_end = status;
    program_ended(*shell);
  }
  programs_.erase(found);
  return true;
}

// What init does for the runner. Only of a fork that init has adopted: one that failed before is no
// program's end, the runner goes on.
void LauncherProcess::program_ended(Shell& shell) {
  if (!shell.program_end || !shell.adopted || shell.exited) return;
  const int status = *shell.program_end;
  const auto paths = cgroups_.paths(str("s", shell.index));
  ExitReport report;
  report.exit.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  report.exit.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  report.exit.out_of_memory = oom_kills(paths) > 0;
  report.usage = cgroup_usage(paths);
  Writer out;
  report.encode(out);
  shell.exited = true;
  tell(Tell::kExited, shell.handle, out.bytes());
  kill_shell(shell);
}

// Nothing is being made or taken away any more, and the pool is full.
void LauncherProcess::maybe_settled() {
  if (settling_.empty() || !ready_ || refill_at_ != Steady::time_point{} || !unremoved_.empty() ||
      !zygotes_.settled())
    return;
  for (const auto& [index, shell] : shells_)
    if (shell.dying || shell.exited || (!shell.handle && !shell.prepared)) return;
  for (const auto handle : std::exchange(settling_, {})) tell(Tell::kSettled, handle);
}

}  // namespace pileus::sandbox
