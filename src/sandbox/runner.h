// The runner: the process in a sandbox that becomes the program. It is forked by init ahead of
// need, gives up everything (user namespace with one uid, no capabilities, no new privileges), and
// waits for its order; then limits, descriptors, seccomp filter, execve.
#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

#include "sandbox/cgroup.h"

namespace pileus::sandbox {

struct RunOrder {
  std::vector<std::string> argv, environment;
  std::string working_directory;
  std::uint32_t max_files = 1024;
  std::uint32_t max_processes = 0;  // by rlimit, where there is no control group; 0: none
  std::uint64_t data_bytes = 0;     // the same for memory
  bool hold = false;                // the second descriptor becomes descriptor 3
};

struct Runner {
  pid_t pid = -1;
  int socket = -1;  // to it: order(); from it: errno of a failed execve
};

// Forks it. `uid` is what kInsideUid is outside (in the caller's user namespace).
Result<Runner> fork_runner(unsigned uid, unsigned gid, const CgroupPaths& cgroup,
                           const std::vector<sock_filter>* filter);
// A process more beside it: it enters the user namespace of the first instead of making one, which
// takes no capability, only being the user who made that.
Result<Runner> fork_beside(int user_namespace, const CgroupPaths& cgroup,
                           const std::vector<sock_filter>* filter);
// Lets it go on. Descriptors: output, [hold pipe].
int order_runner(const Runner& runner, const RunOrder& order, std::span<const int> fds);
// errno of the execve that failed, or 0.
int runner_failure(const Runner& runner);

// Gives up every capability but these (bits) for good.
void keep_capabilities(std::uint64_t kept);

}  // namespace pileus::sandbox
