// What functions may take of an account's concurrency: the rules, pure, and the counters that the
// loops share. A function with reserved concurrency has that many places and no more; all others
// share what nobody has claimed. Provisioned environments are places of their function's own.
#pragma once

#include <atomic>
#include <cstdint>

#include "services/lambda/names.h"
#include "services/lambda/records.h"

namespace pileus::services::lambda {

using Nanoseconds = std::chrono::nanoseconds;

inline constexpr std::int64_t kAccountConcurrency = 1000;
inline constexpr std::int64_t kLeastUnreserved = 100;
inline constexpr int kRequestsPerPlace = 10;   // a second, synchronous
inline constexpr int kScalingBurst = 1000;     // environments of a function, at once
inline constexpr int kScalingPerSecond = 100;  // and more of them each second

// Events, or starts, in one window after another: at most so many in each. Any thread.
class RateWindow {
 public:
  bool take(Nanoseconds now, Nanoseconds window, std::int64_t most);

 private:
  std::atomic<std::uint64_t> state_{0};  // number of the window << 32 | taken in it
};

// New environments of one function: kScalingBurst, filled up by kScalingPerSecond. One loop.
class ScalingAllowance {
 public:
  bool take(Nanoseconds now);

 private:
  double left_ = kScalingBurst;
  Nanoseconds at_{0};
};

// One account in one region, as the shards share it.
struct Account {
  std::atomic<std::int64_t> in_flight{0};  // events that draw on the unreserved places
  std::atomic<std::int64_t> claimed{0};    // Claims::total
  RateWindow rate;
  // One place more, while there are fewer than `most` in flight.
  bool take(std::int64_t most) {
    if (in_flight.fetch_add(1) < most) return true;
    --in_flight;
    return false;
  }
};

// Places taken by one event, given back when their holder goes. That of the account was taken
// before. On the function's loop.
class Permit {
 public:
  Permit() = default;
  Permit(std::int64_t& function, std::int64_t& version, std::atomic<std::int64_t>* account)
      : function_(&function), version_(&version), account_(account) {
    ++*function_, ++*version_;
  }
  Permit(Permit&& other) noexcept { swap(other); }
  Permit& operator=(Permit&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Permit() {
    if (!function_) return;
    --*function_, --*version_;
    if (account_) --*account_;
  }

 private:
  void swap(Permit& other) noexcept {
    std::swap(function_, other.function_);
    std::swap(version_, other.version_);
    std::swap(account_, other.account_);
  }
  std::int64_t *function_ = nullptr, *version_ = nullptr;
  std::atomic<std::int64_t>* account_ = nullptr;
};

// What the function keeps to itself: its reservation, else what is provisioned.
std::int64_t claim_of(const Concurrency& concurrency);
std::int64_t provisioned_of(const Concurrency& concurrency);
// A new reservation of a function, beside `others` claimed by the other functions.
Result<Unit> check_reserved(const Concurrency& wanted, std::int64_t others, bool quotas);
Result<Unit> check_provisioned(const Concurrency& wanted, std::int64_t others, bool quotas);

// How many environments each version is to keep: by its own configuration, and its share of those
// of the aliases that lead to it.
using Shares = std::map<std::string, int>;  // by version
Shares shares_of(int requested, const Alias& alias);
Shares provisioned_targets(const Concurrency& concurrency,
                           const std::map<std::string, Alias>& aliases);

}  // namespace pileus::services::lambda
