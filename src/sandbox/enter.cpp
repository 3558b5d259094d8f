#include "sandbox/enter.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace pileus::sandbox {
namespace {

void limit(int resource, rlim_t value) {
  rlimit current{};
  ::getrlimit(static_cast<__rlimit_resource>(resource), &current);
  if (current.rlim_max != RLIM_INFINITY && value > current.rlim_max) value = current.rlim_max;
  const rlimit wanted{value, value};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &wanted);
}

}  // namespace

void keep_capabilities(std::uint64_t kept) {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (int capability = 0; capability < 64; ++capability)
    if (!(kept >> capability & 1)) ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  for (int half = 0; half < 2; ++half) {
    const auto bits = static_cast<std::uint32_t>(kept >> (32 * half));
    data[half].effective = data[half].permitted = bits;
  }
  ::syscall(SYS_capset, &header, data);
}

// The system calls themselves: the library's setresuid() would speak to threads first.
bool become_nobody() {
  ::syscall(SYS_setgroups, 0, nullptr);
  if (::syscall(SYS_setresgid, kInsideGid, kInsideGid, kInsideGid) != 0 ||
      ::syscall(SYS_setresuid, kInsideUid, kInsideUid, kInsideUid) != 0)
    return false;
  keep_capabilities(0);
  ::setsid();
  ::umask(022);
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

void apply_limits(const ProgramLimits& limits) {
  limit(RLIMIT_NOFILE, limits.max_files);
  limit(RLIMIT_MEMLOCK, 64 * 1024);
  limit(RLIMIT_MSGQUEUE, 0);
  // 1, not 0: the kernel starts a host's core handler ("|/usr/…") with a limit of 0, not with 1.
  limit(RLIMIT_CORE, 1);
  if (limits.max_processes) limit(RLIMIT_NPROC, limits.max_processes);
  if (limits.data_bytes) limit(RLIMIT_DATA, limits.data_bytes);
}

void keep_descriptor(int kept) {
  if (kept != kSocketAt) ::dup3(kept, kSocketAt, O_CLOEXEC);
  ::syscall(SYS_close_range, 3u, unsigned(kSocketAt - 1), 0u);
  ::syscall(SYS_close_range, unsigned(kSocketAt + 1), ~0u, 0u);
}

void place_descriptors(int output, int hold) {
  // First out of the way of 0 to 3, then into place.
  const int null = ::fcntl(::open("/dev/null", O_RDWR), F_DUPFD, 30);
  output = ::fcntl(output, F_DUPFD, 30);
  if (hold >= 0) hold = ::fcntl(hold, F_DUPFD, 30);
  ::dup2(null, 0);
  ::dup2(output, 1);
  ::dup2(output, 2);
  if (hold >= 0) ::dup2(hold, 3);
  ::syscall(SYS_close_range, hold >= 0 ? 4u : 3u, unsigned(kSocketAt - 1), 0u);
  ::syscall(SYS_close_range, unsigned(kSocketAt + 1), ~0u, 0u);
}

int load_filter(const sock_filter* filter, std::size_t count) {
  const sock_fprog program{static_cast<unsigned short>(count), const_cast<sock_filter*>(filter)};
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0u, &program) == 0 ? 0 : errno;
}

}  // namespace pileus::sandbox
