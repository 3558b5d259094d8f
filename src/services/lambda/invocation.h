// One event on its way to a function, and what came of it.
#pragma once

#include <string>

#include "base/completion.h"
#include "services/lambda/concurrency.h"

namespace pileus::services::lambda {

struct Answer {
  std::string payload;
  bool failed = false;   // X-Amz-Function-Error: Unhandled
  std::string log_tail;  // the last 4 KB of its log, where asked for
  std::string version;   // that ran
};

struct Invocation {
  std::string id;       // the request id
  std::string payload;  // JSON
  std::string invoked_arn;
  std::string qualifier;  // "" as invoked
  std::string client_context, trace;
  std::string tenant;  // "" without tenant isolation
  bool tail = false;
  bool later = false;  // accepted as an event: its rate has no bound
  // Owner of the answer; an error is one of the service (429, 5xx), not of the function.
  Completer<Answer> done;
  std::chrono::nanoseconds queued{0};  // machine time
  Permit permit;
};

inline constexpr std::size_t kMaxSyncPayload = 6'291'556;  // 6 MB and AWS's 100 bytes more
inline constexpr std::size_t kMaxAsyncPayload = 1'048'576;
inline constexpr std::size_t kLogTail = 4096;

}  // namespace pileus::services::lambda
