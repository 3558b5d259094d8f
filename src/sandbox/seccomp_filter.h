// The system call filter of programs in a sandbox: the families that reach into the kernel or other
// processes are refused (EPERM), and so is everything newer than this list (ENOSYS).
#pragma once

#include <linux/filter.h>

#include <vector>

#include "base/error.h"

namespace pileus::sandbox {

// Compiled once by libseccomp, in the launcher; enter.h loads it.
Result<std::vector<sock_filter>> compile_seccomp_filter();

}  // namespace pileus::sandbox
