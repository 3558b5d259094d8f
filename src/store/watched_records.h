// What the engines of Records share: limits, cursors, and the waiting half of `watch`.
#pragma once

#include <mutex>
#include <unordered_map>

#include "store/records.h"

namespace pileus::store {

// errc::kLimit or errc::kInvalid with the bound that was passed.
Result<Unit> check_partition(std::string_view partition);
Result<Unit> check_transaction(const Transaction& transaction);

// The smallest string above every key that starts with `prefix`.
std::string prefix_end(std::string_view prefix);
// The keys that a scan goes over: from <= key < until.
struct KeyRange {
  std::string from, until;
};
KeyRange scan_range(std::string_view prefix, const ScanOptions& options);
std::size_t scan_limit(const ScanOptions& options);

inline std::unexpected<Error> conflict(std::string_view key) {
  return fail(std::string(errc::kConflict), "the revision of " + std::string(key) + " changed",
              409);
}

// Who waits for which prefix of which partition. Any thread.
class Watchers {
 public:
  class Ticket {  // a place in the queue; leaves it when destroyed
   public:
    Ticket(Watchers& watchers, std::string partition, std::string prefix);
    ~Ticket();
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    Completion<Unit>& changed() { return changed_; }

   private:
    friend class Watchers;
    Watchers& watchers_;
    std::string partition_;
    std::string prefix_;
    Completion<Unit> changed_;
    Completer<Unit> completer_;
  };
  void notify(std::string_view partition, std::string_view key);
  void notify_partition(std::string_view partition);  // whatever changed in it
  void notify_all();

 private:
  std::mutex mutex_;  // guards waiting_
  std::map<std::string, std::list<Ticket*>, std::less<>> waiting_;
};

// An engine that can say what changed since a revision.
class WatchedRecords : public Records {
 public:
  Task<Result<ChangeBatch>> watch(std::string partition, std::string prefix,
                                  std::string cursor) final;

 protected:
  static constexpr Revision kFromNow = ~Revision{0};
  static constexpr std::size_t kBatchChanges = 1000;  // a batch ends with a whole revision
  // Changes under `prefix` above `after`, or a snapshot when `after` is 0, unknown, or older than
  // what is remembered. Never waits for changes: they may be none. With kFromNow: none, and the
  // cursor of now.
  virtual Task<Result<ChangeBatch>> changes(std::string partition, std::string prefix,
                                            Revision after) = 0;
  // Sorts by revision and cuts after the revision that fills the batch; the cursor is that
  // revision, or `now` when nothing was cut.
  static ChangeBatch make_batch(std::vector<Change> changes, Revision now);
  Watchers watchers_;
};

}  // namespace pileus::store
