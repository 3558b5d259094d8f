#include "sandbox/zygote.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "sandbox/channel.h"
#include "sandbox/root_fs.h"
#include "sandbox/sys.h"

namespace pileus::sandbox {

// Made by the build out of the shared library (cmake/zygote.cmake).
extern const unsigned char kZygoteLibraryBytes[];
extern const std::size_t kZygoteLibrarySize;

namespace {

constexpr auto kWindow = std::chrono::seconds(10);  // two starts in it: a zygote pays
constexpr auto kIdleLife = std::chrono::seconds(60);
constexpr auto kStartLimit = std::chrono::seconds(5);
constexpr std::uint64_t kUsualBytes = 24ull << 20;  // until one has been measured
constexpr std::size_t kMaxRemembered = 256;         // programs in lately_

// CAP_SETGID, SETUID, SETPCAP, SYS_CHROOT, SYS_ADMIN: what it takes to enter a sandbox and to
// become its user.
constexpr std::uint64_t kToEnter = 1ull << 6 | 1ull << 7 | 1ull << 8 | 1ull << 18 | 1ull << 21;

struct ZygoteSetup {
  const ZygoteSpec& spec;
  const std::string& scratch;
  int socket;
};

std::vector<char*> pointers(const std::vector<std::string>& list) {
  std::vector<char*> out;
  for (const auto& item : list) out.push_back(const_cast<char*>(item.c_str()));
  return out;
}

Result<Unit> enter_own_root(const ZygoteSetup& setup) {
  UniqueFd library(clone_mount(setup.scratch + "/enter.so", Access::kReadOnly));
  if (!library) return sys_fail("find the library of zygotes");
  std::vector<UniqueFd> mounts;
  for (const auto& source : setup.spec.sources) {
    mounts.emplace_back(clone_mount(source, Access::kReadOnly));
    if (!mounts.back()) return sys_fail(str("mount ", source));
  }
  TRY(enter_root(setup.scratch, setup.spec.root, ProcFs::kNone));
  const auto attach = [](int fd, const std::string& target) -> Result<Unit> {
    struct stat info{};
    if (::fstat(fd, &info) != 0) return sys_fail("look at a mount");
    TRY(make_mount_point(target, S_ISDIR(info.st_mode)));
    if (const int why = attach_mount(fd, target)) return sys_fail(str("mount ", target), why);
    return Unit{};
  };
  for (std::size_t i = 0; i < mounts.size(); ++i)
    TRY(attach(mounts[i].get(), setup.spec.targets[i]));
  return attach(library.get(), kZygoteLibrary);
}

// The child of the launcher that becomes the zygote.
[[noreturn]] void run_zygote(ZygoteSetup setup) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setsid();
  const auto say = [](std::string_view why) {
    const std::string text = str("pileus: a zygote was not started: ", why, "\n");
    (void)!::write(2, text.data(), text.size());
  };
  ::prctl(PR_SET_DUMPABLE, 1);  // else an ordinary user may not write the next
  // As a program is: when the whole machine is short of memory it goes before the server.
  write_file("/proc/self/oom_score_adj", "500");
  if (const auto entered = enter_own_root(setup); !entered) {
    say(entered.error().message());
    ::_exit(125);
  }
  const int socket = ::fcntl(setup.socket, F_DUPFD, 100);
  ::dup2(socket, kZygoteSocket);
  close_all_but({kZygoteSocket});
  for (int number = 1; number < 65; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  keep_capabilities(kToEnter);
  auto argv = pointers(setup.spec.argv);
  static char zygote[] = "--zygote";
  argv.push_back(zygote);
  argv.push_back(nullptr);
  auto environment = pointers(setup.spec.environment);
  environment.push_back(nullptr);
  ::execve(argv[0], argv.data(), environment.data());
  say(std::strerror(errno));
  ::_exit(126);
}

// What a process has for itself, not shared with a file.
std::uint64_t own_bytes(pid_t pid) {
  const auto text = read_small_file(str("/proc/", pid, "/statm"));
  const auto fields = split(text, ' ');
  if (fields.size() < 3) return kUsualBytes;
  const auto resident = parse_int(fields[1]).value_or(0);
  const auto shared = parse_int(fields[2]).value_or(0);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(1, resident - shared)) * 4096;
}

}  // namespace

Result<Unit> write_zygote_library(const std::string& path) {
  return make_file(
      path,
      std::string_view(reinterpret_cast<const char*>(kZygoteLibraryBytes), kZygoteLibrarySize),
      0444);
}

std::uint64_t Zygotes::bytes_in_use() const {
  std::uint64_t sum = 0;
  for (const auto& [spec, zygote] : zygotes_) sum += zygote.bytes;
  return sum;
}

// Ends the one unused for longest, where that makes room: not one that is in use right now.
bool Zygotes::make_room(Steady::time_point now) {
  for (auto& [spec, zygote] : zygotes_)
    if (zygote.ready && !zygote.dying) zygote.bytes = own_bytes(zygote.pid);
  if (bytes_in_use() + kUsualBytes <= machine_.budget_bytes) return true;
  Zygote* oldest = nullptr;
  for (auto& [spec, zygote] : zygotes_)
    if (zygote.ready && !zygote.dying && now - zygote.used > kWindow &&
        (!oldest || zygote.used < oldest->used))
      oldest = &zygote;
  if (oldest) end(*oldest);
  return false;  // there is room when it is gone: the next start finds it
}

bool Zygotes::wanted(const ZygoteSpec& spec) {
  const auto now = Steady::now();
  if (const auto found = zygotes_.find(spec); found != zygotes_.end()) {
    found->second.used = now;
    return !found->second.dying;
  }
  std::erase_if(lately_, [&](const auto& item) { return now - item.second > kWindow; });
  if (!lately_.contains(spec)) {
    if (lately_.size() < kMaxRemembered) lately_.emplace(spec, now);
    return false;
  }
  return make_room(now) && begin(spec, now);
}

bool Zygotes::begin(const ZygoteSpec& spec, Steady::time_point now) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return false;
  UniqueFd own(ends[0]);
  UniqueFd other(ends[1]);
  const pid_t pid = clone_process(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
  if (pid < 0) return false;
  if (pid == 0) run_zygote({spec, machine_.scratch, other.get()});
  Zygote& zygote = zygotes_[spec];
  zygote.pid = pid;
  new_socket_ = own.get();
  zygote.socket = std::move(own);
  zygote.begun = zygote.used = now;
  zygote.bytes = kUsualBytes;
  return true;
}

pid_t Zygotes::fork(const ZygoteSpec& spec, ForkWish wish) {
  const auto found = zygotes_.find(spec);
  if (found == zygotes_.end() || found->second.dying) return -1;
  if (found->second.ready)
    ask(found->second, std::move(wish));
  else
    found->second.waiting.push_back(std::move(wish));
  return found->second.pid;
}

bool Zygotes::has(pid_t zygote) const {
  return std::any_of(zygotes_.begin(), zygotes_.end(),
                     [&](const auto& item) { return item.second.pid == zygote; });
}

// A zygote that does not keep up has its socket full: then the runner goes on instead.
void Zygotes::ask(Zygote& zygote, ForkWish wish) {
  zygote.used = Steady::now();
  const ForkRequest request{wish.handle, static_cast<std::uint32_t>(wish.groups.size()),
                            wish.into_unified ? 1u : 0u};
  std::vector<int> fds{wish.runner.get(), wish.init.get()};
  for (const auto& group : wish.groups) fds.push_back(group.get());
  send_packet(zygote.socket.get(), Writer().put(request).bytes(), fds, MSG_DONTWAIT);
}

std::vector<Zygotes::Forked> Zygotes::hear() {
  std::vector<Forked> out;
  for (auto& [spec, zygote] : zygotes_) {
    Packet packet;
    Received received = Received::kNothing;
    while (zygote.socket && (received = receive_packet(zygote.socket.get(), packet,
                                                       MSG_DONTWAIT)) == Received::kPacket) {
      const auto reply = Reader(packet.bytes).get<ForkReply>();
      if (reply.handle != 0) {
        if (reply.pid > 0) out.push_back({reply.handle, reply.pid});
        continue;
      }
      if (zygote.dying) continue;
      zygote.ready = true;
      zygote.bytes = own_bytes(zygote.pid);
      for (auto& wish : std::exchange(zygote.waiting, {})) ask(zygote, std::move(wish));
    }
    if (received == Received::kEnd) {
      end(zygote);
      zygote.socket.reset();
    }
  }
  return out;
}

// It hears the end of its socket after what it was asked before, and its answers are still heard:
// whose parent we are must be known. One that is not ready has nothing to do.
void Zygotes::end(Zygote& zygote) {
  zygote.dying = true;
  zygote.waiting.clear();
  if (!zygote.ready) ::kill(zygote.pid, SIGKILL);
  if (zygote.socket) ::shutdown(zygote.socket.get(), SHUT_WR);
}

void Zygotes::ended(pid_t zygote) {
  std::erase_if(zygotes_, [&](const auto& item) { return item.second.pid == zygote; });
}

int Zygotes::take_new_socket() { return std::exchange(new_socket_, -1); }

void Zygotes::tend(Steady::time_point now) {
  for (auto& [spec, zygote] : zygotes_)
    if (!zygote.dying &&
        (zygote.ready ? now - zygote.used > kIdleLife : now - zygote.begun > kStartLimit))
      end(zygote);
}

Zygotes::Steady::time_point Zygotes::due() const {
  auto due = Steady::time_point::max();
  for (const auto& [spec, zygote] : zygotes_)
    if (!zygote.dying)
      due = std::min(due, zygote.ready ? zygote.used + kIdleLife : zygote.begun + kStartLimit);
  return due;
}

bool Zygotes::settled() const {
  return std::none_of(zygotes_.begin(), zygotes_.end(),
                      [](const auto& item) { return item.second.dying || !item.second.ready; });
}

void Zygotes::kill_all() {
  for (auto& [spec, zygote] : zygotes_) ::kill(zygote.pid, SIGKILL);
}

void Zygotes::end_all() {
  for (auto& [spec, zygote] : zygotes_)
    if (!zygote.dying) end(zygote);
}

}  // namespace pileus::sandbox
