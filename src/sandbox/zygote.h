// Zygotes: processes with an interpreter loaded, no code of a customer, and one thread, that fork
// into prepared sandboxes on request (zygote_entry.cpp). A table in the launcher: at most one for
// each program and tenant, begun when starts of it come close together, ended when it is idle, all
// within a budget of memory. Files, processes and network of the machine are out of a zygote's
// sight: it has a root like a sandbox's, an empty /proc and a network namespace with nothing in it.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "sandbox/init.h"
#include "sandbox/zygote_entry.h"

namespace pileus::sandbox {

// What is forked: equal definitions only share a zygote, whatever their name.
struct ZygoteSpec {
  std::string name;  // Spec::zygote
  std::string root;
  std::vector<std::string> sources, targets, argv, environment;
  auto operator<=>(const ZygoteSpec&) const = default;
};

// One fork that is wished for. Until it is asked for it can be dropped: closing `init` is enough.
struct ForkWish {
  std::uint64_t handle = 0;
  UniqueFd runner, init;  // the runner's pidfd; the socket of which init has the other end
  std::vector<UniqueFd> groups;
  bool into_unified = false;  // the first of the groups is v2's
};

class Zygotes {
 public:
  using Steady = std::chrono::steady_clock;
  struct Machine {
    std::string scratch;  // of root_fs.h
    std::uint64_t budget_bytes = 0;
  };
  void configure(Machine machine) { machine_ = std::move(machine); }

  // Whether a start of this program shall be a fork: there is a zygote, or one is being started, or
  // is now, because the program was started lately. Counts as a use.
  bool wanted(const ZygoteSpec& spec);
  // After wanted(). The pid of the zygote that will do it; -1: there is none, the wish is dropped.
  pid_t fork(const ZygoteSpec& spec, ForkWish wish);
  bool has(pid_t zygote) const;
  struct Forked {
    std::uint64_t handle = 0;
    pid_t pid = -1;
  };
  // What the zygotes have said; a descriptor of theirs was readable, or a child ended.
  std::vector<Forked> hear();
  void ended(pid_t zygote);
  int take_new_socket();  // to be watched; -1: none
  void tend(Steady::time_point now);
  Steady::time_point due() const;
  bool settled() const;  // none is being started or ended
  void end_all();        // once they have done what they were asked
  void kill_all();

 private:
  struct Zygote {
    pid_t pid = -1;
    UniqueFd socket;
    bool ready = false, dying = false;
    Steady::time_point begun{}, used{};
    std::uint64_t bytes = 0;
    std::vector<ForkWish> waiting;
  };
  bool make_room(Steady::time_point now);
  bool begin(const ZygoteSpec& spec, Steady::time_point now);
  void ask(Zygote& zygote, ForkWish wish);
  void end(Zygote& zygote);
  std::uint64_t bytes_in_use() const;

  Machine machine_;
  std::map<ZygoteSpec, Zygote> zygotes_;
  std::map<ZygoteSpec, Steady::time_point> lately_;  // bare starts; kept for kWindow
  int new_socket_ = -1;
};

// The library that zygotes load, as built; written to `path` by the launcher once.
Result<Unit> write_zygote_library(const std::string& path);

}  // namespace pileus::sandbox
