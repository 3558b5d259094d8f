// Records on one machine, the default: a commit log that syncs many commits at once, in front of a
// SQLite table that takes them over in the background. `path` is the table; "<path>-log0" and
// "-log1" are the log. Any loop; answers from memory without a hop when the key is recent.
#pragma once

#include "base/random.h"
#include "store/files.h"
#include "store/records.h"

namespace pileus::store {

enum class Durability {
  kFull,    // an acknowledged commit survives power loss
  kNormal,  // it survives the end of the process; power loss may take the last seconds
};

struct SqliteOptions {
  Durability durability = Durability::kFull;
  std::size_t log_bytes = 8 << 20;        // of one half of the log: how much waits for the table
  std::size_t cache_bytes = 8 << 20;      // values that were read or written recently
  std::size_t deletions = 100'000;        // remembered for watches, at most
  std::chrono::milliseconds settle{500};  // after this much silence the table takes over
  FileLayer* files = nullptr;             // for the log; the machine's when none is given
  std::string vfs;                        // SQLite's, by name; "" for its own
  Random* random = nullptr;               // salts; the kernel's when none is given
};

Result<std::unique_ptr<Records>> make_sqlite_records(std::string path, SqliteOptions options = {});

}  // namespace pileus::store
