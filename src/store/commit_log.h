// CommitLog: two files that take turns as the write-ahead log in front of the SQLite table. A batch
// of commits is one frame and one sync. Files are reused, not grown: overwriting costs the disk
// half of what appending does. Owned by the commit thread of sqlite_records.
//   file: magic | u64 generation | u64 salt | u32 CRC32C, then frames seeded with the salt
#pragma once

#include <functional>

#include "base/random.h"
#include "store/files.h"
#include "store/records.h"

namespace pileus::store {

class CommitLog {
 public:
  CommitLog(FileLayer& files, std::string path, Random& random)
      : files_(files), path_(std::move(path)), random_(random) {}

  // Opens both files and gives the payload of every batch of generations above `applied`, in
  // order. The batches must be applied durably before start().
  Result<Unit> recover(std::uint64_t applied,
                       const std::function<Result<Unit>(std::string_view payload)>& each);
  // Begins a new generation in the file that is not in use (or in the first one).
  void start_generation();
  std::uint64_t generation() const { return generation_; }
  std::uint64_t bytes() const { return offset_; }  // used by this generation

  // The payload of the next batch, to be appended to; then write() it.
  std::string& payload() { return buffer_; }
  void begin();
  Result<Unit> write();
  Result<Unit> sync() { return file().sync(); }

 private:
  static constexpr std::size_t kHeader = 64;
  static constexpr std::size_t kGrowLeast = 64 << 10;
  static constexpr std::size_t kGrow = 1 << 20;  // zeros written ahead, so that appends overwrite
  struct Half {
    std::unique_ptr<File> file;
    std::uint64_t size = 0;
    std::uint64_t generation = 0;  // 0: holds none
    std::uint64_t salt = 0;
  };
  File& file() { return *halves_[current_].file; }
  Result<Unit> open_half(int index);
  Result<Unit> replay(Half& half, const std::function<Result<Unit>(std::string_view)>& each);

  FileLayer& files_;
  std::string path_;
  Random& random_;
  Half halves_[2];
  int current_ = 1;
  std::uint64_t generation_ = 0;
  std::uint64_t offset_ = 0;  // 0: the header is not written yet
  std::string buffer_;
  std::size_t begun_ = 0;
};

// One write within a payload.
struct LoggedWrite {
  std::string_view partition;
  std::string_view key;
  std::optional<std::string_view> value;
  Revision revision = 0;
};
void put_logged_write(std::string& out, const LoggedWrite& write);
Result<std::vector<LoggedWrite>> logged_writes(std::string_view payload);

}  // namespace pileus::store
