// One suite over every engine of Records.
#include <gtest/gtest.h>

#include "base/manual_loop.h"
#include "store/hostile_records.h"
#include "store/libpq.h"
#include "store/memory_records.h"
#include "store/postgres_records.h"
#include "store/sqlite_records.h"
#include "store/test_folder.h"
#include "store/test_postgres.h"
#include "store/typed.h"

namespace pileus::store {
namespace {

constexpr std::size_t kDeletions = 20;  // remembered, so that tests pass the horizon soon

enum class Kind { kMemory, kSqlite, kSqliteBusy, kPostgres, kHostile };
std::string name_of(const testing::TestParamInfo<Kind>& info) {
  constexpr const char* kNames[] = {"memory", "sqlite", "sqlite_busy", "postgres", "hostile"};
  return kNames[static_cast<int>(info.param)];
}

class RecordsSuite : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam() == Kind::kPostgres) {
      if (!TestPostgres::why_missing().empty()) GTEST_SKIP() << TestPostgres::why_missing();
      static int schemas = 0;
      schema_ = str("t", ++schemas);
      ASSERT_TRUE(
          PgConnection::connect(TestPostgres::url(schema_), {"CREATE SCHEMA " + schema_}, {}));
    }
    open();
  }
  void TearDown() override { records_.reset(); }

  std::unique_ptr<Records> make() {
    switch (GetParam()) {
      case Kind::kMemory:
        return make_memory_records(kDeletions);
      case Kind::kHostile:
        return make_hostile_records(make_memory_records(kDeletions), random_);
      case Kind::kPostgres:
        return unwrap(make_postgres_records(TestPostgres::url(schema_), kDeletions));
      // The table takes over all the time, in the midst of everything.
      case Kind::kSqliteBusy:
        return unwrap(make_sqlite_records(folder_.path() + "/records",
                                          {.log_bytes = 2000,
                                           .cache_bytes = 4000,
                                           .deletions = kDeletions,
                                           .settle = std::chrono::milliseconds(1)}));
      case Kind::kSqlite:
        break;
    }
    return unwrap(make_sqlite_records(folder_.path() + "/records", {.deletions = kDeletions}));
  }
  void open() { records_ = make(); }
  bool survives() const { return GetParam() != Kind::kMemory && GetParam() != Kind::kHostile; }
  static std::unique_ptr<Records> unwrap(Result<std::unique_ptr<Records>> made) {
    if (!made) throw std::runtime_error(made.error().message());
    return std::move(*made);
  }

  // What a careful user does: tries again where the engine may fail.
  template <class T>
  T insist(const std::function<Result<T>()>& ask) {
    for (int attempt = 0; attempt < 200; ++attempt) {
      auto result = ask();
      if (result) return std::move(*result);
      if (!result.error().is(errc::kIo)) throw std::runtime_error(result.error().message());
      last_error_ = result.error().message();
    }
    throw std::runtime_error("fails again and again: " + last_error_);
  }
  std::optional<Entry> get(std::string key, std::string partition = "p") {
    return insist<std::optional<Entry>>([&] { return loop_.run(records_->get(partition, key)); });
  }
  std::vector<Entry> scan(std::string prefix, ScanOptions options = {},
                          std::string partition = "p") {
    return insist<std::vector<Entry>>(
        [&] { return loop_.run(records_->scan(partition, prefix, options)); });
  }
  bool happened(const std::string& partition, const Transaction& transaction) {
    std::map<std::string, std::optional<std::string>> last;
    for (const auto& write : transaction.writes) last[write.key] = write.value;
    for (const auto& [key, value] : last) {
      const auto entry = get(key, partition);
      if (entry.has_value() != value.has_value() || (entry && entry->value != *value)) return false;
    }
    return !transaction.writes.empty();
  }
  Revision commit(Transaction transaction, std::string partition = "p") {
    for (int attempt = 0; attempt < 200; ++attempt) {
      auto result = loop_.run(records_->commit(partition, transaction));
      if (result) return *result;
      last_error_ = result.error().message();
      if (happened(partition, transaction)) {
        const auto& written = transaction.writes.back();
        return written.value ? get(written.key, partition)->revision : 0;
      }
    }
    throw std::runtime_error("not committed: " + last_error_);
  }
  Revision put(std::string key, std::string value, std::string partition = "p") {
    return commit(Transaction().put(std::move(key), std::move(value)), std::move(partition));
  }
  std::string refused(const Transaction& transaction, std::string partition = "p") {
    for (int attempt = 0; attempt < 200; ++attempt) {
      auto result = loop_.run(records_->commit(partition, transaction));
      if (result) return "committed";
      if (!result.error().message().starts_with("injected")) return result.error().code();
    }
    return "fails again and again";
  }
  std::vector<std::string> keys(const std::vector<Entry>& entries) {
    std::vector<std::string> out;
    for (const auto& entry : entries) out.push_back(entry.key);
    return out;
  }

  // Follows a prefix the way a cache does: newest revision wins, a snapshot forgets the rest.
  struct Follower {
    RecordsSuite& suite;
    std::string prefix;
    std::string cursor;
    std::map<std::string, Change> seen{};
    int snapshots = 0;
    std::size_t largest = 0;

    void step() {
      auto batch = suite.insist<ChangeBatch>(
          [&] { return suite.loop_.run(suite.records_->watch("p", prefix, cursor)); });
      if (batch.snapshot) {
        ++snapshots;
        seen.clear();
      }
      largest = std::max(largest, batch.changes.size());
      for (auto& change : batch.changes) {
        auto& known = seen[change.key];
        if (known.revision <= change.revision) known = change;
      }
      cursor = batch.cursor;
    }
    std::map<std::string, std::string> live() const {
      std::map<std::string, std::string> out;
      for (const auto& [key, change] : seen)
        if (change.value) out[key] = *change.value;
      return out;
    }
    void until(const std::map<std::string, std::string>& state) {
      for (int n = 0; n < 100 && live() != state; ++n) step();
      EXPECT_EQ(live(), state);
    }
  };
  Follower follow(std::string prefix, std::string cursor) { return {*this, prefix, cursor}; }

  TestFolder folder_;
  std::string schema_;
  SeededRandom random_{7};
  ManualLoop loop_;
  std::string last_error_;
  std::unique_ptr<Records> records_;
};

TEST_P(RecordsSuite, Values_of_any_bytes_come_back) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  put("every", every);
  put(every, "key of every byte");
  put("", "empty key");
  put("empty", "");
  put("large", std::string(Records::kMaxValueBytes, 'x'));
  EXPECT_EQ(get("every")->value, every);
  EXPECT_EQ(get(every)->value, "key of every byte");
  EXPECT_EQ(get(every)->key, every);
  EXPECT_EQ(get("")->value, "empty key");
  EXPECT_EQ(get("empty")->value, "");
  EXPECT_EQ(get("large")->value.size(), Records::kMaxValueBytes);
  EXPECT_FALSE(get("missing"));
}

TEST_P(RecordsSuite, A_revision_grows_with_each_write_even_across_deletion) {
  const Revision first = put("k", "1");
  EXPECT_EQ(get("k")->revision, first);
  const Revision second = put("k", "2");
  EXPECT_GT(second, first);
  commit(Transaction().remove("k"));
  EXPECT_FALSE(get("k"));
  EXPECT_GT(put("k", "3"), second);
}

TEST_P(RecordsSuite, A_transaction_happens_whole_or_not_at_all) {
  const Revision revision = put("a", "1");
  EXPECT_EQ(refused(Transaction().expect("a", revision + 1).put("b", "x")), errc::kConflict);
  EXPECT_EQ(refused(Transaction().expect("a", 0).put("b", "x")), errc::kConflict);
  EXPECT_EQ(refused(Transaction().expect("b", revision).put("b", "x").remove("a")),
            errc::kConflict);
  EXPECT_FALSE(get("b"));
  EXPECT_TRUE(get("a"));
  const Revision together = commit(
      Transaction().expect("a", revision).expect("b", 0).put("b", "x").put("c", "y").remove("a"));
  EXPECT_FALSE(get("a"));
  EXPECT_EQ(get("b")->revision, get("c")->revision);
  if (together) EXPECT_EQ(get("c")->revision, get("b")->revision);
  // A deleted key is one that does not exist, and the last of several writes counts.
  commit(Transaction().expect("a", 0).put("a", "first").put("a", "last"));
  EXPECT_EQ(get("a")->value, "last");
}

TEST_P(RecordsSuite, Expectations_alone_are_a_check) {
  const Revision revision = put("a", "1");
  EXPECT_EQ(refused(Transaction().expect("a", revision + 1)), errc::kConflict);
  for (int n = 0; n < 100; ++n) {
    auto checked =
        loop_.run(records_->commit("p", Transaction().expect("a", revision).expect("b", 0)));
    if (checked) return;
    ASSERT_EQ(GetParam(), Kind::kHostile) << checked.error().message();
  }
  FAIL();
}

TEST_P(RecordsSuite, A_scan_goes_by_byte_order_within_its_prefix) {
  const std::vector<std::string> inside = {
      "a/",        std::string("a/\0", 3), "a/1", "a/10", "a/2", "a/\x7f", "a/\x80", "a/\xff",
      "a/\xff\xff"};
  for (const auto& key : inside) put(key, "v" + key);
  for (const std::string outside : {"a", "a.", "a0", "b", "\xff"}) put(outside, "");
  put("a/1", "elsewhere", "q");
  EXPECT_EQ(keys(scan("a/")), inside);
  auto backwards = inside;
  std::reverse(backwards.begin(), backwards.end());
  EXPECT_EQ(keys(scan("a/", {.reverse = true})), backwards);
  EXPECT_EQ(keys(scan("\xff")), std::vector<std::string>{"\xff"});
  EXPECT_EQ(scan("").size(), inside.size() + 5);
  EXPECT_EQ(scan("a/1", {}, "q").at(0).value, "elsewhere");
  EXPECT_TRUE(scan("zzz").empty());
}

TEST_P(RecordsSuite, A_scan_goes_on_after_the_last_key_of_its_page) {
  std::vector<std::string> all;
  Transaction many;
  for (int n = 0; n < 25; ++n) {
    all.push_back(str("k/", 100 + n));
    many.put(all.back(), str(n));
  }
  commit(many);
  for (const bool reverse : {false, true}) {
    std::vector<std::string> read;
    ScanOptions options{.limit = 7, .after = "", .reverse = reverse};
    for (;;) {
      const auto page = scan("k/", options);
      if (page.empty()) break;
      EXPECT_LE(page.size(), 7u);
      for (const auto& entry : page) read.push_back(entry.key);
      options.after = page.back().key;
    }
    auto wanted = all;
    if (reverse) std::reverse(wanted.begin(), wanted.end());
    EXPECT_EQ(read, wanted);
  }
}

TEST_P(RecordsSuite, It_agrees_with_a_map_whatever_happens) {
  std::map<std::string, std::string> model;
  for (int n = 0; n < 400; ++n) {
    Transaction transaction;
    for (std::uint64_t writes = random_.below(4) + 1; writes > 0; --writes) {
      const std::string key = str("k", random_.below(40));
      if (random_.below(3) == 0) {
        transaction.remove(key);
        model.erase(key);
      } else {
        const std::string value = str("v", n, std::string(random_.below(50), '.'));
        transaction.put(key, value);
        model[key] = value;
      }
    }
    commit(transaction);
    const std::string key = str("k", random_.below(40));
    const auto entry = get(key);
    ASSERT_EQ(entry.has_value(), model.contains(key));
    if (entry) ASSERT_EQ(entry->value, model[key]);
    if (n % 20 == 0) {
      ScanOptions options{.limit = 5, .after = key, .reverse = n % 40 == 0};
      std::vector<std::string> wanted;
      for (const auto& [k, v] : model)
        if (options.reverse ? k < key : k > key) wanted.push_back(k);
      if (options.reverse) std::reverse(wanted.begin(), wanted.end());
      if (wanted.size() > 5) wanted.resize(5);
      ASSERT_EQ(keys(scan("", options)), wanted);
    }
    if (n % 100 == 0 && survives()) {
      records_.reset();
      open();
    }
  }
  std::map<std::string, std::string> left;
  for (const auto& entry : scan("")) left[entry.key] = entry.value;
  EXPECT_EQ(left, model);
}

TEST_P(RecordsSuite, Partitions_that_hold_keys_are_listed) {
  const auto list = [this] {
    return insist<std::vector<std::string>>([&] { return loop_.run(records_->partitions()); });
  };
  EXPECT_TRUE(list().empty());
  put("k", "", "b/2");
  put("k", "", "a");
  put("k", "", "b/1");
  EXPECT_EQ(list(), (std::vector<std::string>{"a", "b/1", "b/2"}));
  commit(Transaction().remove("k"), "b/1");
  EXPECT_EQ(list(), (std::vector<std::string>{"a", "b/2"}));
}

TEST_P(RecordsSuite, What_is_too_large_is_refused_by_name) {
  const auto code = [&](Transaction transaction) { return refused(transaction); };
  EXPECT_EQ(code(Transaction().put(std::string(1025, 'k'), "")), errc::kLimit);
  EXPECT_EQ(code(Transaction().put("k", std::string((1 << 20) + 1, 'v'))), errc::kLimit);
  Transaction many;
  for (int n = 0; n < 501; ++n) many.put(str(n), "");
  EXPECT_EQ(code(many), errc::kLimit);
  Transaction heavy;
  for (int n = 0; n < 9; ++n) heavy.put(str(n), std::string(1 << 20, 'v'));
  EXPECT_EQ(code(heavy), errc::kLimit);
  EXPECT_EQ(refused(Transaction(), std::string("a\0b", 3)), errc::kInvalid);
  EXPECT_EQ(refused(Transaction(), std::string(257, 'p')), errc::kLimit);
  EXPECT_TRUE(scan("").empty());
}

TEST_P(RecordsSuite, A_watch_from_the_start_gives_everything_and_then_what_changes) {
  auto empty = follow("none/", "0");
  empty.step();  // at once, although there is nothing
  EXPECT_TRUE(empty.seen.empty());
  put("w/a", "1");
  put("w/b", "1");
  put("x/a", "1");
  auto follower = follow("w/", "0");
  follower.until({{"w/a", "1"}, {"w/b", "1"}});
  EXPECT_EQ(follower.snapshots, 1);
  put("w/a", "2");
  put("x/a", "2");
  put("w/a", "3");
  commit(Transaction().remove("w/b"));
  follower.until({{"w/a", "3"}});
  EXPECT_FALSE(follower.seen.contains("x/a"));
}

TEST_P(RecordsSuite, A_watch_from_now_waits_for_the_next_change) {
  put("w/old", "1");
  std::optional<Result<ChangeBatch>> batch;
  TaskGroup group(loop_);
  const auto wait = [](Records& records, std::optional<Result<ChangeBatch>>& out) -> Task<void> {
    for (;;) {
      out = co_await records.watch("p", "w/", "");
      if (*out || !out->error().is(errc::kIo)) co_return;
    }
  };
  group.spawn(wait(*records_, batch));
  // The watch stands once a watch begun later, on the same prefix, has been answered.
  for (int n = 0; n < 3; ++n) follow("w/", "0").step();
  EXPECT_FALSE(batch);
  for (int n = 0; n < 100 && !batch; ++n) {  // an injected failure may have begun it again
    put("v/new", str(n));
    put("w/new", str(n));
    loop_.run_until([&] { return batch || n < 99; });
    follow("w/", "0").step();
  }
  ASSERT_TRUE(batch && *batch);
  EXPECT_EQ((*batch)->changes.at(0).key, "w/new");
  EXPECT_EQ((*batch)->changes.size(), 1u);
  EXPECT_FALSE((*batch)->snapshot);
  loop_.run_until([&] { return group.running() == 0; });
}

TEST_P(RecordsSuite, A_watch_goes_on_from_its_cursor_even_after_a_restart) {
  put("w/a", "1");
  auto follower = follow("w/", "0");
  follower.until({{"w/a", "1"}});
  put("w/b", "2");
  if (survives()) {
    records_.reset();
    open();
  }
  put("w/c", "3");
  commit(Transaction().remove("w/a"));
  follower.until({{"w/b", "2"}, {"w/c", "3"}});
  EXPECT_EQ(follower.snapshots, 1);
}

TEST_P(RecordsSuite, Batches_of_a_watch_are_bounded_and_miss_nothing) {
  put("w/a", "1");
  auto follower = follow("w/", "0");
  follower.step();
  std::map<std::string, std::string> model{{"w/a", "1"}};
  for (int n = 0; n < 8; ++n) {
    Transaction many;
    for (int k = 0; k < 400; ++k) {
      const std::string key = str("w/", n * 400 + k);
      many.put(key, str(n));
      model[key] = str(n);
    }
    commit(many);
  }
  follower.until(model);
  EXPECT_LT(follower.largest, 1500u);
  EXPECT_EQ(follower.snapshots, 1);
}

TEST_P(RecordsSuite, A_cursor_older_than_the_remembered_deletions_gives_a_snapshot) {
  put("w/stays", "1");
  put("w/goes", "1");
  auto follower = follow("w/", "0");
  follower.step();
  EXPECT_EQ(follower.live().size(), 2u);
  const std::string old = follower.cursor;
  commit(Transaction().remove("w/goes"));
  for (std::size_t n = 0; n < 4 * kDeletions; ++n) {
    put("other", "1");
    put(str("w/x", n), "1");
    commit(Transaction().remove(str("w/x", n)));
  }
  if (survives()) {  // SQLite forgets when the table takes over
    records_.reset();
    open();
  }
  follower.cursor = old;
  follower.until({{"w/stays", "1"}});
  EXPECT_EQ(follower.snapshots, 2);
}

TEST_P(RecordsSuite, A_cursor_that_is_none_is_refused) {
  for (const std::string cursor : {"x", "-1", "1x"}) {
    for (;;) {
      const auto batch = loop_.run(records_->watch("p", "", cursor));
      ASSERT_FALSE(batch);
      if (batch.error().is(errc::kIo)) continue;
      EXPECT_TRUE(batch.error().is(errc::kInvalid));
      break;
    }
  }
}

TEST_P(RecordsSuite, A_watch_that_is_stopped_leaves) {
  for (;;) {
    const auto batch =
        loop_.run(with_deadline(std::chrono::milliseconds(5), records_->watch("p", "w/", "")));
    ASSERT_FALSE(batch);
    if (batch.error().is(errc::kIo)) continue;
    EXPECT_TRUE(batch.error().is(errc::kDeadline));
    break;
  }
  put("w/a", "1");  // nobody is there any more
}

TEST_P(RecordsSuite, A_reset_empties_everything_and_revisions_go_on) {
  const Revision before = put("w/a", "1");
  put("k", "1", "q");
  auto follower = follow("w/", "0");
  follower.step();
  ASSERT_TRUE(loop_.run(records_->reset()));
  EXPECT_FALSE(get("w/a"));
  EXPECT_TRUE(scan("").empty());
  EXPECT_TRUE(
      insist<std::vector<std::string>>([&] { return loop_.run(records_->partitions()); }).empty());
  follower.until({});
  EXPECT_EQ(follower.snapshots, 2);
  if (survives()) {
    records_.reset();
    open();
    EXPECT_TRUE(scan("").empty());
  }
  EXPECT_GT(put("w/a", "2"), before);
  follower.until({{"w/a", "2"}});
  if (survives()) {
    records_.reset();
    open();
    EXPECT_EQ(scan("").size(), 1u);
  }
}

struct Counter {
  int count = 0;
  std::vector<int> by;
  PILEUS_FIELDS(Counter, count, by)
};

TEST_P(RecordsSuite, Concurrent_updates_lose_nothing) {
  constexpr int kWriters = 12;
  constexpr int kRounds = 15;
  const auto write = [](Records& records, int writer) -> Task<void> {
    for (int round = 0; round < kRounds;) {
      const int mark = writer * 1000 + round;
      const auto done = co_await update<Counter>(
          records, "p", "counter", [mark](std::optional<Counter>& counter) -> Result<Unit> {
            if (!counter) counter.emplace();
            if (std::count(counter->by.begin(), counter->by.end(), mark))
              return Unit{};  // it had happened
            ++counter->count;
            counter->by.push_back(mark);
            return Unit{};
          });
      if (done) ++round;
    }
  };
  TaskGroup group(loop_);
  for (int writer = 0; writer < kWriters; ++writer) group.spawn(write(*records_, writer));
  loop_.run_until([&] { return group.running() == 0; });
  const auto counter = decode<Counter>(get("counter")->value);
  EXPECT_EQ(counter->count, kWriters * kRounds);
}

TEST_P(RecordsSuite, Many_loops_may_ask_at_once) {
  std::vector<std::thread> threads;
  std::atomic<int> committed = 0;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      ManualLoop loop;
      for (int n = 0; n < 50; ++n) {
        const std::string key = str("t", t, "/", n);
        for (;;) {
          if (loop.run(records_->commit("p", Transaction().put(key, "v")))) break;
        }
        for (;;) {
          const auto entry = loop.run(records_->get("p", key));
          if (!entry) continue;
          if (*entry) ++committed;
          break;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(committed, 150);
  EXPECT_EQ(scan("t").size(), 150u);
}

INSTANTIATE_TEST_SUITE_P(Engines, RecordsSuite,
                         testing::Values(Kind::kMemory, Kind::kSqlite, Kind::kSqliteBusy,
                                         Kind::kPostgres, Kind::kHostile),
                         name_of);

TEST(PostgresRecords, Two_nodes_are_one_store) {
  if (!TestPostgres::why_missing().empty()) GTEST_SKIP() << TestPostgres::why_missing();
  static int runs = 0;
  const std::string schema = str("nodes", ++runs);
  const std::string url = TestPostgres::url(schema);
  ASSERT_TRUE(PgConnection::connect(url, {"CREATE SCHEMA " + schema}, {}));
  auto one = make_postgres_records(url);
  auto two = make_postgres_records(url);
  ASSERT_TRUE(one && two);
  ManualLoop loop;
  const auto first = loop.run((*one)->commit("p", Transaction().put("k", "one")));
  ASSERT_TRUE(first);
  EXPECT_EQ((*loop.run((*two)->get("p", "k")))->value, "one");
  const auto cursor = loop.run((*two)->watch("p", "", "0"))->cursor;
  std::optional<Result<ChangeBatch>> heard;
  TaskGroup group(loop);
  const auto wait = [](Records& records, std::string from,
                       std::optional<Result<ChangeBatch>>& out) -> Task<void> {
    out = co_await records.watch("p", "", from);
  };
  group.spawn(wait(**two, cursor, heard));
  EXPECT_TRUE(loop.run((*one)->commit("p", Transaction().expect("k", *first).put("k", "again"))));
  loop.run_until([&] { return heard.has_value(); });
  ASSERT_TRUE(*heard);
  EXPECT_EQ((*heard)->changes.at(0).value, "again");
  const auto late =
      loop.run((*two)->commit("p", Transaction().expect("k", *first).put("k", "late")));
  EXPECT_TRUE(late.error().is(errc::kConflict));
  loop.run_until([&] { return group.running() == 0; });
}

TEST(PostgresRecords, A_lost_connection_is_made_anew) {
  if (!TestPostgres::why_missing().empty()) GTEST_SKIP() << TestPostgres::why_missing();
  static int runs = 0;
  const std::string schema = str("lost", ++runs);
  const std::string url = TestPostgres::url(schema);
  ASSERT_TRUE(PgConnection::connect(url, {"CREATE SCHEMA " + schema}, {}));
  auto records = make_postgres_records(url + "&application_name=" + schema);
  ASSERT_TRUE(records);
  ManualLoop loop;
  ASSERT_TRUE(loop.run((*records)->commit("p", Transaction().put("k", "before"))));
  const auto cursor = loop.run((*records)->watch("p", "", "0"))->cursor;
  ASSERT_TRUE(PgConnection::connect(
      url,
      {"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '" +
       schema + "'"},
      {}));
  int failures = 0;
  while (!loop.run((*records)->commit("p", Transaction().put("k", "after"))))
    ASSERT_LT(++failures, 5);
  for (;;) {
    const auto entry = loop.run((*records)->get("p", "k"));
    if (!entry) ASSERT_LT(++failures, 5);
    if (!entry) continue;
    EXPECT_EQ((*entry)->value, "after");
    break;
  }
  const auto heard = loop.run((*records)->watch("p", "", cursor));
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->changes.at(0).value, "after");
}

TEST(PostgresRecords, A_server_that_is_not_there_is_an_error) {
  const auto records = make_postgres_records("postgresql:///x?host=/nonexistent");
  ASSERT_FALSE(records);
  EXPECT_TRUE(records.error().is(errc::kIo));
}

}  // namespace
}  // namespace pileus::store
