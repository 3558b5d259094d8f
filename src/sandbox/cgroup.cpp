#include "sandbox/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "sandbox/sys.h"

namespace pileus::sandbox {
namespace {

constexpr std::uint32_t kPeriodMicros = 100'000;

// "0" enters the writer itself.
void enter(const std::string& folder) {
  if (!folder.empty()) write_file(folder + "/cgroup.procs", "0");
}

std::uint64_t number_in(const std::string& path) {
  return static_cast<std::uint64_t>(parse_int(trim(read_small_file(path))).value_or(0));
}

// The value of "key value" in a flat keyed file.
std::uint64_t keyed(const std::string& path, std::string_view key) {
  const std::string text = read_small_file(path);
  for (const auto line : split(text, '\n')) {
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ')
      return static_cast<std::uint64_t>(parse_int(trim(line.substr(key.size() + 1))).value_or(0));
  }
  return 0;
}

std::vector<std::string> child_folders(const std::string& folder) {
  std::vector<std::string> names;
  DIR* directory = ::opendir(folder.c_str());
  if (!directory) return names;
  while (dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(directory);
  return names;
}

// Kills what is in a group and removes it with its children. Patience: 2 s in all.
void empty_and_remove(const std::string& folder) {
  for (const auto& child : child_folders(folder)) empty_and_remove(str(folder, '/', child));
  for (int attempt = 0; attempt < 200; ++attempt) {
    if (::rmdir(folder.c_str()) == 0 || errno != EBUSY) return;
    write_file(folder + "/cgroup.kill", "1");
    for (const auto line : split(read_small_file(folder + "/cgroup.procs"), '\n'))
      if (const auto pid = parse_int(line); pid && *pid > 1)
        ::kill(static_cast<pid_t>(*pid), SIGKILL);
    write_file(folder + "/freezer.state", "THAWED");
    ::usleep(10'000);
  }
}

// "" for a process that is not there, or a zombie.
std::string start_time(pid_t pid) {
  const std::string stat = read_small_file(str("/proc/", pid, "/stat"));
  const auto end = stat.rfind(')');
  if (end == std::string::npos) return {};
  const auto fields = split(std::string_view(stat).substr(end + 1), ' ');
  return fields.size() > 20 && fields[1] != "Z" ? std::string(fields[20]) : std::string();
}

// Folders "pileus-<pid>-<start time>" whose process is gone.
void remove_stale(const std::string& base) {
  for (const auto& name : child_folders(base)) {
    const auto parts = split(name, '-');
    if (parts.size() != 3 || parts[0] != "pileus") continue;
    const auto pid = parse_int(parts[1]);
    if (!pid || start_time(static_cast<pid_t>(*pid)) == parts[2]) continue;
    empty_and_remove(str(base, '/', name));
  }
}

struct Hierarchy {
  std::string mount, root, controllers;
  bool v2 = false;
};

std::vector<Hierarchy> hierarchies() {
  std::vector<Hierarchy> out;
  const std::string text = read_small_file("/proc/self/mountinfo");
  for (const auto line : split(text, '\n')) {
    const auto dash = line.find(" - cgroup");
    if (dash == std::string_view::npos) continue;
    const auto before = split(line.substr(0, dash), ' ');
    const auto after = split(line.substr(dash + 3), ' ');
    if (before.size() < 6 || after.size() < 3) continue;
    out.push_back({std::string(before[4]), std::string(before[3]), std::string(after[2]),
                   after[0] == "cgroup2"});
  }
  return out;
}

// This process' own folder in a hierarchy: the path in /proc/self/cgroup, seen from the mount's
// root.
std::string own_folder(const Hierarchy& hierarchy, std::string_view controller) {
  const std::string text = read_small_file("/proc/self/cgroup");
  for (const auto line : split(text, '\n')) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const auto names = split(line.substr(first + 1, second - first - 1), ',');
    if (std::find(names.begin(), names.end(), controller) == names.end()) continue;
    std::string_view path = line.substr(second + 1);
    if (hierarchy.root != "/" && path.starts_with(hierarchy.root))
      path.remove_prefix(hierarchy.root.size());
    std::string folder = path == "/" ? hierarchy.mount
                                     : str(hierarchy.mount, path.starts_with("/") ? "" : "/", path);
    while (folder.ends_with('/')) folder.pop_back();
    if (::access(folder.c_str(), F_OK) == 0) return folder;
  }
  return hierarchy.mount;
}

std::string make_instance(const std::string& base, std::string_view name) {
  remove_stale(base);
  std::string folder = str(base, '/', name);
  if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) return {};
  return folder;
}

// v2: a group with processes cannot hand controllers to children, unless it is the real root. In a
// container or a delegated unit our own processes move into a leaf first.
bool delegate_controllers(const std::string& base) {
  constexpr std::string_view kWanted = "+memory +cpu +pids";
  if (write_file(base + "/cgroup.subtree_control", kWanted) == 0) return true;
  const std::string leaf = base + "/pileus-own";
  ::mkdir(leaf.c_str(), 0755);
  for (const auto line : split(read_small_file(base + "/cgroup.procs"), '\n'))
    if (!line.empty()) write_file(leaf + "/cgroup.procs", line);
  return write_file(base + "/cgroup.subtree_control", kWanted) == 0;
}

bool has_controllers(const std::string& folder) {
  const std::string text =
      " " + std::string(trim(read_small_file(folder + "/cgroup.controllers"))) + " ";
  return text.find(" memory ") != std::string::npos && text.find(" cpu ") != std::string::npos &&
         text.find(" pids ") != std::string::npos;
}

bool set_v2(CgroupPaths& base, const Hierarchy& hierarchy, std::string_view name) {
  const bool real_root = ::access((hierarchy.mount + "/cgroup.type").c_str(), F_OK) != 0;
  const std::string own =
      real_root && ::geteuid() == 0 ? hierarchy.mount : own_folder(hierarchy, "");
  const bool controllers = has_controllers(own) && delegate_controllers(own);
  base.unified = make_instance(own, name);
  if (base.unified.empty() || ::access((base.unified + "/cgroup.freeze").c_str(), F_OK) != 0) {
    base.unified.clear();
    return false;
  }
  base.v2_controllers = controllers && write_file(base.unified + "/cgroup.subtree_control",
                                                  "+memory +cpu +pids") == 0;
  return true;
}

}  // namespace

std::vector<std::string> CgroupPaths::folders() const {
  std::vector<std::string> out;
  for (const auto& folder : {memory, cpu, cpuacct, pids, freezer, unified})
    if (!folder.empty() && std::find(out.begin(), out.end(), folder) == out.end())
      out.push_back(folder);
  return out;
}

Cgroups Cgroups::create(CgroupChoice choice, pid_t owner, std::vector<std::string>& missing) {
  Cgroups groups;
  const std::string name = str("pileus-", owner, '-', start_time(owner));
  bool v1 = false;
  bool v2 = false;
  for (const auto& hierarchy :
       choice == CgroupChoice::kNone ? std::vector<Hierarchy>() : hierarchies()) {
    if (hierarchy.v2) {
      if (choice != CgroupChoice::kV1Only) v2 = set_v2(groups.base_, hierarchy, name) || v2;
      continue;
    }
    for (const auto option : split(hierarchy.controllers, ',')) {
      std::string* slot = option == "memory"    ? &groups.base_.memory
                          : option == "cpu"     ? &groups.base_.cpu
                          : option == "cpuacct" ? &groups.base_.cpuacct
                          : option == "pids"    ? &groups.base_.pids
                          : option == "freezer" ? &groups.base_.freezer
                                                : nullptr;
      if (!slot) continue;
      *slot = make_instance(own_folder(hierarchy, option), name);
      v1 = v1 || !slot->empty();
    }
  }
  if (v2) {  // v2 freezes what can still be killed: better than the v1 freezer
    if (!groups.base_.freezer.empty()) ::rmdir(groups.base_.freezer.c_str());
    groups.base_.freezer.clear();
  }
  groups.kind_ = v1 && v2 ? "hybrid" : v2 ? "v2" : v1 ? "v1" : "none";
  const auto lack = [&](bool have, std::string_view what) {
    if (!have)
      missing.push_back(str("no ", what,
                            ": the control group controller cannot be had here; run as root, or "
                            "in a systemd unit with Delegate=yes"));
  };
  lack(groups.memory(), "memory limit that binds a whole sandbox");
  lack(groups.cpu(), "CPU limit");
  lack(groups.pids(), "process limit by control group");
  lack(groups.freezer(), "freezing between invokes");
  return groups;
}

Cgroups Cgroups::decode(Reader& in) {
  Cgroups groups;
  groups.kind_ = in.text();
  for (std::string* path : {&groups.base_.memory, &groups.base_.cpu, &groups.base_.cpuacct,
                            &groups.base_.pids, &groups.base_.freezer, &groups.base_.unified})
    *path = in.text();
  groups.base_.v2_controllers = in.get<bool>();
  return groups;
}

void Cgroups::encode(Writer& out) const {
  out.put(kind_);
  for (const std::string* path :
       {&base_.memory, &base_.cpu, &base_.cpuacct, &base_.pids, &base_.freezer, &base_.unified})
    out.put(*path);
  out.put(base_.v2_controllers);
}

CgroupPaths Cgroups::paths(std::string_view name) const {
  const auto below = [&](const std::string& base) {
    return base.empty() ? base : str(base, '/', name);
  };
  return {below(base_.memory),  below(base_.cpu),     below(base_.cpuacct), below(base_.pids),
          below(base_.freezer), below(base_.unified), base_.v2_controllers};
}

bool Cgroups::make(std::string_view name) const {
  bool all = true;
  for (const auto& folder : paths(name).folders())
    all = (::mkdir(folder.c_str(), 0755) == 0 || errno == EEXIST) && all;
  return all;
}

bool Cgroups::remove(std::string_view name) const {
  bool all = true;
  for (const auto& folder : paths(name).folders())
    all = (::rmdir(folder.c_str()) == 0 || errno == ENOENT) && all;
  return all;
}

void Cgroups::remove_all() const {
  for (const auto& folder : base_.folders()) empty_and_remove(folder);
}

void enter_cgroup(const CgroupPaths& group) {
  for (const auto& folder : {group.memory, group.cpu, group.pids, group.unified}) enter(folder);
  if (group.cpuacct != group.cpu) enter(group.cpuacct);
}

void enter_freezer(const CgroupPaths& group) { enter(group.freezer); }

Result<Unit> limit_memory(const CgroupPaths& group, std::uint64_t bytes) {
  const std::string text = str(bytes);
  int why = 0;
  if (group.v2_controllers) {
    why = write_file(group.unified + "/memory.max", text);
    write_file(group.unified + "/memory.swap.max", "0");
  } else if (!group.memory.empty()) {
    // memory + swap may never be below memory: which one goes first depends on the direction. No
    // error from swap counts: a kernel without swap accounting has no such file.
    write_file(group.memory + "/memory.memsw.limit_in_bytes", text);
    why = write_file(group.memory + "/memory.limit_in_bytes", text);
    write_file(group.memory + "/memory.memsw.limit_in_bytes", text);
  }
  if (why) return sys_fail("set the memory limit", why);
  return Unit{};
}

Result<Unit> limit_cpu(const CgroupPaths& group, std::uint32_t millis) {
  // The kernel takes no quota under 1 ms of a period.
  const std::uint64_t quota =
      std::max<std::uint64_t>(1000, std::uint64_t(millis) * (kPeriodMicros / 1000));
  int why = 0;
  if (group.v2_controllers) {
    why = write_file(group.unified + "/cpu.max", str(quota, ' ', kPeriodMicros));
  } else if (!group.cpu.empty()) {
    why = write_file(group.cpu + "/cpu.cfs_period_us", str(kPeriodMicros));
    if (!why) why = write_file(group.cpu + "/cpu.cfs_quota_us", str(quota));
  }
  if (why) return sys_fail("set the CPU limit", why);
  return Unit{};
}

Result<Unit> limit_processes(const CgroupPaths& group, std::uint32_t count) {
  const std::string& folder = group.v2_controllers ? group.unified : group.pids;
  if (folder.empty()) return Unit{};
  if (const int why = write_file(folder + "/pids.max", str(count)))
    return sys_fail("set the process limit", why);
  return Unit{};
}

int freeze_cgroup(const CgroupPaths& group) {
  if (!group.unified.empty()) return write_file(group.unified + "/cgroup.freeze", "1");
  if (!group.freezer.empty()) return write_file(group.freezer + "/freezer.state", "FROZEN");
  return ENOTSUP;
}

bool frozen_cgroup(const CgroupPaths& group) {
  if (!group.unified.empty()) return keyed(group.unified + "/cgroup.events", "frozen") == 1;
  return trim(read_small_file(group.freezer + "/freezer.state")) == "FROZEN";
}

int thaw_cgroup(const CgroupPaths& group) {
  if (!group.unified.empty()) return write_file(group.unified + "/cgroup.freeze", "0");
  if (!group.freezer.empty()) return write_file(group.freezer + "/freezer.state", "THAWED");
  return ENOTSUP;
}

Usage cgroup_usage(const CgroupPaths& group) {
  Usage usage;
  if (group.v2_controllers) {
    usage.memory_bytes = number_in(group.unified + "/memory.current");
    usage.memory_peak_bytes = number_in(group.unified + "/memory.peak");
    usage.cpu = Duration(keyed(group.unified + "/cpu.stat", "usage_usec"));
    return usage;
  }
  if (!group.memory.empty()) {
    usage.memory_bytes = number_in(group.memory + "/memory.usage_in_bytes");
    usage.memory_peak_bytes = number_in(group.memory + "/memory.max_usage_in_bytes");
  }
  if (!group.cpuacct.empty())
    usage.cpu = std::chrono::duration_cast<Duration>(
        std::chrono::nanoseconds(number_in(group.cpuacct + "/cpuacct.usage")));
  return usage;
}

std::uint64_t oom_kills(const CgroupPaths& group) {
  if (group.v2_controllers) return keyed(group.unified + "/memory.events", "oom_kill");
  return group.memory.empty() ? 0 : keyed(group.memory + "/memory.oom_control", "oom_kill");
}

void PeakMeter::reset(const CgroupPaths& group) {
  if (!group.v2_controllers) {
    if (!group.memory.empty()) write_file(group.memory + "/memory.max_usage_in_bytes", "0");
    return;
  }
  if (!file_) file_.reset(::open((group.unified + "/memory.peak").c_str(), O_RDWR | O_CLOEXEC));
  if (file_ && ::pwrite(file_.get(), "0", 1, 0) < 0) file_.reset();
}

std::uint64_t PeakMeter::read(const CgroupPaths&, std::uint64_t group_peak) {
  char text[32];
  const ssize_t size = file_ ? ::pread(file_.get(), text, sizeof text, 0) : -1;
  if (size <= 0) return group_peak;
  return static_cast<std::uint64_t>(
      parse_int(trim({text, static_cast<std::size_t>(size)})).value_or(0));
}

CgroupPaths v2_paths(const std::string& folder) {
  CgroupPaths paths;
  paths.unified = folder;
  paths.v2_controllers = true;
  return paths;
}

}  // namespace pileus::sandbox
