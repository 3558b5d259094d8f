#include "services/billing/bill.h"

#include <algorithm>

#include "base/text.h"

namespace pileus::services::billing {
namespace {

constexpr int kFreeTmpMb = 512;
constexpr std::size_t kPage = 10'000;

Time start_of_month(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  return std::chrono::sys_days(date.year() / date.month() / 1);
}

}  // namespace

double tiered_cost(const std::vector<Tier>& tiers, double before, double amount) {
  double cost = 0;
  for (const auto& tier : tiers) {
    if (amount <= 0) break;
    const double room = tier.up_to - before;
    if (room <= 0) continue;
    const double here = std::min(room, amount);
    cost += here * tier.price;
    before += here;
    amount -= here;
  }
  return cost;
}

void BillMaker::add(Time when, const LambdaUsage& usage) {
  const std::string day = iso8601(when).substr(0, 10);
  const double seconds = static_cast<double>(usage.billed_ms) / 1000.0;
  const double gb_seconds = seconds * usage.memory_mb / 1024.0;
  const double storage = seconds * std::max(0, usage.tmp_mb - kFreeTmpMb) / 1024.0;
  double& month = month_gb_seconds_[day.substr(0, 7) + " " + usage.architecture];
  const auto& tiers = usage.architecture == "arm64" ? prices_.lambda.arm64 : prices_.lambda.x86_64;
  const double cost = tiered_cost(tiers, month, gb_seconds);
  month += gb_seconds;
  if (when < from_) return;
  BillLine& line = lines_[{day, usage.function, usage.architecture}];
  line.day = day;
  line.function = usage.function;
  line.architecture = usage.architecture;
  ++line.requests;
  line.failed += usage.failed ? 1 : 0;
  line.billed_ms += usage.billed_ms;
  line.gb_seconds += gb_seconds;
  line.storage_gb_seconds += storage;
  line.request_cost += prices_.lambda.request;
  line.duration_cost += cost;
  line.storage_cost += storage * prices_.lambda.storage_gb_second;
}

Bill BillMaker::bill() const {
  Bill out;
  out.currency = prices_.currency;
  for (const auto& [key, line] : lines_) {
    out.lines.push_back(line);
    out.total += line.total();
  }
  return out;
}

Task<Result<Bill>> compute(store::Journals& journals, Prices prices, std::string account,
                           std::string region, Time from, Time until) {
  BillMaker maker(prices, from);
  store::JournalRead query;
  query.from = start_of_month(from);
  query.until = until;
  query.limit = kPage;
  do {
    CO_TRY_ASSIGN(auto page,
                  co_await journals.read(account + "/" + region + "/usage/lambda", query));
    for (const auto& entry : page.entries) {
      CO_TRY_ASSIGN(const auto usage, store::decode<LambdaUsage>(entry.value));
      maker.add(entry.time, usage);
    }
    query.cursor = page.next;
  } while (!query.cursor.empty());
  co_return maker.bill();
}

}  // namespace pileus::services::billing
