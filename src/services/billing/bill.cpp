#include "services/billing/bill.h"

#include <algorithm>
#include <memory>

#include "base/text.h"

namespace pileus::services::billing {

namespace {

constexpr int kFreeTmpMb = 512;
constexpr double kFreeStreamedBytes = 6.0 * 1024 * 1024;  // of each answer
constexpr double kBytesInGb = 1024.0 * 1024 * 1024;
constexpr std::size_t kPage = 10'000;
constexpr std::string_view kJournal = "/usage/lambda";

Time start_of_month(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  return std::chrono::sys_days(date.year() / date.month() / 1);
}

// How much of `amount` is free, when `used` of `most` has been.
double take_free(double& used, double most, double amount) {
  const double free = std::clamp(most - used, 0.0, amount);
  used += free;
  return free;
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

void BillMaker::charge_invocation(const LambdaUsage& usage, Month& month, Charge& out) const {
  const LambdaPrices& prices = prices_.lambda;
  const bool arm = usage.architecture == "arm64";
  BillLine& line = out.line;
  line.requests = 1;
  line.failed = usage.failed ? 1 : 0;
  line.billed_ms = usage.billed_ms;
  const double seconds = static_cast<double>(usage.billed_ms) / 1000.0;
  line.gb_seconds = seconds * usage.memory_mb / 1024.0;
  line.storage_gb_seconds = seconds * std::max(0, usage.tmp_mb - kFreeTmpMb) / 1024.0;
  line.streamed_gb =
      std::max(0.0, static_cast<double>(usage.streamed_bytes) - kFreeStreamedBytes) / kBytesInGb;
  line.request_cost = prices.request;
  line.storage_cost = line.storage_gb_seconds * prices.storage_gb_second;
  line.streaming_cost = line.streamed_gb * prices.streamed_gb;
  const FreeTier& free = prices_.free_tier;
  if (line.streamed_gb > 0)
    out.free +=
        take_free(month.free_streamed_gb, free.streamed_gb, line.streamed_gb) * prices.streamed_gb;
  if (usage.provisioned) {
    const auto& provisioned = arm ? prices.provisioned_arm64 : prices.provisioned_x86_64;
    line.duration_cost = line.gb_seconds * provisioned.duration_gb_second;
    return;
  }
  double& before = arm ? month.arm64 : month.x86_64;
  line.duration_cost = tiered_cost(arm ? prices.arm64 : prices.x86_64, before, line.gb_seconds);
  before += line.gb_seconds;
  out.free += take_free(month.free_requests, free.requests, 1) * prices.request;
  if (line.gb_seconds > 0)
    out.free += take_free(month.free_gb_seconds, free.gb_seconds, line.gb_seconds) /
                line.gb_seconds * line.duration_cost;
}

BillMaker::Charge BillMaker::charge(const LambdaUsage& usage, Month& month) const {
  Charge out;
  if (usage.provisioned_ms == 0) {
    charge_invocation(usage, month, out);
    return out;
  }
  const auto& provisioned = usage.architecture == "arm64" ? prices_.lambda.provisioned_arm64
                                                          : prices_.lambda.provisioned_x86_64;
  out.line.provisioned_gb_seconds =
      static_cast<double>(usage.provisioned_ms) / 1000.0 * usage.memory_mb / 1024.0;
  out.line.provisioned_cost = out.line.provisioned_gb_seconds * provisioned.gb_second;
  return out;
}

void BillMaker::add(Time when, const LambdaUsage& usage, Line shown) {
  const std::string day = iso8601(when).substr(0, 10);
  const Charge charged = charge(usage, months_[day.substr(0, 7)]);
  if (when < from_ || shown == Line::kUnseen) return;
  free_ += charged.free;
  BillLine& line = lines_[{day, usage.function, usage.architecture}];
  line.day = day;
  line.function = usage.function;
  line.architecture = usage.architecture;
  line.requests += charged.line.requests;
  line.failed += charged.line.failed;
  line.billed_ms += charged.line.billed_ms;
  line.gb_seconds += charged.line.gb_seconds;
  line.storage_gb_seconds += charged.line.storage_gb_seconds;
  line.provisioned_gb_seconds += charged.line.provisioned_gb_seconds;
  line.streamed_gb += charged.line.streamed_gb;
  line.request_cost += charged.line.request_cost;
  line.duration_cost += charged.line.duration_cost;
  line.storage_cost += charged.line.storage_cost;
  line.provisioned_cost += charged.line.provisioned_cost;
  line.streaming_cost += charged.line.streaming_cost;
}

Bill BillMaker::bill() const {
  Bill out;
  out.currency = prices_.currency;
  for (const auto& [key, line] : lines_) {
    out.lines.push_back(line);
    out.list_total += line.total();
  }
  out.free_tier = free_;
  out.free_tier_applies = prices_.free_tier.applies;
  out.total = out.list_total - (out.free_tier_applies ? free_ : 0);
  return out;
}

namespace {

// One region's meter, entry by entry in order of time.
class Meter {
 public:
  Meter(store::Journals& journals, std::string journal, Time from, Time until, BillMaker::Line line)
      : line(line), journals_(journals), journal_(std::move(journal)) {
    query_.from = from;
    query_.until = until;
    query_.limit = kPage;
  }
  // The next entry; nullptr after the last.
  static Task<Result<const store::JournalEntry*>> peek(Meter* self) {
    while (self->at_ == self->page_.entries.size()) {
      if (self->read_ && self->query_.cursor.empty()) co_return nullptr;
      CO_TRY_ASSIGN(self->page_, co_await self->journals_.read(self->journal_, self->query_));
      self->read_ = true;
      self->at_ = 0;
      self->query_.cursor = self->page_.next;
    }
    co_return &self->page_.entries[self->at_];
  }
  void skip() { ++at_; }
  const BillMaker::Line line;

 private:
  store::Journals& journals_;
  std::string journal_;
  store::JournalRead query_;
  store::JournalPage page_;
  std::size_t at_ = 0;
  bool read_ = false;
};

// The regions in which the account has journals; a question per region, however many it has.
Task<Result<std::vector<std::string>>> regions_of(store::Journals* journals, std::string account) {
  std::vector<std::string> out;
  std::string after;
  for (;;) {
    CO_TRY_ASSIGN(const auto names, co_await journals->list(account + "/", 1, after));
    if (names.empty()) co_return out;
    const auto parts = split(names.front(), '/');
    if (parts.size() > 2 && (out.empty() || out.back() != parts[1])) out.emplace_back(parts[1]);
    after = str(account, "/", parts.size() > 1 ? parts[1] : "", "/\xff");
  }
}

}  // namespace

Task<Result<Bill>> compute(store::Journals& journals, Prices prices, std::string account,
                           std::string region, Time from, Time until) {
  BillMaker maker(prices, from);
  CO_TRY_ASSIGN(const auto regions, co_await regions_of(&journals, account));
  std::vector<std::unique_ptr<Meter>> meters;
  for (const auto& each : regions)
    meters.push_back(std::make_unique<Meter>(
        journals, str(account, "/", each, kJournal), start_of_month(from), until,
        each == region ? BillMaker::Line::kShown : BillMaker::Line::kUnseen));
  for (;;) {
    Meter* first = nullptr;
    const store::JournalEntry* next = nullptr;
    for (const auto& meter : meters) {
      CO_TRY_ASSIGN(const auto* entry, co_await Meter::peek(meter.get()));
      if (!entry || (next && next->time <= entry->time)) continue;
      first = meter.get();
      next = entry;
    }
    if (!first) co_return maker.bill();
    CO_TRY_ASSIGN(const auto usage, store::decode<LambdaUsage>(next->value));
    maker.add(next->time, usage, first->line);
    first->skip();
  }
}

}  // namespace pileus::services::billing
