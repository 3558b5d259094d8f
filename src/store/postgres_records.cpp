#include "store/postgres_records.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "store/libpq.h"
#include "store/watched_records.h"
#include "store/worker.h"

namespace pileus::store {
namespace {

const std::vector<std::string> kSetup = {
    "SET client_min_messages = warning",
    "BEGIN",
    "SELECT pg_advisory_xact_lock(7305802)",  // nodes that start together make the tables in turn
    "CREATE TABLE IF NOT EXISTS pileus_records(partition bytea NOT NULL, key bytea NOT NULL, "
    "value bytea, revision bigint NOT NULL, PRIMARY KEY(partition, key))",
    "CREATE INDEX IF NOT EXISTS pileus_changes ON pileus_records(partition, revision)",
    "CREATE INDEX IF NOT EXISTS pileus_deletions ON pileus_records(partition, revision) "
    "WHERE value IS NULL",
    "CREATE TABLE IF NOT EXISTS pileus_partitions(partition bytea PRIMARY KEY, "
    "revision bigint NOT NULL, horizon bigint NOT NULL)",
    "COMMIT",
};

// A partition's row is locked by whoever commits to it, so its revisions are in commit order and a
// watcher that has seen one has seen all before.
constexpr PgConnection::Prepared kWrites[] = {
    {"begin", "BEGIN"},
    {"commit", "COMMIT"},
    {"rollback", "ROLLBACK"},
    {"add_partitions",
     "INSERT INTO pileus_partitions SELECT unnest($1::bytea[]), 1, 0 ON CONFLICT DO NOTHING"},
    {"lock",
     "SELECT partition, revision FROM pileus_partitions WHERE partition = ANY($1::bytea[]) "
     "ORDER BY partition FOR UPDATE"},
    {"revisions",
     "SELECT r.partition, r.key, r.revision FROM unnest($1::bytea[], $2::bytea[]) AS k(p, k) "
     "JOIN pileus_records r ON r.partition = k.p AND r.key = k.k WHERE r.value IS NOT NULL"},
    {"write",
     "INSERT INTO pileus_records SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], "
     "$4::bigint[]) ON CONFLICT(partition, key) DO UPDATE SET value = excluded.value, "
     "revision = excluded.revision"},
    {"advance",
     "UPDATE pileus_partitions p SET revision = n.r FROM unnest($1::bytea[], $2::bigint[]) "
     "AS n(p, r) WHERE p.partition = n.p"},
    {"notify",
     "SELECT pg_notify('pileus_changes', encode(p, 'hex')) FROM unnest($1::bytea[]) AS t(p)"},
    {"forget",
     "WITH cut AS (SELECT revision FROM pileus_records WHERE partition = $1 AND value IS NULL "
     "ORDER BY revision DESC OFFSET $2 LIMIT 1), gone AS (DELETE FROM pileus_records USING cut "
     "WHERE partition = $1 AND value IS NULL AND pileus_records.revision <= cut.revision) "
     "UPDATE pileus_partitions SET horizon = cut.revision FROM cut WHERE partition = $1"},
    {"lock_all", "SELECT partition FROM pileus_partitions ORDER BY partition FOR UPDATE"},
    {"clear", "DELETE FROM pileus_records"},
    {"advance_all", "UPDATE pileus_partitions SET revision = revision + 1, horizon = revision + 1"},
    {"notify_all", "SELECT pg_notify('pileus_changes', '*')"},
};

constexpr PgConnection::Prepared kReads[] = {
    {"get",
     "SELECT value, revision FROM pileus_records WHERE partition = $1::bytea "
     "AND key = $2::bytea AND value IS NOT NULL"},
    {"scan",
     "SELECT key, value, revision FROM pileus_records WHERE partition = $1::bytea "
     "AND key >= $2::bytea AND key < $3::bytea AND value IS NOT NULL ORDER BY key LIMIT "
     "$4::bigint"},
    {"scan_reverse",
     "SELECT key, value, revision FROM pileus_records WHERE partition = $1::bytea "
     "AND key >= $2::bytea AND key < $3::bytea AND value IS NOT NULL ORDER BY key DESC "
     "LIMIT $4::bigint"},
    {"partitions",
     "SELECT partition FROM pileus_partitions p WHERE EXISTS (SELECT 1 FROM pileus_records r "
     "WHERE r.partition = p.partition AND value IS NOT NULL) ORDER BY partition"},
    {"now", "SELECT revision, horizon FROM pileus_partitions WHERE partition = $1::bytea"},
    {"changes",
     "SELECT key, value, revision FROM pileus_records WHERE partition = $1::bytea "
     "AND revision > $4::bigint AND key >= $2::bytea AND key < $3::bytea "
     "ORDER BY revision LIMIT $5::bigint"},
    {"everything",
     "SELECT key, value, revision FROM pileus_records WHERE partition = $1::bytea "
     "AND key >= $2::bytea AND key < $3::bytea AND value IS NOT NULL"},
};

std::unexpected<Error> stopped_error() {
  return fail(std::string(errc::kIo), "the store is closing", 503);
}

class PostgresRecords final : public WatchedRecords {
 public:
  PostgresRecords(std::string url, std::size_t deletions)
      : url_(std::move(url)),
        deletions_(deletions),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~PostgresRecords() override;
  Result<Unit> start();

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
  static constexpr std::size_t kQueuedRequests = 65'536;
  static constexpr std::size_t kBatchBytes = 4 << 20;

  using Results = Result<std::span<PgResult>>;
  struct Read {
    std::vector<std::pair<const char*, PgParams>> statements;
    std::move_only_function<void(Results)> done;
  };
  struct Write {
    std::string partition;
    Transaction transaction;
    Completer<Revision> completer;
    Completer<Unit> reset;
    Result<Revision> result = Revision{0};
  };
  struct Decided {  // a batch's outcome, by partition and key
    std::map<std::pair<std::string, std::string>, std::pair<Revision, bool>> revisions;  // exists
    std::map<std::pair<std::string_view, std::string_view>,
             std::pair<std::optional<std::string_view>, Revision>>
        writes;
    std::map<std::string, Revision> partitions;
  };
  using Keys = std::vector<std::optional<std::string_view>>;

  template <class T, class Done>
  Task<Result<T>> read(std::vector<std::pair<const char*, PgParams>> statements, Done done);
  void read_thread();
  bool connect_reader();
  void run_reads(std::deque<Read> reads);
  void hear();
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  void wake() { (void)!::write(wake_, "\1\0\0\0\0\0\0\0", 8); }

  void write_thread();
  Result<Unit> connect_writer();
  Result<Unit> run_batch(std::vector<Write>& batch);
  Result<Unit> look_up(std::vector<Write>& batch, Decided& decided);
  Result<Revision> decide(const Write& write, Decided& decided);
  Result<Unit> save(const Decided& decided);
  Result<Unit> run_reset();

  const std::string url_;
  const std::size_t deletions_;
  const int wake_;  // an eventfd that ends the reader's poll

  std::unique_ptr<PgConnection> reader_;  // read thread
  std::unique_ptr<PgConnection> writer_;  // write thread, like the next two
  std::set<std::string> known_partitions_;
  std::map<std::string, std::size_t> deleted_;  // since deletions were last forgotten

  std::mutex mutex_;  // guards what follows
  std::condition_variable writes_wake_;
  std::deque<Read> reads_;
  std::deque<Write> writes_;
  bool stopping_ = false;

  std::thread reading_;
  std::thread writing_;
};

Result<Unit> PostgresRecords::start() {
  TRY(connect_writer());
  if (!connect_reader())
    return fail(std::string(errc::kIo), "cannot connect to PostgreSQL twice", 500);
  reading_ = std::thread([this] {
    name_thread("store-pg-read");
    read_thread();
  });
  writing_ = std::thread([this] {
    name_thread("store-pg-write");
    write_thread();
  });
  return Unit{};
}

PostgresRecords::~PostgresRecords() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    writes_wake_.notify_all();
  }
  wake();
  if (reading_.joinable()) reading_.join();
  if (writing_.joinable()) writing_.join();
  ::close(wake_);
}

// ---- Asking, on any loop

template <class T, class Done>
Task<Result<T>> PostgresRecords::read(std::vector<std::pair<const char*, PgParams>> statements,
                                      Done done) {
  Completion<T> completion;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) co_return stopped_error();
    if (reads_.size() >= kQueuedRequests)
      co_return fail(std::string(errc::kLimit), "too many reads wait for PostgreSQL", 503);
    reads_.push_back(
        {std::move(statements),
         [done = std::move(done), completer = completion.completer()](Results results) mutable {
           if (!results)
             completer.complete(fail(results.error()));
           else
             completer.complete(done(*results));
         }});
  }
  wake();
  co_return co_await completion;
}

Task<Result<std::optional<Entry>>> PostgresRecords::get(std::string partition, std::string key) {
  CO_TRY(check_partition(partition));
  PgParams params;
  params.bytes(partition).bytes(key);
  std::vector<std::pair<const char*, PgParams>> statements;
  statements.emplace_back("get", std::move(params));
  co_return co_await read<std::optional<Entry>>(
      std::move(statements),
      [key = std::move(key)](std::span<PgResult> results) -> Result<std::optional<Entry>> {
        const auto& rows = results[0];
        if (rows.rows() == 0) return std::nullopt;
        return Entry{key, std::string(rows.bytes(0, 0)), static_cast<Revision>(rows.integer(0, 1))};
      });
}

Task<Result<std::vector<Entry>>> PostgresRecords::scan(std::string partition, std::string prefix,
                                                       ScanOptions options) {
  CO_TRY(check_partition(partition));
  const auto range = scan_range(prefix, options);
  PgParams params;
  params.bytes(partition).bytes(range.from).bytes(range.until);
  params.integer(static_cast<std::int64_t>(scan_limit(options)));
  std::vector<std::pair<const char*, PgParams>> statements;
  statements.emplace_back(options.reverse ? "scan_reverse" : "scan", std::move(params));
  co_return co_await read<std::vector<Entry>>(
      std::move(statements), [](std::span<PgResult> results) -> Result<std::vector<Entry>> {
        std::vector<Entry> page;
        const auto& rows = results[0];
        for (int row = 0; row < rows.rows(); ++row)
          page.push_back({std::string(rows.bytes(row, 0)), std::string(rows.bytes(row, 1)),
                          static_cast<Revision>(rows.integer(row, 2))});
        return page;
      });
}

Task<Result<std::vector<std::string>>> PostgresRecords::partitions() {
  std::vector<std::pair<const char*, PgParams>> statements;
  statements.emplace_back("partitions", PgParams());
  co_return co_await read<std::vector<std::string>>(
      std::move(statements), [](std::span<PgResult> results) -> Result<std::vector<std::string>> {
        std::vector<std::string> names;
        for (int row = 0; row < results[0].rows(); ++row)
          names.emplace_back(results[0].bytes(row, 0));
        return names;
      });
}

// The revision is read first: what commits in between is delivered again rather than missed.
Task<Result<ChangeBatch>> PostgresRecords::changes(std::string partition, std::string prefix,
                                                   Revision after) {
  PgParams where;
  where.bytes(partition);
  PgParams range;
  range.bytes(partition).bytes(prefix).bytes(prefix_end(prefix));
  PgParams since = range;
  const bool listed = after != 0 && after != kFromNow;
  since.integer(static_cast<std::int64_t>(listed ? after : 0))
      .integer(listed ? kBatchChanges + kMaxOperations : 0);
  std::vector<std::pair<const char*, PgParams>> statements;
  statements.emplace_back("now", std::move(where));
  statements.emplace_back("changes", std::move(since));
  if (after == 0) statements.emplace_back("everything", range);
  auto batch = co_await read<ChangeBatch>(
      std::move(statements), [after](std::span<PgResult> results) -> Result<ChangeBatch> {
        const bool exists = results[0].rows() > 0;
        const auto now = exists ? static_cast<Revision>(results[0].integer(0, 0)) : 1;
        const auto horizon = exists ? static_cast<Revision>(results[0].integer(0, 1)) : 0;
        if (after == kFromNow) return make_batch({}, now);
        const bool snapshot = after == 0;
        std::vector<Change> found;
        const auto& rows = results[snapshot ? 2 : 1];
        for (int row = 0; row < rows.rows(); ++row) {
          Change change{std::string(rows.bytes(row, 0)), std::nullopt,
                        static_cast<Revision>(rows.integer(row, 2))};
          if (const auto value = rows.maybe_bytes(row, 1)) change.value = *value;
          found.push_back(std::move(change));
        }
        ChangeBatch out;
        if (!snapshot && (after < horizon || after > now)) {
          out.snapshot = true;  // asked for again below, as a whole
          out.cursor = "0";
          return out;
        }
        if (!snapshot) return make_batch(std::move(found), now);
        out.changes = std::move(found);
        out.cursor = std::to_string(now);
        out.snapshot = true;
        return out;
      });
  if (batch && batch->snapshot && batch->cursor == "0")
    co_return co_await changes(std::move(partition), std::move(prefix), 0);
  co_return batch;
}

Task<Result<Revision>> PostgresRecords::commit(std::string partition, Transaction transaction) {
  CO_TRY(check_partition(partition));
  CO_TRY(check_transaction(transaction));
  Completion<Revision> done;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) co_return stopped_error();
    if (writes_.size() >= kQueuedRequests)
      co_return fail(std::string(errc::kLimit), "too many commits wait for PostgreSQL", 503);
    writes_.push_back(
        {std::move(partition), std::move(transaction), done.completer(), {}, Revision{0}});
    writes_wake_.notify_one();
  }
  co_return co_await done;
}

Task<Result<Unit>> PostgresRecords::reset() {
  Completion<Unit> done;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) co_return stopped_error();
    writes_.push_back({"", {}, {}, done.completer(), Revision{0}});
    writes_wake_.notify_one();
  }
  co_return co_await done;
}

// ---- The read thread

bool PostgresRecords::connect_reader() {
  auto setup = kSetup;
  setup.emplace_back("LISTEN pileus_changes");
  auto made = PgConnection::connect(url_, setup, kReads);
  if (!made) {
    log::warn("no connection to PostgreSQL", {{"reason", made.error().message()}});
    return false;
  }
  reader_ = std::move(*made);
  watchers_.notify_all();  // whatever was missed meanwhile
  return true;
}

void PostgresRecords::read_thread() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (reads_.empty()) wait_for_work(lock);
    std::deque<Read> reads;
    std::size_t bytes = 0;
    while (!reads_.empty() && bytes < PgConnection::kPipelineBytes) {
      for (const auto& [name, params] : reads_.front().statements)
        for (const auto& value : params.values()) bytes += 64 + value.size();
      reads.push_back(std::move(reads_.front()));
      reads_.pop_front();
    }
    lock.unlock();
    if (!reads.empty()) run_reads(std::move(reads));
    hear();
    lock.lock();
  }
  auto rest = std::move(reads_);
  lock.unlock();
  for (auto& read : rest) read.done(stopped_error());
}

// Until a read is asked for or the server says something; a lost connection is tried again
// every second, so that watches go on.
void PostgresRecords::wait_for_work(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  pollfd polled[2] = {{wake_, POLLIN, 0}, {reader_ ? reader_->socket() : -1, POLLIN, 0}};
  ::poll(polled, 2, reader_ ? -1 : 1000);
  std::uint64_t count;
  (void)!::read(wake_, &count, sizeof count);
  lock.lock();
}

void PostgresRecords::hear() {
  if (reader_) {
    for (const auto& payload : reader_->notifications()) {
      const auto partition = from_hex(payload);
      if (payload == "*")
        watchers_.notify_all();
      else if (partition)
        watchers_.notify_partition(*partition);
    }
    if (reader_->lost()) reader_.reset();
  }
  if (!reader_) connect_reader();
}

void PostgresRecords::run_reads(std::deque<Read> reads) {
  if (reader_ && reader_->lost()) reader_.reset();
  if (!reader_ && !connect_reader()) {
    for (auto& read : reads)
      read.done(fail(std::string(errc::kIo), "there is no connection to PostgreSQL", 503));
    return;
  }
  for (const auto& read : reads)
    for (const auto& [name, params] : read.statements) reader_->send(name, params);
  auto results = reader_->finish();
  std::size_t at = 0;
  for (auto& read : reads) {
    if (!results) {
      read.done(fail(results.error()));
      continue;
    }
    read.done(std::span(*results).subspan(at, read.statements.size()));
    at += read.statements.size();
  }
}

// ---- The write thread

Result<Unit> PostgresRecords::connect_writer() {
  TRY_ASSIGN(writer_, PgConnection::connect(url_, kSetup, kWrites));
  return Unit{};
}

void PostgresRecords::write_thread() {
  std::unique_lock lock(mutex_);
  for (;;) {
    writes_wake_.wait(lock, [this] { return stopping_ || !writes_.empty(); });
    if (writes_.empty()) return;
    std::vector<Write> batch;
    std::size_t bytes = 0;
    while (!writes_.empty() && bytes < kBatchBytes) {
      if (writes_.front().reset && !batch.empty()) break;
      for (const auto& write : writes_.front().transaction.writes)
        bytes += write.key.size() + (write.value ? write.value->size() : 0);
      batch.push_back(std::move(writes_.front()));
      writes_.pop_front();
      if (batch.back().reset) break;
    }
    lock.unlock();
    Result<Unit> ready = Unit{};
    if (!writer_ || writer_->lost()) ready = connect_writer();
    if (batch.front().reset) {
      batch.front().reset.complete(ready ? run_reset() : ready);
    } else {
      auto done = ready ? run_batch(batch) : ready;
      if (!done && ready && !writer_->lost()) {
        writer_->send("rollback");
        (void)writer_->finish();
      }
      for (auto& write : batch) {
        if (!done && write.result) write.result = fail(done.error());
        write.completer.complete(std::move(write.result));
      }
    }
    batch.clear();
    lock.lock();
  }
}

Result<Unit> PostgresRecords::run_batch(std::vector<Write>& batch) {
  Decided decided;
  TRY(look_up(batch, decided));
  const auto before = decided.partitions;
  for (auto& write : batch) write.result = decide(write, decided);
  std::erase_if(decided.partitions,
                [&](const auto& entry) { return before.at(entry.first) == entry.second; });
  TRY(save(decided));
  for (const auto& [where, what] : decided.writes) watchers_.notify(where.first, where.second);
  return Unit{};
}

Result<Unit> PostgresRecords::look_up(std::vector<Write>& batch, Decided& decided) {
  std::set<std::string> names;
  Keys expected_partitions, expected_keys;
  for (const auto& write : batch) {
    names.insert(write.partition);
    for (const auto& expect : write.transaction.expects) {
      expected_partitions.emplace_back(write.partition);
      expected_keys.emplace_back(expect.key);
    }
  }
  Keys all, fresh;
  for (const auto& name : names) {
    all.emplace_back(name);
    if (!known_partitions_.contains(name)) fresh.emplace_back(name);
  }
  if (!fresh.empty()) writer_->send("add_partitions", PgParams().bytes_array(fresh));
  writer_->send("begin");
  writer_->send("lock", PgParams().bytes_array(all));
  writer_->send("revisions",
                PgParams().bytes_array(expected_partitions).bytes_array(expected_keys));
  TRY_ASSIGN(auto results, writer_->finish());
  const auto& locks = results[results.size() - 2];
  for (int row = 0; row < locks.rows(); ++row)
    decided.partitions.emplace(locks.bytes(row, 0), locks.integer(row, 1));
  const auto& revisions = results.back();
  for (int row = 0; row < revisions.rows(); ++row)
    decided
        .revisions[{std::string(revisions.bytes(row, 0)), std::string(revisions.bytes(row, 1))}] = {
        static_cast<Revision>(revisions.integer(row, 2)), true};
  known_partitions_.merge(names);
  return Unit{};
}

Result<Revision> PostgresRecords::decide(const Write& write, Decided& decided) {
  const auto& [expects, writes] = write.transaction;
  for (const auto& expect : expects) {
    const auto found = decided.revisions.find({write.partition, expect.key});
    const bool exists = found != decided.revisions.end() && found->second.second;
    if ((exists ? found->second.first : 0) != expect.revision) return conflict(expect.key);
  }
  Revision& revision = decided.partitions.at(write.partition);
  if (writes.empty()) return revision;
  ++revision;
  for (const auto& one : writes) {
    std::optional<std::string_view> value;
    if (one.value) value = *one.value;
    decided.revisions[{write.partition, one.key}] = {revision, value.has_value()};
    decided.writes[{write.partition, one.key}] = {value, revision};
  }
  return revision;
}

Result<Unit> PostgresRecords::save(const Decided& decided) {
  Keys partitions, keys, values, changed;
  std::vector<std::int64_t> revisions, advanced;
  for (const auto& [where, what] : decided.writes) {
    partitions.emplace_back(where.first);
    keys.emplace_back(where.second);
    values.push_back(what.first);
    revisions.push_back(static_cast<std::int64_t>(what.second));
    if (!what.first) ++deleted_[std::string(where.first)];
  }
  for (const auto& [name, revision] : decided.partitions) {
    changed.emplace_back(name);
    advanced.push_back(static_cast<std::int64_t>(revision));
  }
  if (!keys.empty()) {
    PgParams params;
    params.bytes_array(partitions).bytes_array(keys).bytes_array(values).integer_array(revisions);
    writer_->send("write", params);
    writer_->send("advance", PgParams().bytes_array(changed).integer_array(advanced));
    writer_->send("notify", PgParams().bytes_array(changed));
  }
  std::erase_if(deleted_, [&](const auto& entry) {
    if (entry.second <= deletions_ || !decided.partitions.contains(entry.first)) return false;
    writer_->send("forget",
                  PgParams().bytes(entry.first).integer(static_cast<std::int64_t>(deletions_ / 2)));
    return true;
  });
  writer_->send("commit");
  TRY(writer_->finish());
  return Unit{};
}

Result<Unit> PostgresRecords::run_reset() {
  writer_->send("begin");
  writer_->send("lock_all");
  writer_->send("clear");
  writer_->send("advance_all");
  writer_->send("notify_all");
  writer_->send("commit");
  TRY(writer_->finish());
  watchers_.notify_all();
  return Unit{};
}

}  // namespace

Result<std::unique_ptr<Records>> make_postgres_records(std::string url, std::size_t deletions) {
  auto records = std::make_unique<PostgresRecords>(std::move(url), deletions);
  TRY(records->start());
  return records;
}

}  // namespace pileus::store
