// The promise of the store: whatever was acknowledged survives a loss of power at any moment, and
// nothing that was not is there in part. Each seed runs writers on a disk that is cut in the midst
// of some operation, several times over, also while the store starts again.
#include <gtest/gtest.h>

#include "base/log.h"
#include "base/manual_loop.h"
#include "base/text.h"
#include "store/file_blobs.h"
#include "store/file_journals.h"
#include "store/powerloss_files.h"
#include "store/sha256.h"
#include "store/sqlite_records.h"

namespace pileus::store {
namespace {

constexpr int kCutsPerSeed = 4;

class PowerLoss : public testing::Test {
 protected:
  void SetUp() override { log::set_level(static_cast<log::Level>(99)); }  // the errors are meant
  void TearDown() override { log::set_level(log::Level::kInfo); }

  // Starts the store on a disk that may be cut again meanwhile.
  template <class Store, class Make>
  std::unique_ptr<Store> start(PowerlossFiles& disk, SeededRandom& random, Make make) {
    for (int attempt = 0; attempt < 3; ++attempt) {
      if (random.below(2)) disk.cut_after(random.below(30) + 1);
      auto made = make();
      if (made && !disk.is_off()) {
        disk.cut_after(0);
        return std::move(*made);
      }
      EXPECT_TRUE(disk.is_off()) << made.error().message();
      if (made) made->reset();
      disk.cut_now();
      disk.restore();
    }
    auto made = make();
    if (!made) throw std::runtime_error(made.error().message());
    return std::move(*made);
  }
  ManualLoop loop_;
};

// ---- Records

struct RecordWriter {
  std::string name;
  int acknowledged = 0;  // number of the last commit that was acknowledged
  int attempted = 0;
};

// Commit n sets two keys to n, has a third exist while n is odd, and leaves a key of its own.
Task<void> write_until_cut(Records& records, RecordWriter& writer, SeededRandom& random) {
  for (;;) {
    const int n = ++writer.attempted;
    const std::string text = str(n, std::string(random.below(300), '.'));
    Transaction transaction;
    transaction.put(writer.name + "/a", text).put(writer.name + "/b", text);
    transaction.put(str(writer.name, "/n/", n), "");
    if (n % 2)
      transaction.put(writer.name + "/c", "");
    else
      transaction.remove(writer.name + "/c");
    if (!co_await records.commit("p", std::move(transaction))) co_return;
    writer.acknowledged = n;
  }
}

int number_in(const std::optional<Entry>& entry) {
  return entry ? std::atoi(entry->value.c_str()) : 0;
}

TEST_F(PowerLoss, Every_acknowledged_commit_is_found_whole) {
  int commits = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(str("seed ", seed));
    SeededRandom random(seed);
    PowerlossFiles disk(seed);
    const PowerlossVfs vfs(str("powerloss", seed), disk);
    std::vector<RecordWriter> writers(4);
    for (int w = 0; w < 4; ++w) writers[w].name = str("w", w);
    const auto make = [&] {
      return make_sqlite_records("/d/records", {.log_bytes = 3000,
                                                .cache_bytes = 2000,
                                                .deletions = 5,
                                                .settle = std::chrono::milliseconds(1),
                                                .files = &disk,
                                                .vfs = vfs.name(),
                                                .random = &random});
    };
    Revision last = 0;
    for (int cut = 0; cut < kCutsPerSeed; ++cut) {
      auto records = start<Records>(disk, random, make);
      for (auto& writer : writers) {
        const auto a = loop_.run(records->get("p", writer.name + "/a"));
        const auto b = loop_.run(records->get("p", writer.name + "/b"));
        const auto c = loop_.run(records->get("p", writer.name + "/c"));
        ASSERT_TRUE(a && b && c);
        const int n = number_in(*a);
        ASSERT_GE(n, writer.acknowledged);
        ASSERT_LE(n, writer.attempted);
        ASSERT_EQ(n, number_in(*b));
        ASSERT_EQ(c->has_value(), n % 2 == 1);
        const auto each = loop_.run(records->scan("p", writer.name + "/n/", {.limit = 10'000}));
        ASSERT_TRUE(each);
        ASSERT_EQ(each->size(), static_cast<std::size_t>(n));
        writer.acknowledged = writer.attempted = n;
        commits += n;
        if (*a) last = std::max(last, (*a)->revision);
      }
      const auto fresh = loop_.run(records->commit("p", Transaction().put("fresh", "")));
      ASSERT_TRUE(fresh);
      ASSERT_GT(*fresh, last);
      last = *fresh;
      disk.cut_after(random.below(250) + 1);
      TaskGroup group(loop_);
      for (auto& writer : writers) group.spawn(write_until_cut(*records, writer, random));
      loop_.run_until([&] { return group.running() == 0; });
      ASSERT_TRUE(disk.is_off());
      records.reset();
      disk.restore();
    }
  }
  EXPECT_GT(commits, 5000);  // the cuts came late enough to mean something
}

// ---- Journals

struct JournalWriter {
  std::string name;
  std::map<int, int> acknowledged;  // append number → entries
  std::map<int, int> attempted;
  int next = 0;
};

Task<void> append_until_cut(Journals& journals, JournalWriter& writer, SeededRandom& random) {
  for (;;) {
    const int n = writer.next++;
    if (n % 40 == 39) {  // begins anew
      auto before = std::exchange(writer.acknowledged, {});
      if (!co_await journals.remove(writer.name)) {
        writer.attempted.merge(before);  // it may or may not have happened
        co_return;
      }
      writer.attempted.clear();
    }
    const int count = static_cast<int>(random.below(5)) + 1;
    std::vector<JournalEntry> entries;
    for (int k = 0; k < count; ++k)
      entries.push_back({Time(std::chrono::microseconds(random.below(50))),
                         str(n, " ", k, std::string(random.below(200), '.'))});
    writer.attempted[n] = count;
    if (!co_await journals.append(writer.name, std::move(entries))) co_return;
    writer.attempted.erase(n);
    writer.acknowledged[n] = count;
  }
}

TEST_F(PowerLoss, Every_acknowledged_append_is_found_whole) {
  std::size_t found = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(str("seed ", seed));
    SeededRandom random(seed);
    PowerlossFiles disk(seed);
    std::vector<JournalWriter> writers(4);
    for (int w = 0; w < 4; ++w) writers[w].name = str("g/w", w);
    const auto make = [&] {
      return make_file_journals("/d/journals", {.log_bytes = 4000, .files = &disk});
    };
    for (int cut = 0; cut < kCutsPerSeed; ++cut) {
      auto journals = start<Journals>(disk, random, make);
      for (auto& writer : writers) {
        const auto page =
            loop_.run(journals->read(writer.name, {.limit = 10'000, .limit_bytes = 64 << 20}));
        ASSERT_TRUE(page) << page.error().message();
        std::map<int, int> read;
        std::set<std::uint64_t> sequences;
        for (const auto& entry : page->entries) {
          ++read[std::atoi(entry.value.c_str())];
          ASSERT_TRUE(sequences.insert(entry.sequence).second);
        }
        for (const auto& [n, count] : writer.acknowledged) ASSERT_EQ(read[n], count) << n;
        for (const auto& [n, count] : read) {
          if (writer.acknowledged.contains(n)) continue;
          ASSERT_TRUE(writer.attempted.contains(n)) << n;
          ASSERT_EQ(count, writer.attempted[n]) << n;
        }
        found += page->entries.size();
        writer.acknowledged = read;
        writer.attempted.clear();
      }
      disk.cut_after(random.below(200) + 1);
      TaskGroup group(loop_);
      for (auto& writer : writers) group.spawn(append_until_cut(*journals, writer, random));
      loop_.run_until([&] { return group.running() == 0; });
      ASSERT_TRUE(disk.is_off());
      journals.reset();
      disk.restore();
    }
  }
  EXPECT_GT(found, 5000u);
}

// ---- Blobs

struct BlobUser {
  std::set<std::string> stored;   // acknowledged
  std::set<std::string> removed;  // acknowledged
  int next = 0;
};

Task<void> store_until_cut(Blobs& blobs, std::string name, BlobUser& user, SeededRandom& random) {
  for (;;) {
    if (random.below(3) == 0 && !user.stored.empty()) {
      const std::string id =
          *std::next(user.stored.begin(), static_cast<long>(random.below(user.stored.size())));
      user.stored.erase(id);  // unknown until it is acknowledged
      if (!co_await blobs.remove(id)) co_return;
      user.removed.insert(id);
      continue;
    }
    const std::size_t size = random.below(8) == 0 ? 3000 : random.below(300);
    auto id = co_await blobs.put(str(name, user.next++, std::string(size, '.')));
    if (!id) co_return;
    user.stored.insert(*id);
  }
}

TEST_F(PowerLoss, Every_acknowledged_blob_is_found_and_no_removed_one) {
  std::size_t found = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(str("seed ", seed));
    SeededRandom random(seed);
    PowerlossFiles disk(seed);
    std::vector<BlobUser> users(3);
    const auto make = [&] {
      return make_file_blobs("/d/blobs", {.small_bytes = 1000, .pack_bytes = 3000, .files = &disk});
    };
    for (int cut = 0; cut < kCutsPerSeed; ++cut) {
      auto blobs = start<Blobs>(disk, random, make);
      for (auto& user : users) {
        for (const auto& id : user.stored) {
          const auto bytes = loop_.run(blobs->read(id));
          ASSERT_TRUE(bytes) << bytes.error().message();
          ASSERT_EQ(sha256_hex(*bytes), id);
          ++found;
        }
        for (const auto& id : user.removed) ASSERT_FALSE(loop_.run(blobs->read(id)));
      }
      disk.cut_after(random.below(150) + 1);
      TaskGroup group(loop_);
      for (std::size_t u = 0; u < users.size(); ++u)
        group.spawn(store_until_cut(*blobs, str("u", u, "-", cut, "-"), users[u], random));
      loop_.run_until([&] { return group.running() == 0; });
      ASSERT_TRUE(disk.is_off());
      blobs.reset();
      disk.restore();
    }
  }
  EXPECT_GT(found, 2000u);
}

}  // namespace
}  // namespace pileus::store
