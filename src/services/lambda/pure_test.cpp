// The parts that are functions of their arguments: names, steps, reports, zips, JSON.
#include <filesystem>

#include "services/lambda/async_step.h"
#include "services/lambda/json_check.h"
#include "services/lambda/names.h"
#include "services/lambda/platform_events.h"
#include "services/lambda/test_support.h"
#include "services/lambda/unzip.h"

namespace pileus::services::lambda {
namespace {

using namespace std::chrono_literals;

TEST(Names, All_forms_name_the_same_function) {
  testing::AllowAll authorizer;
  const aws::Context context(authorizer, std::make_shared<aws::Identity>(), "000000000000",
                             "us-east-1", "id", {});
  struct Case {
    const char* text;
    const char* arn;  // nullptr: refused
  };
  const Case cases[] = {
      {"f", "arn:aws:lambda:us-east-1:000000000000:function:f"},
      {"f:live", "arn:aws:lambda:us-east-1:000000000000:function:f:live"},
      {"111111111111:function:f", "arn:aws:lambda:us-east-1:111111111111:function:f"},
      {"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST",
       "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST"},
      {"arn:aws:lambda:eu-west-1:000000000000:function:f", nullptr},
      {"arn:aws:s3:::bucket", nullptr},
      {"f:1:2", nullptr},
      {"", nullptr},
      {"a b", nullptr},
  };
  for (const auto& one : cases) {
    const auto ref = parse_function(context, one.text);
    EXPECT_EQ(ref.has_value(), one.arn != nullptr) << one.text;
    if (ref && one.arn) EXPECT_EQ(ref->qualified_arn(), one.arn);
  }
  EXPECT_TRUE(parse_function(context, "f:1", "1"));
  EXPECT_FALSE(parse_function(context, "f:1", "2"));
}

TEST(Step, Follows_the_rules_of_aws) {
  const Time start{1h};
  AsyncEvent event;
  event.accepted = event.due = start;
  EXPECT_EQ(step(event, Outcome::kSucceeded, {}, start).action, Step::Action::kDone);
  EXPECT_EQ(step(event, Outcome::kGone, {}, start).reason, "FunctionNotFound");
  auto first = step(event, Outcome::kFunctionFailed, {}, start);
  EXPECT_EQ(first.action, Step::Action::kRetry);
  EXPECT_EQ(first.event.due, start + 1min);
  auto second = step(first.event, Outcome::kFunctionFailed, {}, start + 1min);
  EXPECT_EQ(second.event.due, start + 3min);
  EXPECT_EQ(step(second.event, Outcome::kFunctionFailed, {}, start + 3min).reason,
            "RetriesExhausted");
  const Duration backoffs[] = {1s, 2s, 4s, 8s, 16s, 32s, 64s, 128s, 256s, 300s, 300s};
  Time now = start;
  for (const auto backoff : backoffs) {
    auto next = step(event, Outcome::kNotReached, {}, now);
    ASSERT_EQ(next.action, Step::Action::kRetry);
    EXPECT_EQ(next.event.due - now, backoff);
    event = next.event;
    now = event.due;
  }
  EXPECT_EQ(step(event, Outcome::kNotReached, {}, start + 6h).reason, "EventAgeExceeded");
}

TEST(Report, Is_written_as_aws_writes_it) {
  Configuration configuration;
  configuration.name = "f";
  const PlatformEvents events(configuration, "python:3.11.v1", "arn");
  Report report;
  report.request_id = "id";
  report.duration = report.runtime_took = 12'345'678ns;
  report.init = 100'500'000ns;
  report.memory_mb = 128;
  report.memory_peak_bytes = (30 << 20) + 1;
  EXPECT_EQ(
      events.report(report, {}).text,
      "REPORT RequestId: id\tDuration: 12.35 ms\tBilled Duration: 113 ms\tMemory Size: 128 MB\t"
      "Max Memory Used: 31 MB\tInit Duration: 100.50 ms\t");
  EXPECT_EQ(events.start("id", {}).text, "START RequestId: id Version: $LATEST");
  EXPECT_EQ(events.start("id", {}).record, "") << "nobody wants it";
}

TEST(Report, Names_signals_as_aws_does) {
  EXPECT_EQ(exit_failure({.signal = 9}).text("i"),
            R"({"errorType":"Runtime.ExitError","errorMessage":)"
            R"("RequestId: i Error: Runtime exited with error: signal: killed"})");
  EXPECT_EQ(exit_failure({.signal = 11}).message,
            "Runtime exited with error: signal: segmentation fault");
  EXPECT_EQ(exit_failure({}).message, "Runtime exited without providing a reason");
  EXPECT_EQ(exit_failure({.signal = 9, .out_of_memory = true}).reported_type(),
            "Runtime.OutOfMemory");
}

TEST(Json, Is_told_from_what_is_none) {
  for (const char* good : {"{}", " [1, 2.5e3, \"\\u00e9\", null, true] \n", "0", "\"\""})
    EXPECT_FALSE(json_fault(good)) << good;
  for (const char* bad : {"", "{", "[1,]", "{}{}", "nan", "\"\\x\"", "01", "{\"a\":1,}"})
    EXPECT_TRUE(json_fault(bad)) << bad;
  EXPECT_TRUE(json_fault(std::string(100'000, '[')));
}

TEST(Unzip, Writes_what_everybody_may_read) {
  store::TestFolder folder;
  auto done = unzip(testing::zip_of({{"a.py", "print()"}, {"lib/b.py", "x"}}), folder.path());
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(done->files, 2u);
  EXPECT_TRUE(std::filesystem::exists(folder.path() + "/lib/b.py"));
  const auto mode = std::filesystem::status(folder.path() + "/a.py").permissions();
  EXPECT_NE(mode & std::filesystem::perms::others_read, std::filesystem::perms::none);
}

TEST(Unzip, Stays_within_its_folder) {
  for (const char* name : {"../x", "a/../../x", "/x", "..", "a\\..\\..\\x"}) {
    store::TestFolder folder;
    EXPECT_FALSE(unzip(testing::zip_of({{name, "x"}}), folder.path())) << name;
  }
}

}  // namespace
}  // namespace pileus::services::lambda
