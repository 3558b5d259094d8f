#include "store/file_blobs.h"

#include "base/log.h"
#include "base/text.h"
#include "store/blob_packs.h"
#include "store/sha256.h"
#include "store/worker.h"

namespace pileus::store {
namespace {

class FileBlobs final : public Blobs {
 public:
  FileBlobs(std::string folder, FileBlobsOptions options)
      : folder_(std::move(folder)),
        small_(options.small_bytes),
        files_(options.files ? *options.files : system_files()),
        packs_(files_, folder_ + "/packs", options.pack_bytes),
        reader_("store-blob-read"),
        large_("store-blob-big") {}
  ~FileBlobs() override;
  Result<Unit> start();

  Task<Result<std::string>> put(std::string bytes) override;
  Result<std::unique_ptr<BlobWriter>> create() override;
  Task<Result<BlobFile>> open(std::string id) override;
  Task<Result<std::string>> read(std::string id) override;
  Task<Result<Unit>> remove(std::string id) override;
  Task<Result<Unit>> reset() override;

 private:
  static constexpr std::size_t kQueuedOps = 65'536;
  static constexpr std::size_t kBatchOps = 512;
  enum class Kind { kPack, kAdopt, kRemove, kReset };
  struct Op {
    Kind kind;
    std::string bytes;   // kPack
    std::string digest;  // kAdopt, kRemove; made from the bytes for kPack
    std::string path;    // kAdopt: where the bytes are, synced
    Completer<Unit> done;
  };
  class Writer;
  class Upload;

  Task<Result<Unit>> ask(Op op);
  void write_thread();
  void run_batch(std::vector<Op>& batch);
  Result<Unit> pack(std::vector<Op>& batch);
  Result<Unit> adopt(const Op& op);
  Result<Unit> remove_all(const std::vector<Op>& batch);
  Result<Unit> clear();
  Result<std::unique_ptr<File>> open_now(const std::string& id, std::uint64_t& offset,
                                         std::uint64_t& size);
  std::string shelf(std::string_view digest) const {
    return str(folder_, "/objects/", to_hex(digest.substr(0, 1)));
  }
  std::string object_path(std::string_view digest) const {
    return str(shelf(digest), "/", to_hex(digest));
  }

  const std::string folder_;
  const std::size_t small_;
  FileLayer& files_;
  BlobPacks packs_;
  std::set<char> shelves_;  // write thread: folders of objects/ that exist durably
  std::atomic<std::uint64_t> uploads_ = 0;
  std::mutex mutex_;  // guards queue_ and stopping_
  std::condition_variable wake_;
  std::deque<Op> queue_;
  bool stopping_ = false;
  Worker reader_;
  Worker large_;
  std::thread writer_;
};

// Bytes on their way into a file under tmp/, on the large thread; shared by the job that writes
// and the task that waits for it, so that a stopped task leaves nothing dangling.
class FileBlobs::Upload {
 public:
  Upload(FileLayer& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~Upload() {
    file_.reset();
    if (made_ && !adopted_) (void)files_.unlink(path_);
  }
  Result<Unit> write(std::string_view bytes) {
    if (!file_) {
      TRY_ASSIGN(file_, files_.open(path_, OpenMode::kCreate));
      made_ = true;
    }
    TRY(file_->write(size_, bytes));
    size_ += bytes.size();
    sha_.add(bytes);
    return Unit{};
  }
  Result<std::string> finish() {  // the digest
    TRY(file_->sync());
    return sha_.finish();
  }
  const std::string& path() const { return path_; }
  void adopted() { adopted_ = true; }

 private:
  FileLayer& files_;
  std::string path_;
  std::unique_ptr<File> file_;
  std::uint64_t size_ = 0;
  Sha256 sha_;
  bool made_ = false;
  bool adopted_ = false;
};

class FileBlobs::Writer final : public BlobWriter {
 public:
  explicit Writer(FileBlobs& blobs)
      : blobs_(blobs),
        upload_(std::make_shared<Upload>(blobs.files_,
                                         str(blobs.folder_, "/tmp/", blobs.uploads_++))) {}
  ~Writer() override {  // its file is closed and removed where that may block
    blobs_.large_.post([upload = std::move(upload_)] {});
  }
  Task<Result<Unit>> write(std::string bytes) override {
    held_ += bytes;
    if (held_.size() <= blobs_.small_) co_return Unit{};
    spilled_ = true;
    co_return co_await blobs_.large_.run<Unit>(
        [upload = upload_, bytes = std::exchange(held_, {})] { return upload->write(bytes); });
  }
  Task<Result<std::string>> finish() override {
    if (!spilled_) co_return co_await blobs_.put(std::move(held_));
    CO_TRY_ASSIGN(auto digest,
                  co_await blobs_.large_.run<std::string>(
                      [upload = upload_, rest = std::move(held_)]() -> Result<std::string> {
                        TRY(upload->write(rest));
                        return upload->finish();
                      }));
    std::string id = to_hex(digest);
    CO_TRY(co_await blobs_.ask(
        {.kind = Kind::kAdopt, .digest = std::move(digest), .path = upload_->path()}));
    upload_->adopted();
    co_return id;
  }

 private:
  FileBlobs& blobs_;
  std::shared_ptr<Upload> upload_;
  std::string held_;  // until it is more than a small blob
  bool spilled_ = false;
};

FileBlobs::~FileBlobs() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  if (writer_.joinable()) writer_.join();
}

// ---- Asking, on any loop

Task<Result<Unit>> FileBlobs::ask(Op op) {
  Completion<Unit> done;
  op.done = done.completer();
  {
    std::lock_guard lock(mutex_);
    if (queue_.size() >= kQueuedOps)
      co_return fail(std::string(errc::kLimit), "too many blobs wait for the disk; try again", 503);
    queue_.push_back(std::move(op));
    if (queue_.size() == 1) wake_.notify_one();
  }
  co_return co_await done;
}

Task<Result<std::string>> FileBlobs::put(std::string bytes) {
  if (bytes.size() > small_) {
    Writer writer(*this);
    CO_TRY(co_await writer.write(std::move(bytes)));
    co_return co_await writer.finish();
  }
  std::string id = sha256_hex(bytes);
  std::string digest = *from_hex(id);
  if (packs_.find(digest)) co_return id;
  CO_TRY(
      co_await ask({.kind = Kind::kPack, .bytes = std::move(bytes), .digest = std::move(digest)}));
  co_return id;
}

Result<std::unique_ptr<BlobWriter>> FileBlobs::create() { return std::make_unique<Writer>(*this); }

Task<Result<BlobFile>> FileBlobs::open(std::string id) {
  co_return co_await reader_.run<BlobFile>([this, id = std::move(id)]() -> Result<BlobFile> {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    TRY_ASSIGN(auto file, open_now(id, offset, size));
    TRY_ASSIGN(const int fd, file->descriptor());
    return BlobFile(fd, offset, size);
  });
}

Task<Result<std::string>> FileBlobs::read(std::string id) {
  co_return co_await reader_.run<std::string>([this, id = std::move(id)]() -> Result<std::string> {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    TRY_ASSIGN(auto file, open_now(id, offset, size));
    return file->read(offset, size);
  });
}

Task<Result<Unit>> FileBlobs::remove(std::string id) {
  if (!is_blob_id(id)) co_return Unit{};
  co_return co_await ask({.kind = Kind::kRemove, .digest = *from_hex(id)});
}

Task<Result<Unit>> FileBlobs::reset() { co_return co_await ask({.kind = Kind::kReset}); }

// ---- The read thread

Result<std::unique_ptr<File>> FileBlobs::open_now(const std::string& id, std::uint64_t& offset,
                                                  std::uint64_t& size) {
  const auto missing = [&] {
    return fail(std::string(errc::kNotFound), "there is no blob " + id, 404);
  };
  if (!is_blob_id(id)) return missing();
  const std::string digest = *from_hex(id);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const auto place = packs_.find(digest);
    if (!place) break;
    auto file = files_.open(packs_.path(place->pack), OpenMode::kRead);
    if (!file && file.error().is(errc::kNotFound)) continue;  // copied to another pack meanwhile
    offset = place->offset + BlobPacks::kHead;
    size = place->size;
    return file;
  }
  auto file = files_.open(object_path(digest), OpenMode::kRead);
  if (!file && file.error().is(errc::kNotFound)) return missing();
  if (!file) return file;
  TRY_ASSIGN(size, (*file)->size());
  return file;
}

// ---- The write thread

void FileBlobs::write_thread() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    std::vector<Op> batch;
    while (!queue_.empty() && batch.size() < kBatchOps &&
           (batch.empty() || queue_.front().kind == batch.front().kind)) {
      batch.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    lock.unlock();
    run_batch(batch);
    batch.clear();
    lock.lock();
  }
}

void FileBlobs::run_batch(std::vector<Op>& batch) {
  const Kind kind = batch.front().kind;
  const auto together = kind == Kind::kPack     ? pack(batch)
                        : kind == Kind::kRemove ? remove_all(batch)
                        : kind == Kind::kReset  ? clear()
                                                : Result<Unit>(Unit{});
  for (auto& op : batch) {
    const auto done = kind == Kind::kAdopt ? adopt(op) : together;
    if (!done)
      log::error("a blob cannot be stored or removed", {{"reason", done.error().message()}});
    op.done.complete(done);
  }
}

Result<Unit> FileBlobs::pack(std::vector<Op>& batch) {
  std::vector<std::pair<std::string, std::string_view>> blobs;
  for (const auto& op : batch) blobs.emplace_back(op.digest, op.bytes);
  return packs_.append(blobs);
}

Result<Unit> FileBlobs::adopt(const Op& op) {
  if (!shelves_.contains(op.digest[0])) {
    TRY(files_.make_dir(shelf(op.digest)));
    TRY(files_.sync_dir(folder_ + "/objects"));
    shelves_.insert(op.digest[0]);
  }
  TRY(files_.rename(op.path, object_path(op.digest)));
  return files_.sync_dir(shelf(op.digest));
}

Result<Unit> FileBlobs::remove_all(const std::vector<Op>& batch) {
  std::vector<std::string> packed;
  std::set<std::string> shelves;
  for (const auto& op : batch) {
    if (packs_.find(op.digest)) {
      packed.push_back(op.digest);
      continue;
    }
    auto file = files_.open(object_path(op.digest), OpenMode::kRead);
    if (!file && file.error().is(errc::kNotFound)) continue;
    TRY(files_.unlink(object_path(op.digest)));
    shelves.insert(shelf(op.digest));
  }
  for (const auto& shelf : shelves) TRY(files_.sync_dir(shelf));
  if (packed.empty()) return Unit{};
  TRY(packs_.remove(packed));
  return Unit{};
}

Result<Unit> FileBlobs::clear() {
  TRY(packs_.clear());
  TRY_ASSIGN(const auto shelves, files_.list(folder_ + "/objects"));
  for (const auto& name : shelves) {
    const std::string path = str(folder_, "/objects/", name);
    TRY_ASSIGN(const auto objects, files_.list(path));
    for (const auto& object : objects) TRY(files_.unlink(path + "/" + object));
    if (!objects.empty()) TRY(files_.sync_dir(path));
  }
  return Unit{};
}

Result<Unit> FileBlobs::start() {
  for (const std::string name : {"", "/tmp", "/objects"}) TRY(files_.make_dir(folder_ + name));
  TRY(packs_.load());
  TRY(files_.sync_dir(folder_));
  TRY(files_.sync_dir(folder_of(folder_)));
  TRY_ASSIGN(const auto left, files_.list(folder_ + "/tmp"));
  for (const auto& name : left) TRY(files_.unlink(str(folder_, "/tmp/", name)));
  writer_ = std::thread([this] {
    name_thread("store-blob-sync");
    write_thread();
  });
  return Unit{};
}

}  // namespace

Result<std::unique_ptr<Blobs>> make_file_blobs(std::string folder, FileBlobsOptions options) {
  auto blobs = std::make_unique<FileBlobs>(std::move(folder), options);
  TRY(blobs->start());
  return blobs;
}

}  // namespace pileus::store
