#include "aws/protocol/event_stream.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace pileus::aws::protocol {
namespace {

TEST(EventStream, A_message_is_as_the_specification_shows_it) {
  // "payload_no_headers" and "int32_header" of the specification's test vectors.
  EventMessage plain;
  plain.payload = "{'foo':'bar'}";
  EXPECT_EQ(to_hex(*encode(plain)), "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936");
  EventMessage typed = plain;
  typed.headers.push_back({"event-type", EventHeader::Type::kInteger, "", 40972});
  EXPECT_EQ(
      to_hex(*encode(typed)),
      "0000002d0000001041c424b80a6576656e742d74797065040000a00c7b27666f6f273a27626172277d36f480a"
      "0");
}

TEST(EventStream, Messages_come_out_of_pieces_of_any_size) {
  EventMessage message;
  message.add("a", "text");
  message.headers.push_back({"b", EventHeader::Type::kLong, "", -5});
  message.headers.push_back({"c", EventHeader::Type::kTrue, "", 0});
  message.headers.push_back({"d", EventHeader::Type::kUuid, "0123456789abcdef", 0});
  message.headers.push_back({"e", EventHeader::Type::kTimestamp, "", 1700000000000});
  message.headers.push_back({"f", EventHeader::Type::kBytes, std::string("\0\xff", 2), 0});
  message.payload = std::string(1000, 'x');
  const std::string wire = *encode(message) + *encode(message);
  EventDecoder decoder;
  int seen = 0;
  for (const char byte : wire) {
    decoder.feed(std::string_view(&byte, 1));
    auto next = decoder.next();
    ASSERT_TRUE(next);
    if (!*next) continue;
    ++seen;
    EXPECT_EQ((*next)->header("a"), "text");
    EXPECT_EQ((*next)->headers.at(1).number, -5);
    EXPECT_EQ((*next)->headers.at(3).text, "0123456789abcdef");
    EXPECT_EQ((*next)->headers.at(4).number, 1700000000000);
    EXPECT_EQ((*next)->payload, message.payload);
  }
  EXPECT_EQ(seen, 2);
  EXPECT_TRUE(decoder.at_boundary());
}

TEST(EventStream, What_was_changed_on_the_way_is_refused) {
  EventMessage message;
  message.add("a", "text");
  message.payload = "payload";
  const std::string wire = *encode(message);
  for (std::size_t i = 0; i < wire.size(); ++i) {
    std::string changed = wire;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EventDecoder decoder;
    decoder.feed(changed);
    auto next = decoder.next();
    EXPECT_FALSE(next && *next) << "byte " << i;
  }
}

}  // namespace
}  // namespace pileus::aws::protocol
