// The launcher's own side: one thread, one epoll. It never waits for a sandbox: a start is a clone3
// (or a shell from the pool) and a packet to its init, which does the work in its own process.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "sandbox/channel.h"
#include "sandbox/launcher.h"
#include "sandbox/network_ns.h"
#include "sandbox/zygote.h"

namespace pileus::sandbox {

using Steady = std::chrono::steady_clock;

inline constexpr auto kRefillDelay =
    std::chrono::milliseconds(5);  // after a start: it has the cores first
inline constexpr auto kLearnedLife =
    std::chrono::seconds(60);  // of prepared sandboxes for other roots
inline constexpr auto kStartsWindow = std::chrono::seconds(10);  // starts in it size the pool

// What has to be known before a sandbox can be prepared.
struct Key {
  std::string root;
  bool nat = false;
  bool operator<(const Key& other) const {
    return std::tie(root, nat) < std::tie(other.root, other.nat);
  }
  bool operator==(const Key&) const = default;
};

inline constexpr std::uint64_t kServerEvent = 1, kChildEvent = 2, kZygoteEvent = 3,
                               kFirstShell = 16;

struct Shell {
  unsigned index = 0;
  pid_t pid = -1;
  UniqueFd socket;
  Key key;
  std::uint64_t handle = 0;  // 0: in the pool
  bool prepared = false, started = false, exited = false, dying = false;
  std::string failure;
  UniqueFd runner;               // the pidfd of its runner, until the program is started
  std::optional<ForkWish> fork;  // wished for, and not passed on yet: it is not prepared
  ZygoteSpec zygote;             // of what
  pid_t forked_by = -1;
  bool adopted = false;            // init says that the fork has come
  pid_t program = -1;              // of the fork, our child
  std::optional<int> program_end;  // its status, not told yet
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
  UniqueFd wish_fork(Shell& shell, ZygoteSpec spec);
  void pass_fork_on(Shell& shell);
  void hear_zygotes();
  void end_orphans();
  bool program_reaped(pid_t pid, int status);
  void program_ended(Shell& shell);
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
  std::uint32_t wanted_shells() const;
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
  Zygotes zygotes_;
  std::map<pid_t, std::uint64_t> programs_;  // forks of zygotes: the handle of their sandbox
  std::map<pid_t, int> unknown_;             // ended before their zygote has told of them
  std::deque<Steady::time_point> starts_;    // of the usual key, lately
  std::vector<std::uint64_t> settling_;
  unsigned next_index_ = 0;
  Steady::time_point refill_at_{};
  unsigned failures_ = 0;  // shells that could not be prepared, in a row
};

}  // namespace pileus::sandbox
