// The events of InvokeWithResponseStream on the wire.
#include "aws/protocol/event_stream.h"

#include <gtest/gtest.h>

#include "gen/lambda/InvokeWithResponseStream.h"
#include "gen/lambda/interface.h"

namespace pileus::services::lambda {
namespace {

using namespace aws;
using namespace aws::protocol;
using Event = gen::lambda::InvokeWithResponseStreamResponseEvent;
using Output = gen::lambda::InvokeWithResponseStreamOutput;

const Operation& operation() {
  return *gen::lambda::kService.operation("InvokeWithResponseStream");
}
const Shape& events() { return *operation().output->events->shape; }

std::string written(const Event& event) {
  auto bytes = write_event(gen::lambda::kService, Protocol::kRestJson, events(), &event);
  EXPECT_TRUE(bytes);
  return bytes.value_or("");
}

TEST(EventStream, Events_are_read_as_they_were_written) {
  Event chunk;
  chunk.payload_chunk.emplace().payload = "bytes";
  Event end;
  end.invoke_complete.emplace().error_code = "Unhandled";
  EventDecoder decoder;
  decoder.feed(written(chunk) + written(end));
  Output output;
  const auto next = [&](Event& into) {
    auto message = decoder.next();
    EXPECT_TRUE(message && *message);
    return read_event(gen::lambda::kService, Protocol::kRestJson, events(), **message, &into,
                      *operation().output, &output);
  };
  Event first, second;
  ASSERT_EQ(next(first), Read::kEvent);
  EXPECT_EQ(first.payload_chunk->payload, "bytes");
  EXPECT_FALSE(first.invoke_complete);
  ASSERT_EQ(next(second), Read::kEvent);
  EXPECT_EQ(second.invoke_complete->error_code, "Unhandled");
  EXPECT_FALSE(second.invoke_complete->log_result);
}

TEST(EventStream, An_error_ends_the_stream_as_an_error) {
  EventDecoder decoder;
  decoder.feed(write_event_error(gen::lambda::kService, Protocol::kRestJson, events(),
                                 Error("ServiceException", "no more", 500)));
  auto message = decoder.next();
  ASSERT_TRUE(message && *message);
  EXPECT_EQ((*message)->header(":message-type"), "error");
  Event event;
  Output output;
  const auto read = read_event(gen::lambda::kService, Protocol::kRestJson, events(), **message,
                               &event, *operation().output, &output);
  ASSERT_FALSE(read);
  EXPECT_TRUE(read.error().is("ServiceException"));
  EXPECT_EQ(read.error().message(), "no more");
}

TEST(EventStream, An_unknown_kind_of_event_is_skipped) {
  EventMessage message;
  message.add(":message-type", "event");
  message.add(":event-type", "Novelty");
  Event event;
  Output output;
  EXPECT_EQ(read_event(gen::lambda::kService, Protocol::kRestJson, events(), message, &event,
                       *operation().output, &output),
            Read::kUnknown);
}

}  // namespace
}  // namespace pileus::services::lambda
