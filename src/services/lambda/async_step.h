// What becomes of an event accepted for later after each attempt. Pure: no clock, no store.
#pragma once

#include "services/lambda/records.h"

namespace pileus::services::lambda {

enum class Outcome {
  kSucceeded,
  kFunctionFailed,  // it ran and answered with an error, crashed or timed out
  kNotReached,      // throttled, or an error of the service: 429 and 5xx
  kGone,            // the function, version or alias does not exist any more
};

struct RetryPolicy {
  int max_retries = 2;  // after errors of the function
  Duration max_age = std::chrono::hours(6);
};

struct Step {
  enum class Action { kDone, kDrop, kRetry } action = Action::kDone;
  AsyncEvent event;    // kRetry: the state to save, with its next due time
  std::string reason;  // kDrop: AWS's word for why
};

// After errors: 1 minute, then 2. While it cannot be reached: 1 s, doubling up to 5 minutes, until
// max_age has passed.
Step step(AsyncEvent event, Outcome outcome, RetryPolicy policy, Time now);

}  // namespace pileus::services::lambda
