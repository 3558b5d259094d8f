#include "store/sqlite_records.h"

#include "base/log.h"
#include "base/text.h"
#include "store/commit_log.h"
#include "store/recent_values.h"
#include "store/sqlite_table.h"
#include "store/watched_records.h"
#include "store/worker.h"

namespace pileus::store {
namespace {

using Items = std::map<std::string, Item, std::less<>>;  // by partition, NUL, key

std::string id_of(std::string_view partition, std::string_view key) {
  std::string id;
  id.reserve(partition.size() + 1 + key.size());
  id += partition;
  id += '\0';
  id += key;
  return id;
}
std::string_view partition_of(std::string_view id) { return id.substr(0, id.find('\0')); }
std::string_view key_of(std::string_view id) { return id.substr(id.find('\0') + 1); }

std::optional<std::string> copy_of(const SharedValue& value) {
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

// Two threads. The commit thread decides everything that is queued, writes it to the log as one
// batch, syncs, publishes it in `overlay_` and answers. The table thread moves a full or settled
// overlay (then `applying_`) into SQLite in short slices, and between them reads what is in no
// memory. So what is acknowledged is in the log or in the table, and reads look at overlay_,
// applying_, cache_, table in this order; things only ever move rightward.
class SqliteRecords final : public WatchedRecords {
 public:
  SqliteRecords(SqliteOptions options, std::unique_ptr<CommitLog> log,
                std::unique_ptr<SqliteTable> table, SqliteTable::Meta meta);
  ~SqliteRecords() override;

  Task<Result<std::optional<Entry>>> get(std::string partition, std::string key) override;
  Task<Result<std::vector<Entry>>> scan(std::string partition, std::string prefix,
                                        ScanOptions options) override;
  Task<Result<Revision>> commit(std::string partition, Transaction transaction) override;
  Task<Result<std::vector<std::string>>> partitions() override;
  Task<Result<Unit>> reset() override;

 protected:
  Task<Result<ChangeBatch>> changes(std::string partition, std::string prefix,
                                    Revision after) override;

 private:
  static constexpr std::size_t kBatchBytes = 4 << 20;  // of commits synced at once
  static constexpr std::size_t kQueuedCommits = 65'536;
  static constexpr std::size_t kQueuedBytes = 64 << 20;
  static constexpr std::size_t kSliceItems = 32;  // moved into the table at a time
  static constexpr std::size_t kRingChanges = 4096;
  static constexpr std::size_t kRingBytes = 1 << 20;

  struct Pending {
    std::string partition;
    Transaction transaction;
    Completer<Revision> completer;
    Completer<Unit> reset;  // instead of a transaction
    std::size_t bytes = 0;
    Result<Revision> result = Revision{0};
  };
  struct NewItem {
    std::string id;
    Item item;
  };
  struct Recent {
    Revision revision;
    std::string id;
    SharedValue value;
  };

  // Commit thread.
  void commit_thread();
  std::vector<Pending> take_batch();
  void run_batch(std::vector<Pending>& batch);
  using TableLock = std::unique_lock<std::mutex>;
  Result<Revision> decide(Pending& pending, TableLock& table);
  Result<Revision> revision_of(const std::string& id, std::string_view partition,
                               std::string_view key, TableLock& table);
  Result<Unit> write_log();
  void publish();
  void hand_over(std::unique_lock<std::mutex>& lock);
  void run_reset(Pending& pending);
  void break_down(const Error& error);

  // Table thread.
  void table_thread();
  void apply_slice();
  void finish_applying();
  void apply_reset();
  void fail_table(const Error& error);
  Result<std::optional<Entry>> read_cold(const std::string& partition, const std::string& key);
  Result<std::vector<Entry>> scan_now(const std::string& partition, const std::string& prefix,
                                      const ScanOptions& options);
  Result<std::vector<std::string>> partitions_now();
  Result<ChangeBatch> changes_now(const std::string& partition, const std::string& prefix,
                                  Revision after);
  Result<Unit> broken_error() const;

  // Any thread, under mutex_.
  const Item* find_item(std::string_view id);
  std::optional<ChangeBatch> changes_in_ring(std::string_view partition, std::string_view prefix,
                                             Revision after);
  std::vector<NewItem> waiting_in(const std::string& partition, const KeyRange& range, bool reverse,
                                  std::size_t live) const;
  template <class T, class Job>
  Task<Result<T>> on_table(Job job);

  const SqliteOptions options_;
  std::unique_ptr<CommitLog> log_;  // commit thread
  std::mutex table_mutex_;          // guards table_: the commit thread looks revisions up
  std::unique_ptr<SqliteTable> table_;
  std::atomic<int> table_wanted_ = 0;  // the table thread lets the commit thread go first

  // Commit thread only.
  std::unordered_map<std::string, Revision> batch_revisions_;  // 0: deleted in this batch
  std::vector<NewItem> batch_items_;
  Revision last_revision_;

  mutable std::mutex mutex_;  // guards everything below
  std::condition_variable commits_wake_;
  std::condition_variable table_wake_;
  std::deque<Pending> queue_;
  std::size_t queued_bytes_ = 0;
  std::deque<Callback> table_jobs_;
  Items overlay_;
  Items applying_;  // changed by the table thread only, which may read it without the lock
  Items::const_iterator applied_to_;
  bool applying_now_ = false;
  SqliteTable::Meta applying_meta_;
  bool resetting_ = false;
  RecentValues cache_;
  std::deque<Recent> ring_;  // the newest changes, once someone watches
  std::size_t ring_bytes_ = 0;
  Revision ring_floor_ = 0;  // the ring holds every change above
  bool watched_ = false;
  Revision published_;
  Revision horizon_;
  bool stopping_ = false;
  bool table_stopping_ = false;
  std::optional<Error> broken_;  // after this nothing is accepted; reads go on

  std::thread committing_;
  std::thread tabling_;
};

SqliteRecords::SqliteRecords(SqliteOptions options, std::unique_ptr<CommitLog> log,
                             std::unique_ptr<SqliteTable> table, SqliteTable::Meta meta)
    : options_(std::move(options)),
      log_(std::move(log)),
      table_(std::move(table)),
      last_revision_(meta.revision),
      cache_(options_.cache_bytes),
      published_(meta.revision),
      horizon_(meta.horizon) {
  log_->start_generation();
  committing_ = std::thread([this] {
    name_thread("store-commit");
    commit_thread();
  });
  tabling_ = std::thread([this] {
    name_thread("store-table");
    table_thread();
  });
}

SqliteRecords::~SqliteRecords() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    commits_wake_.notify_all();
  }
  committing_.join();
  {
    std::lock_guard lock(mutex_);
    table_stopping_ = true;
    table_wake_.notify_all();
  }
  tabling_.join();
}

// ---- Asking, on any loop

Task<Result<Revision>> SqliteRecords::commit(std::string partition, Transaction transaction) {
  CO_TRY(check_partition(partition));
  CO_TRY(check_transaction(transaction));
  Pending pending;
  pending.bytes = 64;
  for (const auto& write : transaction.writes)
    pending.bytes +=
        16 + partition.size() + write.key.size() + (write.value ? write.value->size() : 0);
  pending.partition = std::move(partition);
  pending.transaction = std::move(transaction);
  Completion<Revision> done;
  pending.completer = done.completer();
  {
    std::lock_guard lock(mutex_);
    if (broken_) co_return fail(*broken_);
    if (queue_.size() >= kQueuedCommits || queued_bytes_ >= kQueuedBytes)
      co_return fail(std::string(errc::kLimit), "too many commits wait for the disk; try again",
                     503);
    queued_bytes_ += pending.bytes;
    queue_.push_back(std::move(pending));
    if (queue_.size() == 1) commits_wake_.notify_one();
  }
  co_return co_await done;
}

Task<Result<Unit>> SqliteRecords::reset() {
  Pending pending;
  Completion<Unit> done;
  pending.reset = done.completer();
  {
    std::lock_guard lock(mutex_);
    if (broken_) co_return fail(*broken_);
    queue_.push_back(std::move(pending));
    commits_wake_.notify_one();
  }
  co_return co_await done;
}

template <class T, class Job>
Task<Result<T>> SqliteRecords::on_table(Job job) {
  Completion<T> done;
  {
    std::lock_guard lock(mutex_);
    table_jobs_.push_back([job = std::move(job), completer = done.completer()]() mutable {
      completer.complete(job());
    });
    table_wake_.notify_one();
  }
  co_return co_await done;
}

Task<Result<std::optional<Entry>>> SqliteRecords::get(std::string partition, std::string key) {
  CO_TRY(check_partition(partition));
  {
    std::lock_guard lock(mutex_);
    if (const Item* item = find_item(id_of(partition, key))) {
      if (!item->value) co_return std::optional<Entry>();
      co_return std::optional<Entry>(Entry{std::move(key), *item->value, item->revision});
    }
  }
  co_return co_await on_table<std::optional<Entry>>(
      [this, partition = std::move(partition), key = std::move(key)] {
        return read_cold(partition, key);
      });
}

Task<Result<std::vector<Entry>>> SqliteRecords::scan(std::string partition, std::string prefix,
                                                     ScanOptions options) {
  CO_TRY(check_partition(partition));
  co_return co_await on_table<std::vector<Entry>>(
      [this, partition = std::move(partition), prefix = std::move(prefix),
       options = std::move(options)] { return scan_now(partition, prefix, options); });
}

Task<Result<std::vector<std::string>>> SqliteRecords::partitions() {
  co_return co_await on_table<std::vector<std::string>>([this] { return partitions_now(); });
}

Task<Result<ChangeBatch>> SqliteRecords::changes(std::string partition, std::string prefix,
                                                 Revision after) {
  {
    std::lock_guard lock(mutex_);
    if (!std::exchange(watched_, true)) ring_floor_ = published_;
    if (after == kFromNow) co_return make_batch({}, published_);
    if (auto batch = changes_in_ring(partition, prefix, after)) co_return std::move(*batch);
  }
  co_return co_await on_table<ChangeBatch>(
      [this, partition = std::move(partition), prefix = std::move(prefix), after] {
        return changes_now(partition, prefix, after);
      });
}

const Item* SqliteRecords::find_item(std::string_view id) {
  if (const auto found = overlay_.find(id); found != overlay_.end()) return &found->second;
  if (const auto found = applying_.find(id); found != applying_.end()) return &found->second;
  return cache_.find(id);
}

std::optional<ChangeBatch> SqliteRecords::changes_in_ring(std::string_view partition,
                                                          std::string_view prefix, Revision after) {
  if (after == 0 || after < ring_floor_ || after > published_) return std::nullopt;
  std::vector<Change> found;
  std::set<std::string_view> seen;
  for (auto at = ring_.rbegin(); at != ring_.rend() && at->revision > after; ++at) {
    if (partition_of(at->id) != partition || !key_of(at->id).starts_with(prefix)) continue;
    if (!seen.insert(key_of(at->id)).second) continue;
    found.push_back({std::string(key_of(at->id)), copy_of(at->value), at->revision});
  }
  return make_batch(std::move(found), published_);
}

// ---- The commit thread

void SqliteRecords::commit_thread() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto something = [this] { return stopping_ || !queue_.empty(); };
    if (overlay_.empty()) {
      commits_wake_.wait(lock, something);
    } else if (!commits_wake_.wait_for(lock, options_.settle, something)) {
      if (!applying_now_) hand_over(lock);
      continue;
    }
    if (queue_.empty()) break;
    auto batch = take_batch();
    lock.unlock();
    if (batch.front().reset)
      run_reset(batch.front());
    else
      run_batch(batch);
    batch.clear();
    lock.lock();
    if (log_->bytes() >= options_.log_bytes) hand_over(lock);
  }
  if (!overlay_.empty()) hand_over(lock);
}

std::vector<SqliteRecords::Pending> SqliteRecords::take_batch() {
  std::vector<Pending> batch;
  std::size_t bytes = 0;
  while (!queue_.empty() && bytes < kBatchBytes) {
    if (queue_.front().reset && !batch.empty()) break;
    bytes += queue_.front().bytes;
    queued_bytes_ -= queue_.front().bytes;
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
    if (batch.back().reset) break;
  }
  return batch;
}

void SqliteRecords::run_batch(std::vector<Pending>& batch) {
  auto fine = broken_error();
  if (fine) {
    log_->begin();
    TableLock table(table_mutex_, std::defer_lock);
    for (auto& pending : batch) pending.result = decide(pending, table);
    if (table.owns_lock()) table.unlock();
    if (!batch_items_.empty()) fine = write_log();
  }
  if (fine)
    publish();
  else
    break_down(fine.error());
  batch_items_.clear();
  batch_revisions_.clear();
  for (auto& pending : batch) {
    if (!fine && pending.result) pending.result = fail(fine.error());
    pending.completer.complete(std::move(pending.result));
  }
}

Result<Revision> SqliteRecords::decide(Pending& pending, TableLock& table) {
  auto& [expects, writes] = pending.transaction;
  for (const auto& expect : expects) {
    TRY_ASSIGN(const Revision revision, revision_of(id_of(pending.partition, expect.key),
                                                    pending.partition, expect.key, table));
    if (revision != expect.revision) return conflict(expect.key);
  }
  if (writes.empty()) return last_revision_;
  const Revision revision = ++last_revision_;
  for (auto& write : writes) {
    LoggedWrite logged{pending.partition, write.key, std::nullopt, revision};
    if (write.value) logged.value = *write.value;
    put_logged_write(log_->payload(), logged);
    SharedValue value;
    if (write.value) value = std::make_shared<const std::string>(std::move(*write.value));
    auto id = id_of(pending.partition, write.key);
    batch_revisions_[id] = value ? revision : 0;
    batch_items_.push_back({std::move(id), {std::move(value), revision}});
  }
  return revision;
}

// The table is locked by the first key of a batch that is in no memory, and stays so to the last:
// the table thread would take it back for a slice in between.
Result<Revision> SqliteRecords::revision_of(const std::string& id, std::string_view partition,
                                            std::string_view key, TableLock& table) {
  if (const auto found = batch_revisions_.find(id); found != batch_revisions_.end())
    return found->second;
  {
    std::lock_guard lock(mutex_);
    if (const Item* item = find_item(id)) return item->value ? item->revision : 0;
  }
  if (!table.owns_lock()) {
    ++table_wanted_;
    table.lock();
    --table_wanted_;
  }
  return table_->revision(partition, key);
}

Result<Unit> SqliteRecords::write_log() {
  TRY(log_->write());
  if (options_.durability == Durability::kFull) TRY(log_->sync());
  return Unit{};
}

void SqliteRecords::publish() {
  {
    std::lock_guard lock(mutex_);
    for (auto& [id, item] : batch_items_) {
      cache_.erase(id);
      if (watched_) {
        ring_bytes_ += id.size() + (item.value ? item.value->size() : 0);
        ring_.push_back({item.revision, id, item.value});
      }
      overlay_.insert_or_assign(id, std::move(item));
    }
    while (ring_.size() > kRingChanges || ring_bytes_ > kRingBytes) {
      const auto& oldest = ring_.front();
      ring_bytes_ -= oldest.id.size() + (oldest.value ? oldest.value->size() : 0);
      ring_floor_ = oldest.revision;
      ring_.pop_front();
    }
    published_ = last_revision_;
    if (!watched_) return;
  }
  for (const auto& [id, item] : batch_items_) watchers_.notify(partition_of(id), key_of(id));
}

// Gives the overlay to the table thread and begins the other half of the log, once that thread is
// done with the overlay before (whose half it is).
void SqliteRecords::hand_over(std::unique_lock<std::mutex>& lock) {
  commits_wake_.wait(lock, [this] { return !applying_now_ || broken_; });
  if (broken_) return;
  if (options_.durability == Durability::kNormal) {
    // A later half must not survive a power loss that this one did not.
    lock.unlock();
    const auto synced = log_->sync();
    lock.lock();
    if (!synced) {
      lock.unlock();
      break_down(synced.error());
      lock.lock();
      return;
    }
  }
  applying_.swap(overlay_);
  applying_meta_ = {last_revision_, horizon_, log_->generation()};
  applying_now_ = true;
  applied_to_ = applying_.cbegin();
  table_wake_.notify_one();
  log_->start_generation();
}

// The table itself makes a reset durable: everything in the log is older than what it then says.
void SqliteRecords::run_reset(Pending& pending) {
  std::unique_lock lock(mutex_);
  if (broken_) {
    pending.reset.complete(fail(*broken_));
    return;
  }
  ++last_revision_;
  resetting_ = true;
  table_wake_.notify_one();
  commits_wake_.wait(lock, [this] { return !resetting_; });
  if (broken_) {
    pending.reset.complete(fail(*broken_));
    return;
  }
  log_->start_generation();
  lock.unlock();
  watchers_.notify_all();
  pending.reset.complete(Unit{});
}

Result<Unit> SqliteRecords::broken_error() const {
  std::lock_guard lock(mutex_);
  if (broken_) return fail(*broken_);
  return Unit{};
}

// After a failed write or sync nobody knows what is on the disk: a restart reads it again.
void SqliteRecords::break_down(const Error& error) {
  std::lock_guard lock(mutex_);
  if (broken_) return;
  log::error("the store accepts no more writes; free the disk and restart",
             {{"reason", error.message()}});
  broken_ =
      Error(std::string(errc::kIo), "the store accepts no more writes: " + error.message(), 500);
}

// ---- The table thread

void SqliteRecords::table_thread() {
  std::unique_lock lock(mutex_);
  for (;;) {
    table_wake_.wait(lock, [this] {
      return !table_jobs_.empty() || (applying_now_ && !broken_) || resetting_ || table_stopping_;
    });
    if (!table_jobs_.empty()) {
      auto job = std::move(table_jobs_.front());
      table_jobs_.pop_front();
      lock.unlock();
      job();
      job = nullptr;
      lock.lock();
      if (!table_jobs_.empty() && !applying_now_ && !resetting_) continue;
    }
    const bool work = resetting_ || (applying_now_ && !broken_);
    if (!work && table_stopping_ && table_jobs_.empty()) return;
    if (!work) continue;
    const bool reset = resetting_;
    lock.unlock();
    if (reset)
      apply_reset();
    else
      apply_slice();
    lock.lock();
  }
}

void SqliteRecords::apply_slice() {
  while (table_wanted_ > 0) std::this_thread::yield();
  Result<Unit> done = Unit{};
  {
    std::lock_guard lock(table_mutex_);
    if (applied_to_ == applying_.cbegin()) done = table_->begin();
    for (std::size_t n = 0; done && n < kSliceItems && applied_to_ != applying_.cend(); ++n) {
      const auto& [id, item] = *applied_to_++;
      SqliteTable::Row row{key_of(id), std::nullopt, item.revision};
      if (item.value) row.value = *item.value;
      done = table_->put(partition_of(id), row);
    }
  }
  if (!done) return fail_table(done.error());
  if (applied_to_ == applying_.cend()) finish_applying();
}

void SqliteRecords::finish_applying() {
  SqliteTable::Meta meta = applying_meta_;
  const auto commit = [&]() -> Result<Unit> {
    std::lock_guard lock(table_mutex_);
    TRY_ASSIGN(const Revision forgotten, table_->forget(options_.deletions));
    meta.horizon = std::max(meta.horizon, forgotten);
    TRY(table_->set_meta(meta));
    return table_->commit();
  };
  if (const auto done = commit(); !done) return fail_table(done.error());
  for (;;) {
    std::lock_guard lock(mutex_);
    horizon_ = meta.horizon;
    for (std::size_t n = 0; n < kSliceItems && !applying_.empty(); ++n) {
      auto moved = applying_.extract(applying_.begin());
      if (!overlay_.contains(moved.key())) cache_.put(moved.key(), std::move(moved.mapped()));
    }
    if (!applying_.empty()) continue;
    applying_now_ = false;
    commits_wake_.notify_one();
    return;
  }
}

void SqliteRecords::apply_reset() {
  const auto clear = [this]() -> Result<Unit> {
    std::lock_guard lock(table_mutex_);
    table_->roll_back();
    TRY(table_->begin());
    TRY(table_->clear());
    TRY(table_->set_meta({last_revision_, last_revision_, log_->generation()}));
    return table_->commit();
  };
  const auto cleared = clear();
  if (!cleared) fail_table(cleared.error());
  std::lock_guard lock(mutex_);
  if (cleared) {
    applying_.clear();
    applying_now_ = false;
    overlay_.clear();
    cache_.clear();
    ring_.clear();
    ring_bytes_ = 0;
    ring_floor_ = horizon_ = published_ = last_revision_;
  }
  resetting_ = false;
  commits_wake_.notify_one();
}

void SqliteRecords::fail_table(const Error& error) {
  {
    std::lock_guard lock(table_mutex_);
    table_->roll_back();
  }
  break_down(error);
  std::lock_guard lock(mutex_);
  commits_wake_.notify_one();
}

Result<std::optional<Entry>> SqliteRecords::read_cold(const std::string& partition,
                                                      const std::string& key) {
  Item item;
  {
    std::lock_guard lock(table_mutex_);
    TRY(table_->visit_one(partition, key, [&](const SqliteTable::Row& row) {
      if (row.value) item.value = std::make_shared<const std::string>(*row.value);
      item.revision = row.revision;
      return false;
    }));
  }
  std::lock_guard lock(mutex_);
  const std::string id = id_of(partition, key);
  const bool newer = overlay_.contains(id) || applying_.contains(id);
  if (newer)
    item = *find_item(id);
  else
    cache_.put(id, item);
  if (!item.value) return std::nullopt;
  return Entry{key, *item.value, item.revision};
}

// What of a range is not in the table yet, newest state, in order; enough to hold `live` values.
std::vector<SqliteRecords::NewItem> SqliteRecords::waiting_in(const std::string& partition,
                                                              const KeyRange& range, bool reverse,
                                                              std::size_t live) const {
  const std::string from = id_of(partition, range.from);
  const std::string until = id_of(partition, range.until);
  std::vector<NewItem> out;
  if (from >= until) return out;
  auto a = overlay_.lower_bound(from), a_end = overlay_.lower_bound(until);
  auto b = applying_.lower_bound(from), b_end = applying_.lower_bound(until);
  while (live > 0 && (a != a_end || b != b_end)) {
    // The overlay's item wins where both have the key.
    const auto& left = reverse ? (a != a_end ? std::prev(a_end) : a) : a;
    const auto& right = reverse ? (b != b_end ? std::prev(b_end) : b) : b;
    const bool take_left =
        b == b_end ||
        (a != a_end && (reverse ? left->first >= right->first : left->first <= right->first));
    const bool both = a != a_end && b != b_end && left->first == right->first;
    const auto& taken = take_left ? *left : *right;
    if (taken.second.value) --live;
    out.push_back({std::string(key_of(taken.first)), taken.second});
    if (reverse) {
      if (take_left) --a_end;
      if (!take_left || both) --b_end;
    } else {
      if (take_left) ++a;
      if (!take_left || both) ++b;
    }
  }
  return out;
}

Result<std::vector<Entry>> SqliteRecords::scan_now(const std::string& partition,
                                                   const std::string& prefix,
                                                   const ScanOptions& options) {
  const auto range = scan_range(prefix, options);
  const std::size_t limit = scan_limit(options);
  std::vector<Entry> page;
  if (range.from >= range.until || limit == 0) return page;
  std::vector<NewItem> waiting;
  {
    std::lock_guard lock(mutex_);
    waiting = waiting_in(partition, range, options.reverse, limit);
  }
  auto next = waiting.begin();
  const auto add_waiting = [&] {
    if (next->item.value) page.push_back({next->id, *next->item.value, next->item.revision});
    ++next;
  };
  const auto before = [&](std::string_view a, std::string_view b) {
    return options.reverse ? a > b : a < b;
  };
  {
    std::lock_guard lock(table_mutex_);
    TRY(table_->scan(partition, range, options.reverse, [&](const SqliteTable::Row& row) {
      while (next != waiting.end() && before(next->id, row.key) && page.size() < limit)
        add_waiting();
      if (page.size() >= limit) return false;
      if (next != waiting.end() && next->id == row.key)
        add_waiting();
      else
        page.push_back({std::string(row.key), std::string(*row.value), row.revision});
      return page.size() < limit;
    }));
  }
  while (next != waiting.end() && page.size() < limit) add_waiting();
  return page;
}

Result<std::vector<std::string>> SqliteRecords::partitions_now() {
  std::set<std::string> names;
  std::set<std::string> touched;
  {
    std::lock_guard lock(mutex_);
    for (const Items* items : {&overlay_, &applying_})
      for (const auto& [id, item] : *items) touched.emplace(partition_of(id));
  }
  std::vector<std::string> held;
  {
    std::lock_guard lock(table_mutex_);
    TRY_ASSIGN(held, table_->partitions());
  }
  for (auto& name : held)
    if (!touched.contains(name)) names.insert(std::move(name));
  for (const auto& name : touched) {  // what waits may add the first key or take the last
    TRY_ASSIGN(const auto any, scan_now(name, "", {.limit = 1}));
    if (!any.empty()) names.insert(name);
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Result<ChangeBatch> SqliteRecords::changes_now(const std::string& partition,
                                               const std::string& prefix, Revision after) {
  const KeyRange range{prefix, prefix_end(prefix)};
  Revision now;
  bool snapshot;
  std::map<std::string, Change, std::less<>> found;
  {
    std::lock_guard lock(mutex_);
    now = published_;
    snapshot = after == 0 || after < horizon_ || after > published_;
    for (auto& [key, item] : waiting_in(partition, range, false, std::string::npos))
      found.emplace(key, Change{key, copy_of(item.value), item.revision});
  }
  if (snapshot) after = 0;
  // Rows that do not wait are older than all that do, so a batch that the table fills stops there.
  std::vector<Change> changes;
  bool cut = false;
  {
    std::lock_guard lock(table_mutex_);
    TRY(table_->changes(partition, range, after, [&](const SqliteTable::Row& row) {
      if (found.contains(row.key) || (snapshot && !row.value)) return true;
      cut = !snapshot && changes.size() >= kBatchChanges + kMaxOperations;
      if (cut) return false;
      Change change{std::string(row.key), std::nullopt, row.revision};
      if (row.value) change.value = *row.value;
      changes.push_back(std::move(change));
      return true;
    }));
  }
  for (auto& [key, change] : found) {
    if (cut) break;
    if (change.revision > after && !(snapshot && !change.value))
      changes.push_back(std::move(change));
  }
  if (!snapshot) return make_batch(std::move(changes), now);
  ChangeBatch batch;
  batch.changes = std::move(changes);
  batch.cursor = std::to_string(now);
  batch.snapshot = true;
  return batch;
}

// Reads what the log holds above the table, makes the table have it, and goes on from there.
Result<SqliteTable::Meta> recover(CommitLog& log, SqliteTable& table) {
  TRY_ASSIGN(SqliteTable::Meta meta, table.meta());
  const Revision applied = meta.revision;
  bool found = false;
  TRY(table.begin());
  TRY(log.recover(meta.generation, [&](std::string_view payload) -> Result<Unit> {
    TRY_ASSIGN(const auto writes, logged_writes(payload));
    for (const auto& write : writes) {
      if (write.revision <= applied) continue;
      found = true;
      meta.revision = std::max(meta.revision, write.revision);
      TRY(table.put(write.partition, {write.key, write.value, write.revision}));
    }
    return Unit{};
  }));
  if (!found) {  // a start after a clean end, or the first: nothing to make durable
    table.roll_back();
    return meta;
  }
  meta.generation = log.generation();
  TRY(table.set_meta(meta));
  TRY(table.commit());
  return meta;
}

}  // namespace

Result<std::unique_ptr<Records>> make_sqlite_records(std::string path, SqliteOptions options) {
  static SystemRandom system_random;
  FileLayer& files = options.files ? *options.files : system_files();
  Random& random = options.random ? *options.random : system_random;
  TRY(files.open(path, OpenMode::kCreate));  // private to us; SQLite's own files take its mode
  TRY_ASSIGN(auto table, SqliteTable::open(path, options.vfs));
  auto log = std::make_unique<CommitLog>(files, path + "-log", random);
  TRY_ASSIGN(const auto meta, recover(*log, *table));
  return std::make_unique<SqliteRecords>(std::move(options), std::move(log), std::move(table),
                                         meta);
}

}  // namespace pileus::store
