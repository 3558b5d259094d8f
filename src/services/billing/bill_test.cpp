#include "services/billing/bill.h"

#include <gtest/gtest.h>

#include "base/manual_loop.h"
#include "store/memory_journals.h"

namespace pileus::services::billing {
namespace {

using namespace std::chrono;
constexpr Time kDay{sys_days(year(2026) / 3 / 14)};

LambdaUsage usage(std::string function, std::int64_t billed_ms, int memory_mb = 1024,
                  int tmp_mb = 512) {
  LambdaUsage out;
  out.function = std::move(function);
  out.billed_ms = billed_ms;
  out.memory_mb = memory_mb;
  out.tmp_mb = tmp_mb;
  return out;
}

TEST(Bill, Adds_up_by_function_and_day) {
  BillMaker maker(default_prices(), kDay);
  maker.add(kDay, usage("f", 1000));
  maker.add(kDay + hours(1), usage("f", 500, 2048));
  maker.add(kDay + hours(25), usage("f", 1000, 1024, 1536));
  maker.add(kDay, usage("g", 1));
  const Bill bill = maker.bill();
  ASSERT_EQ(bill.lines.size(), 3u);
  EXPECT_EQ(bill.lines[0].day, "2026-03-14");
  EXPECT_EQ(bill.lines[0].requests, 2);
  EXPECT_EQ(bill.lines[0].billed_ms, 1500);
  EXPECT_DOUBLE_EQ(bill.lines[0].gb_seconds, 2.0);
  EXPECT_DOUBLE_EQ(bill.lines[0].duration_cost, 2 * 0.0000166667);
  EXPECT_DOUBLE_EQ(bill.lines[0].request_cost, 2 * 0.20 / 1e6);
  EXPECT_EQ(bill.lines[1].function, "g");
  EXPECT_DOUBLE_EQ(bill.lines[2].storage_cost, 0.0000000309);
  double sum = 0;
  for (const auto& line : bill.lines) sum += line.total();
  EXPECT_DOUBLE_EQ(bill.total, sum);
}

TEST(Bill, Tiers_split_what_crosses_them) {
  const std::vector<Tier> tiers = {
      {100, 3}, {150, 2}, {std::numeric_limits<double>::infinity(), 1}};
  EXPECT_DOUBLE_EQ(tiered_cost(tiers, 0, 10), 30);
  EXPECT_DOUBLE_EQ(tiered_cost(tiers, 90, 20), 10 * 3 + 10 * 2);
  EXPECT_DOUBLE_EQ(tiered_cost(tiers, 0, 200), 100 * 3 + 50 * 2 + 50);
  EXPECT_DOUBLE_EQ(tiered_cost(tiers, 150, 5), 5);
}

TEST(Bill, Reads_the_meter_from_the_first_of_the_month) {
  ManualLoop loop;
  auto journals = store::make_memory_journals();
  std::vector<store::JournalEntry> entries = {{kDay - days(2), store::encode(usage("f", 1000))},
                                              {kDay, store::encode(usage("f", 2000))},
                                              {kDay + days(1), store::encode(usage("f", 4000))}};
  ASSERT_TRUE(loop.run(journals->append("1/r/usage/lambda", entries)));
  Prices prices = default_prices();
  prices.lambda.x86_64 = {{1, 10}, {std::numeric_limits<double>::infinity(), 1}};
  const auto bill = loop.run(compute(*journals, prices, "1", "r", kDay, kDay + days(1)));
  ASSERT_TRUE(bill) << bill.error().message();
  ASSERT_EQ(bill->lines.size(), 1u);
  EXPECT_DOUBLE_EQ(bill->lines[0].duration_cost, 2);  // the dear tier was used up before
}

TEST(Prices, A_list_that_makes_no_sense_is_refused) {
  EXPECT_TRUE(parse_prices(kDefaultPrices));
  EXPECT_FALSE(parse_prices("{}"));
  EXPECT_FALSE(parse_prices(
      R"({"lambda":{"per_million_requests":-1,"gb_second":{},"storage_gb_second":0}})"));
}

}  // namespace
}  // namespace pileus::services::billing
