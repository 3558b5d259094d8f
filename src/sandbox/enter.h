// Enter: the last steps of a process on its way to be a sandbox's program; the runner takes them
// before its execve, a fork of a zygote before it returns into its interpreter. System calls only:
// no memory is taken and no C++ library used, because this is also built into the library that
// zygotes load (zygote_entry.cpp).
#pragma once

#include <linux/filter.h>

#include <cstddef>
#include <cstdint>

namespace pileus::sandbox {

// The user programs run as, as real Lambda names it.
inline constexpr unsigned kInsideUid = 993;
inline constexpr unsigned kInsideGid = 990;

inline constexpr int kSocketAt = 20;  // where a socket is kept, above what a program is handed

struct ProgramLimits {
  std::uint32_t max_files = 1024;
  std::uint32_t max_processes = 0;  // by rlimit, where there is no control group; 0: none
  std::uint64_t data_bytes = 0;     // the same for memory
};

// Gives up every capability but these (bits) for good.
void keep_capabilities(std::uint64_t kept);
// The sandbox's user, in its user namespace: no group, no capability, no new privileges, a session
// of its own. False: it stayed what it was, and must end.
bool become_nobody();
void apply_limits(const ProgramLimits& limits);
// Closes every descriptor but 0, 1, 2 and `kept`, which moves to kSocketAt.
void keep_descriptor(int kept);
// 0: /dev/null, 1 and 2: output, 3: hold (when it is not -1), kSocketAt as it is; no other.
void place_descriptors(int output, int hold);
// Loads the system call filter; needs no_new_privs. 0 or errno.
int load_filter(const sock_filter* filter, std::size_t count);

}  // namespace pileus::sandbox
