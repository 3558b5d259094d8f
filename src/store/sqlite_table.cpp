#include "store/sqlite_table.h"

#include <sqlite3.h>

#include "base/text.h"

namespace pileus::store {
namespace {

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS records(
  partition TEXT NOT NULL, key BLOB NOT NULL, value BLOB, revision INTEGER NOT NULL,
  PRIMARY KEY(partition, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS changes ON records(partition, revision);
CREATE INDEX IF NOT EXISTS deletions ON records(revision) WHERE value IS NULL;
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
)";

constexpr const char* kSql[] = {
    "SELECT key, value, revision FROM records WHERE partition = ?1 AND key = ?2",
    "SELECT revision FROM records WHERE partition = ?1 AND key = ?2 AND value IS NOT NULL",
    "SELECT key, value, revision FROM records WHERE partition = ?1 AND key >= ?2 AND key < ?3 "
    "AND value IS NOT NULL ORDER BY key",
    "SELECT key, value, revision FROM records WHERE partition = ?1 AND key >= ?2 AND key < ?3 "
    "AND value IS NOT NULL ORDER BY key DESC",
    "SELECT key, value, revision FROM records INDEXED BY changes WHERE partition = ?1 "
    "AND revision > ?4 AND key >= ?2 AND key < ?3 ORDER BY revision",
    "SELECT partition, NULL, 0 FROM records WHERE partition > ?1 ORDER BY partition LIMIT 1",
    "INSERT INTO records(partition, key, value, revision) VALUES(?1, ?2, ?3, ?4) "
    "ON CONFLICT(partition, key) DO UPDATE SET value = excluded.value, revision = "
    "excluded.revision",
};

// Bytes stay where they are until the statement is reset.
void bind_text(sqlite3_stmt* statement, int at, std::string_view text) {
  sqlite3_bind_text(statement, at, text.empty() ? "" : text.data(), static_cast<int>(text.size()),
                    SQLITE_STATIC);
}
void bind_blob(sqlite3_stmt* statement, int at, std::string_view bytes) {
  sqlite3_bind_blob(statement, at, bytes.empty() ? "" : bytes.data(),
                    static_cast<int>(bytes.size()), SQLITE_STATIC);
}
std::string_view column(sqlite3_stmt* statement, int at) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, at));
  return {bytes ? bytes : "", static_cast<std::size_t>(sqlite3_column_bytes(statement, at))};
}

struct Reset {
  sqlite3_stmt* statement;
  ~Reset() { sqlite3_reset(statement); }
};

}  // namespace

std::unexpected<Error> SqliteTable::failed(std::string_view doing) {
  return fail(std::string(errc::kIo), str("SQLite cannot ", doing, ": ", sqlite3_errmsg(db_)), 500);
}

Result<Unit> SqliteTable::run(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return failed(std::string_view(sql).substr(0, 40));
  return Unit{};
}

Result<std::unique_ptr<SqliteTable>> SqliteTable::open(const std::string& path,
                                                       const std::string& vfs) {
  sqlite3* db = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &db, flags, vfs.empty() ? nullptr : vfs.c_str());
  std::unique_ptr<SqliteTable> table(new SqliteTable(db));
  if (code != SQLITE_OK) return table->failed("open " + path);
  sqlite3_extended_result_codes(db, 1);
  // Exclusive: exactly one connection, so no shared memory and no lock calls. The commit log makes
  // commits durable; the table itself becomes so at each checkpoint.
  TRY(table->run(
      "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
      "PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=16777216;"
      "PRAGMA cache_size=-4096; PRAGMA temp_store=MEMORY"));
  TRY(table->run(kSchema));
  return table;
}

SqliteTable::~SqliteTable() {
  for (auto* statement : statements_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

Result<sqlite3_stmt*> SqliteTable::statement(Statement which) {
  auto*& statement = statements_[which];
  if (!statement && sqlite3_prepare_v3(db_, kSql[which], -1, SQLITE_PREPARE_PERSISTENT, &statement,
                                       nullptr) != SQLITE_OK)
    return failed("prepare a statement");
  return statement;
}

Result<Unit> SqliteTable::visit_rows(sqlite3_stmt* statement, const Visit& visit) {
  const Reset reset{statement};
  for (;;) {
    const int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) return Unit{};
    if (code != SQLITE_ROW) return failed("read");
    Row row{column(statement, 0), std::nullopt,
            static_cast<Revision>(sqlite3_column_int64(statement, 2))};
    if (sqlite3_column_type(statement, 1) != SQLITE_NULL) row.value = column(statement, 1);
    if (!visit(row)) return Unit{};
  }
}

Result<Unit> SqliteTable::visit_one(std::string_view partition, std::string_view key,
                                    const Visit& visit) {
  TRY_ASSIGN(auto* get, statement(kGet));
  bind_text(get, 1, partition);
  bind_blob(get, 2, key);
  return visit_rows(get, visit);
}

Result<Revision> SqliteTable::revision(std::string_view partition, std::string_view key) {
  TRY_ASSIGN(auto* get, statement(kRevision));
  bind_text(get, 1, partition);
  bind_blob(get, 2, key);
  const Reset reset{get};
  const int code = sqlite3_step(get);
  if (code == SQLITE_ROW) return static_cast<Revision>(sqlite3_column_int64(get, 0));
  if (code == SQLITE_DONE) return Revision{0};
  return failed("read a revision");
}

Result<Unit> SqliteTable::scan(std::string_view partition, const KeyRange& range, bool reverse,
                               const Visit& visit) {
  TRY_ASSIGN(auto* scan, statement(reverse ? kScanReverse : kScan));
  bind_text(scan, 1, partition);
  bind_blob(scan, 2, range.from);
  bind_blob(scan, 3, range.until);
  return visit_rows(scan, visit);
}

Result<Unit> SqliteTable::changes(std::string_view partition, const KeyRange& range, Revision after,
                                  const Visit& visit) {
  TRY_ASSIGN(auto* changes, statement(kChanges));
  bind_text(changes, 1, partition);
  bind_blob(changes, 2, range.from);
  bind_blob(changes, 3, range.until);
  sqlite3_bind_int64(changes, 4, static_cast<std::int64_t>(after));
  return visit_rows(changes, visit);
}

Result<std::vector<std::string>> SqliteTable::partitions() {
  std::vector<std::string> names;
  TRY_ASSIGN(auto* next, statement(kNextPartition));
  std::optional<std::string> at = "";
  // The empty name is the smallest, and > finds it only by asking for it by name.
  bool holds = false;
  const auto any = [&holds](const Row&) {
    holds = true;
    return false;
  };
  TRY(scan("", {"", prefix_end("")}, false, any));
  if (holds) names.emplace_back();
  while (at) {
    const std::string after = *std::exchange(at, std::nullopt);
    bind_text(next, 1, after);
    TRY(visit_rows(next, [&](const Row& row) {
      at = row.key;
      return false;
    }));
    if (!at) break;
    holds = false;
    TRY(scan(*at, {"", prefix_end("")}, false, any));
    if (holds) names.push_back(*at);
  }
  return names;
}

Result<std::int64_t> SqliteTable::number(const std::string& sql) {
  sqlite3_stmt* query = nullptr;
  if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &query, nullptr) != SQLITE_OK)
    return failed("prepare a query");
  const int code = sqlite3_step(query);
  const std::int64_t value = code == SQLITE_ROW ? sqlite3_column_int64(query, 0) : 0;
  sqlite3_finalize(query);
  if (code != SQLITE_ROW && code != SQLITE_DONE) return failed("run a query");
  return value;
}

Result<SqliteTable::Meta> SqliteTable::meta() {
  Meta meta;
  const auto read = [this](const char* name) {
    return number(str("SELECT value FROM meta WHERE name = '", name, "'"));
  };
  TRY_ASSIGN(const auto revision, read("revision"));
  TRY_ASSIGN(const auto horizon, read("horizon"));
  TRY_ASSIGN(const auto generation, read("generation"));
  meta.revision = std::max<Revision>(1, static_cast<Revision>(revision));
  meta.horizon = static_cast<Revision>(horizon);
  meta.generation = static_cast<std::uint64_t>(generation);
  return meta;
}

Result<Unit> SqliteTable::set_meta(const Meta& meta) {
  return run(str("INSERT OR REPLACE INTO meta VALUES('revision', ", meta.revision,
                 "), ('horizon', ", meta.horizon, "), ('generation', ", meta.generation, ")")
                 .c_str());
}

Result<Unit> SqliteTable::begin() { return run("BEGIN IMMEDIATE"); }

Result<Unit> SqliteTable::put(std::string_view partition, const Row& row) {
  TRY_ASSIGN(auto* put, statement(kPut));
  bind_text(put, 1, partition);
  bind_blob(put, 2, row.key);
  if (row.value)
    bind_blob(put, 3, *row.value);
  else
    sqlite3_bind_null(put, 3);
  sqlite3_bind_int64(put, 4, static_cast<std::int64_t>(row.revision));
  const Reset reset{put};
  if (sqlite3_step(put) != SQLITE_DONE) return failed("write");
  return Unit{};
}

Result<Unit> SqliteTable::clear() { return run("DELETE FROM records"); }

Result<Revision> SqliteTable::forget(std::size_t most) {
  TRY_ASSIGN(const auto deletions, number("SELECT count(*) FROM records WHERE value IS NULL"));
  if (static_cast<std::size_t>(deletions) <= most) return Revision{0};
  TRY_ASSIGN(const auto horizon,
             number(str("SELECT revision FROM records WHERE value IS NULL ORDER BY revision "
                        "LIMIT 1 OFFSET ",
                        static_cast<std::size_t>(deletions) - most / 2 - 1)));
  TRY(run(str("DELETE FROM records WHERE value IS NULL AND revision <= ", horizon).c_str()));
  return static_cast<Revision>(horizon);
}

Result<Unit> SqliteTable::commit() {
  TRY(run("COMMIT"));
  int frames = 0;
  int moved = 0;
  if (sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &frames, &moved) !=
      SQLITE_OK)
    return failed("move the write-ahead log into the table");
  if (frames != moved)
    return fail(std::string(errc::kIo), "SQLite left part of its write-ahead log behind", 500);
  return Unit{};
}

void SqliteTable::roll_back() {
  if (sqlite3_get_autocommit(db_) == 0) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace pileus::store
