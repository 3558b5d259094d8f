// What becomes of an event accepted for later after each attempt. Pure: no clock, no store.
#pragma once

#include "services/lambda/records.h"

namespace pileus::services::lambda {

enum class Outcome {
  kSucceeded,
  kFunctionFailed,  // it ran and answered with an error, crashed or timed out
  kNotReached,      // throttled, or an error of the service: 429 and 5xx
  kRecursive,       // stopped: it goes round and round
  kGone,            // the function, version or alias does not exist any more
};

struct RetryPolicy {
  int max_retries = 2;  // after errors of the function
  Duration max_age = std::chrono::hours(6);
};

struct Step {
  enum class Action {
    kDone,
    kDrop,
    kRetry,
    kDeliver,  // save, then send the record of it to event.settled->destination
  } action = Action::kDone;
  AsyncEvent event;    // kRetry: the state to save, with its next due time
  std::string reason;  // kDrop: AWS's word for why
};

// After errors: 1 minute, then 2. While it cannot be reached: 1 s, doubling up to 5 minutes, until
// max_age has passed.
Step step(AsyncEvent event, Outcome outcome, RetryPolicy policy, Time now);
// Whether the event is too old to be tried at all.
bool is_expired(const AsyncEvent& event, const RetryPolicy& policy, Time now);

// Where a decided event's record goes; "" for nowhere. Turns kDone and kDrop into kDeliver.
struct Targets {
  std::string on_success, on_failure;
};
Step settle(Step decided, const Targets& targets, Settled answer, Time now);

enum class Delivered {
  kDone,
  kRefused,  // no right, no such destination, too large: another try would end alike
  kLater,    // throttled, or an error of the service
};
// As unreachable functions: 1 s, doubling up to 5 minutes, for 6 hours.
Step step_delivery(AsyncEvent event, Delivered delivered, Time now);

}  // namespace pileus::services::lambda
