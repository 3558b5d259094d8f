#include <algorithm>

#include "gen/lambda/CreateAlias.h"
#include "gen/lambda/GetFunction.h"
#include "gen/lambda/PublishVersion.h"
#include "gen/lambda/UpdateFunctionCode.h"
#include "services/lambda/test_support.h"

namespace pileus::services::lambda::testing {
namespace {

using Kind = Reply::Kind;
constexpr auto tail = [](gen::lambda::InvokeInput& in) { in.log_type = "Tail"; };
constexpr auto as_event = [](gen::lambda::InvokeInput& in) { in.invocation_type = "Event"; };

std::string log_of(const Result<gen::lambda::InvokeOutput>& out) {
  return from_base64(out->log_result.value_or("")).value_or("");
}

TEST(Invoke, An_event_gets_its_answer_and_the_environment_is_used_again) {
  Bed bed;
  Event seen;
  bed.actors.on_event = [&](const Event& event) {
    seen = event;
    return Reply{Kind::kAnswer,
                 "\"" + std::to_string(event.payload.size()) + "\"",
                 {},
                 "hello\nwithout end"};
  };
  ASSERT_TRUE(bed.create("f"));
  auto first = bed.invoke("f", R"({"a":1})", tail);
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_EQ(first->status_code, 200);
  EXPECT_EQ(first->payload, "\"7\"");
  EXPECT_EQ(first->executed_version, "$LATEST");
  EXPECT_FALSE(first->function_error);
  EXPECT_EQ(seen.arn, "arn:aws:lambda:us-east-1:000000000000:function:f");
  EXPECT_TRUE(seen.trace.starts_with("Root=1-"));
  const std::string log = log_of(first);
  EXPECT_TRUE(
      log.starts_with("START RequestId: " + seen.id + " Version: $LATEST\nhello\nwithout end\n"))
      << log;
  EXPECT_NE(
      log.find("\nEND RequestId: " + seen.id + "\nREPORT RequestId: " + seen.id + "\tDuration: "),
      std::string::npos)
      << log;
  EXPECT_NE(log.find("\tInit Duration: "), std::string::npos) << log;
  auto second = bed.invoke("f", "{}", tail);
  ASSERT_TRUE(second);
  EXPECT_EQ(log_of(second).find("Init Duration"), std::string::npos);
  EXPECT_EQ(bed.driver.started(), 1u);
  const auto variables = bed.driver.last()->assignment()->environment;
  const auto has = [&](const char* key, const std::string& value) {
    return std::find(variables.begin(), variables.end(),
                     std::pair<std::string, std::string>(key, value)) != variables.end();
  };
  EXPECT_TRUE(has("_HANDLER", "main.handler"));
  EXPECT_TRUE(has("AWS_LAMBDA_FUNCTION_NAME", "f"));
  EXPECT_TRUE(has("AWS_SESSION_TOKEN", "token"));
  EXPECT_TRUE(has("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"));
  bed.eventually([&] { return bed.log_sink.lines().size() >= 11; });
  EXPECT_TRUE(
      bed.log_sink.lines().at(0).starts_with("INIT_START Runtime Version: provided:al2023"));
  EXPECT_EQ(bed.log_sink.lines().at(2), "hello\n");
}

TEST(Invoke, Events_at_the_same_time_get_environments_of_their_own) {
  Bed bed;
  std::mutex mutex;
  std::condition_variable changed;
  int together = 0;
  bed.actors.on_event = [&](const Event&) {
    std::unique_lock lock(mutex);
    ++together;
    changed.notify_all();
    changed.wait_for(lock, std::chrono::seconds(20), [&] { return together >= 3; });
    return Reply{};
  };
  ASSERT_TRUE(bed.create("f"));
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) callers.emplace_back([&] { EXPECT_TRUE(bed.invoke("f")); });
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(bed.driver.started(), 3u);
}

TEST(Invoke, A_function_that_never_answers_times_out_and_its_environment_is_reset) {
  Bed bed;
  bed.actors.on_event = [](const Event&) { return Reply{Kind::kHang, "", {}, ""}; };
  ASSERT_TRUE(bed.create("f", [](auto& in) { in.timeout = 1; }));
  auto out = bed.invoke("f", "{}", tail);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->status_code, 200);
  EXPECT_EQ(out->function_error, "Unhandled");
  EXPECT_TRUE(out->payload->starts_with(
      R"({"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 8c2f)"));
  EXPECT_TRUE(out->payload->ends_with(R"( Error: Task timed out after 1.00 seconds"})"))
      << *out->payload;
  const std::string log = log_of(out);
  EXPECT_NE(log.find(" Task timed out after 1.00 seconds\n\n"), std::string::npos) << log;
  EXPECT_NE(log.find("\tDuration: 1000.00 ms\t"), std::string::npos) << log;
  EXPECT_NE(log.find("\tStatus: timeout"), std::string::npos) << log;
  bed.eventually([&] { return bed.driver.workload(0)->clears() == 1; });
  EXPECT_EQ(bed.status().environments, 1u);
  bed.actors.on_event = [](const Event&) { return Reply{}; };
  auto again = bed.invoke("f", "{}", tail);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->function_error);
  EXPECT_EQ(bed.driver.started(), 1u) << "the same sandbox, initialised anew";
  EXPECT_EQ(log_of(again).find("Init Duration"), std::string::npos) << "AWS suppresses it";
}

TEST(Invoke, A_runtime_that_ends_is_reported_as_aws_does) {
  Bed bed;
  bed.actors.on_event = [](const Event& event) {
    if (event.payload == "\"kill\"")
      return Reply{Kind::kExit, "", {.signal = 9, .out_of_memory = true}, ""};
    return Reply{Kind::kExit, "", {.code = 1}, ""};
  };
  ASSERT_TRUE(bed.create("f"));
  auto exit = bed.invoke("f", "{}", tail);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->function_error, "Unhandled");
  EXPECT_TRUE(exit->payload->ends_with(R"( Error: Runtime exited with error: exit status 1"})"))
      << *exit->payload;
  EXPECT_NE(
      log_of(exit).find(" Error: Runtime exited with error: exit status 1\nRuntime.ExitError\n"),
      std::string::npos);
  EXPECT_NE(log_of(exit).find("\tStatus: error\tError Type: Runtime.ExitError"), std::string::npos);
  auto killed = bed.invoke("f", "\"kill\"", tail);
  ASSERT_TRUE(killed);
  EXPECT_TRUE(killed->payload->ends_with(R"(Runtime exited with error: signal: killed"})"))
      << *killed->payload;
  EXPECT_NE(log_of(killed).find("\tStatus: error\tError Type: Runtime.OutOfMemory"),
            std::string::npos)
      << log_of(killed);
}

TEST(Invoke, An_init_error_is_tried_once_more_and_then_is_the_answer) {
  Bed bed;
  bed.actors.on_init = [](int) {
    return Reply{Kind::kError,
                 R"({"errorType":"Runtime.ImportModuleError","errorMessage":"no module"})",
                 {},
                 "trying\n"};
  };
  ASSERT_TRUE(bed.create("f"));
  auto out = bed.invoke("f", "{}", tail);
  ASSERT_TRUE(out) << out.error().message();
  EXPECT_EQ(out->function_error, "Unhandled");
  EXPECT_EQ(out->payload,
            R"({"errorType":"Runtime.ImportModuleError","errorMessage":"no module"})");
  EXPECT_EQ(bed.driver.started(), 1u);
  bed.eventually([&] { return bed.log_sink.lines().size() >= 9; });
  const auto lines = bed.log_sink.lines();
  EXPECT_TRUE(lines[0].starts_with("INIT_START "));
  EXPECT_EQ(lines[1], "trying\n");
  EXPECT_TRUE(lines[2].starts_with("INIT_REPORT Init Duration: ")) << lines[2];
  EXPECT_TRUE(
      lines[2].ends_with("Phase: init\tStatus: error\tError Type: Runtime.ImportModuleError\n"))
      << lines[2];
  EXPECT_TRUE(lines[3].starts_with("START RequestId: ")) << lines[3];
  EXPECT_TRUE(
      lines[6].ends_with("Phase: invoke\tStatus: error\tError Type: Runtime.ImportModuleError\n"))
      << lines[6];
  EXPECT_TRUE(lines[8].starts_with("REPORT RequestId: ")) << lines[8];
}

TEST(Invoke, An_init_that_fails_once_does_not_show) {
  Bed bed;
  bed.actors.on_init = [](int start) {
    return start == 0 ? Reply{Kind::kExit, "", {.code = 3}, ""} : Reply{};
  };
  ASSERT_TRUE(bed.create("f"));
  auto out = bed.invoke("f");
  ASSERT_TRUE(out);
  EXPECT_FALSE(out->function_error);
}

TEST(Invoke, Errors_of_the_function_pass_through) {
  Bed bed;
  bed.actors.on_event = [](const Event&) {
    return Reply{Kind::kError, R"({"errorMessage":"boom","errorType":"ValueError"})", {}, ""};
  };
  ASSERT_TRUE(bed.create("f"));
  auto out = bed.invoke("f");
  ASSERT_TRUE(out);
  EXPECT_EQ(out->function_error, "Unhandled");
  EXPECT_EQ(out->payload, R"({"errorMessage":"boom","errorType":"ValueError"})");
}

TEST(Invoke, Payloads_that_are_too_large_or_no_json_are_refused) {
  Bed bed;
  bed.actors.on_event = [](const Event&) {
    return Reply{Kind::kAnswer, std::string(6'291'557, ' '), {}, ""};
  };
  ASSERT_TRUE(bed.create("f"));
  auto large = bed.invoke("f", "\"" + std::string(6'291'556, 'x') + "\"");
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code(), "RequestTooLargeException");
  auto event = bed.invoke("f", "\"" + std::string(1'048'576, 'x') + "\"", as_event);
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code(), "RequestTooLargeException");
  for (const char* wrong : {"{", "{} {}", "nul", "{\"a\":}"}) {
    auto out = bed.invoke("f", wrong);
    ASSERT_FALSE(out) << wrong;
    EXPECT_EQ(out.error().code(), "InvalidRequestContentException");
  }
  auto answer = bed.invoke("f");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->function_error, "Unhandled");
  EXPECT_NE(answer->payload->find("Function.ResponseSizeTooLarge"), std::string::npos);
}

TEST(Invoke, Nobody_is_invoked_where_there_is_no_function) {
  Bed bed;
  auto out = bed.invoke("nobody");
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code(), "ResourceNotFoundException");
  EXPECT_EQ(out.error().message(),
            "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody");
  auto dry = bed.invoke("nobody", "{}", [](auto& in) { in.invocation_type = "DryRun"; });
  EXPECT_FALSE(dry);
  ASSERT_TRUE(bed.create("f"));
  dry = bed.invoke("f", "{}", [](auto& in) { in.invocation_type = "DryRun"; });
  ASSERT_TRUE(dry);
  EXPECT_EQ(dry->status_code, 204);
  EXPECT_EQ(bed.driver.started(), 0u);
  auto alias = bed.invoke("f:live");
  ASSERT_FALSE(alias);
  EXPECT_EQ(alias.error().message(),
            "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:live");
  EXPECT_EQ(bed.authorizer.asked().back(),
            "lambda:InvokeFunction arn:aws:lambda:us-east-1:000000000000:function:f:live");
}

TEST(Invoke, An_idle_environment_is_frozen_and_thawed_for_the_next_event) {
  Bed bed;
  ASSERT_TRUE(bed.create("f"));
  ASSERT_TRUE(bed.invoke("f"));
  const auto workload = bed.driver.workload(0);
  bed.eventually([&] { return workload->frozen(); });
  ASSERT_TRUE(bed.invoke("f"));
  EXPECT_GE(workload->thaws(), 1);
  EXPECT_EQ(bed.driver.started(), 1u);
}

TEST(Invoke, New_code_ends_what_runs_the_old) {
  Bed bed;
  ASSERT_TRUE(bed.create("f"));
  ASSERT_TRUE(bed.invoke("f"));
  gen::lambda::UpdateFunctionCodeInput update;
  update.function_name = "f";
  update.zip_file = zip_of({{"bootstrap", "#!/bin/sh\nexit 1\n"}});
  auto call = bed.context();
  auto updated = bed.run(bed.service->update_function_code(call, update));
  ASSERT_TRUE(updated) << updated.error().message();
  EXPECT_EQ(updated->last_update_status, "InProgress");
  bed.eventually([&] { return bed.driver.workload(0)->killed(); });
  ASSERT_TRUE(bed.invoke("f"));
  EXPECT_EQ(bed.driver.started(), 2u);
  EXPECT_NE(bed.driver.workload(0)->assignment()->mounts[0].source,
            bed.driver.workload(1)->assignment()->mounts[0].source);
}

TEST(Invoke, Alias_weights_split_traffic) {
  Bed bed;
  ASSERT_TRUE(bed.create("f", [](auto& in) { in.publish = true; }));
  gen::lambda::UpdateFunctionCodeInput update;
  update.function_name = "f";
  update.publish = true;
  update.zip_file = zip_of({{"bootstrap", "two"}});
  auto call = bed.context();
  ASSERT_EQ(bed.run(bed.service->update_function_code(call, update))->version, "2");
  gen::lambda::CreateAliasInput alias;
  alias.function_name = "f";
  alias.name = "live";
  alias.function_version = "1";
  alias.routing_config.emplace().additional_version_weights = {{"2", 0.25}};
  auto second = bed.context();
  auto made = bed.run(bed.service->create_alias(second, alias));
  ASSERT_TRUE(made) << made.error().message();
  std::map<std::string, int> ran;
  for (int i = 0; i < 400; ++i) {
    auto out = bed.invoke("f", "{}", [](auto& in) { in.qualifier = "live"; });
    ASSERT_TRUE(out);
    ++ran[*out->executed_version];
  }
  EXPECT_GT(ran["2"], 60);
  EXPECT_LT(ran["2"], 140);
  EXPECT_EQ(ran["1"] + ran["2"], 400);
}

TEST(Events, Are_run_and_forgotten) {
  Bed bed;
  std::atomic<int> ran = 0;
  bed.actors.on_event = [&](const Event& event) {
    if (event.payload.size() == 100'002) ++ran;  // kept as a blob
    return Reply{};
  };
  ASSERT_TRUE(bed.create("f"));
  auto out = bed.invoke("f", "\"" + std::string(100'000, 'x') + "\"", as_event);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->status_code, 202);
  bed.eventually([&] { return bed.status().events_succeeded == 1; });
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(bed.status().events_waiting, 0u);
}

TEST(Events, Are_tried_again_after_one_and_two_minutes_and_then_dropped) {
  Bed bed;
  std::vector<std::pair<std::string, Time>> tries;
  std::mutex mutex;
  bed.actors.on_event = [&](const Event& event) {
    std::lock_guard lock(mutex);
    tries.emplace_back(event.id, bed.clock.now());
    return Reply{Kind::kError, "{}", {}, ""};
  };
  ASSERT_TRUE(bed.create("f"));
  ASSERT_TRUE(bed.invoke("f", "{}", as_event));
  bed.eventually([&] { return bed.status().events_retried == 1; });
  bed.advance(std::chrono::minutes(10));
  bed.eventually([&] { return bed.status().events_dropped == 1; });
  ASSERT_EQ(tries.size(), 3u);
  EXPECT_EQ(tries[1].second - tries[0].second, std::chrono::minutes(1));
  EXPECT_EQ(tries[2].second - tries[1].second, std::chrono::minutes(2));
  EXPECT_EQ(tries[0].first, tries[2].first);
}

TEST(Events, Survive_a_restart) {
  Bed bed;
  std::atomic<int> ran = 0;
  std::atomic<bool> works = false;
  bed.actors.on_event = [&](const Event&) {
    ++ran;
    return works ? Reply{} : Reply{Kind::kError, "{}", {}, ""};
  };
  ASSERT_TRUE(bed.create("f"));
  ASSERT_TRUE(bed.invoke("f", "{}", as_event));
  bed.eventually([&] { return bed.status().events_retried == 1; });
  bed.restart();
  works = true;
  bed.advance(std::chrono::minutes(5));
  bed.eventually([&] { return bed.status().events_succeeded == 1; });
  EXPECT_EQ(ran, 2);
}

TEST(Meter, Each_invocation_is_an_entry) {
  Bed bed;
  ASSERT_TRUE(bed.create("f", [](auto& in) { in.memory_size = 256; }));
  ASSERT_TRUE(bed.invoke("f", "[1]"));
  store::JournalPage page;
  bed.eventually([&] {
    auto read = bed.run(bed.journals->read("000000000000/us-east-1/usage/lambda", {}));
    if (read) page = std::move(*read);
    return !page.entries.empty();
  });
  const auto entry = parse_json(page.entries.at(0).value);
  ASSERT_TRUE(entry);
  EXPECT_EQ(find_string(*entry, "function"), "arn:aws:lambda:us-east-1:000000000000:function:f");
  EXPECT_EQ(find_int(*entry, "memory_mb"), 256);
  EXPECT_EQ(find_int(*entry, "request_bytes"), 3);
  EXPECT_GE(find_int(*entry, "billed_ms"), 1);
}

TEST(Logs, A_role_that_may_not_write_them_is_said_in_status) {
  Bed bed;
  bed.log_sink.deny(true);
  ASSERT_TRUE(bed.create("f"));
  ASSERT_TRUE(bed.invoke("f"));
  bed.eventually([&] { return bed.status().log_lines_undelivered == 4; });
  EXPECT_NE(bed.status().last_log_failure.find("logs:CreateLogStream"), std::string::npos);
}

TEST(Invoke, Goes_on_when_its_caller_has_gone) {
  Bed bed;
  std::promise<void> arrived, go_on;
  bed.actors.on_event = [&](const Event&) {
    arrived.set_value();
    go_on.get_future().wait();
    return Reply{};
  };
  ASSERT_TRUE(bed.create("f"));
  auto call = bed.context();
  bed.call_and_leave(call, "f", arrived.get_future());
  go_on.set_value();
  bed.eventually([&] { return bed.status().invocations == 1; });
  EXPECT_EQ(bed.driver.alive(), 1u);
}

TEST(Quiescing, Ends_what_waits_and_lets_the_rest_answer) {
  Bed bed;
  ASSERT_TRUE(bed.create("f"));
  ASSERT_TRUE(bed.invoke("f"));
  ASSERT_TRUE(bed.run(bed.service->quiesce()));
  bed.eventually([&] { return bed.driver.alive() == 0; });
  ASSERT_TRUE(bed.invoke("f"));
  bed.eventually([&] { return bed.driver.alive() == 0; });
}

TEST(Prewarming, The_next_environment_is_there_before_it_is_needed) {
  Bed bed([](Options& options) { options.prewarm = 2; });
  ASSERT_TRUE(bed.create("f"));
  bed.eventually([&] { return bed.status().prewarmed == 1; });
  const auto held = bed.driver.workload(0);
  EXPECT_FALSE(held->assignment());
  ASSERT_TRUE(bed.invoke("f"));
  EXPECT_TRUE(held->assignment());
  bed.eventually([&] { return bed.status().prewarmed >= 1; });
}

}  // namespace
}  // namespace pileus::services::lambda::testing
