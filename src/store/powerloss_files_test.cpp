// The disk that loses power (powerloss_files.h): how it does, and that it does.
#include "store/powerloss_files.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"

namespace pileus::store {
namespace {
std::unexpected<Error> no_power() { return fail(std::string(errc::kIo), "the power is off", 500); }
std::unexpected<Error> no_file(const std::string& path) {
  return fail(std::string(errc::kNotFound), "no such file: " + path, 500);
}
}  // namespace

class PowerlossFiles::OpenFile final : public File {
 public:
  OpenFile(PowerlossFiles& disk, std::shared_ptr<Inode> inode)
      : disk_(disk), inode_(std::move(inode)), epoch_(disk.epoch_) {}
  Result<Unit> write(std::uint64_t offset, std::string_view bytes) override {
    return change({offset, std::string(bytes), false});
  }
  Result<Unit> truncate(std::uint64_t size) override { return change({size, "", true}); }
  Result<std::string> read(std::uint64_t offset, std::size_t size) override {
    std::lock_guard lock(disk_.mutex_);
    if (gone()) return no_power();
    if (offset >= inode_->now.size()) return std::string();
    return inode_->now.substr(offset, size);
  }
  Result<Unit> sync() override {
    std::lock_guard lock(disk_.mutex_);
    if (gone()) return no_power();
    TRY(disk_.act());
    for (const auto& change : inode_->unsynced) apply(inode_->durable, change);
    inode_->unsynced.clear();
    return Unit{};
  }
  Result<std::uint64_t> size() override {
    std::lock_guard lock(disk_.mutex_);
    if (gone()) return no_power();
    return inode_->now.size();
  }
  Result<int> descriptor() override {
    std::lock_guard lock(disk_.mutex_);
    if (gone()) return no_power();
    const int fd = ::memfd_create("powerloss", MFD_CLOEXEC);
    if (::write(fd, inode_->now.data(), inode_->now.size()) < 0) return no_power();
    return fd;
  }

 private:
  bool gone() const { return disk_.off_ || epoch_ != disk_.epoch_; }
  Result<Unit> change(Change change) {
    std::lock_guard lock(disk_.mutex_);
    if (gone()) return no_power();
    apply(inode_->now, change);
    inode_->unsynced.push_back(std::move(change));
    return disk_.act();  // a cut in the midst of it leaves it unsynced
  }
  PowerlossFiles& disk_;
  std::shared_ptr<Inode> inode_;
  std::uint64_t epoch_;
};

void PowerlossFiles::cut_after(std::uint64_t operations) {
  std::lock_guard lock(mutex_);
  countdown_ = operations;
}
void PowerlossFiles::cut_now() {
  std::lock_guard lock(mutex_);
  off_ = true;
}
bool PowerlossFiles::is_off() const {
  std::lock_guard lock(mutex_);
  return off_;
}

Result<Unit> PowerlossFiles::act() {
  if (off_) return no_power();
  if (countdown_ == 0 || --countdown_ > 0) return Unit{};
  off_ = true;
  return no_power();
}

void PowerlossFiles::apply(std::string& contents, const Change& change) {
  if (change.truncation) {
    contents.resize(change.offset);
    return;
  }
  if (contents.size() < change.offset + change.bytes.size())
    contents.resize(change.offset + change.bytes.size());
  contents.replace(change.offset, change.bytes.size(), change.bytes);
}
void PowerlossFiles::apply(Names& names, const NameChange& change) {
  if (!change.from.empty()) names.erase(change.from);
  if (!change.to.empty()) names[change.to] = change.inode;
}

// Nothing, everything, or any sectors of what was not synced reached the disk.
void PowerlossFiles::tear(Inode& inode) {
  const auto mood = random_.below(4);
  for (const auto& change : inode.unsynced) {
    if (mood == 0) continue;
    if (mood == 1 || change.truncation) {
      if (mood == 1 || random_.below(2)) apply(inode.durable, change);
      continue;
    }
    for (std::uint64_t at = change.offset; at < change.offset + change.bytes.size();) {
      const auto end = std::min(change.offset + change.bytes.size(), (at / kSector + 1) * kSector);
      if (random_.below(mood == 2 ? 2 : 16) != 0)
        apply(inode.durable, {at, change.bytes.substr(at - change.offset, end - at), false});
      at = end;
    }
  }
  inode.unsynced.clear();
  inode.now = inode.durable;
}

void PowerlossFiles::restore() {
  std::lock_guard lock(mutex_);
  const auto mood = random_.below(3);
  for (const auto& change : unsynced_)
    if (mood == 1 || (mood == 2 && random_.below(2))) apply(durable_, change);
  unsynced_.clear();
  now_ = durable_;
  std::set<Inode*> seen;
  for (auto& [path, inode] : now_)
    if (seen.insert(inode.get()).second) tear(*inode);
  off_ = false;
  countdown_ = 0;
  ++epoch_;
}

Result<std::unique_ptr<File>> PowerlossFiles::open(const std::string& path, OpenMode mode) {
  std::lock_guard lock(mutex_);
  if (off_) return no_power();
  auto found = now_.find(path);
  if (found == now_.end()) {
    if (mode != OpenMode::kCreate) return no_file(path);
    NameChange made{"", path, std::make_shared<Inode>()};
    apply(now_, made);
    unsynced_.push_back(made);
    TRY(act());
    found = now_.find(path);
  }
  return std::make_unique<OpenFile>(*this, found->second);
}

Result<Unit> PowerlossFiles::rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  if (off_) return no_power();
  const auto found = now_.find(from);
  if (found == now_.end()) return no_file(from);
  const NameChange moved{from, to, found->second};
  apply(now_, moved);
  unsynced_.push_back(moved);
  return act();
}

Result<Unit> PowerlossFiles::unlink(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (off_) return no_power();
  if (!now_.contains(path)) return Unit{};
  const NameChange removed{path, "", nullptr};
  apply(now_, removed);
  unsynced_.push_back(removed);
  return act();
}

Result<Unit> PowerlossFiles::sync_dir(const std::string& path) {
  std::lock_guard lock(mutex_);
  TRY(act());
  std::erase_if(unsynced_, [&](const NameChange& change) {
    const bool here = (!change.from.empty() && folder_of(change.from) == path) ||
                      (!change.to.empty() && folder_of(change.to) == path);
    if (here) apply(durable_, change);
    return here;
  });
  return Unit{};
}

Result<Unit> PowerlossFiles::make_dir(const std::string&) {
  if (is_off()) return no_power();
  return Unit{};
}

Result<std::vector<std::string>> PowerlossFiles::list(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (off_) return no_power();
  std::set<std::string> names;
  for (const auto& [name, inode] : now_)
    if (name.starts_with(path + "/"))
      names.emplace(split(std::string_view(name).substr(path.size() + 1), '/')[0]);
  return std::vector<std::string>(names.begin(), names.end());
}

// ---- SQLite over it

namespace {

struct SqliteFile {
  sqlite3_file base;
  File* file;
  FileLayer* files;
  std::string* path;
  bool fresh;  // its name is not durable yet
  bool temporary;
};
SqliteFile& self(sqlite3_file* file) { return *reinterpret_cast<SqliteFile*>(file); }
FileLayer& layer(sqlite3_vfs* vfs) { return *static_cast<FileLayer*>(vfs->pAppData); }

const sqlite3_io_methods kMethods = {
    .iVersion = 1,
    .xClose =
        [](sqlite3_file* file) {
          delete self(file).file;
          delete self(file).path;
          return SQLITE_OK;
        },
    .xRead =
        [](sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
          const auto bytes = self(file).file->read(std::uint64_t(offset), std::size_t(size));
          if (!bytes) return SQLITE_IOERR_READ;
          std::memset(out, 0, std::size_t(size));
          std::memcpy(out, bytes->data(), bytes->size());
          return bytes->size() == std::size_t(size) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
        },
    .xWrite =
        [](sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
          const std::string_view view(static_cast<const char*>(bytes), std::size_t(size));
          return self(file).file->write(std::uint64_t(offset), view) ? SQLITE_OK
                                                                     : SQLITE_IOERR_WRITE;
        },
    .xTruncate =
        [](sqlite3_file* file, sqlite3_int64 size) {
          return self(file).file->truncate(std::uint64_t(size)) ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
        },
    .xSync =
        [](sqlite3_file* file, int) {
          if (!self(file).file->sync()) return SQLITE_IOERR_FSYNC;
          if (!std::exchange(self(file).fresh, false)) return SQLITE_OK;
          return self(file).files->sync_dir(folder_of(*self(file).path)) ? SQLITE_OK
                                                                         : SQLITE_IOERR_DIR_FSYNC;
        },
    .xFileSize =
        [](sqlite3_file* file, sqlite3_int64* size) {
          const auto found = self(file).file->size();
          if (found) *size = sqlite3_int64(*found);
          return found ? SQLITE_OK : SQLITE_IOERR_FSTAT;
        },
    .xLock = [](sqlite3_file*, int) { return SQLITE_OK; },
    .xUnlock = [](sqlite3_file*, int) { return SQLITE_OK; },
    .xCheckReservedLock =
        [](sqlite3_file*, int* locked) {
          *locked = 0;
          return SQLITE_OK;
        },
    .xFileControl = [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; },
    .xSectorSize = [](sqlite3_file*) { return 512; },
    .xDeviceCharacteristics = [](sqlite3_file*) { return 0; },
};

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  static std::atomic<int> temporaries = 0;
  file->pMethods = nullptr;
  const std::string path = name ? name : str("/temporary-", ++temporaries);
  auto existing = layer(vfs).open(path, OpenMode::kUpdate);
  const bool fresh = !existing;
  if (fresh && (flags & SQLITE_OPEN_CREATE)) existing = layer(vfs).open(path, OpenMode::kCreate);
  if (!existing) return SQLITE_CANTOPEN;
  new (file) SqliteFile{{&kMethods}, existing->release(), &layer(vfs), new std::string(path), fresh,
                        !name};
  if (out_flags) *out_flags = flags;
  return SQLITE_OK;
}
int delete_file(sqlite3_vfs* vfs, const char* name, int sync) {
  if (!layer(vfs).unlink(name)) return SQLITE_IOERR_DELETE;
  return !sync || layer(vfs).sync_dir(folder_of(name)) ? SQLITE_OK : SQLITE_IOERR_DIR_FSYNC;
}
int access_file(sqlite3_vfs* vfs, const char* name, int, int* found) {
  const auto file = layer(vfs).open(name, OpenMode::kRead);
  if (!file && file.error().is(errc::kIo)) return SQLITE_IOERR_ACCESS;
  *found = file.has_value();
  return SQLITE_OK;
}
int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

}  // namespace

struct PowerlossVfs::Registered {
  sqlite3_vfs vfs;
};

PowerlossVfs::PowerlossVfs(std::string name, FileLayer& files)
    : name_(std::move(name)), vfs_(std::make_unique<Registered>()) {
  vfs_->vfs = *sqlite3_vfs_find(nullptr);  // chance and time are the machine's
  vfs_->vfs.iVersion = 1;
  vfs_->vfs.szOsFile = sizeof(SqliteFile);
  vfs_->vfs.pNext = nullptr;
  vfs_->vfs.zName = name_.c_str();
  vfs_->vfs.pAppData = &files;
  vfs_->vfs.xOpen = open_file;
  vfs_->vfs.xDelete = delete_file;
  vfs_->vfs.xAccess = access_file;
  vfs_->vfs.xFullPathname = full_path;
  sqlite3_vfs_register(&vfs_->vfs, 0);
}
PowerlossVfs::~PowerlossVfs() { sqlite3_vfs_unregister(&vfs_->vfs); }

// ---- That it does lose what was not synced

TEST(PowerlossFiles, What_is_synced_stays_and_nothing_else_is_certain) {
  int lost = 0;
  int torn = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    PowerlossFiles disk(seed);
    auto file = *disk.open("/d/a", OpenMode::kCreate);
    ASSERT_TRUE(file->write(0, "synced"));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(disk.sync_dir("/d"));
    ASSERT_TRUE(file->write(1000, std::string(4096, 'x')));
    disk.cut_after(1);
    EXPECT_FALSE(file->sync());
    EXPECT_FALSE(disk.open("/d/a", OpenMode::kRead));
    disk.restore();
    EXPECT_FALSE(file->read(0, 1));  // opened before the cut
    const auto left = *read_file(disk, "/d/a");
    EXPECT_TRUE(left.starts_with("synced"));
    const auto arrived = std::count(left.begin(), left.end(), 'x');
    if (arrived == 0)
      ++lost;
    else if (arrived < 4096)
      ++torn;
  }
  EXPECT_GT(lost, 5);
  EXPECT_GT(torn, 5);
}

TEST(PowerlossFiles, A_name_is_certain_once_its_folder_is_synced) {
  int lost = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    PowerlossFiles disk(seed);
    ASSERT_TRUE(replace_file(disk, "/d/kept", "kept"));
    auto file = *disk.open("/d/new", OpenMode::kCreate);
    ASSERT_TRUE(file->write(0, "new"));
    ASSERT_TRUE(file->sync());
    disk.cut_now();
    disk.restore();
    EXPECT_EQ(*read_file(disk, "/d/kept"), "kept");
    if (!disk.open("/d/new", OpenMode::kRead)) ++lost;
  }
  EXPECT_GT(lost, 5);
}

}  // namespace pileus::store
