#include "sandbox/sys.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace pileus::sandbox {

std::unexpected<Error> sys_fail(std::string_view what, int number) {
  const int why = number ? number : errno;
  return fail(std::string(errc::kIo), str(what, ": ", std::strerror(why)), 500);
}

std::string read_small_file(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string out;
  if (!fd) return out;
  char buffer[8192];
  for (;;) {
    const ssize_t size = ::read(fd.get(), buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return out;
    out.append(buffer, static_cast<std::size_t>(size));
  }
}

int write_file(const std::string& path, std::string_view text) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return errno;
  return ::write(fd.get(), text.data(), text.size()) < 0 ? errno : 0;
}

Result<Unit> make_file(const std::string& path, std::string_view text, unsigned mode) {
  ::unlink(path.c_str());
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!fd) return sys_fail(str("create ", path));
  ::fchmod(fd.get(), mode);
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return sys_fail(str("write ", path));
  return Unit{};
}

Result<Unit> make_directories(const std::string& path, unsigned mode) {
  for (std::size_t end = 1; end <= path.size(); ++end) {
    if (end != path.size() && path[end] != '/') continue;
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), mode) == 0) {
      ::chmod(part.c_str(), mode);
    } else if (errno != EEXIST) {
      struct stat info{};
      if (::stat(part.c_str(), &info) != 0) return sys_fail(str("create ", part));
    }
  }
  return Unit{};
}

namespace {

template <class Each>
void each_entry(const std::string& path, Each each) {
  DIR* directory = ::opendir(path.c_str());
  if (!directory) return;
  while (dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") each(std::string(name));
  }
  ::closedir(directory);
}

void copy_file(const std::string& from, const std::string& to) {
  UniqueFd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  UniqueFd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!in || !out) return;
  char buffer[65536];
  for (ssize_t size; (size = ::read(in.get(), buffer, sizeof buffer)) > 0;)
    if (::write(out.get(), buffer, static_cast<std::size_t>(size)) != size) return;
}

}  // namespace

void remove_tree(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) return;
  if (S_ISDIR(info.st_mode)) {
    each_entry(path, [&](const std::string& name) { remove_tree(str(path, '/', name)); });
    ::rmdir(path.c_str());
  } else {
    ::unlink(path.c_str());
  }
}

void copy_readable_tree(const std::string& from, const std::string& to) {
  struct stat info{};
  if (::lstat(from.c_str(), &info) != 0) return;
  if (S_ISLNK(info.st_mode)) {
    char target[4096];
    const ssize_t size = ::readlink(from.c_str(), target, sizeof target - 1);
    if (size <= 0) return;
    target[size] = 0;
    if (::symlink(target, to.c_str()) != 0) return;
  } else if (S_ISDIR(info.st_mode) && (info.st_mode & 05) == 05) {
    ::mkdir(to.c_str(), 0755);
    each_entry(from, [&](const std::string& name) {
      copy_readable_tree(str(from, '/', name), str(to, '/', name));
    });
  } else if (S_ISREG(info.st_mode) && (info.st_mode & 04)) {
    copy_file(from, to);
  }
}

pid_t start_tool(const std::vector<std::string>& argv, int input_fd, int output_fd) {
  std::vector<char*> arguments;
  for (const auto& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(input_fd >= 0 ? input_fd : null, 0);
  ::dup2(output_fd >= 0 ? output_fd : null, 1);
  ::dup2(output_fd >= 0 ? output_fd : null, 2);
  close_all_but({});
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

int run_tool(const std::vector<std::string>& argv, std::string* output) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return -1;
  UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const pid_t pid = start_tool(argv, -1, writing.get());
  writing.reset();
  if (pid < 0) return -1;
  char buffer[4096];
  for (ssize_t size; (size = ::read(reading.get(), buffer, sizeof buffer)) > 0;)
    if (output) output->append(buffer, static_cast<std::size_t>(size));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string find_tool(std::string_view name) {
  for (const std::string_view folder :
       {"/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/", "/usr/local/sbin/"}) {
    std::string path = str(folder, name);
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

int clone_mount(const std::string& path, Access access, int directory_fd) {
  const unsigned flags =
      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | (path.empty() ? AT_EMPTY_PATH : 0);
  const int fd = static_cast<int>(::syscall(SYS_open_tree, directory_fd, path.c_str(), flags));
  if (fd < 0) return -1;
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  if (access == Access::kReadOnly) attributes.attr_set |= MOUNT_ATTR_RDONLY;
  attributes.propagation = 1u << 18;  // MS_PRIVATE
  if (::syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes,
                sizeof attributes) != 0) {
    const int why = errno;
    ::close(fd);
    errno = why;
    return -1;
  }
  return fd;
}

int merge_mount(const std::vector<std::string>& folders) {
  std::vector<UniqueFd> open;
  std::string below;
  for (const auto& folder : folders) {
    open.emplace_back(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!open.back()) return -1;
    below += str(below.empty() ? "" : ":", "/proc/self/fd/", open.back().get());
  }
  const UniqueFd file_system(static_cast<int>(::syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC)));
  if (!file_system) return -1;
  const auto set = [&](unsigned command, const char* key, const char* value) {
    return ::syscall(SYS_fsconfig, file_system.get(), command, key, value, 0) == 0;
  };
  if (!set(FSCONFIG_SET_STRING, "source", "layers") ||
      !set(FSCONFIG_SET_STRING, "lowerdir", below.c_str()) ||
      !set(FSCONFIG_CMD_CREATE, nullptr, nullptr))
    return -1;
  return static_cast<int>(::syscall(SYS_fsmount, file_system.get(), FSMOUNT_CLOEXEC,
                                    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
}

int attach_mount(int mount_fd, const std::string& target) {
  return ::syscall(SYS_move_mount, mount_fd, "", AT_FDCWD, target.c_str(),
                   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) == 0
             ? 0
             : errno;
}

int set_mount_read_only(const std::string& path, Access access) {
  mount_attr attributes{};
  (access == Access::kReadOnly ? attributes.attr_set : attributes.attr_clr) = MOUNT_ATTR_RDONLY;
  return ::syscall(SYS_mount_setattr, AT_FDCWD, path.c_str(), 0, &attributes, sizeof attributes) ==
                 0
             ? 0
             : errno;
}

pid_t clone_process(std::uint64_t namespace_flags, int cgroup_fd) {
  clone_args arguments{};
  arguments.flags = namespace_flags;
  arguments.exit_signal = SIGCHLD;
  if (cgroup_fd >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(cgroup_fd);
  }
  return static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
}

void close_all_but(std::vector<int> keep) {
  std::sort(keep.begin(), keep.end());
  unsigned from = 3;
  for (const int fd : keep) {
    if (fd < 3) continue;
    if (static_cast<unsigned>(fd) > from)
      ::syscall(SYS_close_range, from, static_cast<unsigned>(fd) - 1, 0u);
    from = static_cast<unsigned>(fd) + 1;
  }
  ::syscall(SYS_close_range, from, ~0u, 0u);
}

}  // namespace pileus::sandbox
