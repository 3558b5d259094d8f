#include "services/lambda/async_step.h"

#include <algorithm>

namespace pileus::services::lambda {
namespace {

constexpr auto kFirstBackoff = std::chrono::seconds(1);
constexpr auto kLastBackoff = std::chrono::seconds(300);

Step retry(AsyncEvent event, Duration delay, const RetryPolicy& policy, Time now) {
  event.due = now + delay;
  if (event.due - event.accepted > policy.max_age)
    return {Step::Action::kDrop, std::move(event), "EventAgeExceeded"};
  return {Step::Action::kRetry, std::move(event), ""};
}

}  // namespace

Step step(AsyncEvent event, Outcome outcome, RetryPolicy policy, Time now) {
  switch (outcome) {
    case Outcome::kSucceeded:
      return {Step::Action::kDone, std::move(event), ""};
    case Outcome::kGone:
      return {Step::Action::kDrop, std::move(event), "FunctionNotFound"};
    case Outcome::kFunctionFailed: {
      event.refusals = 0;
      const int retries = event.failures++;
      if (retries >= policy.max_retries)
        return {Step::Action::kDrop, std::move(event), "RetriesExhausted"};
      return retry(std::move(event), std::chrono::minutes(retries + 1), policy, now);
    }
    case Outcome::kNotReached: {
      const int doublings = std::min(event.refusals++, 16);
      const Duration delay = std::min<Duration>(kFirstBackoff * (1 << doublings), kLastBackoff);
      return retry(std::move(event), delay, policy, now);
    }
  }
  return {Step::Action::kDrop, std::move(event), "Unknown"};
}

}  // namespace pileus::services::lambda
