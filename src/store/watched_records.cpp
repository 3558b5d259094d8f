#include "store/watched_records.h"

#include "base/text.h"

namespace pileus::store {
namespace {
std::unexpected<Error> over(std::string_view what, std::size_t bound) {
  return fail(std::string(errc::kLimit), str(what, " is limited to ", bound), 400);
}
}  // namespace

Result<Unit> check_partition(std::string_view partition) {
  if (partition.size() > Records::kMaxPartitionBytes)
    return over("the length of a partition's name", Records::kMaxPartitionBytes);
  if (partition.find('\0') != std::string_view::npos)
    return fail(std::string(errc::kInvalid), "a partition's name holds a NUL byte");
  return Unit{};
}

Result<Unit> check_transaction(const Transaction& transaction) {
  const std::size_t operations = transaction.expects.size() + transaction.writes.size();
  if (operations > Records::kMaxOperations)
    return over("the number of operations in a transaction", Records::kMaxOperations);
  std::size_t bytes = 0;
  for (const auto& expect : transaction.expects) {
    bytes += expect.key.size();
    if (expect.key.size() > Records::kMaxKeyBytes)
      return over("the size of a key", Records::kMaxKeyBytes);
  }
  for (const auto& write : transaction.writes) {
    bytes += write.key.size() + (write.value ? write.value->size() : 0);
    if (write.key.size() > Records::kMaxKeyBytes)
      return over("the size of a key", Records::kMaxKeyBytes);
    if (write.value && write.value->size() > Records::kMaxValueBytes)
      return over("the size of a value", Records::kMaxValueBytes);
  }
  if (bytes > Records::kMaxTransactionBytes)
    return over("the size of a transaction", Records::kMaxTransactionBytes);
  return Unit{};
}

std::string prefix_end(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (end.empty()) return std::string(Records::kMaxKeyBytes + 1, '\xff');
  ++end.back();
  return end;
}

KeyRange scan_range(std::string_view prefix, const ScanOptions& options) {
  KeyRange range{std::string(prefix), prefix_end(prefix)};
  if (options.after.empty()) return range;
  if (options.reverse) {
    range.until = std::min(range.until, options.after);
  } else {
    range.from = std::max(range.from, options.after + '\0');
  }
  return range;
}

std::size_t scan_limit(const ScanOptions& options) {
  return std::min<std::size_t>(options.limit, 10'000);
}

Watchers::Ticket::Ticket(Watchers& watchers, std::string partition, std::string prefix)
    : watchers_(watchers),
      partition_(std::move(partition)),
      prefix_(std::move(prefix)),
      completer_(changed_.completer()) {
  std::lock_guard lock(watchers_.mutex_);
  watchers_.waiting_[partition_].push_back(this);
}

Watchers::Ticket::~Ticket() {
  std::lock_guard lock(watchers_.mutex_);
  const auto found = watchers_.waiting_.find(partition_);
  if (found == watchers_.waiting_.end()) return;
  found->second.remove(this);
  if (found->second.empty()) watchers_.waiting_.erase(found);
}

// Completers only post to loops, so they may be called under the lock.
void Watchers::notify(std::string_view partition, std::string_view key) {
  std::lock_guard lock(mutex_);
  if (waiting_.empty()) return;
  const auto found = waiting_.find(partition);
  if (found == waiting_.end()) return;
  for (Ticket* ticket : found->second)
    if (key.starts_with(ticket->prefix_)) ticket->completer_.complete(Unit{});
}

void Watchers::notify_partition(std::string_view partition) {
  std::lock_guard lock(mutex_);
  const auto found = waiting_.find(partition);
  if (found == waiting_.end()) return;
  for (Ticket* ticket : found->second) ticket->completer_.complete(Unit{});
}

void Watchers::notify_all() {
  std::lock_guard lock(mutex_);
  for (auto& [partition, tickets] : waiting_)
    for (Ticket* ticket : tickets) ticket->completer_.complete(Unit{});
}

Task<Result<ChangeBatch>> WatchedRecords::watch(std::string partition, std::string prefix,
                                                std::string cursor) {
  CO_TRY(check_partition(partition));
  Revision after = kFromNow;
  if (!cursor.empty()) {
    const auto parsed = parse_int(cursor);
    if (!parsed || *parsed < 0)
      co_return fail(std::string(errc::kInvalid), "not a cursor of a watch: " + cursor);
    after = static_cast<Revision>(*parsed);
  }
  for (;;) {
    Watchers::Ticket ticket(watchers_, partition, prefix);  // first, so that no change slips by
    CO_TRY_ASSIGN(ChangeBatch batch, co_await changes(partition, prefix, after));
    if (batch.snapshot || !batch.changes.empty()) co_return batch;
    after = static_cast<Revision>(*parse_int(batch.cursor));
    CO_TRY(co_await ticket.changed());
  }
}

ChangeBatch WatchedRecords::make_batch(std::vector<Change> changes, Revision now) {
  std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
    return std::tie(a.revision, a.key) < std::tie(b.revision, b.key);
  });
  ChangeBatch batch;
  if (changes.size() > kBatchChanges) {
    std::size_t end = kBatchChanges;
    while (end < changes.size() && changes[end].revision == changes[end - 1].revision) ++end;
    if (end < changes.size()) now = changes[end - 1].revision;
    changes.erase(changes.begin() + static_cast<std::ptrdiff_t>(end), changes.end());
  }
  batch.changes = std::move(changes);
  batch.cursor = std::to_string(now);
  return batch;
}

}  // namespace pileus::store
