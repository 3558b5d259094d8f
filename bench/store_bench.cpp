// How fast the store commits and appends, beside what the disk under it can do in the same run.
//   store_bench [directory]     (default: a new folder in the current directory, removed at the
//   end)
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "base/manual_loop.h"
#include "store/file_blobs.h"
#include "store/file_journals.h"
#include "store/files.h"
#include "store/sqlite_records.h"

namespace pileus::store {
namespace {

using Steady = std::chrono::steady_clock;

double seconds_since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

struct Figures {
  double per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
};

Figures figures(std::vector<float>& latencies, double seconds) {
  std::sort(latencies.begin(), latencies.end());
  const auto at = [&](double part) {
    return double(latencies[std::min(latencies.size() - 1, std::size_t(part * latencies.size()))]);
  };
  return {latencies.size() / seconds, at(0.5), at(0.99)};
}

// One writer that appends 200 bytes and syncs, again and again.
Figures disk_syncs(const std::string& folder, double seconds) {
  auto file = *system_files().open(folder + "/syncs", OpenMode::kCreate);
  const std::string bytes(200, 'x');
  std::vector<float> latencies;
  const auto start = Steady::now();
  std::uint64_t offset = 0;
  while (seconds_since(start) < seconds) {
    const auto begun = Steady::now();
    (void)file->write(offset, bytes);
    (void)file->sync();
    offset += bytes.size();
    latencies.push_back(float(seconds_since(begun) * 1e6));
  }
  return figures(latencies, seconds_since(start));
}

struct Load {
  Records& records;
  std::size_t keys;
  Steady::time_point until;
  std::vector<float> latencies{};
};

// Each writer changes keys of its own: load was done once, then every commit expects the revision
// that the one before gave.
Task<void> write_records(Load& load, int writer) {
  std::vector<Revision> revisions(load.keys, 0);
  const std::string value(200, 'v');
  for (std::size_t n = 0; Steady::now() < load.until; ++n) {
    const std::size_t at = n % load.keys;
    std::string key = "writer/" + std::to_string(writer) + "/" + std::to_string(at);
    Transaction transaction;
    transaction.expect(key, revisions[at]).put(std::move(key), value);
    const auto begun = Steady::now();
    auto revision = co_await load.records.commit("000000000000/us-east-1", std::move(transaction));
    if (!revision) {
      std::fprintf(stderr, "commit: %s\n", revision.error().message().c_str());
      co_return;
    }
    revisions[at] = *revision;
    load.latencies.push_back(float(seconds_since(begun) * 1e6));
  }
}

Figures commits(Records& records, int writers, std::size_t keys, double seconds) {
  ManualLoop loop;
  const auto start = Steady::now();
  Load load{records, keys, start + std::chrono::microseconds(std::int64_t(seconds * 1e6))};
  TaskGroup group(loop);
  for (int writer = 0; writer < writers; ++writer) group.spawn(write_records(load, writer));
  loop.run_until([&] { return group.running() == 0; });
  return figures(load.latencies, seconds_since(start));
}

struct AppendLoad {
  Journals& journals;
  std::size_t batch;
  Steady::time_point until;
  std::uint64_t entries = 0;
  std::vector<float> latencies{};
};

Task<void> append_entries(AppendLoad& load, int writer) {
  const std::string journal = "000000000000/us-east-1/logs/" + std::to_string(writer);
  std::int64_t time = 0;
  while (Steady::now() < load.until) {
    std::vector<JournalEntry> entries(load.batch);
    for (auto& entry : entries)
      entry = {Time(std::chrono::microseconds(++time)), std::string(200, 'e')};
    const auto begun = Steady::now();
    if (!co_await load.journals.append(journal, std::move(entries))) co_return;
    load.entries += load.batch;
    load.latencies.push_back(float(seconds_since(begun) * 1e6));
  }
}

void bench_journals(const std::string& folder, int writers, std::size_t batch) {
  auto journals = make_file_journals(folder + "/journals" + std::to_string(batch));
  if (!journals) return;
  ManualLoop loop;
  const auto start = Steady::now();
  AppendLoad load{**journals, batch, start + std::chrono::seconds(3)};
  TaskGroup group(loop);
  for (int writer = 0; writer < writers; ++writer) group.spawn(append_entries(load, writer));
  loop.run_until([&] { return group.running() == 0; });
  const double seconds = seconds_since(start);
  const Figures done = figures(load.latencies, seconds);
  std::printf(
      "%-18s %9.0f entries/s  p50 %6.0f us  p99 %6.0f us  (%d writers, %zu entries of 200 bytes an "
      "append)\n",
      "journals", double(load.entries) / seconds, done.p50_us, done.p99_us, writers, batch);
  const auto began = Steady::now();
  JournalRead query{.limit = 10'000, .limit_bytes = 4 << 20};
  std::size_t read = 0;
  do {
    auto page = loop.run((*journals)->read("000000000000/us-east-1/logs/0", query));
    if (!page) return;
    read += page->entries.size();
    query.cursor = page->next;
  } while (!query.cursor.empty());
  std::printf("%-18s %9.0f entries/s  (%zu entries of one journal of %d)\n", "journal read",
              double(read) / seconds_since(began), read, writers);
  std::fflush(stdout);
}

struct BlobLoad {
  Blobs& blobs;
  std::size_t size;
  Steady::time_point until;
  std::vector<float> latencies{};
};

Task<void> put_blobs(BlobLoad& load, int writer) {
  for (int n = 0; Steady::now() < load.until; ++n) {
    std::string bytes = std::to_string(writer) + "/" + std::to_string(n);
    bytes.resize(load.size, '.');
    const auto begun = Steady::now();
    if (!co_await load.blobs.put(std::move(bytes))) co_return;
    load.latencies.push_back(float(seconds_since(begun) * 1e6));
  }
}

void bench_blobs(const std::string& folder, std::size_t size, int writers) {
  auto blobs = make_file_blobs(folder + "/blobs" + std::to_string(size));
  if (!blobs) return;
  ManualLoop loop;
  const auto start = Steady::now();
  BlobLoad load{**blobs, size, start + std::chrono::milliseconds(1500)};
  TaskGroup group(loop);
  for (int writer = 0; writer < writers; ++writer) group.spawn(put_blobs(load, writer));
  loop.run_until([&] { return group.running() == 0; });
  const Figures done = figures(load.latencies, seconds_since(start));
  std::printf("%-18s %9.0f blobs/s    p50 %6.0f us  p99 %6.0f us  (%zu bytes, %d writers)\n",
              "blobs", done.per_second, done.p50_us, done.p99_us, size, writers);
  std::fflush(stdout);
}

Task<void> read_records(Records& records, std::uint64_t& reads, Steady::time_point until,
                        int stride) {
  for (int n = stride; Steady::now() < until; n += stride) {
    const std::string key = "writer/" + std::to_string(n % 64) + "/" + std::to_string(n % 16);
    if (!co_await records.get("000000000000/us-east-1", key)) co_return;
    ++reads;
  }
}

void bench_reads(Records& records) {
  ManualLoop loop;
  std::uint64_t reads = 0;
  const auto start = Steady::now();
  loop.run(read_records(records, reads, start + std::chrono::seconds(1), 7));
  std::printf("%-18s %9.0f gets/s     (one loop, recent keys)\n", "reads",
              double(reads) / seconds_since(start));
}

// From nothing to the first commit: what a start costs.
void bench_start(const std::string& folder) {
  const auto start = Steady::now();
  auto records = make_sqlite_records(folder + "/start");
  ManualLoop loop;
  if (records) (void)loop.run((*records)->commit("p", Transaction().put("k", "v")));
  const double first = seconds_since(start) * 1e3;
  records->reset();
  const auto again = Steady::now();
  records = make_sqlite_records(folder + "/start");
  if (records) (void)loop.run((*records)->get("p", "k"));
  std::printf("%-18s %9.1f ms empty, %.1f ms again\n", "start", first, seconds_since(again) * 1e3);
}

int run(const std::string& folder) {
  struct Case {
    const char* name;
    int writers;
    std::size_t keys;
    Durability durability;
  };
  const Case cases[] = {{"commits", 64, 16, Durability::kFull},
                        {"commits, new keys", 64, 1 << 20, Durability::kFull},
                        {"commits, 1 writer", 1, 16, Durability::kFull},
                        {"commits, 512", 512, 16, Durability::kFull},
                        {"commits, NORMAL", 64, 16, Durability::kNormal}};
  int number = 0;
  for (const auto& one : cases) {
    // Measured anew each time: other users of the disk come and go.
    const Figures disk = disk_syncs(folder, 1);
    std::printf(
        "%-18s %9.0f syncs/s    p50 %6.0f us  p99 %6.0f us  (append 200 bytes, fdatasync)\n",
        "disk", disk.per_second, disk.p50_us, disk.p99_us);
    auto records = make_sqlite_records(folder + "/records" + std::to_string(number++),
                                       {.durability = one.durability});
    if (!records) {
      std::fprintf(stderr, "%s\n", records.error().message().c_str());
      return 1;
    }
    const Figures done = commits(**records, one.writers, one.keys, 3);
    std::printf(
        "%-18s %9.0f commits/s  p50 %6.0f us  p99 %6.0f us  %5.1f x the disk's syncs (%d "
        "writers)\n",
        one.name, done.per_second, done.p50_us, done.p99_us, done.per_second / disk.per_second,
        one.writers);
    std::fflush(stdout);
    if (number == 1) bench_reads(**records);
  }
  bench_start(folder);
  bench_journals(folder, 64, 100);
  bench_journals(folder, 64, 10);
  bench_blobs(folder, 1000, 64);
  bench_blobs(folder, 100'000, 4);
  return 0;
}

}  // namespace
}  // namespace pileus::store

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "store-bench-" + std::to_string(::getpid());
  std::filesystem::create_directories(folder);
  const int code = pileus::store::run(folder);
  if (argc <= 1) std::filesystem::remove_all(folder);
  return code;
}
