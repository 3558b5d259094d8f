// What becomes of events: settings, destinations, loops of calls.
#include "services/lambda/destinations.h"

#include "gen/lambda/PutFunctionEventInvokeConfig.h"
#include "gen/lambda/PutFunctionRecursionConfig.h"
#include "services/lambda/lineage.h"
#include "services/lambda/test_support.h"

namespace pileus::services::lambda::testing {
namespace {

using namespace std::chrono_literals;

TEST(Settle, Sends_what_has_a_destination_and_forgets_the_rest) {
  const Targets targets{"arn:success", "arn:failure"};
  const Time now{};
  const auto settled = [&](Step::Action action, const char* reason, const Targets& to) {
    return settle({action, {}, reason}, to, {}, now);
  };
  EXPECT_EQ(settled(Step::Action::kDone, "", {}).action, Step::Action::kDone);
  EXPECT_EQ(settled(Step::Action::kDrop, "RetriesExhausted", {}).action, Step::Action::kDrop);
  EXPECT_EQ(settled(Step::Action::kRetry, "", targets).action, Step::Action::kRetry);
  EXPECT_EQ(settled(Step::Action::kDrop, "FunctionNotFound", targets).action, Step::Action::kDrop);
  const auto success = settled(Step::Action::kDone, "", targets);
  EXPECT_EQ(success.action, Step::Action::kDeliver);
  EXPECT_EQ(success.event.settled->destination, "arn:success");
  EXPECT_EQ(success.event.settled->condition, "Success");
  const auto old = settled(Step::Action::kDrop, "EventAgeExceeded", targets);
  EXPECT_EQ(old.event.settled->destination, "arn:failure");
  EXPECT_EQ(old.event.settled->condition, "EventAgeExceeded");
  EXPECT_EQ(settled(Step::Action::kDrop, "RecursiveInvocation", targets).event.settled->condition,
            "RetriesExhausted");
}

TEST(Settle, A_delivery_is_tried_for_six_hours) {
  AsyncEvent event;
  event.settled.emplace().condition = "Success";
  const Time start{};
  EXPECT_EQ(step_delivery(event, Delivered::kDone, start).action, Step::Action::kDone);
  EXPECT_EQ(step_delivery(event, Delivered::kRefused, start).reason, "DestinationDeliveryFailed");
  Time now = start;
  Duration last{0};
  for (int tries = 0; tries < 12; ++tries) {
    const auto next = step_delivery(event, Delivered::kLater, now);
    ASSERT_EQ(next.action, Step::Action::kRetry);
    last = next.event.due - now;
    if (tries == 0) EXPECT_EQ(last, 1s);
    now = next.event.due;
    event = next.event;
  }
  EXPECT_EQ(last, 5min);
  EXPECT_EQ(step_delivery(event, Delivered::kLater, start + 6h).action, Step::Action::kDrop);
  event.settled->condition = "RetriesExhausted";
  EXPECT_EQ(step_delivery(event, Delivered::kDone, start).action, Step::Action::kDrop);
}

TEST(DestinationRecord, Has_the_form_of_aws) {
  AsyncEvent event;
  event.id = "id";
  event.failures = 3;
  event.settled = Settled{"RetriesExhausted", "arn", true, true, "7", "", "", 0, {}};
  const FunctionRef ref{"aws", "123456789012", "us-east-2", "f", ""};
  const Time now = *parse_iso8601("2019-11-14T18:16:05.568Z");
  EXPECT_EQ(
      destination_record(event, ref, R"({"a":1})", R"({"errorMessage":"x"})", now, 1'000'000),
      R"({"version":"1.0","timestamp":"2019-11-14T18:16:05.568Z","requestContext":)"
      R"({"requestId":"id","functionArn":"arn:aws:lambda:us-east-2:123456789012:function:f:$LATEST",)"
      R"("condition":"RetriesExhausted","approximateInvokeCount":3},"requestPayload":{"a":1},)"
      R"("responseContext":{"statusCode":200,"executedVersion":"7","functionError":"Unhandled"},)"
      R"("responsePayload":{"errorMessage":"x"}})");
  const auto small = destination_record(event, ref, std::string(500, '1'), "{}", now, 400);
  EXPECT_LE(small.size(), 400u);
  EXPECT_TRUE(parse_json(small));
  EXPECT_EQ(small.find("Payload"), std::string::npos);
  event.settled->answered = false;
  EXPECT_EQ(destination_record(event, ref, "no json", "", now, 1000).find("response"),
            std::string::npos);
}

TEST(DestinationRecord, Its_delivery_has_one_id) {
  EXPECT_EQ(delivery_id("a"), delivery_id("a"));
  EXPECT_NE(delivery_id("a"), delivery_id("b"));
  EXPECT_EQ(delivery_id("a").size(), 36u);
}

TEST(Lineage, Counts_the_visits_of_each_function) {
  std::string trace = "Root=1-2-3;Parent=4;Sampled=1";
  for (int i = 1; i <= 20; ++i) {
    trace = with_hop(trace, "arn:f");
    EXPECT_EQ(visits(trace, "arn:f"), i);
    if (i % 2 == 0) trace = with_hop(trace, "arn:g");
  }
  EXPECT_EQ(visits(trace, "arn:g"), 10);
  EXPECT_EQ(visits(trace, "arn:h"), 0);
  EXPECT_TRUE(trace.starts_with("Root=1-2-3;Parent=4;Sampled=1;Lineage="));
  EXPECT_EQ(visits("Lineage=nonsense|:::|aaaaaaaa:-1;Root=x", "arn:f"), 0);
  for (int i = 0; i < 100; ++i) trace = with_hop(trace, "arn:" + std::to_string(i));
  EXPECT_LT(trace.size(), 1000u);
}

// Keeps what it gets; fails while it is told to.
struct Inbox {
  std::mutex mutex;
  std::vector<std::string> bodies, ids;
  int tries = 0;
  bool down = false;
  std::size_t count() {
    std::lock_guard lock(mutex);
    return bodies.size();
  }
};
class FakeQueue final : public Destination {
 public:
  explicit FakeQueue(Inbox& inbox) : inbox_(inbox) {}
  std::string_view action() const override { return "sqs:SendMessage"; }
  Task<Result<Unit>> check(std::string) override { co_return Unit{}; }
  Task<Result<Unit>> send(Delivery delivery) override {
    std::lock_guard lock(inbox_.mutex);
    ++inbox_.tries;
    if (inbox_.down) co_return fail("ServiceUnavailable", "later", 503);
    inbox_.bodies.push_back(delivery.body);
    inbox_.ids.push_back(delivery.id);
    co_return Unit{};
  }

 private:
  Inbox& inbox_;
};

constexpr auto as_event = [](gen::lambda::InvokeInput& in) { in.invocation_type = "Event"; };
constexpr const char* kQueue = "arn:aws:sqs:us-east-1:000000000000:q";

void configure(Bed& bed, std::function<void(gen::lambda::PutFunctionEventInvokeConfigInput&)> set) {
  gen::lambda::PutFunctionEventInvokeConfigInput in;
  in.function_name = "f";
  set(in);
  auto call = bed.context();
  auto out = bed.run(bed.service->put_function_event_invoke_config(call, std::move(in)));
  EXPECT_TRUE(out) << out.error().message();
}

void connect(Bed& bed, Inbox& inbox) {
  bed.before_start = [&inbox](LambdaService& service) {
    service.add_destination("sqs", std::make_unique<FakeQueue>(inbox));
  };
  bed.restart();
}

TEST(Destinations, A_decided_event_waits_for_its_destination_over_a_restart) {
  Inbox inbox;
  inbox.down = true;
  Bed bed;
  std::atomic<int> runs = 0;
  bed.actors.on_event = [&runs](const Event&) {
    ++runs;
    return Reply{Reply::Kind::kAnswer, "\"" + std::string(100'000, 'x') + "\"", {}, ""};
  };
  connect(bed, inbox);
  ASSERT_TRUE(bed.create("f"));
  configure(bed, [](auto& in) {
    in.destination_config.emplace().on_success.emplace().destination = kQueue;
  });
  ASSERT_TRUE(bed.invoke("f", "1", as_event));
  bed.eventually([&] {
    std::lock_guard lock(inbox.mutex);
    return inbox.tries == 1;
  });
  EXPECT_EQ(bed.status().events_waiting, 1u);
  bed.restart();
  inbox.down = false;
  bed.advance(2s);
  bed.eventually([&] { return inbox.count() == 1; });
  EXPECT_EQ(runs, 1);
  EXPECT_NE(inbox.bodies.at(0).find(R"("condition":"Success")"), std::string::npos);
  EXPECT_NE(inbox.bodies.at(0).find(std::string(100'000, 'x')), std::string::npos);
  bed.eventually([&] { return bed.status().events_waiting == 0; });
  EXPECT_EQ(bed.status().events_succeeded, 1u);
  bed.restart();
  bed.advance(1h);
  EXPECT_EQ(inbox.count(), 1u);
}

TEST(Destinations, Retries_and_age_are_the_functions_own) {
  Inbox inbox;
  Bed bed;
  std::atomic<int> runs = 0;
  bed.actors.on_event = [&runs](const Event&) {
    ++runs;
    return Reply{Reply::Kind::kError, R"({"errorType":"E","errorMessage":"m"})", {}, ""};
  };
  connect(bed, inbox);
  ASSERT_TRUE(bed.create("f"));
  configure(bed, [](auto& in) {
    in.maximum_retry_attempts = 0;
    in.destination_config.emplace().on_failure.emplace().destination = kQueue;
  });
  ASSERT_TRUE(bed.invoke("f", "1", as_event));
  bed.eventually([&] { return inbox.count() == 1; });
  EXPECT_EQ(runs, 1);
  EXPECT_NE(inbox.bodies.at(0).find(R"("condition":"RetriesExhausted")"), std::string::npos);
  configure(bed, [](auto& in) {
    in.maximum_event_age_in_seconds = 90;
    in.destination_config.emplace().on_failure.emplace().destination = kQueue;
  });
  ASSERT_TRUE(bed.invoke("f", "2", as_event));
  bed.eventually([&] { return bed.status().events_retried == 1; });
  bed.advance(61s);
  bed.eventually([&] { return inbox.count() == 2; });
  EXPECT_EQ(runs, 3);
  EXPECT_NE(inbox.bodies.at(1).find(R"("condition":"EventAgeExceeded")"), std::string::npos);
}

TEST(Destinations, What_is_not_built_is_refused_by_name) {
  Bed bed;
  ASSERT_TRUE(bed.create("f"));
  gen::lambda::PutFunctionEventInvokeConfigInput in;
  in.function_name = "f";
  in.destination_config.emplace().on_success.emplace().destination = kQueue;
  auto call = bed.context();
  auto out = bed.run(bed.service->put_function_event_invoke_config(call, std::move(in)));
  ASSERT_FALSE(out);
  EXPECT_TRUE(out.error().is("InvalidParameterValueException"));
  EXPECT_NE(out.error().message().find("sqs"), std::string::npos);
}

TEST(Recursion, Is_stopped_unless_the_function_allows_it) {
  Bed bed;
  ASSERT_TRUE(bed.create("f"));
  std::string trace = "Root=1-2-3";
  for (int i = 0; i < kMostVisits; ++i)
    trace = with_hop(trace, "arn:aws:lambda:us-east-1:000000000000:function:f");
  const auto ask = [&] {
    gen::lambda::InvokeInput in;
    in.function_name = "f";
    auto call = bed.context();
    call.trace_header = trace;
    return bed.run(bed.service->invoke(call, std::move(in)));
  };
  auto stopped = ask();
  ASSERT_FALSE(stopped);
  EXPECT_TRUE(stopped.error().is("RecursiveInvocationException"));
  gen::lambda::PutFunctionRecursionConfigInput allow;
  allow.function_name = "f";
  allow.recursive_loop = "Allow";
  auto call = bed.context();
  ASSERT_TRUE(bed.run(bed.service->put_function_recursion_config(call, std::move(allow))));
  EXPECT_TRUE(ask());
}

}  // namespace
}  // namespace pileus::services::lambda::testing
