// The bill: what an account used, by function and day, and what AWS would ask for it. Made from the
// meter's journals, so that it adds up to the REPORT lines. Pricing is pure; any loop.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "services/billing/prices.h"
#include "store/fields.h"
#include "store/journals.h"

namespace pileus::services::billing {

// One invocation, or a time for which provisioned environments stood ready (provisioned_ms), as
// lambda's meter writes it into "<account>/<region>/usage/lambda".
struct LambdaUsage {
  std::string function;  // ARN
  std::string architecture = "x86_64";
  std::int64_t billed_ms = 0;  // with init
  int memory_mb = 0, tmp_mb = 0;
  bool failed = false;
  bool provisioned = false;         // ran in a provisioned environment
  std::int64_t provisioned_ms = 0;  // no invocation: all that stood ready, together
  std::uint64_t streamed_bytes = 0;
  PILEUS_FIELDS(LambdaUsage, function, architecture, billed_ms, memory_mb, tmp_mb, failed,
                provisioned, provisioned_ms, streamed_bytes)
};

struct BillLine {
  std::string day;       // 2026-01-31, UTC
  std::string function;  // ARN
  std::string architecture;
  std::int64_t requests = 0, failed = 0, billed_ms = 0;
  double gb_seconds = 0, storage_gb_seconds = 0;  // gb_seconds: of invocations
  double provisioned_gb_seconds = 0;              // stood ready
  double streamed_gb = 0;                         // over 6 MB of each answer
  double request_cost = 0, duration_cost = 0, storage_cost = 0, provisioned_cost = 0,
         streaming_cost = 0;  // before the free tier
  double total() const {
    return request_cost + duration_cost + storage_cost + provisioned_cost + streaming_cost;
  }
};
struct Bill {
  std::string currency;
  std::vector<BillLine> lines;  // by day, then function, then architecture
  double list_total = 0;        // of the lines
  double free_tier = 0;         // what the free tier takes off them
  bool free_tier_applies = false;
  double total = 0;  // what is to be paid
};

// Adds up usage in order of time. Tiers and the free tier count from the first of each month.
class BillMaker {
 public:
  // What is before `from` counts towards its month's tiers only.
  BillMaker(const Prices& prices, Time from) : prices_(prices), from_(from) {}
  // kUnseen: of another region. It counts towards the account's tiers as well.
  enum class Line { kShown, kUnseen };
  void add(Time when, const LambdaUsage& usage, Line line = Line::kShown);
  Bill bill() const;

 private:
  struct Month {  // of the account
    double x86_64 = 0, arm64 = 0;
    double free_requests = 0, free_gb_seconds = 0, free_streamed_gb = 0;  // used of the free tier
  };
  struct Charge {
    BillLine line;  // amounts and costs of one usage
    double free = 0;
  };
  Charge charge(const LambdaUsage& usage, Month& month) const;
  void charge_invocation(const LambdaUsage& usage, Month& month, Charge& out) const;

  const Prices& prices_;
  Time from_;
  std::map<std::string, Month> months_;  // "2026-01"
  std::map<std::tuple<std::string, std::string, std::string>, BillLine> lines_;
  double free_ = 0;
};

// The price of `amount` GB-seconds after `before` of the same month.
double tiered_cost(const std::vector<Tier>& tiers, double before, double amount);

// The bill of an account in a region over [from, until). Its other regions fill the same tiers.
Task<Result<Bill>> compute(store::Journals& journals, Prices prices, std::string account,
                           std::string region, Time from, Time until);

}  // namespace pileus::services::billing
