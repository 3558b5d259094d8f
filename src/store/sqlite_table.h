// SqliteTable: the one SQLite connection of sqlite_records, as typed operations. Not locked: one
// thread at a time (its owner sees to that). Every failure is errc::kIo with SQLite's words.
#pragma once

#include <functional>

#include "store/watched_records.h"

struct sqlite3;
struct sqlite3_stmt;

namespace pileus::store {

class SqliteTable {
 public:
  struct Row {
    std::string_view key;
    std::optional<std::string_view> value;  // nothing: deleted
    Revision revision = 0;
  };
  struct Meta {
    Revision revision = 1;         // everything up to here is in the table
    Revision horizon = 0;          // deletions up to here are forgotten
    std::uint64_t generation = 0;  // of the commit log, applied whole
  };
  using Visit = std::function<bool(const Row&)>;  // false: enough

  // `vfs`: "" for SQLite's own.
  static Result<std::unique_ptr<SqliteTable>> open(const std::string& path, const std::string& vfs);
  ~SqliteTable();

  Result<Meta> meta();
  Result<Unit> visit_one(std::string_view partition, std::string_view key, const Visit& visit);
  // The revision of a key that exists, else 0.
  Result<Revision> revision(std::string_view partition, std::string_view key);
  // In the order of keys; without the deleted.
  Result<Unit> scan(std::string_view partition, const KeyRange& range, bool reverse,
                    const Visit& visit);
  // In the order of revisions above `after`; with the deleted.
  Result<Unit> changes(std::string_view partition, const KeyRange& range, Revision after,
                       const Visit& visit);
  Result<std::vector<std::string>> partitions();

  Result<Unit> begin();
  Result<Unit> put(std::string_view partition, const Row& row);
  Result<Unit> clear();
  // Forgets the oldest deletions when there are more than `most`; gives the new horizon (0: none).
  Result<Revision> forget(std::size_t most);
  Result<Unit> set_meta(const Meta& meta);
  // Commits, and makes everything committed so far durable in the table's own file.
  Result<Unit> commit();
  void roll_back();

 private:
  enum Statement {
    kGet,
    kRevision,
    kScan,
    kScanReverse,
    kChanges,
    kNextPartition,
    kPut,
    kStatements
  };
  explicit SqliteTable(sqlite3* db) : db_(db) {}
  Result<Unit> run(const char* sql);
  Result<std::int64_t> number(const std::string& sql);
  Result<sqlite3_stmt*> statement(Statement which);
  Result<Unit> visit_rows(sqlite3_stmt* statement, const Visit& visit);
  std::unexpected<Error> failed(std::string_view doing);
  sqlite3* db_;
  sqlite3_stmt* statements_[kStatements] = {};
};

}  // namespace pileus::store
