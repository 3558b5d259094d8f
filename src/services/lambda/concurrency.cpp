#include "services/lambda/concurrency.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace pileus::services::lambda {

bool RateWindow::take(Nanoseconds now, Nanoseconds window, std::int64_t most) {
  const auto number = static_cast<std::uint64_t>(now / window) & 0xffffffff;
  auto state = state_.load(std::memory_order_relaxed);
  for (;;) {
    const std::uint64_t taken = state >> 32 == number ? state & 0xffffffff : 0;
    if (static_cast<std::int64_t>(taken) >= most) return false;
    if (state_.compare_exchange_weak(state, number << 32 | (taken + 1), std::memory_order_relaxed))
      return true;
  }
}

bool ScalingAllowance::take(Nanoseconds now) {
  const std::chrono::duration<double> passed = now - at_;
  left_ = std::min<double>(kScalingBurst, left_ + passed.count() * kScalingPerSecond);
  at_ = now;
  if (left_ < 1) return false;
  left_ -= 1;
  return true;
}

std::int64_t provisioned_of(const Concurrency& concurrency) {
  std::int64_t sum = 0;
  for (const auto& [qualifier, provisioned] : concurrency.provisioned) sum += provisioned.requested;
  return sum;
}

std::int64_t claim_of(const Concurrency& concurrency) {
  return concurrency.reserved ? *concurrency.reserved : provisioned_of(concurrency);
}

namespace {

Result<Unit> check_rest(std::string_view what, std::int64_t claim, std::int64_t others,
                        bool quotas) {
  if (!quotas || claim == 0 || claim + others <= kAccountConcurrency - kLeastUnreserved)
    return Unit{};
  return fail(invalid(str("Specified ", what,
                          " for function decreases account's UnreservedConcurrentExecution below "
                          "its minimum value of [",
                          kLeastUnreserved, "].")));
}

}  // namespace

Result<Unit> check_reserved(const Concurrency& wanted, std::int64_t others, bool quotas) {
  const std::int64_t provisioned = provisioned_of(wanted);
  if (*wanted.reserved < provisioned)
    return fail(invalid(str("ReservedConcurrentExecutions ", *wanted.reserved,
                            " should not be lower than function's total provisioned concurrency [",
                            provisioned, "].")));
  return check_rest("ReservedConcurrentExecutions", claim_of(wanted), others, quotas);
}

Result<Unit> check_provisioned(const Concurrency& wanted, std::int64_t others, bool quotas) {
  if (wanted.reserved && provisioned_of(wanted) > *wanted.reserved)
    return fail(
        invalid("Requested Provisioned Concurrency should not be greater than the "
                "reservedConcurrentExecution for function"));
  return check_rest("ConcurrentExecutions", claim_of(wanted), others, quotas);
}

Shares shares_of(int requested, const Alias& alias) {
  Shares out;
  int rest = requested;
  for (const auto& [version, weight] : alias.weights) {
    const int part = std::min(rest, static_cast<int>(std::lround(requested * weight)));
    if (part > 0) out[version] += part;
    rest -= part;
  }
  if (rest > 0) out[alias.function_version] += rest;
  return out;
}

Shares provisioned_targets(const Concurrency& concurrency,
                           const std::map<std::string, Alias>& aliases) {
  Shares out;
  for (const auto& [qualifier, provisioned] : concurrency.provisioned) {
    if (is_version(qualifier)) {
      out[qualifier] += provisioned.requested;
    } else if (const auto alias = aliases.find(qualifier); alias != aliases.end()) {
      for (const auto& [version, part] : shares_of(provisioned.requested, alias->second))
        out[version] += part;
    }
  }
  return out;
}

}  // namespace pileus::services::lambda
