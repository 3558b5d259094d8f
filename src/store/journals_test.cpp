// One suite over every engine of Journals.
#include <gtest/gtest.h>

#include "base/manual_loop.h"
#include "base/random.h"
#include "base/text.h"
#include "store/file_journals.h"
#include "store/memory_journals.h"
#include "store/test_folder.h"

namespace pileus::store {
namespace {

enum class Kind { kMemory, kFiles, kFilesBusy };
std::string name_of(const testing::TestParamInfo<Kind>& info) {
  constexpr const char* kNames[] = {"memory", "files", "files_busy"};
  return kNames[static_cast<int>(info.param)];
}
Time at(std::int64_t micros) { return Time(std::chrono::microseconds(micros)); }

class JournalsSuite : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override { open(); }
  void open() {
    journals_.reset();
    if (GetParam() == Kind::kMemory) {
      journals_ = make_memory_journals();
      return;
    }
    // Busy: logs are sorted and runs rewritten all the time, in the midst of everything.
    auto made =
        make_file_journals(folder_.path() + "/journals",
                           {.log_bytes = GetParam() == Kind::kFilesBusy ? 2000ul : 32ul << 20});
    ASSERT_TRUE(made) << made.error().message();
    journals_ = std::move(*made);
  }
  void reopen() {
    if (GetParam() != Kind::kMemory) open();
  }
  std::uint64_t append(std::string journal, std::vector<JournalEntry> entries) {
    auto done = loop_.run(journals_->append(std::move(journal), std::move(entries)));
    EXPECT_TRUE(done) << done.error().message();
    return done ? *done : 0;
  }
  JournalPage read(std::string journal, JournalRead query = {}) {
    auto page = loop_.run(journals_->read(std::move(journal), std::move(query)));
    EXPECT_TRUE(page) << page.error().message();
    return page ? *page : JournalPage();
  }
  std::vector<std::string> values(const JournalPage& page) {
    std::vector<std::string> out;
    for (const auto& entry : page.entries) out.push_back(entry.value);
    return out;
  }
  std::vector<std::string> all(std::string journal, JournalRead query = {}) {
    std::vector<std::string> out;
    for (;;) {
      const auto page = read(journal, query);
      for (const auto& entry : page.entries) out.push_back(entry.value);
      if (page.next.empty()) return out;
      query.cursor = page.next;
    }
  }
  std::vector<std::string> list(std::string prefix, std::size_t limit = 100,
                                std::string after = "") {
    return *loop_.run(journals_->list(prefix, limit, after));
  }

  TestFolder folder_;
  ManualLoop loop_;
  SeededRandom random_{11};
  std::unique_ptr<Journals> journals_;
};

TEST_P(JournalsSuite, Entries_come_back_by_time_then_by_order_of_appending) {
  const auto first = append("a/b", {{at(5), "five"}, {at(1), "one"}, {at(5), "five again"}});
  const auto second = append("a/b", {{at(3), std::string("\0\xff", 2)}, {at(-7), ""}});
  EXPECT_EQ(second, first + 3);
  append("a/c", {{at(2), "elsewhere"}});
  for (int round = 0; round < 2; ++round) {
    const auto page = read("a/b");
    EXPECT_EQ(values(page), (std::vector<std::string>{"", "one", std::string("\0\xff", 2), "five",
                                                      "five again"}));
    EXPECT_EQ(page.entries[0].sequence, first + 4);
    EXPECT_EQ(page.entries[3].sequence, first);
    EXPECT_EQ(page.entries[3].time, at(5));
    EXPECT_TRUE(page.next.empty());
    reopen();
  }
  EXPECT_TRUE(read("none").entries.empty());
}

TEST_P(JournalsSuite, A_read_keeps_to_its_range_and_pages_both_ways) {
  std::vector<std::string> inside;
  for (int n = 0; n < 500; n += 10) {
    std::vector<JournalEntry> entries;
    for (int k = n; k < n + 10; ++k) entries.push_back({at(k), str(k)});
    append("j", std::move(entries));
  }
  for (int k = 100; k < 333; ++k) inside.push_back(str(k));
  JournalRead query{.from = at(100), .until = at(333), .limit = 7};
  EXPECT_EQ(all("j", query), inside);
  query.limit_bytes = 10;  // three or four at a time
  EXPECT_EQ(read("j", query).entries.size(), 4u);
  EXPECT_EQ(all("j", query), inside);
  query.reverse = true;
  std::reverse(inside.begin(), inside.end());
  EXPECT_EQ(all("j", query), inside);
  query.limit_bytes = 1 << 20;
  query.limit = 1000;
  EXPECT_EQ(all("j", query), inside);
}

TEST_P(JournalsSuite, A_cursor_goes_on_where_new_entries_arrive) {
  append("j", {{at(1), "a"}, {at(2), "b"}});
  const auto page = read("j");
  EXPECT_TRUE(page.next.empty());
  append("j", {{at(2), "c"}, {at(9), "d"}});
  EXPECT_EQ(values(read("j", {.cursor = journal_cursor(page.entries.back())})),
            (std::vector<std::string>{"c", "d"}));
  EXPECT_FALSE(loop_.run(journals_->read("j", {.cursor = "nonsense"})));
}

TEST_P(JournalsSuite, It_agrees_with_a_map_whatever_happens) {
  using Model = std::map<std::pair<std::int64_t, std::uint64_t>, std::string>;
  std::map<std::string, Model> models;
  const auto entries_of = [](const Model& model) {
    std::vector<std::string> out;
    for (const auto& [key, value] : model) out.push_back(value);
    return out;
  };
  for (int n = 0; n < 600; ++n) {
    const std::string name = str("g", random_.below(3), "/s", random_.below(4));
    std::vector<JournalEntry> entries;
    for (auto count = random_.below(8); count > 0; --count)
      entries.push_back({at(static_cast<std::int64_t>(random_.below(1000))),
                         str("v", n, ".", count, std::string(random_.below(60), 'x'))});
    auto first = append(name, entries);
    for (auto& entry : entries)
      models[name][{entry.time.time_since_epoch().count(), first++}] = entry.value;
    if (models[name].empty()) models.erase(name);
    if (n % 97 == 96) {
      ASSERT_TRUE(loop_.run(journals_->remove(name)));
      models.erase(name);
    }
    if (n % 211 == 210) {
      ASSERT_TRUE(loop_.run(journals_->remove("g1/")));
      std::erase_if(models, [](const auto& entry) { return entry.first.starts_with("g1/"); });
    }
    if (n % 150 == 149) reopen();
    const std::string other = str("g", random_.below(3), "/s", random_.below(4));
    if (n % 5 == 0) {
      ASSERT_EQ(all(other, {.limit = 13}), entries_of(models[other])) << n;
      if (models[other].empty()) models.erase(other);
    }
  }
  reopen();
  std::vector<std::string> names;
  for (const auto& [name, model] : models) {
    names.push_back(name);
    EXPECT_EQ(all(name), entries_of(model));
    std::uint64_t bytes = 0;
    for (const auto& [key, value] : model) bytes += value.size();
    EXPECT_EQ(*loop_.run(journals_->stored_bytes(name)), bytes);
  }
  EXPECT_EQ(list("g"), names);
}

TEST_P(JournalsSuite, What_is_old_is_dropped_and_what_is_not_stays) {
  std::vector<std::string> young;
  for (int n = 0; n < 200; ++n) {
    append("j", {{at(n), str(n)}});
    if (n >= 100) young.push_back(str(n));
  }
  append("other", {{at(1), "old as well"}});
  ASSERT_TRUE(loop_.run(journals_->drop_before("j", at(100))));
  for (int round = 0; round < 3; ++round) {
    const auto left = all("j");
    ASSERT_GE(left.size(), young.size());
    EXPECT_EQ(std::vector<std::string>(left.end() - 100, left.end()), young);
    reopen();
  }
  ASSERT_TRUE(loop_.run(journals_->drop_before("j", at(200))));
  EXPECT_TRUE(all("j").empty());
  EXPECT_EQ(list(""), std::vector<std::string>{"other"});
  append("j", {{at(1), "late, but after the drop"}});
  reopen();
  EXPECT_EQ(all("j").size(), 1u);
}

TEST_P(JournalsSuite, Removed_journals_stay_away_and_sequences_go_on) {
  const auto first = append("g/a", {{at(1), "x"}});
  append("g/b", {{at(1), "x"}});
  append("gg", {{at(1), "x"}});
  ASSERT_TRUE(loop_.run(journals_->remove("g/")));
  ASSERT_TRUE(loop_.run(journals_->remove("never there")));
  reopen();
  EXPECT_EQ(list(""), std::vector<std::string>{"gg"});
  EXPECT_GT(append("g/a", {{at(1), "again"}}), first);
  EXPECT_EQ(all("g/a"), std::vector<std::string>{"again"});
}

TEST_P(JournalsSuite, Names_are_listed_in_order_and_in_pages) {
  for (const std::string name : {"b", "a/2", "a/1", "a/3", "a"}) append(name, {{at(0), ""}});
  EXPECT_EQ(list("a/"), (std::vector<std::string>{"a/1", "a/2", "a/3"}));
  EXPECT_EQ(list("a", 2), (std::vector<std::string>{"a", "a/1"}));
  EXPECT_EQ(list("a", 2, "a/1"), (std::vector<std::string>{"a/2", "a/3"}));
  EXPECT_EQ(list("", 100, "a/3"), std::vector<std::string>{"b"});
}

TEST_P(JournalsSuite, A_wait_ends_with_the_entry_it_waits_for) {
  const auto first = append("j", {{at(0), "x"}});
  ASSERT_TRUE(loop_.run(journals_->wait("j", first)));
  const auto none =
      loop_.run(with_deadline(std::chrono::milliseconds(5), journals_->wait("j", first + 1)));
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.error().is(errc::kDeadline));
  bool heard = false;
  const auto tail = [](Journals& journals, std::uint64_t sequence, bool& out) -> Task<void> {
    out = (co_await journals.wait("j", sequence)).has_value();
  };
  TaskGroup group(loop_);
  group.spawn(tail(*journals_, first + 1, heard));
  append("elsewhere", {{at(0), "x"}});
  EXPECT_FALSE(heard);
  append("j", {{at(0), "x"}});
  loop_.run_until([&] { return group.running() == 0; });
  EXPECT_TRUE(heard);
}

TEST_P(JournalsSuite, What_is_too_large_is_refused) {
  const auto code = [&](std::string journal, std::vector<JournalEntry> entries) {
    auto done = loop_.run(journals_->append(std::move(journal), std::move(entries)));
    return done ? std::string("appended") : done.error().code();
  };
  EXPECT_EQ(code("j", {{at(0), std::string((1 << 20) + 1, 'x')}}), errc::kLimit);
  EXPECT_EQ(code("j", std::vector<JournalEntry>(10'001)), errc::kLimit);
  EXPECT_EQ(code(std::string(1025, 'j'), {}), errc::kLimit);
  EXPECT_EQ(code("j/", {}), errc::kInvalid);
  EXPECT_EQ(code("", {}), errc::kInvalid);
  EXPECT_EQ(code("j", {}), "appended");
  EXPECT_EQ(code("j", {{at(0), std::string(1 << 20, 'x')}}), "appended");
  EXPECT_EQ(read("j").entries.at(0).value.size(), 1u << 20);
}

TEST_P(JournalsSuite, A_reset_empties_everything) {
  const auto first = append("j", {{at(0), "x"}});
  ASSERT_TRUE(loop_.run(journals_->reset()));
  EXPECT_TRUE(list("").empty());
  reopen();
  EXPECT_TRUE(list("").empty());
  EXPECT_GT(append("j", {{at(0), "y"}}), first);
  reopen();
  EXPECT_EQ(all("j"), std::vector<std::string>{"y"});
}

INSTANTIATE_TEST_SUITE_P(Engines, JournalsSuite,
                         testing::Values(Kind::kMemory, Kind::kFiles, Kind::kFilesBusy), name_of);

TEST(FileJournals, Forgotten_bytes_leave_the_disk) {
  TestFolder folder;
  ManualLoop loop;
  const std::string path = folder.path() + "/journals";
  const auto bytes = [&] {
    std::uintmax_t sum = 0;
    for (const auto& file : std::filesystem::directory_iterator(path)) sum += file.file_size();
    return sum;
  };
  {
    auto journals = make_file_journals(path, {.log_bytes = 10'000});
    ASSERT_TRUE(journals);
    for (int n = 0; n < 100; ++n) {
      std::vector<JournalEntry> entries(10, {at(n), std::string(200, 'x')});
      ASSERT_TRUE(loop.run((*journals)->append(n % 10 ? "goes" : "stays", std::move(entries))));
    }
    EXPECT_GT(bytes(), 200'000u);
    ASSERT_TRUE(loop.run((*journals)->remove("goes")));
    ASSERT_TRUE(loop.run((*journals)->append("stays", {{at(0), std::string(10'000, 'x')}})));
  }  // the sorter has ended
  EXPECT_LT(bytes(), 60'000u);
  auto journals = make_file_journals(path, {.log_bytes = 10'000});
  const auto page = loop.run((*journals)->read("stays", {}));
  EXPECT_EQ(page->entries.size(), 101u);
}

}  // namespace
}  // namespace pileus::store
