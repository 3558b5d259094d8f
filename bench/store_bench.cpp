// How fast the store commits and appends, beside what the disk under it can do in the same run.
//   store_bench [directory]     (default: a new folder in the current directory, removed at the end)
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "base/manual_loop.h"
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

int run(const std::string& folder) {
  const Figures disk = disk_syncs(folder, 1.5);
  std::printf("disk          %9.0f syncs/s    p50 %6.0f us  p99 %6.0f us  (append 200 bytes, fdatasync)\n",
              disk.per_second, disk.p50_us, disk.p99_us);
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
    auto records = make_sqlite_records(folder + "/records" + std::to_string(number++),
                                       {.durability = one.durability});
    if (!records) {
      std::fprintf(stderr, "%s\n", records.error().message().c_str());
      return 1;
    }
    const Figures done = commits(**records, one.writers, one.keys, 3);
    std::printf("%-18s %9.0f commits/s  p50 %6.0f us  p99 %6.0f us  %5.1f x the disk's syncs (%d writers)\n",
                one.name, done.per_second, done.p50_us, done.p99_us,
                done.per_second / disk.per_second, one.writers);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace pileus::store

int main(int argc, char** argv) {
  const std::string folder =
      argc > 1 ? argv[1] : "store-bench-" + std::to_string(::getpid());
  std::filesystem::create_directories(folder);
  const int code = pileus::store::run(folder);
  if (argc <= 1) std::filesystem::remove_all(folder);
  return code;
}
