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

TEST(Bill, Provisioned_environments_cost_while_they_stand_and_run_cheaper) {
  BillMaker maker(default_prices(), kDay);
  LambdaUsage stood = usage("f", 0, 2048);
  stood.provisioned_ms = 60'000;
  maker.add(kDay, stood);
  LambdaUsage ran = usage("f", 1000, 2048);
  ran.provisioned = true;
  maker.add(kDay, ran);
  const Bill bill = maker.bill();
  ASSERT_EQ(bill.lines.size(), 1u);
  EXPECT_EQ(bill.lines[0].requests, 1);
  EXPECT_DOUBLE_EQ(bill.lines[0].provisioned_gb_seconds, 120);
  EXPECT_DOUBLE_EQ(bill.lines[0].provisioned_cost, 120 * 0.0000041667);
  EXPECT_DOUBLE_EQ(bill.lines[0].duration_cost, 2 * 0.0000097222);
  EXPECT_DOUBLE_EQ(bill.free_tier, 0);
}

TEST(Bill, Streamed_bytes_over_six_megabytes_cost) {
  BillMaker maker(default_prices(), kDay);
  LambdaUsage few = usage("f", 1), many = usage("f", 1);
  few.streamed_bytes = 6 << 20;
  many.streamed_bytes = (6ull << 20) + (1ull << 30);
  maker.add(kDay, few);
  maker.add(kDay, many);
  EXPECT_DOUBLE_EQ(maker.bill().lines[0].streamed_gb, 1);
  EXPECT_DOUBLE_EQ(maker.bill().lines[0].streaming_cost, 0.008);
}

TEST(Bill, The_free_tier_is_used_up_in_order_and_begins_again_each_month) {
  Prices prices = default_prices();
  prices.free_tier = {.applies = true, .requests = 2, .gb_seconds = 1.5, .streamed_gb = 0};
  BillMaker maker(prices, kDay);
  for (int i = 0; i < 3; ++i) maker.add(kDay, usage("f", 1000));
  maker.add(kDay + days(31), usage("f", 1000));
  const Bill bill = maker.bill();
  EXPECT_DOUBLE_EQ(bill.free_tier, 3 * prices.lambda.request + 2.5 * 0.0000166667);
  EXPECT_DOUBLE_EQ(bill.total, bill.list_total - bill.free_tier);
  prices.free_tier.applies = false;
  EXPECT_DOUBLE_EQ(maker.bill().total, bill.list_total);
}

TEST(Bill, Regions_of_an_account_fill_the_same_tiers) {
  ManualLoop loop;
  auto journals = store::make_memory_journals();
  const auto put = [&](const std::string& region, Time when, std::int64_t ms) {
    std::vector<store::JournalEntry> entries = {{when, store::encode(usage("f", ms))}};
    ASSERT_TRUE(loop.run(journals->append("1/" + region + "/usage/lambda", entries)));
  };
  put("b", kDay + hours(2), 1000);
  put("a", kDay + hours(1), 1000);
  put("b", kDay, 1000);
  ASSERT_TRUE(loop.run(journals->append("1/a/logs/x", {{kDay, "no usage"}})));
  Prices prices = default_prices();
  prices.lambda.x86_64 = {{2, 10}, {std::numeric_limits<double>::infinity(), 1}};
  const auto bill = [&](const char* region) {
    return loop.run(compute(*journals, prices, "1", region, kDay, kDay + days(1)));
  };
  ASSERT_TRUE(bill("b")) << bill("b").error().message();
  EXPECT_DOUBLE_EQ(bill("a")->lines.at(0).duration_cost, 10);
  EXPECT_DOUBLE_EQ(bill("b")->lines.at(0).duration_cost, 10 + 1);
  EXPECT_TRUE(bill("c")->lines.empty());
}

TEST(Prices, What_a_list_leaves_out_is_as_aws_has_it) {
  const auto prices = parse_prices(
      R"({"lambda":{"per_million_requests":1,"gb_second":{"x86_64":[{"price":1}],"arm64":[{"price":1}]},
          "storage_gb_second":0},"free_tier":{"applies":true}})");
  ASSERT_TRUE(prices) << prices.error().message();
  EXPECT_DOUBLE_EQ(prices->lambda.provisioned_x86_64.gb_second, 0.0000041667);
  EXPECT_DOUBLE_EQ(prices->lambda.streamed_gb, 0.008);
  EXPECT_TRUE(prices->free_tier.applies);
  EXPECT_DOUBLE_EQ(prices->free_tier.requests, 1e6);
  EXPECT_FALSE(
      parse_prices(R"({"lambda":{"per_million_requests":1,"gb_second":{"x86_64":[{"price":1}],
      "arm64":[{"price":1}]},"storage_gb_second":0},"free_tier":{"applies":1}})"));
}

TEST(Prices, A_list_that_makes_no_sense_is_refused) {
  EXPECT_TRUE(parse_prices(kDefaultPrices));
  EXPECT_FALSE(parse_prices("{}"));
  EXPECT_FALSE(parse_prices(
      R"({"lambda":{"per_million_requests":-1,"gb_second":{},"storage_gb_second":0}})"));
}

}  // namespace
}  // namespace pileus::services::billing
