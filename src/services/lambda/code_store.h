// CodeStore: the code of functions. A zip is a blob; unpacked it is a read-only folder
// <state>/code/<sha256>, made once and mounted into every sandbox that runs it. Both go with their
// last user. The folders are a cache: they are thrown away when the machine was started anew (their
// bytes were never synced) and made again from the blob when needed. Any loop.
#pragma once

#include <mutex>
#include <set>
#include <unordered_map>

#include "services/lambda/workers.h"
#include "store/blobs.h"

namespace pileus::services::lambda {

inline constexpr std::size_t kMaxZipBytes = 52'428'800;  // uploaded directly

class CodeStore {
 public:
  CodeStore(store::Blobs& blobs, Workers& workers, std::string state_directory);

  // Makes the state folder ready. Blocks shortly; before the first use.
  Result<Unit> open();

  // Keeps code from being removed while it is between being stored and being used by a record.
  class Pin {
   public:
    Pin(CodeStore& store, std::string id);
    Pin(Pin&& other) noexcept
        : store_(std::exchange(other.store_, nullptr)), id_(std::move(other.id_)) {}
    Pin& operator=(Pin&& other) noexcept {
      std::swap(store_, other.store_);
      std::swap(id_, other.id_);
      return *this;
    }
    ~Pin();

   private:
    CodeStore* store_;
    std::string id_;
  };

  struct Added {
    std::string id;          // sha256 of the zip, lower-case hex
    std::int64_t bytes = 0;  // of the zip
    std::int64_t unpacked_bytes = 0;
    Pin pin;  // keep it until a record names the code
  };
  // Checks and unpacks the zip and stores it durably. AWS's errors for bad ones, in the name of the
  // operation.
  Task<Result<Added>> add(std::string zip, std::string operation = "CreateFunction");
  struct Checked {
    std::string id;
    std::int64_t bytes = 0, unpacked_bytes = 0;
  };
  // Only checks.
  Task<Result<Checked>> check(std::string zip);
  // The folder to mount; unpacked now if it is not there.
  Task<Result<std::string>> folder(std::string id);
  [[clang::coro_wrapper]] Task<Result<std::string>> zip(std::string id) {
    return blobs_.read(std::move(id));
  }

  // Who uses it: "<partition>|<function>:<version>". Told at start for all records, then as they
  // change.
  void use(const std::string& id, const std::string& user);
  Task<Result<Unit>> release(std::string id, std::string user);
  // All users of all records are known: from now on unused code is removed.
  void users_known() { users_known_ = true; }

  // Forgets everything and removes the folders.
  Task<Result<Unit>> reset();

 private:
  friend class Pin;
  struct Fresh {
    std::string path;  // unpacked, without a name yet
    std::int64_t unpacked_bytes = 0;
  };
  Task<Result<Added>> keep(Fresh fresh, std::shared_ptr<std::string> zip);
  Task<Result<Unit>> remove_if_unused(std::string id);
  Result<Fresh> unpack(const std::string& zip);
  Result<std::string> place(const std::string& fresh, const std::string& id);
  std::string path_of(const std::string& id) const { return code_ + "/" + id; }
  std::string fresh_path();

  store::Blobs& blobs_;
  Workers& workers_;
  std::string code_;  // <state>/code
  std::atomic<bool> users_known_{false};
  std::atomic<std::uint64_t> counter_{0};
  std::mutex mutex_;  // guards what follows
  std::unordered_map<std::string, std::set<std::string>> users_;
  std::unordered_map<std::string, int> pins_;
  int adding_ = 0;                     // zips being stored, whose id is not known yet
  std::vector<std::string> deferred_;  // unused code to look at again when none is
  std::set<std::string> unpacked_;
};

}  // namespace pileus::services::lambda
