#include "store/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/text.h"

namespace pileus::store {
namespace {

std::unexpected<Error> refused(std::string_view what, const std::string& path) {
  const int code = errno;
  const auto kind = code == ENOENT ? errc::kNotFound : errc::kIo;
  return fail(std::string(kind),
              str("cannot ", what, " ", path, ": ", std::generic_category().message(code)), 500);
}

class SystemFile final : public File {
 public:
  SystemFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~SystemFile() override { ::close(fd_); }

  Result<Unit> write(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return refused("write", path_);
      bytes.remove_prefix(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return Unit{};
  }
  Result<std::string> read(std::uint64_t offset, std::size_t size) override {
    std::string out(size, '\0');
    std::size_t done = 0;
    while (done < size) {
      const auto n =
          ::pread(fd_, out.data() + done, size - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return refused("read", path_);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    out.resize(done);
    return out;
  }
  Result<Unit> sync() override {
    if (::fdatasync(fd_) != 0) return refused("sync", path_);
    return Unit{};
  }
  Result<Unit> truncate(std::uint64_t size) override {
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) return refused("truncate", path_);
    return Unit{};
  }
  Result<std::uint64_t> size() override {
    struct stat info{};
    if (::fstat(fd_, &info) != 0) return refused("stat", path_);
    return static_cast<std::uint64_t>(info.st_size);
  }
  Result<int> descriptor() override {
    const int copy = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return refused("duplicate", path_);
    return copy;
  }

 private:
  int fd_;
  std::string path_;
};

class SystemFiles final : public FileLayer {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    const int flags = mode == OpenMode::kRead     ? O_RDONLY
                      : mode == OpenMode::kUpdate ? O_RDWR
                                                  : O_RDWR | O_CREAT;
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    if (fd < 0) return refused("open", path);
    return std::make_unique<SystemFile>(fd, path);
  }
  Result<Unit> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return refused("rename", from);
    return Unit{};
  }
  Result<Unit> unlink(const std::string& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return refused("remove", path);
    return Unit{};
  }
  Result<Unit> sync_dir(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return refused("open", path);
    const bool synced = ::fsync(fd) == 0;
    auto error = synced ? Result<Unit>(Unit{}) : Result<Unit>(refused("sync", path));
    ::close(fd);
    return error;
  }
  Result<Unit> make_dir(const std::string& path) override {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return refused("make", path);
    return Unit{};
  }
  Result<std::vector<std::string>> list(const std::string& path) override {
    DIR* dir = ::opendir(path.c_str());
    if (!dir) return refused("list", path);
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(dir)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    ::closedir(dir);
    std::sort(names.begin(), names.end());
    return names;
  }
};

}  // namespace

FileLayer& system_files() {
  static SystemFiles files;
  return files;
}

std::string folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, std::max<std::size_t>(slash, 1)));
}

Result<Unit> replace_file(FileLayer& files, const std::string& path, std::string_view contents) {
  const std::string next = path + ".new";
  {
    TRY_ASSIGN(auto file, files.open(next, OpenMode::kCreate));
    TRY(file->truncate(0));
    TRY(file->write(0, contents));
    TRY(file->sync());
  }
  TRY(files.rename(next, path));
  return files.sync_dir(folder_of(path));
}

Result<std::string> read_file(FileLayer& files, const std::string& path) {
  TRY_ASSIGN(auto file, files.open(path, OpenMode::kRead));
  TRY_ASSIGN(const auto size, file->size());
  return file->read(0, size);
}

}  // namespace pileus::store
