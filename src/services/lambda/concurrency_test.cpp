#include "services/lambda/concurrency.h"

#include <cmath>

#include "gen/lambda/CreateAlias.h"
#include "gen/lambda/DeleteAlias.h"
#include "gen/lambda/DeleteFunction.h"
#include "gen/lambda/DeleteFunctionConcurrency.h"
#include "gen/lambda/GetAccountSettings.h"
#include "gen/lambda/GetFunction.h"
#include "gen/lambda/GetFunctionConcurrency.h"
#include "gen/lambda/GetProvisionedConcurrencyConfig.h"
#include "gen/lambda/ListProvisionedConcurrencyConfigs.h"
#include "gen/lambda/PublishVersion.h"
#include "gen/lambda/PutFunctionConcurrency.h"
#include "gen/lambda/PutProvisionedConcurrencyConfig.h"
#include "gen/lambda/UpdateAlias.h"
#include "gen/lambda/UpdateFunctionCode.h"
#include "services/lambda/async_events.h"
#include "services/lambda/dispatcher.h"
#include "services/lambda/test_support.h"
#include "services/lambda/usage.h"

namespace pileus::services::lambda::testing {
namespace {

using Kind = Reply::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto published = [](gen::lambda::CreateFunctionInput& in) { in.publish = true; };
constexpr auto as_event = [](gen::lambda::InvokeInput& in) { in.invocation_type = "Event"; };

Alias alias_to(std::string version, std::map<std::string, double> weights = {}) {
  Alias out;
  out.function_version = std::move(version);
  out.weights = std::move(weights);
  return out;
}

// Runtimes that answer once they are let.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;
  bool open = false;

  Reply pass(const Event&) {
    std::unique_lock lock(mutex);
    ++inside;
    changed.notify_all();
    changed.wait_for(lock, seconds(20), [&] { return open; });
    return Reply{};
  }
  void wait_for(int count) {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, seconds(20), [&] { return inside >= count; }));
  }
  void let() {
    std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }
};

struct Callers {
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::map<std::string, int> outcomes;  // "ok", or the error's Reason
  void call(Bed& bed, const std::string& name) {
    threads.emplace_back([this, &bed, name] {
      auto out = bed.invoke(name);
      std::lock_guard lock(mutex);
      if (out) return void(++outcomes["ok"]);
      for (const auto& [key, value] : out.error().members())
        if (key == "Reason") ++outcomes[value];
    });
  }
  void join() {
    for (auto& thread : threads) thread.join();
    threads.clear();
  }
};

template <class Input>
Input for_function(const std::string& name) {
  Input in;
  in.function_name = name;
  return in;
}

Result<gen::lambda::PutFunctionConcurrencyOutput> reserve(Bed& bed, const std::string& name,
                                                          int places) {
  auto in = for_function<gen::lambda::PutFunctionConcurrencyInput>(name);
  in.reserved_concurrent_executions = places;
  auto call = bed.context();
  return bed.run(bed.service->put_function_concurrency(call, in));
}

Result<gen::lambda::PutProvisionedConcurrencyConfigOutput> provision(Bed& bed,
                                                                     const std::string& name,
                                                                     const std::string& qualifier,
                                                                     int count) {
  auto in = for_function<gen::lambda::PutProvisionedConcurrencyConfigInput>(name);
  in.qualifier = qualifier;
  in.provisioned_concurrent_executions = count;
  auto call = bed.context();
  return bed.run(bed.service->put_provisioned_concurrency_config(call, in));
}

Result<gen::lambda::GetProvisionedConcurrencyConfigOutput> provisioned(
    Bed& bed, const std::string& name, const std::string& qualifier) {
  auto in = for_function<gen::lambda::GetProvisionedConcurrencyConfigInput>(name);
  in.qualifier = qualifier;
  auto call = bed.context();
  return bed.run(bed.service->get_provisioned_concurrency_config(call, in));
}

void ready(Bed& bed, const std::string& name, const std::string& qualifier) {
  bed.eventually([&] { return provisioned(bed, name, qualifier)->status == "READY"; });
}

void make_alias(Bed& bed, const std::string& name, const std::string& version,
                std::map<std::string, double> weights = {}) {
  auto in = for_function<gen::lambda::CreateAliasInput>(name);
  in.name = "live";
  in.function_version = version;
  if (!weights.empty()) in.routing_config.emplace().additional_version_weights = weights;
  auto call = bed.context();
  auto made = bed.run(bed.service->create_alias(call, in));
  ASSERT_TRUE(made) << made.error().message();
}

void publish_again(Bed& bed, const std::string& name) {
  auto in = for_function<gen::lambda::UpdateFunctionCodeInput>(name);
  in.publish = true;
  in.zip_file = zip_of({{"bootstrap", "two"}});
  auto call = bed.context();
  ASSERT_EQ(bed.run(bed.service->update_function_code(call, in))->version, "2");
}

std::string reason_of(const Error& error) {
  for (const auto& [key, value] : error.members())
    if (key == "Reason") return value;
  return "";
}

// --- pure ----------------------------------------------------------------------------------------

TEST(Concurrency, Shares_follow_the_weights_of_an_alias) {
  EXPECT_EQ(shares_of(10, alias_to("1")), (Shares{{"1", 10}}));
  EXPECT_EQ(shares_of(10, alias_to("1", {{"2", 0.25}})), (Shares{{"1", 7}, {"2", 3}}));
  EXPECT_EQ(shares_of(10, alias_to("1", {{"2", 1.0}})), (Shares{{"2", 10}}));
  Concurrency both;
  both.provisioned["2"].requested = 4;
  both.provisioned["live"].requested = 2;
  EXPECT_EQ(provisioned_targets(both, {{"live", alias_to("1", {{"2", 0.5}})}}),
            (Shares{{"1", 1}, {"2", 5}}));
}

TEST(Concurrency, Reservations_leave_a_hundred_places) {
  Concurrency wanted;
  wanted.reserved = 500;
  EXPECT_TRUE(check_reserved(wanted, 400, true));
  const auto refused = check_reserved(wanted, 401, true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), "InvalidParameterValueException");
  EXPECT_EQ(refused.error().message(),
            "Specified ReservedConcurrentExecutions for function decreases account's "
            "UnreservedConcurrentExecution below its minimum value of [100].");
  EXPECT_TRUE(check_reserved(wanted, 401, false));
  wanted.provisioned["1"].requested = 501;
  EXPECT_FALSE(check_reserved(wanted, 0, false));
  EXPECT_FALSE(check_provisioned(wanted, 0, false));
}

TEST(Concurrency, Rates_and_growth_are_bounded) {
  RateWindow rate;
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(rate.take(seconds(5), seconds(1), 20));
  EXPECT_FALSE(rate.take(seconds(5) + milliseconds(999), seconds(1), 20));
  EXPECT_TRUE(rate.take(seconds(6), seconds(1), 20));
  ScalingAllowance growth;
  for (int i = 0; i < kScalingBurst; ++i) EXPECT_TRUE(growth.take(seconds(100)));
  EXPECT_FALSE(growth.take(seconds(100)));
  for (int i = 0; i < kScalingPerSecond; ++i) EXPECT_TRUE(growth.take(seconds(101)));
  EXPECT_FALSE(growth.take(seconds(101)));
}

// --- reserved ------------------------------------------------------------------------------------

TEST(Reserved, A_function_runs_no_more_events_than_it_has_places) {
  Bed bed;
  Gate gate;
  bed.actors.on_event = [&](const Event& event) { return gate.pass(event); };
  ASSERT_TRUE(bed.create("f"));
  ASSERT_TRUE(reserve(bed, "f", 2));
  Callers callers;
  callers.call(bed, "f");
  callers.call(bed, "f");
  gate.wait_for(2);
  const auto refused = bed.invoke("f");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), "TooManyRequestsException");
  EXPECT_EQ(reason_of(refused.error()), "ReservedFunctionConcurrentInvocationLimitExceeded");
  gate.let();
  callers.join();
  EXPECT_EQ(callers.outcomes["ok"], 2);
  EXPECT_TRUE(bed.invoke("f"));
}

TEST(Reserved, None_stops_the_function_until_it_is_given_back) {
  Bed bed;
  ASSERT_TRUE(bed.create("f"));
  ASSERT_TRUE(reserve(bed, "f", 0));
  EXPECT_FALSE(bed.invoke("f"));
  auto call = bed.context();
  auto shown = bed.run(bed.service->get_function(
      call, for_function<gen::lambda::GetFunctionInput>("f")));
  EXPECT_EQ(shown->concurrency->reserved_concurrent_executions, 0);
  bed.restart();
  EXPECT_FALSE(bed.invoke("f"));
  auto second = bed.context();
  ASSERT_TRUE(bed.run(bed.service->delete_function_concurrency(
      second, for_function<gen::lambda::DeleteFunctionConcurrencyInput>("f"))));
  EXPECT_TRUE(bed.invoke("f"));
  auto third = bed.context();
  EXPECT_FALSE(bed.run(bed.service->get_function_concurrency(
                           third, for_function<gen::lambda::GetFunctionConcurrencyInput>("f")))
                   ->reserved_concurrent_executions);
}

TEST(Reserved, The_account_keeps_what_is_left) {
  Bed bed([](Options& options) { options.quotas = Quotas::kAws; });
  for (const char* name : {"f", "g"}) ASSERT_TRUE(bed.create(name));
  ASSERT_TRUE(reserve(bed, "f", 600));
  EXPECT_FALSE(reserve(bed, "g", 301));
  ASSERT_TRUE(reserve(bed, "g", 300));
  ASSERT_TRUE(reserve(bed, "f", 500));
  const auto unreserved = [&] {
    auto call = bed.context();
    return bed.run(bed.service->get_account_settings(call, {}))
        ->account_limit->unreserved_concurrent_executions;
  };
  EXPECT_EQ(unreserved(), 200);
  auto call = bed.context();
  ASSERT_TRUE(bed.run(bed.service->delete_function(
      call, for_function<gen::lambda::DeleteFunctionInput>("f"))));
  EXPECT_EQ(unreserved(), 700);
  EXPECT_TRUE(reserve(bed, "g", 900));
}

TEST(Reserved, A_rate_of_ten_a_second_and_place_with_quotas) {
  Bed bed([](Options& options) { options.quotas = Quotas::kAws; });
  ASSERT_TRUE(bed.create("f"));
  ASSERT_TRUE(reserve(bed, "f", 1));
  int ran = 0, refused = 0;
  for (int i = 0; i < 200 && refused == 0; ++i) {
    auto out = bed.invoke("f");
    if (out) ++ran;
    if (out) continue;
    ++refused;
    EXPECT_EQ(reason_of(out.error()), "ReservedFunctionInvocationRateLimitExceeded");
  }
  EXPECT_EQ(refused, 1);
  EXPECT_GE(ran, 10);
}

// --- provisioned ---------------------------------------------------------------------------------

TEST(Provisioned, Environments_are_there_before_any_event_and_come_back_after_a_restart) {
  Bed bed;
  ASSERT_TRUE(bed.create("f", published));
  auto put = provision(bed, "f", "1", 2);
  ASSERT_TRUE(put) << put.error().message();
  EXPECT_EQ(put->status, "IN_PROGRESS");
  EXPECT_EQ(put->allocated_provisioned_concurrent_executions, 0);
  ready(bed, "f", "1");
  const auto shown = provisioned(bed, "f", "1");
  EXPECT_EQ(shown->allocated_provisioned_concurrent_executions, 2);
  EXPECT_EQ(shown->available_provisioned_concurrent_executions, 2);
  EXPECT_EQ(bed.driver.started(), 2u);
  const auto environment = bed.driver.workload(0)->assignment()->environment;
  EXPECT_NE(std::find(environment.begin(), environment.end(),
                      std::pair<std::string, std::string>("AWS_LAMBDA_INITIALIZATION_TYPE",
                                                          "provisioned-concurrency")),
            environment.end());
  ASSERT_TRUE(bed.invoke("f:1"));
  EXPECT_EQ(bed.driver.started(), 2u);
  bed.restart();
  ready(bed, "f", "1");
  EXPECT_EQ(bed.driver.alive(), 2u);
}

TEST(Provisioned, More_events_spill_over_and_what_is_busy_is_not_available) {
  Bed bed;
  Gate gate;
  bed.actors.on_event = [&](const Event& event) { return gate.pass(event); };
  ASSERT_TRUE(bed.create("f", published));
  ASSERT_TRUE(provision(bed, "f", "1", 1));
  ready(bed, "f", "1");
  Callers callers;
  callers.call(bed, "f:1");
  gate.wait_for(1);
  EXPECT_EQ(provisioned(bed, "f", "1")->available_provisioned_concurrent_executions, 0);
  EXPECT_EQ(provisioned(bed, "f", "1")->allocated_provisioned_concurrent_executions, 1);
  callers.call(bed, "f:1");
  gate.wait_for(2);
  EXPECT_EQ(bed.driver.started(), 2u);
  gate.let();
  callers.join();
  EXPECT_EQ(callers.outcomes["ok"], 2);
}

TEST(Provisioned, One_that_dies_is_replaced) {
  Bed bed;
  ASSERT_TRUE(bed.create("f", published));
  ASSERT_TRUE(provision(bed, "f", "1", 1));
  ready(bed, "f", "1");
  bed.driver.workload(0)->exit({.code = 1});
  bed.eventually([&] { return bed.driver.started() == 2; });
  ready(bed, "f", "1");
}

TEST(Provisioned, Functions_that_do_not_start_are_given_up_and_say_why) {
  Bed bed;
  bed.actors.on_init = [](int) { return Reply{Kind::kExit, "", {.code = 1}, ""}; };
  ASSERT_TRUE(bed.create("f", published));
  ASSERT_TRUE(provision(bed, "f", "1", 1));
  bed.eventually([&] { return provisioned(bed, "f", "1")->status == "FAILED"; });
  EXPECT_EQ(provisioned(bed, "f", "1")->status_reason, "FUNCTION_ERROR_INIT_FAILURE");
  EXPECT_EQ(bed.driver.started(), static_cast<std::size_t>(kProvisionAttempts));
}

TEST(Provisioned, Follows_its_alias_and_goes_with_it) {
  Bed bed;
  ASSERT_TRUE(bed.create("f", published));
  publish_again(bed, "f");
  make_alias(bed, "f", "1");
  ASSERT_TRUE(provision(bed, "f", "live", 2));
  ready(bed, "f", "live");
  auto update = for_function<gen::lambda::UpdateAliasInput>("f");
  update.name = "live";
  update.function_version = "2";
  auto call = bed.context();
  ASSERT_TRUE(bed.run(bed.service->update_alias(call, update)));
  ready(bed, "f", "live");
  bed.eventually([&] { return bed.driver.alive() == 2; });
  EXPECT_EQ(bed.invoke("f:live")->executed_version, "2");
  EXPECT_EQ(bed.driver.started(), 4u);
  update.function_version = std::string(kLatest);
  auto second = bed.context();
  EXPECT_FALSE(bed.run(bed.service->update_alias(second, update)));
  auto remove = for_function<gen::lambda::DeleteAliasInput>("f");
  remove.name = "live";
  auto third = bed.context();
  ASSERT_TRUE(bed.run(bed.service->delete_alias(third, remove)));
  bed.eventually([&] { return bed.driver.alive() == 0; });
  make_alias(bed, "f", "1");
  const auto gone = provisioned(bed, "f", "live");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code(), "ProvisionedConcurrencyConfigNotFoundException");
}

TEST(Provisioned, Is_shared_by_the_versions_of_a_weighted_alias) {
  Bed bed;
  ASSERT_TRUE(bed.create("f", published));
  publish_again(bed, "f");
  make_alias(bed, "f", "1", {{"2", 0.5}});
  ASSERT_TRUE(provision(bed, "f", "live", 4));
  ready(bed, "f", "live");
  std::map<std::string, int> versions;
  for (std::size_t i = 0; i < 4; ++i)
    for (const auto& [name, value] : bed.driver.workload(i)->assignment()->environment)
      if (name == "AWS_LAMBDA_FUNCTION_VERSION") ++versions[value];
  EXPECT_EQ(versions, (std::map<std::string, int>{{"1", 2}, {"2", 2}}));
}

TEST(Provisioned, Is_refused_where_there_is_nothing_fixed_to_start_or_no_room) {
  Bed bed([](Options& options) { options.max_environments = 50; });
  ASSERT_TRUE(bed.create("f", published));
  const auto latest = provision(bed, "f", "$LATEST", 1);
  ASSERT_FALSE(latest);
  EXPECT_EQ(latest.error().message(),
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions.");
  EXPECT_EQ(provision(bed, "f", "7", 1).error().code(), "ResourceNotFoundException");
  ASSERT_TRUE(reserve(bed, "f", 5));
  EXPECT_EQ(provision(bed, "f", "1", 6).error().message(),
            "Requested Provisioned Concurrency should not be greater than the "
            "reservedConcurrentExecution for function");
  EXPECT_FALSE(provisioned(bed, "f", "1"));
  ASSERT_TRUE(reserve(bed, "f", 100));
  EXPECT_NE(provision(bed, "f", "1", 51).error().message().find("--max-environments"),
            std::string::npos);
}

TEST(Provisioned, What_stood_ready_is_metered) {
  Bed bed;
  ASSERT_TRUE(bed.create("f", published));
  ASSERT_TRUE(provision(bed, "f", "1", 2));
  ready(bed, "f", "1");
  bed.advance(std::chrono::minutes(10));
  ASSERT_TRUE(provision(bed, "f", "1", 1));
  bed.eventually([&] { return bed.driver.alive() == 1; });
  std::int64_t stood = 0;
  bed.eventually([&] {
    stood = 0;
    auto page = bed.run(bed.journals->read("000000000000/us-east-1/usage/lambda", {}));
    for (const auto& entry : page->entries)
      stood += store::decode<Usage>(entry.value)->provisioned_ms;
    return stood > 0;
  });
  EXPECT_EQ(stood, 2 * 600'000);
}

TEST(Provisioned, Pages_are_listed_in_order) {
  Bed bed;
  ASSERT_TRUE(bed.create("f", published));
  make_alias(bed, "f", "1");
  ASSERT_TRUE(provision(bed, "f", "1", 1));
  ASSERT_TRUE(provision(bed, "f", "live", 1));
  auto in = for_function<gen::lambda::ListProvisionedConcurrencyConfigsInput>("f");
  in.max_items = 1;
  std::vector<std::string> arns;
  for (;;) {
    auto call = bed.context();
    auto page = bed.run(bed.service->list_provisioned_concurrency_configs(call, in));
    ASSERT_TRUE(page);
    for (const auto& item : *page->provisioned_concurrency_configs)
      arns.push_back(*item.function_arn);
    if (!page->next_marker) break;
    in.marker = page->next_marker;
  }
  ASSERT_EQ(arns.size(), 2u);
  EXPECT_TRUE(arns[0].ends_with(":f:1"));
  EXPECT_TRUE(arns[1].ends_with(":f:live"));
}

// --- tenants -------------------------------------------------------------------------------------

TEST(Tenants, Never_share_an_environment) {
  Bed bed;
  std::mutex mutex;
  std::vector<std::string> tenants;
  bed.actors.on_event = [&](const Event& event) {
    std::lock_guard lock(mutex);
    tenants.push_back(event.tenant);
    return Reply{};
  };
  ASSERT_TRUE(bed.create("f", [](auto& in) {
    in.tenancy_config.emplace().tenant_isolation_mode = "PER_TENANT";
  }));
  const auto of = [](std::string tenant) {
    return [tenant](gen::lambda::InvokeInput& in) { in.tenant_id = tenant; };
  };
  for (const char* tenant : {"blue", "green", "blue", "green", "blue"})
    ASSERT_TRUE(bed.invoke("f", "{}", of(tenant)));
  EXPECT_EQ(tenants, (std::vector<std::string>{"blue", "green", "blue", "green", "blue"}));
  EXPECT_EQ(bed.driver.started(), 2u);
  const auto without = bed.invoke("f");
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code(), "InvalidParameterValueException");
  EXPECT_FALSE(bed.invoke("f", "{}", as_event));
  ASSERT_TRUE(bed.create("plain"));
  EXPECT_FALSE(bed.invoke("plain", "{}", of("blue")));
  auto late = bed.invoke("f", "{}", [](auto& in) {
    in.tenant_id = "late";
    in.invocation_type = "Event";
  });
  ASSERT_TRUE(late);
  bed.eventually([&] { return bed.status().events_succeeded == 1; });
  EXPECT_EQ(tenants.back(), "late");
}

// --- weights and storms --------------------------------------------------------------------------

TEST(Weights, Several_thousand_events_split_as_the_weights_say) {
  Bed bed;
  ASSERT_TRUE(bed.create("f", published));
  publish_again(bed, "f");
  make_alias(bed, "f", "1", {{"2", 0.1}});
  constexpr int kEvents = 4000;
  int second = 0;
  for (int i = 0; i < kEvents; ++i) {
    const auto out = bed.invoke("f:live");
    ASSERT_TRUE(out);
    second += *out->executed_version == "2" ? 1 : 0;
  }
  const auto term = [](double seen, double wanted) {
    return (seen - wanted) * (seen - wanted) / wanted;
  };
  const double chi_square = term(second, kEvents * 0.1) + term(kEvents - second, kEvents * 0.9);
  EXPECT_LT(chi_square, 10.83) << second;  // one degree of freedom, p = 0.001
}

TEST(Storm, Of_events_at_a_limit_loses_none_and_leaves_the_neighbours_alone) {
  Bed bed;
  Gate gate;
  std::atomic<int> ran = 0;
  bed.actors.on_event = [&](const Event& event) {
    if (event.arn.ends_with(":busy")) {
      gate.pass(event);
      ++ran;
    }
    return Reply{};
  };
  ASSERT_TRUE(bed.create("busy"));
  ASSERT_TRUE(bed.create("calm"));
  ASSERT_TRUE(reserve(bed, "busy", 2));
  constexpr int kEvents = 300;
  for (int i = 0; i < kEvents; ++i) ASSERT_TRUE(bed.invoke("busy", "{}", as_event));
  gate.wait_for(2);
  bed.eventually([&] { return bed.status().throttles > 0; });
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(bed.invoke("calm"));
    ASSERT_TRUE(bed.invoke("calm", "{}", as_event));
  }
  bed.eventually([&] { return bed.status().events_succeeded >= 50; });
  EXPECT_EQ(ran, 0);
  EXPECT_LE(bed.driver.started(), 4u);
  gate.let();
  for (int i = 0; i < 400 && bed.status().events_waiting > 0; ++i) bed.advance(seconds(30));
  EXPECT_EQ(bed.status().events_dropped, 0u);
  EXPECT_EQ(ran, kEvents);
}

TEST(Storm, Of_slow_events_leaves_attempts_for_others) {
  Bed bed;
  Gate gate;
  bed.actors.on_event = [&](const Event& event) {
    return event.arn.ends_with(":slow") ? gate.pass(event) : Reply{};
  };
  ASSERT_TRUE(bed.create("slow"));
  std::string neighbour = "calm";  // at home on the same loop
  while (&bed.loops.home(neighbour) != &bed.loops.home("slow")) neighbour += "x";
  ASSERT_TRUE(bed.create(neighbour));
  for (std::size_t i = 0; i < kAttemptsOfOne + 20; ++i)
    ASSERT_TRUE(bed.invoke("slow", "{}", as_event));
  gate.wait_for(static_cast<int>(kAttemptsOfOne));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(bed.invoke(neighbour, "{}", as_event));
  bed.eventually([&] { return bed.status().events_succeeded == 20; });
  EXPECT_EQ(bed.status().events_running, kAttemptsOfOne);
  gate.let();
  bed.eventually([&] { return bed.status().events_succeeded == kAttemptsOfOne + 40; });
}

TEST(Storm, Of_calls_gets_as_many_answers_as_there_are_places) {
  Bed bed([](Options& options) { options.starts_at_once = 2; });
  Gate gate;
  bed.actors.on_event = [&](const Event& event) {
    return event.arn.ends_with(":busy") ? gate.pass(event) : Reply{};
  };
  ASSERT_TRUE(bed.create("busy"));
  ASSERT_TRUE(bed.create("calm"));
  ASSERT_TRUE(reserve(bed, "busy", 8));
  Callers callers;
  for (int i = 0; i < 40; ++i) callers.call(bed, "busy");
  ASSERT_TRUE(bed.invoke("calm"));
  gate.wait_for(8);
  bed.eventually([&] { return bed.status().throttles == 32; });
  gate.let();
  callers.join();
  EXPECT_EQ(callers.outcomes["ok"], 8);
  EXPECT_EQ(callers.outcomes["ReservedFunctionConcurrentInvocationLimitExceeded"], 32);
}

}  // namespace
}  // namespace pileus::services::lambda::testing
