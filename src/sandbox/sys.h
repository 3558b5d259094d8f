// Thin words for the system calls of this room: small files, mounts by descriptor, clone3.
// Used in the launcher and in init, so nothing here starts a thread or waits for one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/completion.h"
#include "sandbox/unique_fd.h"

namespace pileus::sandbox {

// errc::kIo: "<what>: <strerror(errno)>".
std::unexpected<Error> sys_fail(std::string_view what, int number = 0);

std::string read_small_file(const std::string& path);  // "" when it cannot be read
// 0 or errno. The whole text in one write, as control files want it.
int write_file(const std::string& path, std::string_view text);
// Writes a regular file of its own, replacing what is there.
Result<Unit> make_file(const std::string& path, std::string_view text, unsigned mode = 0644);
Result<Unit> make_directories(const std::string& path, unsigned mode = 0755);
void remove_tree(const std::string& path);
// Copies what everybody may read: directories, files, links. What is not there is left out.
void copy_readable_tree(const std::string& from, const std::string& to);

// Runs a program to its end with no input and gives its exit status; `output` gets what it wrote.
// start_tool does not wait; a descriptor of -1 is /dev/null.
pid_t start_tool(const std::vector<std::string>& argv, int input_fd, int output_fd);
int run_tool(const std::vector<std::string>& argv, std::string* output = nullptr);
std::string find_tool(std::string_view name);  // absolute path, "" when not installed

// A detached copy of the mount at `path` (a directory or file) with all below it; -1 and errno.
enum class Access { kReadOnly, kWritable };
int clone_mount(const std::string& path, Access access, int directory_fd = -100 /* AT_FDCWD */);
// A detached read-only mount of several directories laid over one another, the first one uppermost.
// Given by descriptor, so any path will do and none is told to who sees the mount. -1 and errno.
int merge_mount(const std::vector<std::string>& folders);
// Attaches it. 0 or errno.
int attach_mount(int mount_fd, const std::string& target);
int set_mount_read_only(const std::string& path, Access access);

// fork with namespaces: 0 in the child; -1 and errno. `cgroup_fd` >= 0: the child starts in it.
pid_t clone_process(std::uint64_t namespace_flags, int cgroup_fd = -1);
// Closes every descriptor above 2 but these.
void close_all_but(std::vector<int> keep);

}  // namespace pileus::sandbox
