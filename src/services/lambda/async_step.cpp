#include "services/lambda/async_step.h"

#include <algorithm>

namespace pileus::services::lambda {
namespace {

constexpr auto kFirstBackoff = std::chrono::seconds(1);
constexpr auto kLastBackoff = std::chrono::seconds(300);

constexpr auto kDeliveryAge = std::chrono::hours(6);

Duration backoff(int tries) {
  return std::min<Duration>(kFirstBackoff * (1 << std::min(tries, 16)), kLastBackoff);
}

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
    case Outcome::kRecursive:
      return {Step::Action::kDrop, std::move(event), "RecursiveInvocation"};
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
      const Duration delay = backoff(event.refusals++);
      return retry(std::move(event), delay, policy, now);
    }
  }
  return {Step::Action::kDrop, std::move(event), "Unknown"};
}

bool is_expired(const AsyncEvent& event, const RetryPolicy& policy, Time now) {
  return now - event.accepted > policy.max_age;
}

Step settle(Step decided, const Targets& targets, Settled answer, Time now) {
  if (decided.action == Step::Action::kRetry) return decided;
  const bool succeeded = decided.action == Step::Action::kDone;
  answer.destination = succeeded ? targets.on_success : targets.on_failure;
  if (answer.destination.empty() || decided.reason == "FunctionNotFound") return decided;
  answer.condition = succeeded                                 ? "Success"
                     : decided.reason == "RecursiveInvocation" ? "RetriesExhausted"
                                                               : decided.reason;
  answer.since = now;
  decided.event.settled = std::move(answer);
  decided.event.due = now;
  decided.action = Step::Action::kDeliver;
  return decided;
}

Step step_delivery(AsyncEvent event, Delivered delivered, Time now) {
  Settled& settled = *event.settled;
  const bool succeeded = settled.condition == "Success";
  if (delivered == Delivered::kDone)
    return {succeeded ? Step::Action::kDone : Step::Action::kDrop, event, settled.condition};
  event.due = now + backoff(settled.tries++);
  if (delivered == Delivered::kRefused || event.due - settled.since > kDeliveryAge)
    return {Step::Action::kDrop, event, "DestinationDeliveryFailed"};
  return {Step::Action::kRetry, std::move(event), ""};
}

}  // namespace pileus::services::lambda
