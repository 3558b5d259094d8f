// FileLayer: the few things the store asks of a file system, so that tests can cut the power
// between any two of them. Blocking: called on the store's own threads only, never on a loop.
// What was written is durable after File::sync; that a name exists, after sync_dir of its folder.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/completion.h"

namespace pileus::store {

// One open file; closed when destroyed. Used by one thread at a time for writing; reads may run on
// other threads meanwhile.
class File {
 public:
  virtual ~File() = default;
  virtual Result<Unit> write(std::uint64_t offset, std::string_view bytes) = 0;
  // Up to `size` bytes; fewer only at the end of the file.
  virtual Result<std::string> read(std::uint64_t offset, std::size_t size) = 0;
  virtual Result<Unit> sync() = 0;  // contents and size
  virtual Result<Unit> truncate(std::uint64_t size) = 0;
  virtual Result<std::uint64_t> size() = 0;
  virtual Result<int> descriptor() = 0;  // a new one of the same open file, the caller's to close
};

enum class OpenMode {
  kRead,    // errc::kNotFound when missing
  kUpdate,  // read and write; errc::kNotFound when missing
  kCreate,  // read and write; made when missing, kept as it is otherwise
};

class FileLayer {
 public:
  virtual ~FileLayer() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<Unit> rename(const std::string& from, const std::string& to) = 0;  // replaces
  virtual Result<Unit> unlink(const std::string& path) = 0;                         // missing: fine
  virtual Result<Unit> sync_dir(const std::string& path) = 0;
  virtual Result<Unit> make_dir(const std::string& path) = 0;                  // exists: fine
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;  // names, sorted
};

// The machine's.
FileLayer& system_files();

// Makes `contents` the file at `path`: all of it or what was there before, whatever happens.
Result<Unit> replace_file(FileLayer& files, const std::string& path, std::string_view contents);
Result<std::string> read_file(FileLayer& files, const std::string& path);
std::string folder_of(std::string_view path);

}  // namespace pileus::store
