// Runs: sorted journal files. Chunks of all journals, by name and then (time, sequence), a
// directory of them, and a trailer that says where the directory is. Written once, by the sorter
// thread.
#pragma once

#include "store/journal_chunks.h"

namespace pileus::store {

using RunDirectory = std::vector<std::pair<std::string, ChunkRef>>;

class RunWriter {
 public:
  static constexpr std::size_t kBlockBytes = 64 << 10;
  static constexpr std::size_t kFlushBytes = 1 << 20;

  RunWriter(std::unique_ptr<File> file, std::uint32_t number)
      : file_(std::move(file)), number_(number) {}
  // Journals in the order of their names; sorts the entries.
  Result<Unit> add(std::string_view journal, std::vector<EntryView>& entries);
  // Writes directory and trailer, and syncs.
  Result<RunDirectory> finish();

 private:
  Result<Unit> flush();
  std::unique_ptr<File> file_;
  std::uint32_t number_;
  std::uint64_t flushed_ = 0;
  std::string buffer_;
  RunDirectory directory_;
};

Result<RunDirectory> read_run_directory(File& file, std::uint32_t number);

}  // namespace pileus::store
