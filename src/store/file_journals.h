// Journals in files of one folder. All journals share one log, so that one sync makes the appends
// of thousands of them durable; full logs are sorted into runs, where a journal's entries lie side
// by side, in the background; runs that are mostly forgotten are written again without the dead.
//   manifest     which runs count, what was forgotten (replaced as a whole)
//   log-<n>      appended batches        run-<n>      sorted (journal_run.h)
// Three threads: one writes, one reads, one sorts. Any loop.
#pragma once

#include "store/files.h"
#include "store/journals.h"

namespace pileus::store {

struct FileJournalsOptions {
  std::size_t log_bytes =
      32 << 20;                // sorted when it has grown to this; bounds the index of the log
  FileLayer* files = nullptr;  // the machine's when none is given
};

Result<std::unique_ptr<Journals>> make_file_journals(std::string folder,
                                                     FileJournalsOptions options = {});

}  // namespace pileus::store
