// The launcher's set-up: namespaces of its own, and what this machine can give.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>

#include "base/text.h"
#include "sandbox/launcher_process.h"
#include "sandbox/root_fs.h"
#include "sandbox/seccomp_filter.h"
#include "sandbox/sys.h"

namespace pileus::sandbox {

// A mount namespace of our own, so that no mount outlives us; an ordinary user gets a user
// namespace for it.

namespace {

// In a chroot "/" is no mount point: its propagation cannot be set, pivot_root() refuses, and so do
// user namespaces. From the true root of our own mount namespace all can be had: the chroot's
// folder is mounted onto itself and becomes the root of that namespace.
bool leave_and_mount_chroot() {
  const int folder = ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0 || ::chroot("/proc") != 0) return false;  // any folder: the way up is open now
  bool up = ::fchdir(folder) == 0;
  for (int depth = 0; up && depth < 64; ++depth) up = ::chdir("..") == 0;
  up = up && ::chroot(".") == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) == 0;
  char path[4096];
  const bool entered = up && ::fchdir(folder) == 0 && ::getcwd(path, sizeof path) != nullptr &&
                       ::mount(path, path, nullptr, MS_BIND | MS_REC, nullptr) == 0 &&
                       ::chdir(path) == 0 && ::syscall(SYS_pivot_root, ".", ".") == 0 &&
                       ::umount2(".", MNT_DETACH) == 0 && ::chdir("/") == 0;
  ::close(folder);
  return entered;
}

}  // namespace

Result<Unit> LauncherProcess::own_namespaces() {
  privileged_ = ::geteuid() == 0 && ::unshare(CLONE_NEWNS) == 0;
  if (!privileged_) {
    const unsigned uid = ::geteuid();
    const unsigned gid = ::getegid();
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
      return sys_fail(
          "this machine gives an ordinary user no user namespace "
          "(kernel.unprivileged_userns_clone, "
          "user.max_user_namespaces, AppArmor); run as root");
    ::prctl(PR_SET_DUMPABLE, 1);  // else /proc/self is not ours to write
    write_file("/proc/self/setgroups", "deny");
    if (const int why = write_file("/proc/self/uid_map", str("0 ", uid, " 1\n")))
      return sys_fail("map our user", why);
    if (const int why = write_file("/proc/self/gid_map", str("0 ", gid, " 1\n")))
      return sys_fail("map our group", why);
    ::prctl(PR_SET_DUMPABLE, 0);
  }
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) == 0) return Unit{};
  if (errno != EINVAL || !leave_and_mount_chroot()) return sys_fail("keep our mounts to ourselves");
  return Unit{};
}

void LauncherProcess::prepare_machine() {
  auto& missing = capabilities_.missing;
  cgroups_ = Cgroups::create(options_.cgroups, ::getpid(), missing);
  capabilities_.cgroup = cgroups_.kind();
  capabilities_.memory_limit = cgroups_.memory();
  capabilities_.cpu_limit = cgroups_.cpu();
  capabilities_.process_limit = cgroups_.pids();
  capabilities_.freezer = cgroups_.freezer();
  if (const auto made = make_directories(options_.folder, 0711); !made) {
    missing.push_back(str("no sandboxes: ", made.error().message()));
    return;
  }
  if (const auto own = own_namespaces(); !own) {
    missing.push_back(str("no sandboxes: ", own.error().message()));
    return;
  }
  if (!privileged_)
    missing.push_back(
        "a sandbox runs as your own user and shares its limits; run as root for a user of its own");
  Result<Unit> nat = fail("", "");
  const bool wanted = options_.outbound;
  if (wanted)
    nat = privileged_ ? network_.begin()
                      : fail(std::string(errc::kIo), "run as root to give them one");
  std::string no_images = "run as root to give it a loop device";
  std::pair<pid_t, UniqueFd> images{-1, UniqueFd()};
  if (options_.tmp_images && privileged_) images = begin_template(options_.tmp_bytes);
  const auto shared = prepare_shared(options_.folder + "/ns", missing);
  if (shared)
    capabilities_.isolation = true;
  else
    missing.push_back(str("no sandboxes: ", shared.error().message()));
  if (auto filter = compile_seccomp_filter()) {
    filter_ = std::move(*filter);
    capabilities_.seccomp = true;
  } else {
    missing.push_back(str("no system call filter: ", filter.error().message()));
  }
  if (images.first > 0) {
    no_images = template_complaint(images.second.get());
    while (::waitpid(images.first, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  options_.tmp_images = no_images.empty();
  if (!no_images.empty())
    missing.push_back(str("/tmp is held in memory and counts as a function's memory: ", no_images));
  zygotes_.configure({options_.folder + "/ns", options_.zygote_bytes});
  if (options_.zygote_bytes > 0)
    if (const auto written = write_zygote_library(options_.folder + "/ns/enter.so"); !written)
      missing.push_back(str("no forked starts: ", written.error().message()));
  if (nat) nat = network_.finish(missing);
  capabilities_.outbound = nat.has_value();
  if (!nat && wanted)
    missing.push_back(
        str("sandboxes have no network outside of themselves: ", nat.error().message()));
}

void LauncherProcess::configure(Reader& in) {
  options_ = LauncherOptions::decode(in);
  prepare_machine();
  configured_ = true;
  // The first shell is the proof: what it could not have is said with the capabilities.
  if (!capabilities_.isolation || !spawn({"", capabilities_.outbound})) tell_ready();
}

void LauncherProcess::tell_ready() {
  if (std::exchange(ready_, true)) return;
  Writer out;
  encode_capabilities(out, capabilities_);
  cgroups_.encode(out);
  out.put(options_.tmp_images);
  tell(Tell::kReady, 0, out.bytes());
  refill_at_ = Steady::now();
}

}  // namespace pileus::sandbox
