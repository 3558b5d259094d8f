#include "services/lambda/hot_folder.h"

#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/text.h"
#include "services/lambda/names.h"

namespace pileus::services::lambda {
namespace fs = std::filesystem;
namespace {

constexpr std::uint32_t kEdits = IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE |
                                 IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF |
                                 IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW;

// File access of this thread as `user` has it. Only root can; anyone else is the owner already.
class AsUser {
 public:
  explicit AsUser(std::uint32_t user) : switched_(::geteuid() == 0 && user != 0) {
    if (switched_) ::setfsuid(user);
  }
  ~AsUser() {
    if (switched_) ::setfsuid(0);
  }
  AsUser(const AsUser&) = delete;
  AsUser& operator=(const AsUser&) = delete;

 private:
  bool switched_;
};

Error unusable(const std::string& path, std::string_view why) {
  return invalid(str("The hot-reload directory '", path, "' cannot be used: ", why, "."));
}

Error cannot_watch(const std::string& path, int error) {
  if (error == ENOSPC)
    return unusable(path, "this user watches too many directories (fs.inotify.max_user_watches)");
  if (error == EMFILE)
    return unusable(path, "this user has too many watchers (fs.inotify.max_user_instances)");
  return unusable(path, std::strerror(error));
}

}  // namespace

Result<std::string> HotFolder::check(const std::string& path, std::uint32_t owner) {
  if (!path.starts_with('/')) return fail(unusable(path, "S3Key must be an absolute path"));
  const AsUser as(owner);
  std::error_code why;
  const fs::path real = fs::canonical(path, why);
  if (why) return fail(unusable(path, why.message()));
  const int fd = ::open(real.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return fail(unusable(path, std::strerror(errno)));
  ::close(fd);
  return real.string();
}

Result<std::unique_ptr<HotFolder>> HotFolder::open(const std::string& path, std::uint32_t owner) {
  TRY_ASSIGN(const std::string real, check(path, owner));
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) return fail(cannot_watch(path, errno));
  std::unique_ptr<HotFolder> folder(new HotFolder(fd, path));
  const AsUser as(owner);
  std::size_t watched = 0;
  std::error_code why;
  if (::inotify_add_watch(fd, real.c_str(), kEdits) < 0) return fail(cannot_watch(path, errno));
  fs::recursive_directory_iterator at(real, fs::directory_options::skip_permission_denied, why);
  for (; !why && at != fs::recursive_directory_iterator(); at.increment(why)) {
    std::error_code gone;
    if (!at->is_directory(gone) || at->is_symlink(gone)) continue;
    if (at->path().filename() == ".git") {  // nothing of it is code
      at.disable_recursion_pending();
      continue;
    }
    if (++watched > kMaxHotFolders)
      return fail(unusable(path, str("it has more than ", kMaxHotFolders, " directories")));
    if (::inotify_add_watch(fd, at->path().c_str(), kEdits) < 0 && errno != ENOENT)
      return fail(cannot_watch(path, errno));
  }
  return folder;
}

HotFolder::~HotFolder() { ::close(inotify_); }

bool HotFolder::changed() {
  if (changed_) return true;
  alignas(inotify_event) char events[4096];
  const auto got = ::read(inotify_, events, sizeof events);
  changed_ = got > 0;  // an overflow is an event as well
  return changed_;
}

}  // namespace pileus::services::lambda
