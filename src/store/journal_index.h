// JournalIndex: where the chunks of every journal are, what was forgotten, and how much of each
// file still counts. 56 bytes a chunk; a chunk is about 64 KiB of a sorted file, or what one batch
// brought of the log that is being written (which is bounded). Not locked.
#pragma once

#include "store/fields.h"
#include "store/journal_chunks.h"

namespace pileus::store {

// Chunks of a journal (or, when it ends with '/', of all below) whose entries are all before both
// bounds are dead, in whichever file they are still found.
struct Forgotten {
  std::string name;
  std::uint64_t sequence = 0;
  std::int64_t before = INT64_MAX;  // µs
  PILEUS_FIELDS(Forgotten, name, sequence, before)
};

class JournalIndex {
 public:
  struct File {
    std::uint64_t bytes = 0;  // of all chunks
    std::uint64_t live = 0;   // of those that count
    std::uint64_t min_sequence = ~std::uint64_t{0};
  };
  struct Journal {
    std::vector<ChunkRef> chunks;
    std::uint64_t last_sequence = 0;
    std::uint64_t value_bytes = 0;
  };
  using ByName = std::map<std::string, Journal, std::less<>>;

  // Dead chunks count for their file only.
  void add(std::string_view journal, const ChunkRef& chunk);
  void forget(const Forgotten& forgotten);
  // Takes the chunks of these files away, so that others take their place.
  void drop_files(const std::set<std::uint32_t>& files);
  // Forgets what is too old to matter to any file that is left, then gives the rest.
  std::vector<Forgotten> forgotten();
  void clear();

  const Journal* find(std::string_view journal) const;
  const ByName& journals() const { return journals_; }
  const std::map<std::uint32_t, File>& files() const { return files_; }

 private:
  bool dead(std::string_view journal, const ChunkRef& chunk) const;
  static bool covers(const Forgotten& forgotten, const ChunkRef& chunk) {
    return chunk.max_sequence < forgotten.sequence && chunk.max_time < forgotten.before;
  }
  template <class Dead>
  ByName::iterator remove_chunks(ByName::iterator at, Dead is_dead);
  ByName journals_;
  std::map<std::uint32_t, File> files_;
  std::map<std::string, std::vector<Forgotten>, std::less<>> forgotten_;
};

}  // namespace pileus::store
