#include "services/lambda/unzip.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "base/text.h"
#include "services/lambda/names.h"

namespace pileus::services::lambda {
namespace {

Error bad_zip() {
  return invalid(
      "Could not unzip uploaded file. Please check your file, then try to upload again.");
}
Error too_large() {
  return invalid(str("Unzipped size must be smaller than ", kMaxUnpackedBytes, " bytes"));
}
Error disk(std::string_view what, const std::string& path) {
  return Error(std::string(errc::kIo),
               str("unpacking a function: ", what, " ", path, ": ", std::strerror(errno)), 500);
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

struct Closer {
  void operator()(archive* a) const { archive_read_free(a); }
};

// The components of an entry's name; nothing when it would leave the folder.
std::optional<std::vector<std::string>> components(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find('\0') != std::string_view::npos) return {};
  std::vector<std::string> parts;
  for (const auto part : split(name, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == ".." || part.size() > 255) return {};
    parts.emplace_back(part);
  }
  return parts;
}

// A link is allowed while its target, read from where the link lies, stays within the folder.
bool link_stays_inside(std::size_t depth, std::string_view target) {
  if (target.empty() || target.front() == '/') return false;
  auto level = static_cast<std::ptrdiff_t>(depth);
  for (const auto part : split(target, '/')) {
    if (part == "..")
      --level;
    else if (!part.empty() && part != ".")
      ++level;
    if (level < 0) return false;
  }
  return true;
}

class Unpacker {
 public:
  explicit Unpacker(const std::string& folder)
      : folder_(folder), root_(::open(folder.c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC)) {}

  Result<Unit> entry(archive* zip, archive_entry* entry) {
    const char* name = archive_entry_pathname(entry);
    if (!name) return fail(bad_zip());
    const std::string path = replace_all(name, "\\", "/");  // as Windows tools write them
    const auto parts = components(path);
    if (!parts || archive_entry_hardlink(entry)) return fail(bad_zip());
    if (parts->empty()) return Unit{};
    const auto type = archive_entry_filetype(entry);
    if (type == AE_IFDIR || path.ends_with('/')) {
      TRY(folder_of(*parts, parts->size()));
      return Unit{};
    }
    TRY_ASSIGN(const Fd parent, folder_of(*parts, parts->size() - 1));
    if (++done_.files > kMaxZipEntries) return fail(too_large());
    if (type == AE_IFLNK) return link(entry, parent.get(), *parts);
    if (type != AE_IFREG && type != 0) return fail(bad_zip());
    return file(zip, entry, parent.get(), parts->back());
  }
  const Unpacked& done() const { return done_; }

 private:
  // Opens the folder of the first `count` components, making what is missing; never through a link.
  Result<Fd> folder_of(const std::vector<std::string>& parts, std::size_t count) {
    Fd at(::dup(root_.get()));
    for (std::size_t i = 0; i < count; ++i) {
      const bool made = ::mkdirat(at.get(), parts[i].c_str(), 0755) == 0;
      if (!made && errno != EEXIST) return fail(disk("mkdir", folder_));
      Fd next(
          ::openat(at.get(), parts[i].c_str(), O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
      if (next.get() < 0) return fail(bad_zip());
      if (made && ::fchmod(next.get(), 0755) != 0) return fail(disk("chmod", folder_));
      at = std::move(next);
    }
    return at;
  }

  Result<Unit> link(archive_entry* entry, int parent, const std::vector<std::string>& parts) {
    const char* target = archive_entry_symlink(entry);
    if (!target || !link_stays_inside(parts.size() - 1, target)) return fail(bad_zip());
    if (::symlinkat(target, parent, parts.back().c_str()) != 0 && errno != EEXIST)
      return fail(disk("symlink", folder_));
    return Unit{};
  }

  Result<Unit> file(archive* zip, archive_entry* entry, int parent, const std::string& name) {
    const mode_t execute = archive_entry_perm(entry) & 0111 ? 0111 : 0;
    ::unlinkat(parent, name.c_str(), 0);  // a name given twice: the last one counts
    const Fd out(::openat(parent, name.c_str(),
                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644 | execute));
    if (out.get() < 0)
      return errno == EISDIR || errno == EEXIST ? Result<Unit>(fail(bad_zip()))
                                                : fail(disk("open", folder_));
    if (::fchmod(out.get(), 0644 | execute) != 0) return fail(disk("chmod", folder_));
    const void* bytes = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    for (;;) {
      const int got = archive_read_data_block(zip, &bytes, &size, &offset);
      if (got == ARCHIVE_EOF) return Unit{};
      if (got != ARCHIVE_OK) return fail(bad_zip());
      done_.bytes += size;
      if (done_.bytes > kMaxUnpackedBytes) return fail(too_large());
      if (!write_all(out.get(), static_cast<const char*>(bytes), size))
        return fail(disk("write", folder_));
    }
  }

  static bool write_all(int fd, const char* bytes, std::size_t size) {
    while (size > 0) {
      const ssize_t wrote = ::write(fd, bytes, size);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) return false;
      bytes += wrote;
      size -= static_cast<std::size_t>(wrote);
    }
    return true;
  }

  std::string folder_;
  Fd root_;
  Unpacked done_;
};

}  // namespace

Result<Unpacked> unzip(std::string_view zip, const std::string& folder) {
  std::unique_ptr<archive, Closer> reader(archive_read_new());
  archive_read_support_format_zip_seekable(reader.get());
  if (archive_read_open_memory(reader.get(), zip.data(), zip.size()) != ARCHIVE_OK)
    return fail(bad_zip());
  Unpacker unpacker(folder);
  archive_entry* entry = nullptr;
  for (;;) {
    const int got = archive_read_next_header(reader.get(), &entry);
    if (got == ARCHIVE_EOF) break;
    if (got != ARCHIVE_OK && got != ARCHIVE_WARN) return fail(bad_zip());
    TRY(unpacker.entry(reader.get(), entry));
  }
  if (unpacker.done().files == 0) return fail(invalid("Uploaded file must be a non-empty zip"));
  return unpacker.done();
}

}  // namespace pileus::services::lambda
