#include "store/memory_blobs.h"

#include <sys/mman.h>
#include <unistd.h>

#include "store/sha256.h"

namespace pileus::store {

BlobFile::~BlobFile() {
  if (fd_ >= 0) ::close(fd_);
}

namespace {

class MemoryBlobs final : public Blobs {
 public:
  Task<Result<std::string>> put(std::string bytes) override { co_return keep(std::move(bytes)); }

  Result<std::unique_ptr<BlobWriter>> create() override { return std::make_unique<Writer>(*this); }

  Task<Result<BlobFile>> open(std::string id) override {
    CO_TRY_ASSIGN(const auto bytes, find_blob(id));
    const int fd = ::memfd_create("blob", MFD_CLOEXEC);
    BlobFile file(fd, 0, bytes->size());
    std::string_view rest = *bytes;
    while (fd >= 0 && !rest.empty()) {
      const auto n = ::write(fd, rest.data(), rest.size());
      if (n <= 0) co_return fail(std::string(errc::kIo), "cannot write a memory file", 500);
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
    if (fd < 0) co_return fail(std::string(errc::kIo), "cannot make a memory file", 500);
    co_return file;
  }

  Task<Result<std::string>> read(std::string id) override {
    CO_TRY_ASSIGN(const auto bytes, find_blob(id));
    co_return *bytes;
  }
  Task<Result<Unit>> remove(std::string id) override {
    std::lock_guard lock(mutex_);
    blobs_.erase(id);
    co_return Unit{};
  }
  Task<Result<Unit>> reset() override {
    std::lock_guard lock(mutex_);
    blobs_.clear();
    co_return Unit{};
  }

 private:
  using Bytes = std::shared_ptr<const std::string>;  // readers outlive a removal

  class Writer final : public BlobWriter {
   public:
    explicit Writer(MemoryBlobs& blobs) : blobs_(blobs) {}
    Task<Result<Unit>> write(std::string bytes) override {
      bytes_ += bytes;
      co_return Unit{};
    }
    Task<Result<std::string>> finish() override { co_return blobs_.keep(std::move(bytes_)); }

   private:
    MemoryBlobs& blobs_;
    std::string bytes_;
  };

  std::string keep(std::string bytes) {
    std::string id = sha256_hex(bytes);
    std::lock_guard lock(mutex_);
    blobs_.try_emplace(id, std::make_shared<const std::string>(std::move(bytes)));
    return id;
  }
  Result<Bytes> find_blob(const std::string& id) {
    std::lock_guard lock(mutex_);
    const auto found = blobs_.find(id);
    if (found == blobs_.end())
      return fail(std::string(errc::kNotFound), "there is no blob " + id, 404);
    return found->second;
  }
  std::mutex mutex_;  // guards blobs_
  std::map<std::string, Bytes> blobs_;
};

}  // namespace

std::unique_ptr<Blobs> make_memory_blobs() { return std::make_unique<MemoryBlobs>(); }

}  // namespace pileus::store
