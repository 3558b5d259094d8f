#include "services/lambda/code_store.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/log.h"
#include "base/text.h"
#include "services/lambda/names.h"
#include "services/lambda/unzip.h"
#include "store/sha256.h"

namespace pileus::services::lambda {
namespace fs = std::filesystem;
namespace {

std::string read_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

Error disk(const std::string& what, const std::error_code& why) {
  return Error(std::string(errc::kIo), str(what, ": ", why.message()), 500);
}

}  // namespace

CodeStore::CodeStore(store::Blobs& blobs, Workers& workers, std::string state_directory)
    : blobs_(blobs), workers_(workers), code_(std::move(state_directory) + "/code") {}

Result<Unit> CodeStore::open() {
  std::error_code why;
  fs::create_directories(code_, why);
  if (why) return fail(disk("cannot make " + code_, why));
  fs::permissions(code_, fs::perms(0755), why);
  // Folders made before this start of the machine may hold files whose bytes never reached the
  // disk.
  const std::string boot = read_line("/proc/sys/kernel/random/boot_id");
  const bool same_boot = !boot.empty() && read_line(code_ + "/boot-id") == boot;
  for (const auto& entry : fs::directory_iterator(code_, why)) {
    const std::string name = entry.path().filename();
    if (same_boot && name.size() == 64)
      unpacked_.insert(name);
    else if (name != "boot-id" || !same_boot)
      fs::remove_all(entry.path(), why);
  }
  if (!same_boot) std::ofstream(code_ + "/boot-id") << boot << '\n';
  return Unit{};
}

CodeStore::Pin::Pin(CodeStore& store, std::string id) : store_(&store), id_(std::move(id)) {
  std::lock_guard lock(store_->mutex_);
  ++store_->pins_[id_];
}

CodeStore::Pin::~Pin() {
  if (!store_) return;
  std::lock_guard lock(store_->mutex_);
  if (--store_->pins_[id_] == 0) store_->pins_.erase(id_);
}

std::string CodeStore::fresh_path() { return str(code_, "/new-", counter_++); }

// Gives an unpacked folder its name; when somebody else was first, theirs is kept.
Result<std::string> CodeStore::place(const std::string& fresh, const std::string& id) {
  const std::string path = path_of(id);
  std::error_code why;
  std::lock_guard lock(mutex_);
  if (unpacked_.contains(id)) {
    fs::remove_all(fresh, why);
    return path;
  }
  fs::remove_all(path, why);
  fs::rename(fresh, path, why);
  if (why) return fail(disk("cannot place unpacked code at " + path, why));
  unpacked_.insert(id);
  return path;
}

Result<CodeStore::Fresh> CodeStore::unpack(const std::string& zip) {
  const std::string fresh = fresh_path();
  std::error_code why;
  fs::create_directory(fresh, why);
  if (why) return fail(disk("cannot make " + fresh, why));
  fs::permissions(fresh, fs::perms(0755), why);
  auto done = unzip(zip, fresh);
  if (!done) {
    fs::remove_all(fresh, why);
    return fail(std::move(done).error());
  }
  return Fresh{fresh, static_cast<std::int64_t>(done->bytes)};
}

static Error zip_too_large(std::string_view operation) {
  return Error("RequestEntityTooLargeException",
               str("Request must be smaller than 69905067 bytes for the ", operation, " operation"),
               413);
}

Task<Result<CodeStore::Added>> CodeStore::add(std::string zip, std::string operation) {
  if (zip.size() > kMaxZipBytes) co_return fail(zip_too_large(operation));
  auto shared = std::make_shared<std::string>(std::move(zip));  // shared with the worker
  std::move_only_function<Result<Fresh>()> work = [this, shared] { return unpack(*shared); };
  CO_TRY_ASSIGN(const Fresh fresh, co_await workers_.run<Fresh>(std::move(work)));
  {
    std::lock_guard lock(mutex_);
    ++adding_;
  }
  auto added = co_await keep(fresh, shared);
  std::vector<std::string> again;
  {
    std::lock_guard lock(mutex_);
    if (--adding_ == 0) again.swap(deferred_);
  }
  for (auto& id : again) {
    if (auto removed = co_await remove_if_unused(id); !removed)
      log::warn("unused code was not removed", {{"code", id}, {"why", removed.error().message()}});
  }
  co_return added;
}

Task<Result<CodeStore::Added>> CodeStore::keep(Fresh fresh, std::shared_ptr<std::string> zip) {
  const auto bytes = static_cast<std::int64_t>(zip->size());
  auto id = co_await blobs_.put(std::move(*zip));
  if (!id) {
    workers_.push([path = fresh.path] {
      std::error_code why;
      fs::remove_all(path, why);
    });
    co_return fail(std::move(id).error());
  }
  Pin pin(*this, *id);
  CO_TRY(place(fresh.path, *id));
  co_return Added{*id, bytes, fresh.unpacked_bytes, std::move(pin)};
}

Task<Result<CodeStore::Checked>> CodeStore::check(std::string zip) {
  if (zip.size() > kMaxZipBytes) co_return fail(zip_too_large("UpdateFunctionCode"));
  std::move_only_function<Result<Checked>()> work = [this,
                                                     zip = std::move(zip)]() -> Result<Checked> {
    TRY_ASSIGN(const Fresh fresh, unpack(zip));
    std::error_code why;
    fs::remove_all(fresh.path, why);
    return Checked{store::sha256_hex(zip), static_cast<std::int64_t>(zip.size()),
                   fresh.unpacked_bytes};
  };
  co_return co_await workers_.run<Checked>(std::move(work));
}

Task<Result<std::string>> CodeStore::folder(std::string id) {
  {
    std::lock_guard lock(mutex_);
    if (unpacked_.contains(id)) co_return path_of(id);
  }
  CO_TRY_ASSIGN(auto zip, co_await blobs_.read(id));
  std::move_only_function<Result<std::string>()> work = [this, zip = std::move(zip),
                                                         id]() -> Result<std::string> {
    TRY_ASSIGN(const Fresh fresh, unpack(zip));
    return place(fresh.path, id);
  };
  co_return co_await workers_.run<std::string>(std::move(work));
}

void CodeStore::use(const std::string& id, const std::string& user) {
  std::lock_guard lock(mutex_);
  users_[id].insert(user);
}

Task<Result<Unit>> CodeStore::release(std::string id, std::string user) {
  {
    std::lock_guard lock(mutex_);
    if (auto found = users_.find(id); found != users_.end()) {
      found->second.erase(user);
      if (found->second.empty()) users_.erase(found);
    }
  }
  co_return co_await remove_if_unused(std::move(id));
}

Task<Result<Unit>> CodeStore::remove_if_unused(std::string id) {
  {
    std::lock_guard lock(mutex_);
    if (!users_known_ || users_.contains(id) || pins_.contains(id)) co_return Unit{};
    if (adding_ > 0) {  // it may be this very code
      deferred_.push_back(std::move(id));
      co_return Unit{};
    }
    unpacked_.erase(id);
  }
  // Running sandboxes keep their mount; the name goes first, so that nobody new finds half of it.
  workers_.push([path = path_of(id), away = fresh_path()] {
    std::error_code why;
    fs::rename(path, away, why);
    fs::remove_all(away, why);
  });
  co_return co_await blobs_.remove(std::move(id));
}

Task<Result<Unit>> CodeStore::reset() {
  std::set<std::string> folders;
  {
    std::lock_guard lock(mutex_);
    users_.clear();
    folders.swap(unpacked_);
  }
  std::move_only_function<Result<Unit>()> work = [this, folders] {
    std::error_code why;
    for (const auto& id : folders) fs::remove_all(path_of(id), why);
    return Result<Unit>(Unit{});
  };
  co_return co_await workers_.run<Unit>(std::move(work));
}

}  // namespace pileus::services::lambda
