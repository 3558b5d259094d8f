#include "sandbox/tmp_image.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace pileus::sandbox {
namespace {

constexpr std::uint64_t kBlock = 4096;
constexpr std::uint64_t kFirstGuess = 20ull << 20;  // metadata and ext4's own reserve

// What a user can write to a fresh image, from its superblock: free blocks less ext4's reserve
// (two in a hundred, at most 4,096 blocks), plus lost+found, which goes at mount.
std::uint64_t available_bytes(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  unsigned char block[1024];
  if (!fd || ::pread(fd.get(), block, sizeof block, 1024) != sizeof block) return 0;
  const auto word = [&](int at) {
    std::uint32_t value = 0;
    std::memcpy(&value, block + at, sizeof value);
    return std::uint64_t(value);
  };
  const std::uint64_t total = word(0x04) | word(0x150) << 32;
  const std::uint64_t free = word(0x0C) | word(0x158) << 32;
  const std::uint64_t reserve = std::min<std::uint64_t>(total / 50, 4096);
  return free > reserve ? (free - reserve + 4) * kBlock : 0;
}

Result<Unit> format(const std::string& path, std::uint64_t image_bytes, std::uint64_t bytes) {
  ::unlink(path.c_str());
  {
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(image_bytes)) != 0)
      return sys_fail(str("create ", path));
  }
  const std::uint64_t inodes = std::max<std::uint64_t>(32768, bytes / 16384);
  std::string said;
  const int status = run_tool({find_tool("mkfs.ext4"), "-q", "-F", "-m", "0", "-b", "4096", "-N",
                               str(inodes), "-O", "^has_journal,^resize_inode,^metadata_csum", "-E",
                               "lazy_itable_init=1,nodiscard,root_owner=0:0", path},
                              &said);
  if (status != 0) return fail(std::string(errc::kIo), str("mkfs.ext4 failed: ", trim(said)), 500);
  return Unit{};
}

bool copy_sparse(int from, int to) {
  struct stat info{};
  if (::fstat(from, &info) != 0 || ::ftruncate(to, info.st_size) != 0) return false;
  off_t at = 0;
  while ((at = ::lseek(from, at, SEEK_DATA)) >= 0) {
    const off_t end = ::lseek(from, at, SEEK_HOLE);
    off_t out = at;
    while (at < end) {
      if (::copy_file_range(from, &at, to, &out, static_cast<std::size_t>(end - at), 0) > 0)
        continue;
      char buffer[65536];
      const ssize_t size =
          ::pread(from, buffer,
                  std::min<std::size_t>(sizeof buffer, static_cast<std::size_t>(end - at)), at);
      if (size <= 0 || ::pwrite(to, buffer, static_cast<std::size_t>(size), out) != size)
        return false;
      at += size;
      out += size;
    }
  }
  return true;
}

// A loop device for `image`, which goes when its mount goes.
Result<UniqueFd> attach_loop(int dev_fd, int image) {
  UniqueFd control(::openat(dev_fd, "loop-control", O_RDWR | O_CLOEXEC));
  if (!control) return sys_fail("open /dev/loop-control");
  int why = 0;
  for (int attempt = 0; attempt < 200; ++attempt) {
    const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) return sys_fail("find a free loop device");
    UniqueFd loop(::openat(dev_fd, str("loop", number).c_str(), O_RDWR | O_CLOEXEC));
    if (!loop) return sys_fail(str("open /dev/loop", number));
    loop_config config{};
    config.fd = static_cast<std::uint32_t>(image);
    config.block_size = kBlock;
    // Direct I/O keeps the pages from being cached twice, where the folder's file system has it.
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR | (attempt % 2 == 0 ? LO_FLAGS_DIRECT_IO : 0u);
    if (::ioctl(loop.get(), LOOP_CONFIGURE, &config) == 0) return loop;
    why = errno;
    if (why != EBUSY && why != EINVAL) break;  // busy: another sandbox was faster
  }
  return sys_fail("set up a loop device", why);
}

Result<Unit> give_to_owner(const TmpPlaces& places, const char* target) {
  ::rmdir(str(target, "/lost+found").c_str());
  if (::chown(target, places.owner_uid, places.owner_gid) != 0 || ::chmod(target, 01777) != 0)
    return sys_fail("give /tmp to the program's user");
  return Unit{};
}

}  // namespace

std::string tmp_template_name(std::uint64_t bytes) { return str("tmp-v1-", bytes, ".ext4"); }

Result<Unit> make_tmp_template(const std::string& folder, std::uint64_t bytes) {
  const std::string path = str(folder, '/', tmp_template_name(bytes));
  if (::access(path.c_str(), R_OK) == 0) return Unit{};
  if (find_tool("mkfs.ext4").empty())
    return fail(std::string(errc::kIo), "mkfs.ext4 is not installed (package e2fsprogs)", 500);
  const std::string fresh = path + ".new";
  std::uint64_t image = (bytes + kFirstGuess + kBlock - 1) / kBlock * kBlock;
  for (int round = 0; round < 4; ++round) {
    TRY(format(fresh, image, bytes));
    const std::uint64_t have = available_bytes(fresh);
    if (have == 0)
      return fail(std::string(errc::kIo), "mkfs.ext4 made something that is not ext4", 500);
    if (have / kBlock == bytes / kBlock) break;
    image = image + bytes / kBlock * kBlock - have / kBlock * kBlock;
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return sys_fail(str("rename to ", path));
  return Unit{};
}

Result<Unit> mount_tmp_image(const TmpPlaces& places, std::uint64_t bytes, std::uint64_t salt,
                             const char* target) {
  UniqueFd from(::openat(places.images_fd, tmp_template_name(bytes).c_str(), O_RDONLY | O_CLOEXEC));
  if (!from) return sys_fail("open the template of /tmp");
  const std::string name = str("live-", salt, ".ext4");
  ::unlinkat(places.images_fd, name.c_str(), 0);
  UniqueFd image(
      ::openat(places.images_fd, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!image) return sys_fail("create the image of /tmp");
  ::unlinkat(places.images_fd, name.c_str(), 0);
  if (!copy_sparse(from.get(), image.get())) return sys_fail("copy the template of /tmp");
  TRY_ASSIGN(UniqueFd loop, attach_loop(places.dev_fd, image.get()));
  const std::string source = str("/proc/self/fd/", loop.get());
  if (::mount(source.c_str(), target, "ext4", MS_NOATIME | MS_NOSUID | MS_NODEV,
              "nobarrier,discard,noinit_itable") != 0)
    return sys_fail("mount /tmp");
  return give_to_owner(places, target);
}

Result<Unit> mount_tmp_memory(const TmpPlaces& places, std::uint64_t bytes, const char* target) {
  if (::mount("tmp", target, "tmpfs", MS_NOSUID | MS_NODEV,
              str("mode=1777,size=", bytes).c_str()) != 0)
    return sys_fail("mount /tmp in memory");
  return give_to_owner(places, target);
}

}  // namespace pileus::sandbox
