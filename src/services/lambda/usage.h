// UsageMeter: what each invocation cost, into the journal "<account>/<region>/usage/lambda", one
// JSON object an entry (see Usage), and what stood provisioned; billing reads it. Gathered per loop
// and appended every kMeterEvery, so a killed server loses at most that much of the meter. Belongs
// to one loop.
#pragma once

#include <map>

#include "base/task_group.h"
#include "store/fields.h"
#include "store/journals.h"

namespace pileus::services::lambda {

inline constexpr auto kMeterEvery = std::chrono::milliseconds(100);
inline constexpr std::size_t kMaxUnmetered =
    100'000;  // entries kept while the journal cannot be written

struct Usage {
  std::string function, version, request_id;  // function: the unqualified ARN
  std::int64_t billed_ms = 0;                 // with init, as in the REPORT line
  std::int64_t duration_us = 0, init_us = 0;
  int memory_mb = 0, tmp_mb = 0;
  double gb_seconds = 0;
  std::string architecture;
  std::uint64_t request_bytes = 0, response_bytes = 0;
  bool failed = false;
  bool provisioned = false;          // ran in a provisioned environment
  std::int64_t provisioned_ms = 0;   // no invocation: provisioned environments stood ready so long
  std::uint64_t streamed_bytes = 0;  // of the answer, where it was streamed
  PILEUS_FIELDS(Usage, function, version, request_id, billed_ms, duration_us, init_us, memory_mb,
                tmp_mb, gb_seconds, architecture, request_bytes, response_bytes, failed,
                provisioned, provisioned_ms, streamed_bytes)
};

class UsageMeter {
 public:
  UsageMeter(store::Journals& journals, TaskGroup& group) : journals_(journals), group_(group) {}
  void add(const std::string& partition, Time now, const Usage& usage);
  void forget() {
    waiting_.clear();
    count_ = 0;
  }

 private:
  static Task<void> flush(UsageMeter* self);
  store::Journals& journals_;
  TaskGroup& group_;
  std::map<std::string, std::vector<store::JournalEntry>> waiting_;  // by journal
  std::size_t count_ = 0;
  bool flushing_ = false;
};

}  // namespace pileus::services::lambda
