// Records: ordered keys with transactions and watches. Engines: memory, SQLite, PostgreSQL, and a
// hostile one for tests. The contract is what all of them give cheaply.
//
// A partition is what a transaction stays within: "<account>/<region>", or "global". Keys are
// byte strings, ordered by byte; a key is at most 1,024 bytes, a value at most 1 MiB, a transaction
// at most 500 operations and 8 MiB. Every key carries a revision that grows with each write of it;
// 0 is "does not exist". A transaction may conflict (errc::kConflict): load again, decide again,
// commit again. An acknowledged commit survives power loss.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/task_group.h"

namespace pileus::store {

using Revision = std::uint64_t;

struct Entry {
  std::string key;
  std::string value;
  Revision revision = 0;
};

struct Transaction {
  struct Expect {
    std::string key;
    Revision revision;  // 0: the key must not exist
  };
  struct Write {
    std::string key;
    std::optional<std::string> value;  // nothing: delete
  };
  std::vector<Expect> expects;
  std::vector<Write> writes;

  Transaction& expect(std::string key, Revision revision) {
    expects.push_back({std::move(key), revision});
    return *this;
  }
  Transaction& put(std::string key, std::string value) {
    writes.push_back({std::move(key), std::move(value)});
    return *this;
  }
  Transaction& remove(std::string key) {
    writes.push_back({std::move(key), std::nullopt});
    return *this;
  }
};

struct ScanOptions {
  std::size_t limit = 1000;  // at most 10,000
  std::string after;         // exclusive start within the prefix: the last key of the page before
  bool reverse = false;      // from the end; `after` is then an exclusive upper bound
};

struct Change {
  std::string key;
  std::optional<std::string> value;  // nothing: deleted
  Revision revision = 0;
};
struct ChangeBatch {
  std::vector<Change> changes;  // coalesced: the newest state of each key, at least once
  std::string cursor;           // give it to the next call to go on from here
  // The changes are everything there is under the prefix: what is not named does not exist (any
  // more). So it is for cursor "0", after a reset, and when the cursor is older than the deletions
  // that the engine still remembers.
  bool snapshot = false;
};

class Records {
 public:
  static constexpr std::size_t kMaxPartitionBytes = 256;  // no NUL byte in it
  static constexpr std::size_t kMaxKeyBytes = 1024;
  static constexpr std::size_t kMaxValueBytes = 1 << 20;
  static constexpr std::size_t kMaxOperations = 500;
  static constexpr std::size_t kMaxTransactionBytes = 8 << 20;

  virtual ~Records() = default;
  virtual Task<Result<std::optional<Entry>>> get(std::string partition, std::string key) = 0;
  // Entries whose key starts with `prefix`, in order.
  virtual Task<Result<std::vector<Entry>>> scan(std::string partition, std::string prefix,
                                                ScanOptions options) = 0;
  // All expectations hold, then all writes happen; or none, with errc::kConflict. Gives the
  // revision that the written keys now have. Of several writes of one key the last counts.
  // errc::kIo, and a cancelled wait, leave open whether it happened: load and see.
  virtual Task<Result<Revision>> commit(std::string partition, Transaction transaction) = 0;
  // Waits for changes under `prefix` after `cursor` ("" starts now; "0" gives everything there is,
  // at once, even if that is nothing).
  virtual Task<Result<ChangeBatch>> watch(std::string partition, std::string prefix,
                                          std::string cursor) = 0;
  // Partitions that hold at least one key, in order.
  virtual Task<Result<std::vector<std::string>>> partitions() = 0;
  // Empties everything, durably.
  virtual Task<Result<Unit>> reset() = 0;
};

}  // namespace pileus::store
