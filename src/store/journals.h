// Journals: append-only, time-indexed, group-synced segments, dropped whole when old. For what
// arrives tens of thousands of times a second: logs, usage, audit, traces. An acknowledged append
// survives power loss.
#pragma once

#include "base/clock.h"
#include "store/records.h"

namespace pileus::store {

struct JournalEntry {
  Time time;                   // the index; entries of one append may be in any order
  std::string value;           // at most 1 MiB
  std::uint64_t sequence = 0;  // given by append, unique within the journal, growing
};

struct JournalRead {
  std::optional<Time> from;           // inclusive
  std::optional<Time> until;          // exclusive
  std::size_t limit = 1000;           // at most 10,000 entries
  std::size_t limit_bytes = 1 << 20;  // stops after the entry that reaches it
  bool reverse = false;               // newest first
  std::string cursor;  // from the page before; its range and direction must be the same
};
struct JournalPage {
  std::vector<JournalEntry> entries;  // by (time, sequence)
  std::string next;                   // "" when nothing more is there now
};

// A cursor that goes on after (or, in reverse, before) an entry, e.g. for a tail that has read all.
std::string journal_cursor(const JournalEntry& entry);

class Journals {
 public:
  static constexpr std::size_t kMaxNameBytes = 1024;
  static constexpr std::size_t kMaxValueBytes = 1 << 20;
  static constexpr std::size_t kMaxAppendEntries = 10'000;
  static constexpr std::size_t kMaxAppendBytes = 8 << 20;  // values and 20 bytes each

  virtual ~Journals() = default;
  // `journal` is a path such as "000000000000/us-east-1/logs/<group id>/<stream id>".
  // Gives the sequence of the first entry; they are consecutive. All entries are kept, or none.
  // errc::kIo, and a cancelled wait, leave open whether they are.
  virtual Task<Result<std::uint64_t>> append(std::string journal,
                                             std::vector<JournalEntry> entries) = 0;
  virtual Task<Result<JournalPage>> read(std::string journal, JournalRead query) = 0;
  // Waits until the journal has an entry of `sequence` or later (for tails).
  virtual Task<Result<Unit>> wait(std::string journal, std::uint64_t sequence) = 0;
  // Forgets entries older than `before`, as far as whole blocks of them are (so some may stay, and
  // be read, until their neighbours are old as well).
  virtual Task<Result<Unit>> drop_before(std::string journal, Time before) = 0;
  // Removes journals: the one named, and all below it when it ends with '/'.
  virtual Task<Result<Unit>> remove(std::string journal) = 0;
  // Names of journals that start with `prefix`, in order, at most `limit`, after `after`.
  virtual Task<Result<std::vector<std::string>>> list(std::string prefix, std::size_t limit,
                                                      std::string after) = 0;
  virtual Task<Result<std::uint64_t>> stored_bytes(std::string journal) = 0;  // of values
  virtual Task<Result<Unit>> reset() = 0;
};

}  // namespace pileus::store
