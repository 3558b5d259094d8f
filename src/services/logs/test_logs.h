// What the room's tests share: the service over memory stores, a clock moved by hand, and an
// authorizer that remembers what it was asked and refuses what it is told to.
#pragma once

#include <gtest/gtest.h>

#include "base/manual_loop.h"
#include "base/text.h"
#include "gen/logs/CreateLogGroup.h"
#include "gen/logs/CreateLogStream.h"
#include "gen/logs/FilterLogEvents.h"
#include "gen/logs/GetLogEvents.h"
#include "gen/logs/PutLogEvents.h"
#include "services/logs/service.h"
#include "store/memory_journals.h"
#include "store/memory_records.h"

namespace pileus::services::logs {

class RememberingAuthorizer final : public aws::Authorizer {
 public:
  Task<Result<Unit>> authorize(const aws::Context&, aws::Authorization request) override {
    asked.push_back(request);
    if (request.action == refused) co_return fail("AccessDeniedException", "refused by the test");
    co_return Unit{};
  }
  std::vector<aws::Authorization> asked;
  std::string refused;
};

class LogsTest : public testing::Test {
 protected:
  static constexpr std::int64_t kStartMs = 1'790'000'000'000;
  static constexpr std::int64_t kHourMs = 3'600'000, kDayMs = 24 * kHourMs;

  template <class Output, class Input>
  Result<Output> call(Task<Result<Output>> (LogsService::*operation)(aws::Context&, Input),
                      Input in) {
    aws::Context context(authorizer_, identity_, "000000000000", "us-east-1", "request",
                         clock_.now());
    auto result = loop_.run((logs_.*operation)(context, std::move(in)));
    EXPECT_TRUE(context.decided() || !result);
    return result;
  }
  template <class T>
  static std::string error_of(const Result<T>& result) {
    return result ? "no error" : result.error().code() + ": " + result.error().message();
  }

  void make_group(std::string name) {
    gen::logs::CreateLogGroupInput in;
    in.log_group_name = std::move(name);
    ASSERT_TRUE(call(&LogsService::create_log_group, std::move(in)));
  }
  void make_stream(std::string group, std::string name) {
    ASSERT_TRUE(
        call(&LogsService::create_log_stream, gen::logs::CreateLogStreamInput{group, name}));
  }
  using Event = std::pair<std::int64_t, std::string>;
  static gen::logs::PutLogEventsInput events_for(std::string group, std::string stream,
                                                 const std::vector<Event>& events) {
    gen::logs::PutLogEventsInput in;
    in.log_group_name = std::move(group);
    in.log_stream_name = std::move(stream);
    for (const auto& [time, message] : events) in.log_events.push_back({time, message});
    return in;
  }
  Result<gen::logs::PutLogEventsOutput> put(std::string stream, const std::vector<Event>& events) {
    return call(&LogsService::put_log_events, events_for("g", std::move(stream), events));
  }
  gen::logs::GetLogEventsInput get_input(std::string stream) {
    gen::logs::GetLogEventsInput in;
    in.log_group_name = "g";
    in.log_stream_name = std::move(stream);
    return in;
  }
  template <class Output>
  static std::vector<std::string> messages(const Result<Output>& output) {
    std::vector<std::string> out;
    if (!output) return {error_of(output)};
    for (const auto& event : *output->events) out.push_back(*event.message);
    return out;
  }
  void advance(std::int64_t millis) {
    loop_.run(clock_.advance(std::chrono::milliseconds(millis)));
  }
  std::int64_t now_ms() const { return to_millis(clock_.now()); }

  ManualLoop loop_;
  ManualClock clock_{from_millis(kStartMs)};
  SeededRandom random_{1};
  RememberingAuthorizer authorizer_;
  std::shared_ptr<const aws::Identity> identity_ = std::make_shared<aws::Identity>();
  std::unique_ptr<store::Records> records_ = store::make_memory_records();
  std::unique_ptr<store::Journals> journals_ = store::make_memory_journals();
  LogsService logs_{*records_, *journals_, clock_, random_};
};

using Messages = std::vector<std::string>;

}  // namespace pileus::services::logs
