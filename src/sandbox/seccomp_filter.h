// The system call filter of programs in a sandbox: the families that reach into the kernel or other
// processes are refused (EPERM), and so is everything newer than this list (ENOSYS).
#pragma once

#include <linux/filter.h>

#include <vector>

#include "base/error.h"

namespace pileus::sandbox {

// Compiled once by libseccomp, in the launcher.
Result<std::vector<sock_filter>> compile_seccomp_filter();
// Loads it into the calling process; needs no_new_privs. 0 or errno.
int load_seccomp_filter(const std::vector<sock_filter>& filter);

}  // namespace pileus::sandbox
