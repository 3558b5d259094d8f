// Streamed answers through the service, over real sockets to a played runtime.
#include "gen/lambda/InvokeWithResponseStream.h"
#include "services/lambda/test_support.h"

namespace pileus::services::lambda::testing {
namespace {

using Kind = Reply::Kind;
using Stream = gen::lambda::InvokeWithResponseStreamOutput;
using Event = gen::lambda::InvokeWithResponseStreamResponseEvent;

Result<Stream> start(Bed& bed, const std::string& name) {
  gen::lambda::InvokeWithResponseStreamInput in;
  in.function_name = name;
  in.log_type = "Tail";
  auto call = bed.context();
  return bed.run(bed.service->invoke_with_response_stream(call, std::move(in)));
}
std::optional<Event> next(Bed& bed, Stream& stream) {
  auto event = bed.run(stream.event_stream.next());
  EXPECT_TRUE(event) << event.error().message();
  return event ? std::move(*event) : std::nullopt;
}
// The bytes up to the end, and the end.
std::pair<std::string, Event> rest(Bed& bed, Stream& stream) {
  std::string bytes;
  for (;;) {
    auto event = next(bed, stream);
    if (!event) return {bytes, {}};
    if (event->invoke_complete) {
      EXPECT_FALSE(next(bed, stream));
      return {bytes, std::move(*event)};
    }
    bytes += event->payload_chunk->payload.value_or("");
  }
}

std::function<std::optional<std::string>()> pieces(std::vector<std::string> all) {
  return [all = std::move(all), at = std::size_t{0}]() mutable -> std::optional<std::string> {
    return at < all.size() ? std::optional(all[at++]) : std::nullopt;
  };
}

Reply streamed(std::vector<std::string> all, std::string trailers = "") {
  Reply reply;
  reply.kind = Kind::kStream;
  reply.next_piece = pieces(std::move(all));
  reply.content_type = "text/plain";
  reply.trailers = std::move(trailers);
  return reply;
}

TEST(Streaming, The_first_bytes_arrive_before_the_handler_ends) {
  Bed bed;
  std::promise<void> seen;
  auto released = seen.get_future().share();
  bed.actors.on_event = [released](const testing::Event&) {
    Reply reply = streamed({});
    reply.next_piece = [released, at = 0]() mutable -> std::optional<std::string> {
      if (++at == 1) return "first";
      if (at > 2) return std::nullopt;
      released.wait();
      return "second";
    };
    return reply;
  };
  ASSERT_TRUE(bed.create("f"));
  auto stream = start(bed, "f");
  ASSERT_TRUE(stream) << stream.error().message();
  EXPECT_EQ(stream->status_code, 200);
  EXPECT_EQ(stream->executed_version, "$LATEST");
  auto first = next(bed, *stream);
  ASSERT_TRUE(first && first->payload_chunk);
  EXPECT_EQ(first->payload_chunk->payload, "first");
  seen.set_value();
  const auto [bytes, end] = rest(bed, *stream);
  EXPECT_EQ(bytes, "second");
  ASSERT_TRUE(end.invoke_complete);
  EXPECT_FALSE(end.invoke_complete->error_code);
  const auto log = from_base64(end.invoke_complete->log_result.value_or(""));
  EXPECT_NE(log.value_or("").find("REPORT RequestId: "), std::string::npos);
}

TEST(Streaming, A_late_error_comes_with_the_end) {
  Bed bed;
  bed.actors.on_event = [](const testing::Event&) {
    return streamed({"part"}, str("Lambda-Runtime-Function-Error-Type: Odd\r\n",
                                  "Lambda-Runtime-Function-Error-Body: ",
                                  to_base64(R"({"errorType":"Odd","errorMessage":"no"})"), "\r\n"));
  };
  ASSERT_TRUE(bed.create("f"));
  auto stream = start(bed, "f");
  ASSERT_TRUE(stream);
  const auto [bytes, end] = rest(bed, *stream);
  EXPECT_EQ(bytes, "part");
  EXPECT_EQ(end.invoke_complete->error_code, "Odd");
  EXPECT_EQ(end.invoke_complete->error_details, R"({"errorType":"Odd","errorMessage":"no"})");
}

TEST(Streaming, A_plain_answer_is_one_chunk_and_an_error_only_an_end) {
  Bed bed;
  bed.actors.on_event = [](const testing::Event& event) {
    if (event.payload == "{}") return Reply{Kind::kAnswer, "\"whole\"", {}, ""};
    return Reply{Kind::kError, R"({"errorType":"Bad","errorMessage":"x"})", {}, ""};
  };
  ASSERT_TRUE(bed.create("f"));
  auto whole = start(bed, "f");
  ASSERT_TRUE(whole);
  EXPECT_EQ(rest(bed, *whole).first, "\"whole\"");
  gen::lambda::InvokeWithResponseStreamInput in;
  in.function_name = "f";
  in.payload = "1";
  auto call = bed.context();
  auto failed = bed.run(bed.service->invoke_with_response_stream(call, std::move(in)));
  ASSERT_TRUE(failed);
  const auto [bytes, end] = rest(bed, *failed);
  EXPECT_EQ(bytes, "");
  EXPECT_EQ(end.invoke_complete->error_code, "Bad");
}

TEST(Streaming, Invoke_gives_a_streamed_answer_whole) {
  Bed bed;
  bed.actors.on_event = [](const testing::Event&) { return streamed({"[1,", "2]"}); };
  ASSERT_TRUE(bed.create("f"));
  auto out = bed.invoke("f");
  ASSERT_TRUE(out);
  EXPECT_EQ(out->payload, "[1,2]");
}

TEST(Streaming, A_slow_reader_holds_the_function_back) {
  Bed bed;
  std::atomic<int> made = 0;
  bed.actors.on_event = [&made](const testing::Event&) {
    Reply reply = streamed({});
    reply.next_piece = [&made]() -> std::optional<std::string> {
      if (made >= 1000) return std::nullopt;
      ++made;
      return std::string(64 * 1024, 'x');
    };
    return reply;
  };
  ASSERT_TRUE(bed.create("f"));
  auto stream = start(bed, "f");
  ASSERT_TRUE(stream);
  auto first = next(bed, *stream);
  ASSERT_TRUE(first && first->payload_chunk);
  // Sockets hold some; 64 MB do not fit anywhere.
  EXPECT_LT(made, 1000);
  const auto bytes = first->payload_chunk->payload->size() + rest(bed, *stream).first.size();
  EXPECT_EQ(bytes, 1000u * 64 * 1024);
  EXPECT_EQ(made, 1000);
}

TEST(Streaming, The_function_runs_on_when_the_reader_leaves) {
  Bed bed;
  std::promise<void> ended;
  bed.actors.on_event = [&ended](const testing::Event& event) {
    if (event.payload != "{}") return Reply{};
    Reply reply = streamed({});
    reply.next_piece = [&ended, at = 0]() mutable -> std::optional<std::string> {
      if (++at <= 40) return std::string(64 * 1024, 'x');
      ended.set_value();
      return std::nullopt;
    };
    return reply;
  };
  ASSERT_TRUE(bed.create("f"));
  {
    auto stream = start(bed, "f");
    ASSERT_TRUE(stream);
    ASSERT_TRUE(next(bed, *stream));
  }
  ended.get_future().wait();
  bed.eventually([&] { return bed.status().busy == 0; });
  EXPECT_TRUE(bed.invoke("f", "1"));
  EXPECT_EQ(bed.driver.started(), 1u);
}

TEST(Streaming, Time_outs_and_ends_of_the_runtime_end_the_stream) {
  Bed bed;
  std::promise<void> hung;
  auto forever = hung.get_future().share();
  bed.actors.on_event = [forever](const testing::Event&) {
    Reply reply = streamed({});
    reply.next_piece = [forever, at = 0]() mutable -> std::optional<std::string> {
      if (++at == 1) return "begun";
      forever.wait();
      return std::nullopt;
    };
    return reply;
  };
  ASSERT_TRUE(bed.create("f", [](auto& in) { in.timeout = 1; }));
  auto stream = start(bed, "f");
  ASSERT_TRUE(stream);
  const auto [bytes, end] = rest(bed, *stream);
  EXPECT_EQ(bytes, "begun");
  ASSERT_TRUE(end.invoke_complete);
  EXPECT_EQ(end.invoke_complete->error_code, "Sandbox.Timedout");
  EXPECT_NE(end.invoke_complete->error_details->find("Task timed out after 1.00 seconds"),
            std::string::npos);
  hung.set_value();
}

}  // namespace
}  // namespace pileus::services::lambda::testing
