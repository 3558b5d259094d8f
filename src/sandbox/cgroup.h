// Control groups in the three layouts: v1 hierarchies, v2, and hybrid (v1 controllers with an empty
// v2 tree, which is used for starting in a group, killing and freezing). Cgroups is one instance's
// folder in each hierarchy; every sandbox has a group of its own name below. Plain file operations,
// each some microseconds, from any process or thread.
#pragma once

#include <string>
#include <vector>

#include "sandbox/sandbox.h"
#include "sandbox/unique_fd.h"
#include "sandbox/wire.h"

namespace pileus::sandbox {

enum class CgroupChoice { kAuto, kV1Only, kNone };  // the last two are for tests

// Where one sandbox's group is in each hierarchy; "" where there is none.
struct CgroupPaths {
  std::string memory, cpu, cpuacct, pids, freezer;  // v1
  std::string unified;                              // v2
  bool v2_controllers = false;                      // memory, cpu and pids are v2's
  bool empty() const { return memory.empty() && pids.empty() && cpu.empty() && unified.empty(); }
  std::vector<std::string> folders() const;  // each once
};

class Cgroups {
 public:
  Cgroups() = default;
  // Finds the hierarchies and makes this instance's folders ("pileus-<pid>-<start time>"). Folders
  // of instances that are no longer alive are emptied and removed first.
  static Cgroups create(CgroupChoice choice, pid_t owner, std::vector<std::string>& missing);
  static Cgroups decode(Reader& in);
  void encode(Writer& out) const;

  const std::string& kind() const { return kind_; }  // "v1", "v2", "hybrid", "none"
  bool memory() const { return !base_.memory.empty() || base_.v2_controllers; }
  bool cpu() const { return !base_.cpu.empty() || base_.v2_controllers; }
  bool pids() const { return !base_.pids.empty() || base_.v2_controllers; }
  bool freezer() const { return !base_.unified.empty() || !base_.freezer.empty(); }

  CgroupPaths paths(std::string_view name) const;
  bool make(std::string_view name) const;    // false: at least one refused
  bool remove(std::string_view name) const;  // false: still busy
  void remove_all() const;                   // the instance's folders, with what is in them

 private:
  std::string kind_ = "none";
  CgroupPaths base_;
};

// The operations on one group.
void enter_cgroup(const CgroupPaths& group);   // this process, all but the v1 freezer
void enter_freezer(const CgroupPaths& group);  // this process, v1 freezer
Result<Unit> limit_memory(const CgroupPaths& group, std::uint64_t bytes);
Result<Unit> limit_cpu(const CgroupPaths& group, std::uint32_t millis);
Result<Unit> limit_processes(const CgroupPaths& group, std::uint32_t count);
int freeze_cgroup(const CgroupPaths& group);  // 0 or errno; then ask frozen_cgroup
bool frozen_cgroup(const CgroupPaths& group);
int thaw_cgroup(const CgroupPaths& group);
Usage cgroup_usage(const CgroupPaths& group);
std::uint64_t oom_kills(const CgroupPaths& group);

// The peak of memory since the last reset. v2 keeps a peak per open file, so the file stays open.
class PeakMeter {
 public:
  void reset(const CgroupPaths& group);
  std::uint64_t read(const CgroupPaths& group, std::uint64_t group_peak);

 private:
  UniqueFd file_;
};

// For tests of v2 without a v2 machine: the group's files are looked for in this folder.
CgroupPaths v2_paths(const std::string& folder);

}  // namespace pileus::sandbox
