#include "store/memory_records.h"

#include "store/watched_records.h"

namespace pileus::store {
namespace {

class MemoryRecords final : public WatchedRecords {
 public:
  explicit MemoryRecords(std::size_t deletions) : deletions_(deletions) {}

  Task<Result<std::optional<Entry>>> get(std::string partition, std::string key) override {
    co_return get_now(partition, key);
  }
  Task<Result<std::vector<Entry>>> scan(std::string partition, std::string prefix,
                                        ScanOptions options) override {
    co_return scan_now(partition, prefix, options);
  }
  Task<Result<Revision>> commit(std::string partition, Transaction transaction) override {
    co_return commit_now(partition, std::move(transaction));
  }
  Task<Result<std::vector<std::string>>> partitions() override { co_return partitions_now(); }
  Task<Result<Unit>> reset() override {
    {
      std::lock_guard lock(mutex_);
      partitions_.clear();
      horizon_ = ++revision_;
    }
    watchers_.notify_all();
    co_return Unit{};
  }

 protected:
  Task<Result<ChangeBatch>> changes(std::string partition, std::string prefix,
                                    Revision after) override {
    co_return changes_now(partition, prefix, after);
  }

 private:
  struct Item {
    std::optional<std::string> value;  // nothing: deleted
    Revision revision = 0;
  };
  struct Partition {
    std::map<std::string, Item> items;
    std::set<std::pair<Revision, std::string>> by_revision;
    std::size_t tombstones = 0;
    Revision horizon = 0;  // deletions up to here are forgotten
  };

  Result<std::optional<Entry>> get_now(const std::string& partition, const std::string& key) {
    TRY(check_partition(partition));
    std::lock_guard lock(mutex_);
    const auto found = partitions_.find(partition);
    if (found == partitions_.end()) return std::nullopt;
    const auto item = found->second.items.find(key);
    if (item == found->second.items.end() || !item->second.value) return std::nullopt;
    return Entry{key, *item->second.value, item->second.revision};
  }

  Result<std::vector<Entry>> scan_now(const std::string& partition, const std::string& prefix,
                                      const ScanOptions& options) {
    TRY(check_partition(partition));
    std::vector<Entry> page;
    std::lock_guard lock(mutex_);
    const auto found = partitions_.find(partition);
    if (found == partitions_.end()) return page;
    const auto range = scan_range(prefix, options);
    if (range.from >= range.until) return page;
    const auto& items = found->second.items;
    auto first = items.lower_bound(range.from);
    auto last = items.lower_bound(range.until);
    while (first != last && page.size() < scan_limit(options)) {
      const auto& [key, item] = options.reverse ? *--last : *first++;
      if (item.value) page.push_back({key, *item.value, item.revision});
    }
    return page;
  }

  Result<Revision> commit_now(const std::string& partition, Transaction transaction) {
    TRY(check_partition(partition));
    TRY(check_transaction(transaction));
    Revision revision;
    {
      std::lock_guard lock(mutex_);
      auto& space = partitions_[partition];
      for (const auto& expect : transaction.expects) {
        const auto item = space.items.find(expect.key);
        const bool exists = item != space.items.end() && item->second.value;
        if ((exists ? item->second.revision : 0) != expect.revision) return conflict(expect.key);
      }
      if (transaction.writes.empty()) return revision_;
      revision = ++revision_;
      for (const auto& write : transaction.writes) store(space, write, revision);
      forget(space);
    }
    for (const auto& write : transaction.writes) watchers_.notify(partition, write.key);
    return revision;
  }

  static void store(Partition& space, const Transaction::Write& write, Revision revision) {
    auto [place, fresh] = space.items.try_emplace(write.key);
    if (!fresh) {
      space.by_revision.erase({place->second.revision, write.key});
      if (!place->second.value) --space.tombstones;
    }
    place->second = {write.value, revision};
    space.by_revision.emplace(revision, write.key);
    if (!write.value) ++space.tombstones;
  }

  void forget(Partition& space) const {
    if (space.tombstones <= deletions_) return;
    for (auto at = space.by_revision.begin(); space.tombstones > deletions_ / 2;) {
      const auto item = space.items.find(at->second);
      if (item->second.value) {
        ++at;
        continue;
      }
      space.horizon = at->first;
      space.items.erase(item);
      at = space.by_revision.erase(at);
      --space.tombstones;
    }
  }

  Result<std::vector<std::string>> partitions_now() {
    std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const auto& [name, space] : partitions_)
      if (space.items.size() > space.tombstones) names.push_back(name);
    return names;
  }

  Result<ChangeBatch> changes_now(const std::string& partition, const std::string& prefix,
                                  Revision after) {
    std::lock_guard lock(mutex_);
    if (after == kFromNow) return make_batch({}, revision_);
    std::vector<Change> out;
    const auto found = partitions_.find(partition);
    const Revision horizon = found == partitions_.end() ? 0 : found->second.horizon;
    const bool snapshot = after == 0 || after < std::max(horizon, horizon_) || after > revision_;
    if (found != partitions_.end()) {
      const auto& space = found->second;
      for (auto at = space.by_revision.lower_bound({snapshot ? 0 : after + 1, ""});
           at != space.by_revision.end(); ++at) {
        const auto& item = space.items.at(at->second);
        if (!at->second.starts_with(prefix) || (snapshot && !item.value)) continue;
        out.push_back({at->second, item.value, item.revision});
        if (!snapshot && out.size() > kBatchChanges + kMaxOperations) break;
      }
    }
    if (!snapshot) return make_batch(std::move(out), revision_);
    ChangeBatch batch;
    batch.changes = std::move(out);
    batch.cursor = std::to_string(revision_);
    batch.snapshot = true;
    return batch;
  }

  const std::size_t deletions_;  // remembered per partition
  std::mutex mutex_;             // guards everything below
  std::map<std::string, Partition> partitions_;
  Revision revision_ = 1;  // 0 is the cursor of everything
  Revision horizon_ = 0;   // the last reset
};

}  // namespace

std::unique_ptr<Records> make_memory_records(std::size_t deletions) {
  return std::make_unique<MemoryRecords>(deletions);
}

}  // namespace pileus::store
