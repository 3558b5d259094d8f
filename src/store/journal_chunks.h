// Chunks: how file journals hold entries. A chunk is some entries of one journal as a frame:
//   u8 kind 'A' | u16 name length | name | u32 count | count × (i64 µs, u64 sequence, u32 size,
//   value)
// In a log a chunk is what one batch brought for a journal; in a run (a sorted file) it is a block
// of entries by (time, sequence). What is known of a chunk in memory is a ChunkRef.
#pragma once

#include "store/files.h"
#include "store/journals.h"

namespace pileus::store {

inline constexpr std::uint64_t kChunkSeed = 0x6a6f75726e616c73;
inline constexpr std::size_t kEntryHead = 20;  // bytes beside the value

struct ChunkRef {
  std::uint32_t file = 0;    // number of a log or run
  std::uint32_t length = 0;  // of the whole frame
  std::uint64_t offset = 0;
  std::uint64_t min_sequence = ~std::uint64_t{0}, max_sequence = 0;
  std::int64_t min_time = INT64_MAX, max_time = INT64_MIN;  // µs
  std::uint32_t count = 0;

  void cover(std::int64_t time, std::uint64_t sequence);
  std::uint64_t value_bytes(std::size_t name) const {
    return length - 15 - name - kEntryHead * count;
  }
};

// Builds one chunk at the end of a buffer.
class ChunkWriter {
 public:
  ChunkWriter(std::string& out, std::string_view journal);
  void add(std::int64_t time, std::uint64_t sequence, std::string_view value);
  std::size_t bytes() const { return out_.size() - begun_; }
  ChunkRef end();  // offset is within the buffer

 private:
  std::string& out_;
  std::size_t begun_;
  std::size_t count_at_;
  ChunkRef ref_;
};

// The entries of a chunk's bytes (of the frame, with its header).
struct EntryView {
  std::int64_t time;
  std::uint64_t sequence;
  std::string_view value;
  auto key() const { return std::pair(time, sequence); }
};
Result<std::vector<EntryView>> chunk_entries(std::string_view frame, std::string_view journal);
// Name and extent of the chunk at the start of `bytes`, which end with the chunk or after it.
Result<std::pair<std::string_view, ChunkRef>> chunk_at(std::string_view bytes);

// Answers a query from whatever entries it is shown, and keeps only as many as the page needs.
class PageBuilder {
 public:
  static Result<PageBuilder> make(const JournalRead& query);
  // Whether entries between these times could still be on the page.
  bool wants(std::int64_t min_time, std::int64_t max_time) const;
  void show(const EntryView& entry);
  JournalPage finish(bool more);
  bool reverse() const { return reverse_; }

 private:
  using Key = std::pair<std::int64_t, std::uint64_t>;
  bool before(const Key& a, const Key& b) const { return reverse_ ? a > b : a < b; }
  bool full() const { return kept_.size() >= limit_ || bytes_ >= limit_bytes_; }
  std::int64_t from_ = INT64_MIN, until_ = INT64_MAX;
  std::size_t limit_ = 0, limit_bytes_ = 0, bytes_ = 0;
  bool reverse_ = false;
  bool dropped_ = false;
  std::optional<Key> after_;
  std::map<Key, std::string> kept_;
};

Result<Unit> check_append(std::string_view journal, const std::vector<JournalEntry>& entries);
inline std::int64_t micros(Time time) { return time.time_since_epoch().count(); }

}  // namespace pileus::store
