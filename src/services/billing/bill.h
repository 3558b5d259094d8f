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

// One invocation, as lambda's meter writes it into "<account>/<region>/usage/lambda".
struct LambdaUsage {
  std::string function;  // ARN
  std::string architecture = "x86_64";
  std::int64_t billed_ms = 0;  // with init
  int memory_mb = 0, tmp_mb = 0;
  bool failed = false;
  PILEUS_FIELDS(LambdaUsage, function, architecture, billed_ms, memory_mb, tmp_mb, failed)
};

struct BillLine {
  std::string day;       // 2026-01-31, UTC
  std::string function;  // ARN
  std::string architecture;
  std::int64_t requests = 0, failed = 0, billed_ms = 0;
  double gb_seconds = 0, storage_gb_seconds = 0;
  double request_cost = 0, duration_cost = 0, storage_cost = 0;
  double total() const { return request_cost + duration_cost + storage_cost; }
};
struct Bill {
  std::string currency;
  std::vector<BillLine> lines;  // by day, then function, then architecture
  double total = 0;
};

// Adds up usage in order of time. Tiers count from the first of each month.
class BillMaker {
 public:
  // What is before `from` counts towards its month's tiers only.
  BillMaker(const Prices& prices, Time from) : prices_(prices), from_(from) {}
  void add(Time when, const LambdaUsage& usage);
  Bill bill() const;

 private:
  const Prices& prices_;
  Time from_;
  std::map<std::string, double> month_gb_seconds_;  // "2026-01 x86_64"
  std::map<std::tuple<std::string, std::string, std::string>, BillLine> lines_;
};

// The price of `amount` GB-seconds after `before` of the same month.
double tiered_cost(const std::vector<Tier>& tiers, double before, double amount);

// The bill of an account in a region over [from, until).
Task<Result<Bill>> compute(store::Journals& journals, Prices prices, std::string account,
                           std::string region, Time from, Time until);

}  // namespace pileus::services::billing
