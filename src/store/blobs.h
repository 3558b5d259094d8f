// Blobs: content-addressed bytes (sha256, lower-case hex), served by descriptor and offset.
// A blob that was acknowledged survives power loss. Unreferenced blobs go by `remove`.
#pragma once

#include "base/task_group.h"

namespace pileus::store {

// Part of an open file; closes it when destroyed.
class BlobFile {
 public:
  BlobFile(int fd, std::uint64_t offset, std::uint64_t size)
      : fd_(fd), offset_(offset), size_(size) {}
  BlobFile(BlobFile&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), offset_(other.offset_), size_(other.size_) {}
  BlobFile& operator=(BlobFile&&) = delete;
  ~BlobFile();
  int fd() const { return fd_; }
  std::uint64_t offset() const { return offset_; }  // of the blob's first byte within the file
  std::uint64_t size() const { return size_; }

 private:
  int fd_;
  std::uint64_t offset_;
  std::uint64_t size_;
};

// A blob being written in pieces (uploads that do not fit in memory), one at a time, by one task.
// Dropped: forgotten.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  virtual Task<Result<Unit>> write(std::string bytes) = 0;
  virtual Task<Result<std::string>> finish() = 0;  // the id; durable when it returns
};

class Blobs {
 public:
  virtual ~Blobs() = default;
  virtual Task<Result<std::string>> put(std::string bytes) = 0;  // the id
  virtual Result<std::unique_ptr<BlobWriter>> create() = 0;      // must not outlive the Blobs
  virtual Task<Result<BlobFile>> open(std::string id) = 0;       // errc::kNotFound
  virtual Task<Result<std::string>> read(std::string id) = 0;    // whole; for small ones; kNotFound
  virtual Task<Result<Unit>> remove(std::string id) = 0;         // unknown: fine
  virtual Task<Result<Unit>> reset() = 0;
};

}  // namespace pileus::store
