// One suite over every engine of Blobs.
#include "store/blobs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/manual_loop.h"
#include "base/random.h"
#include "base/text.h"
#include "store/file_blobs.h"
#include "store/memory_blobs.h"
#include "store/sha256.h"
#include "store/test_folder.h"

namespace pileus::store {
namespace {

enum class Kind { kMemory, kFiles, kFilesBusy };
std::string name_of(const testing::TestParamInfo<Kind>& info) {
  constexpr const char* kNames[] = {"memory", "files", "files_busy"};
  return kNames[static_cast<int>(info.param)];
}

class BlobsSuite : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override { open(); }
  void open() {
    blobs_.reset();
    if (GetParam() == Kind::kMemory) {
      blobs_ = make_memory_blobs();
      return;
    }
    FileBlobsOptions options;
    if (GetParam() == Kind::kFilesBusy) options.pack_bytes = 3000;  // copied all the time
    auto made = make_file_blobs(folder_.path() + "/blobs", options);
    ASSERT_TRUE(made) << made.error().message();
    blobs_ = std::move(*made);
  }
  void reopen() {
    if (GetParam() != Kind::kMemory) open();
  }
  std::string put(std::string bytes) { return *loop_.run(blobs_->put(std::move(bytes))); }
  std::string read(std::string id) {
    const auto bytes = loop_.run(blobs_->read(std::move(id)));
    return bytes ? *bytes : bytes.error().code();
  }
  std::string read_by_descriptor(std::string id) {
    const auto file = loop_.run(blobs_->open(std::move(id)));
    if (!file) return file.error().code();
    std::string bytes(file->size(), '\0');
    EXPECT_EQ(::pread(file->fd(), bytes.data(), bytes.size(), static_cast<off_t>(file->offset())),
              static_cast<ssize_t>(bytes.size()));
    return bytes;
  }
  TestFolder folder_;
  ManualLoop loop_;
  SeededRandom random_{3};
  std::unique_ptr<Blobs> blobs_;
};

TEST_P(BlobsSuite, A_blob_is_found_by_its_sha256) {
  EXPECT_EQ(put("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::string large(300'000, 'x');
  std::map<std::string, std::string> all;
  for (const auto& bytes : {std::string(), std::string("\0\1", 2), std::string(16 << 10, 'a'),
                            std::string((16 << 10) + 1, 'a'), large}) {
    const std::string id = put(bytes);
    EXPECT_EQ(id, sha256_hex(bytes));
    EXPECT_EQ(put(bytes), id);  // again is fine
    all[id] = bytes;
  }
  for (int round = 0; round < 2; ++round) {
    for (const auto& [id, bytes] : all) {
      EXPECT_EQ(read(id), bytes);
      EXPECT_EQ(read_by_descriptor(id), bytes);
    }
    reopen();
  }
  EXPECT_EQ(read(std::string(64, '0')), errc::kNotFound);
  EXPECT_EQ(read("../../etc/passwd"), errc::kNotFound);
  EXPECT_EQ(read_by_descriptor("x"), errc::kNotFound);
}

TEST_P(BlobsSuite, A_blob_may_come_in_pieces) {
  for (const int pieces : {0, 1, 3, 40}) {
    auto writer = *blobs_->create();
    std::string bytes;
    for (int n = 0; n < pieces; ++n) {
      const std::string piece(static_cast<std::size_t>(n) * 97, static_cast<char>('a' + n % 26));
      ASSERT_TRUE(loop_.run(writer->write(piece)));
      bytes += piece;
    }
    const auto id = loop_.run(writer->finish());
    ASSERT_TRUE(id) << id.error().message();
    EXPECT_EQ(*id, sha256_hex(bytes));
    writer.reset();
    EXPECT_EQ(read(*id), bytes);
  }
  auto dropped = *blobs_->create();
  ASSERT_TRUE(loop_.run(dropped->write(std::string(100'000, 'd'))));
  dropped.reset();
  EXPECT_EQ(read(sha256_hex(std::string(100'000, 'd'))), errc::kNotFound);
}

TEST_P(BlobsSuite, Removed_blobs_are_gone_and_their_neighbours_stay) {
  std::map<std::string, std::string> kept;
  for (int n = 0; n < 300; ++n) {
    std::string bytes = str(n, std::string(random_.below(200), 'x'));
    if (n % 50 == 0) bytes += std::string(20'000, 'y');
    const std::string id = put(bytes);
    kept[id] = bytes;
    if (n % 3 != 0) {
      auto victim = std::next(kept.begin(), static_cast<long>(random_.below(kept.size())));
      const std::string gone = victim->first;
      kept.erase(victim);
      ASSERT_TRUE(loop_.run(blobs_->remove(gone)));
      EXPECT_EQ(read(gone), errc::kNotFound);
    }
    if (n % 100 == 99) reopen();
  }
  for (const auto& [id, bytes] : kept) EXPECT_EQ(read(id), bytes);
  EXPECT_TRUE(loop_.run(blobs_->remove(std::string(64, '0'))));
  EXPECT_TRUE(loop_.run(blobs_->remove("nonsense")));
}

TEST_P(BlobsSuite, An_open_blob_outlives_its_removal) {
  for (const std::size_t size : {100, 100'000}) {
    const std::string id = put(std::string(size, 'z'));
    const auto file = loop_.run(blobs_->open(id));
    ASSERT_TRUE(file);
    ASSERT_TRUE(loop_.run(blobs_->remove(id)));
    std::string bytes(size, '\0');
    EXPECT_EQ(::pread(file->fd(), bytes.data(), size, static_cast<off_t>(file->offset())),
              static_cast<ssize_t>(size));
    EXPECT_EQ(bytes, std::string(size, 'z'));
  }
}

TEST_P(BlobsSuite, Many_at_once_are_all_kept) {
  const auto put_some = [](Blobs& blobs, int writer, int& stored) -> Task<void> {
    for (int n = 0; n < 20; ++n)
      if (co_await blobs.put(str(writer, "/", n, std::string(n == 7 ? 30'000 : 10, '.')))) ++stored;
  };
  int stored = 0;
  TaskGroup group(loop_);
  for (int writer = 0; writer < 16; ++writer) group.spawn(put_some(*blobs_, writer, stored));
  loop_.run_until([&] { return group.running() == 0; });
  EXPECT_EQ(stored, 320);
  reopen();
  EXPECT_EQ(read(sha256_hex(str(15, "/", 7, std::string(30'000, '.')))).size(), 30'004u);
  EXPECT_EQ(read(sha256_hex(str(0, "/", 19, std::string(10, '.')))),
            str(0, "/", 19, std::string(10, '.')));
}

TEST_P(BlobsSuite, A_reset_empties_everything) {
  const auto small = put("small");
  const auto large = put(std::string(100'000, 'l'));
  ASSERT_TRUE(loop_.run(blobs_->reset()));
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(read(small), errc::kNotFound);
    EXPECT_EQ(read(large), errc::kNotFound);
    reopen();
  }
  EXPECT_EQ(read(put("small")), "small");
}

INSTANTIATE_TEST_SUITE_P(Engines, BlobsSuite,
                         testing::Values(Kind::kMemory, Kind::kFiles, Kind::kFilesBusy), name_of);

TEST(FileBlobs, Leftovers_of_a_crash_go_at_the_next_start) {
  TestFolder folder;
  ManualLoop loop;
  const std::string path = folder.path() + "/blobs";
  std::string id;
  {
    auto blobs = make_file_blobs(path);
    ASSERT_TRUE(blobs);
    id = *loop.run((*blobs)->put("kept"));
  }
  const auto write = [](const std::string& name, std::string_view bytes) {
    auto file = *system_files().open(name, OpenMode::kCreate);
    ASSERT_TRUE(file->write(*file->size(), bytes));
  };
  write(path + "/tmp/17", "half an upload");
  write(path + "/packs/pack-1", "half a record");
  auto blobs = make_file_blobs(path);
  ASSERT_TRUE(blobs);
  EXPECT_FALSE(std::filesystem::exists(path + "/tmp/17"));
  EXPECT_EQ(*loop.run((*blobs)->read(id)), "kept");
  const auto next = *loop.run((*blobs)->put("next"));
  blobs->reset();
  blobs = make_file_blobs(path);
  EXPECT_EQ(*loop.run((*blobs)->read(next)), "next");
}

}  // namespace
}  // namespace pileus::store
