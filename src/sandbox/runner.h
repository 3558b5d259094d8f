// The runner: the process in a sandbox that becomes the program. It is forked by init ahead of
// need, gives up everything (user namespace with one uid, no capabilities, no new privileges), and
// waits for its order; then limits, descriptors, seccomp filter, execve.
#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

#include "sandbox/cgroup.h"
#include "sandbox/enter.h"

namespace pileus::sandbox {

struct RunOrder {
  std::vector<std::string> argv, environment;
  std::string working_directory;
  ProgramLimits limits;
  bool hold = false;  // the second descriptor becomes descriptor 3
};

struct Runner {
  pid_t pid = -1;
  int socket = -1;  // to it: order(); from it: errno of a failed execve
};

// Forks it. `uid` is what kInsideUid is outside (in the caller's user namespace).
Result<Runner> fork_runner(unsigned uid, unsigned gid, const CgroupPaths& cgroup,
                           const std::vector<sock_filter>* filter);
// Lets it go on. Descriptors: output, [hold pipe].
int order_runner(const Runner& runner, const RunOrder& order, std::span<const int> fds);
// errno of the execve that failed, or 0.
int runner_failure(const Runner& runner);
// Ends one whose place a fork has taken.
void end_runner(Runner& runner);

}  // namespace pileus::sandbox
