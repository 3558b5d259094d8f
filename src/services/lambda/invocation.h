// One event on its way to a function, and what came of it.
#pragma once

#include <atomic>
#include <string>

#include "base/completion.h"
#include "services/lambda/answer_stream.h"

namespace pileus::services::lambda {

struct Answer {
  std::string payload;
  bool failed = false;       // X-Amz-Function-Error: Unhandled
  std::string log_tail;      // the last 4 KB of its log, where asked for
  std::string version;       // that ran
  std::string content_type;  // as the runtime said
  std::string error_type;    // of a failure
  // Set when the answer is still being made: only for an Invocation that takes a stream. Shared
  // with the environment that makes it.
  std::shared_ptr<AnswerStream> stream;
};

// One place of an account's concurrency, given back when its holder goes.
class InFlight {
 public:
  InFlight() = default;
  explicit InFlight(std::atomic<int>& count) : count_(&count) { ++count; }
  InFlight(InFlight&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  InFlight& operator=(InFlight&& other) noexcept {
    std::swap(count_, other.count_);
    return *this;
  }
  ~InFlight() {
    if (count_) --*count_;
  }

 private:
  std::atomic<int>* count_ = nullptr;
};

struct Invocation {
  std::string id;       // the request id
  std::string payload;  // JSON
  std::string invoked_arn;
  std::string qualifier;  // "" as invoked
  std::string client_context, trace;
  bool tail = false;
  bool takes_stream = false;  // its answer may be given piece by piece
  // Owner of the answer; an error is one of the service (429, 5xx), not of the function.
  Completer<Answer> done;
  std::chrono::nanoseconds queued{0};  // machine time
  InFlight in_flight;
};

inline constexpr std::size_t kMaxSyncPayload = 6'291'556;  // 6 MB and AWS's 100 bytes more
inline constexpr std::size_t kMaxStreamedAnswer = 200 << 20;
inline constexpr std::size_t kMaxAsyncPayload = 1'048'576;
inline constexpr std::size_t kMaxInvokeAsync = 262'144;
inline constexpr std::size_t kLogTail = 4096;

}  // namespace pileus::services::lambda
