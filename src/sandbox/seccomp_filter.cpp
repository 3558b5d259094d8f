#include "sandbox/seccomp_filter.h"

#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "sandbox/sys.h"

namespace pileus::sandbox {
namespace {

constexpr const char* kRefused[] = {
    // mounts and roots
    "mount", "umount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen",
    "fsconfig", "fsmount", "fspick", "mount_setattr", "quotactl", "quotactl_fd", "swapon",
    "swapoff", "nfsservctl", "open_by_handle_at", "name_to_handle_at", "fanotify_init",
    "fanotify_mark",
    // namespaces
    "unshare", "setns",
    // other processes
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease",
    "kcmp", "pidfd_getfd", "move_pages", "migrate_pages",
    // the kernel itself
    "bpf", "perf_event_open", "userfaultfd", "kexec_load", "kexec_file_load", "init_module",
    "finit_module", "delete_module", "create_module", "query_module", "get_kernel_syms", "syslog",
    "acct", "reboot", "iopl", "ioperm", "modify_ldt", "vm86", "vm86old", "uselib", "ustat", "sysfs",
    "_sysctl", "lookup_dcookie", "vhangup", "sethostname", "setdomainname", "io_uring_setup",
    "io_uring_enter", "io_uring_register", "memfd_secret",
    // clocks
    "settimeofday", "clock_settime", "clock_settime64", "clock_adjtime", "clock_adjtime64",
    "adjtimex", "stime",
    // keys
    "add_key", "request_key", "keyctl"};

// Numbers above what this list was made against (common to all architectures since 424): 462 is
// mseal. What came later is unknown here, so programs are told that the kernel does not have it.
constexpr unsigned kLastKnown = 462;

bool refuse(scmp_filter_ctx filter, const char* name) {
  const int number = seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR || number < -1000000) return true;
  const int added = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
  return added == 0 || added == -EDOM || added == -EFAULT;
}

bool refuse_namespaces_in_clone(scmp_filter_ctx filter) {
  for (const std::uint64_t flag : {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET,
                                   CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP}) {
    if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                         SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag)) != 0)
      return false;
  }
  // clone3's flags are in memory, where a filter cannot look: C libraries fall back to clone.
  return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
}

// Only unix, IPv4, IPv6 and (for getifaddrs) route netlink.
bool refuse_socket_families(scmp_filter_ctx filter) {
  const auto no = [&](scmp_arg_cmp family) {
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, family) == 0;
  };
  for (unsigned family = 3; family < AF_NETLINK; ++family)
    if (family != AF_INET6 && !no(SCMP_A0(SCMP_CMP_EQ, family))) return false;
  return no(SCMP_A0(SCMP_CMP_GT, AF_NETLINK)) &&
         seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 2,
                          SCMP_A0(SCMP_CMP_EQ, AF_NETLINK), SCMP_A2(SCMP_CMP_NE, 0)) == 0;
}

// Pushing characters into a terminal, and quota ids of files.
bool refuse_ioctls(scmp_filter_ctx filter) {
  for (const std::uint64_t request : {0x5412ull /* TIOCSTI */, 0x541Cull /* TIOCLINUX */,
                                      0x401C5820ull /* FSSETXATTR */, 0x40086602ull /* SETFLAGS */})
    if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                         SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffull, request)) != 0)
      return false;
  return true;
}

// Puts "number > kLastKnown: ENOSYS" before libseccomp's program; its own rules are by name.
void refuse_unknown(std::vector<sock_filter>& program) {
  const sock_filter check[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},  // the system call's number
                               {BPF_JMP | BPF_JGT | BPF_K, 0, 1, kLastKnown},  // also x32's bit 30
                               {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | (ENOSYS & 0xffff)}};
  program.insert(program.begin(), std::begin(check), std::end(check));
}

}  // namespace

Result<std::vector<sock_filter>> compile_seccomp_filter() {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (!filter) return fail(std::string(errc::kIo), "libseccomp does not work here", 500);
  seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
  bool good = true;
  for (const char* name : kRefused) good = refuse(filter, name) && good;
  good = good && refuse_namespaces_in_clone(filter) && refuse_socket_families(filter) &&
         refuse_ioctls(filter);
  UniqueFd file(::memfd_create("seccomp", MFD_CLOEXEC));
  good = good && file && seccomp_export_bpf(filter, file.get()) == 0;
  seccomp_release(filter);
  if (!good) return fail(std::string(errc::kIo), "libseccomp refused the filter", 500);
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  std::vector<sock_filter> program(static_cast<std::size_t>(size) / sizeof(sock_filter));
  if (::pread(file.get(), program.data(), static_cast<std::size_t>(size), 0) != size)
    return sys_fail("read the seccomp filter");
  refuse_unknown(program);
  return program;
}

}  // namespace pileus::sandbox
