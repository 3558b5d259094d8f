// Init: process 1 of a sandbox. A child of the launcher, with at most some hundred KB of its own.
// It builds the sandbox around itself ahead of need (a "shell"), forks the runner that will execute
// the program, then obeys the launcher over one socket: start, assign, signal. It reaps what is
// orphaned, reports how the program ended, and when it ends the kernel ends everything in it.
#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

#include "sandbox/cgroup.h"
#include "sandbox/network_ns.h"
#include "sandbox/tmp_image.h"

namespace pileus::sandbox {

// Packets between launcher and init. The first byte is the verb.
enum class Verb : std::uint8_t {
  kStart = 1,  // → whether a fork comes, StartOrder, descriptors: output, [hold pipe], [socket to
               //   the fork], mounts…
  kAssign,     // → AssignOrder, descriptors: mounts…
  kSignal,     // → number
  kPrepared,  // ← what could not be had: outbound, tmp image ("" when it could), the runner's pidfd
  kStarted,   // ← whether the fork has come, error or "", descriptors: listeners
  kAssigned,  // ← error or ""
  kExited,    // ← code, signal, out of memory, errno of execve, usage
};

struct StartOrder {
  Hold hold = Hold::kNone;
  std::string hostname, working_directory;
  std::uint64_t memory_bytes = 0, tmp_bytes = 0;
  std::uint32_t cpu_millis = 0, max_processes = 0, max_files = 0;
  std::vector<ListenerSpec> listeners;
  std::vector<std::string> targets;  // of the mounts
  std::vector<std::string> argv, environment;
  void encode(Writer& out) const;
  static StartOrder decode(Reader& in);
};

struct AssignOrder {
  std::string working_directory;
  std::uint64_t memory_bytes = 0, tmp_bytes = 0;
  std::uint32_t cpu_millis = 0;
  std::vector<std::string> targets, argv, environment;
  void encode(Writer& out) const;
  static AssignOrder decode(Reader& in);
};

struct ExitReport {
  Exit exit;
  Usage usage;
  void encode(Writer& out) const;
  static ExitReport decode(Reader& in);
};

// What init inherits from the launcher. The references live in the launcher's memory, of which
// init has its copy.
struct InitSetup {
  int launcher_fd = -1;
  unsigned index = 0;   // of the shell: names, addresses and the host uid derive from it
  std::string scratch;  // the prepared tmpfs of root_fs.h
  std::string images;   // folder of the /tmp templates
  std::string root;
  std::uint64_t tmp_bytes = 0;
  bool tmp_image = true;   // else tmpfs
  bool privileged = true;  // false: inside the launcher's own user namespace
  bool may_lack = false;   // the first one: what it cannot have is reported, not fatal
  const HostNetwork* nat = nullptr;
  CgroupPaths cgroup;
  bool cgroup_entered = false;  // CLONE_INTO_CGROUP did the v2 part
  const std::vector<sock_filter>* filter = nullptr;
};

inline constexpr unsigned kFirstHostUid = 0x70000000;

[[noreturn]] void run_init(InitSetup setup);

}  // namespace pileus::sandbox
