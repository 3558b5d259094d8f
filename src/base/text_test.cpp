#include "base/text.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/random.h"

namespace pileus {
namespace {

TEST(Text, Base64_round_trips_every_length) {
  std::string bytes;
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    bytes += static_cast<char>(i * 37);
  }
  EXPECT_EQ(to_base64("ab"), "YWI=");
  for (const auto* bad : {"a", "ab", "abc", "a===", "=abc", "ab=c", "ab c", "YWI=YWI="})
    EXPECT_FALSE(from_base64(bad)) << bad;
}

TEST(Text, Percent_coding_follows_rfc_3986) {
  EXPECT_EQ(percent_encode("a b/c~ü"), "a%20b%2Fc~%C3%BC");
  EXPECT_EQ(percent_encode("a/b", Slash::kKeep), "a/b");
  EXPECT_EQ(percent_decode("a%20b%2f+"), "a b/+");
  EXPECT_EQ(percent_decode("a+b", Plus::kSpace), "a b");
  for (const auto* bad : {"%", "%2", "%zz"}) EXPECT_FALSE(percent_decode(bad)) << bad;
}

TEST(Text, Utf8_rejects_overlong_surrogates_and_tails) {
  EXPECT_TRUE(is_utf8("aü€😀"));
  for (const auto* bad : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xe2\x82"})
    EXPECT_FALSE(is_utf8(bad));
  EXPECT_EQ(utf8_length("aü€😀"), 4u);
}

TEST(Text, Times_read_back_what_they_write) {
  const Time time = *parse_iso8601("2026-11-23T06:46:38.250Z");
  EXPECT_EQ(iso8601(time), "2026-11-23T06:46:38.25Z");
  EXPECT_EQ(iso8601_millis(time), "2026-11-23T06:46:38.250Z");
  EXPECT_EQ(parse_iso8601("2026-11-23T08:46:38.25+02:00"), time);
  const Time whole = *parse_basic_iso8601("20261123T064638Z");
  EXPECT_EQ(basic_iso8601(whole), "20261123T064638Z");
  EXPECT_EQ(http_date(whole), "Mon, 23 Nov 2026 06:46:38 GMT");
  EXPECT_EQ(parse_http_date(http_date(whole)), whole);
  for (const auto* bad : {"", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00",
                          "2026-01-01T00:00:00.Z"})
    EXPECT_FALSE(parse_iso8601(bad)) << bad;
}

TEST(Json, Whole_text_only_and_bounded_depth) {
  EXPECT_TRUE(parse_json(R"( {"a": [1, 2.5, "x"]} )").has_value());
  for (const auto* bad : {"", "{", "{} x", "[1,]", "nul", "\"\x01\""})
    EXPECT_FALSE(parse_json(bad).has_value()) << bad;
  EXPECT_FALSE(parse_json(std::string(200, '[') + std::string(200, ']')).has_value());
  EXPECT_TRUE(parse_json("12").has_value());
}

TEST(Json, Doubles_are_written_as_people_write_them) {
  EXPECT_EQ(to_text(Json(5.0)), "5.0");
  EXPECT_EQ(to_text(Json(0.1)), "0.1");
  EXPECT_EQ(to_text(*parse_json(R"({"a":"\u0001\"","n":null})")),
            "{\"a\":\"\\u0001\\\"\",\"n\":null}");
}

TEST(Random, Seeded_repeats_and_ids_have_their_forms) {
  SeededRandom a(1), b(1);
  EXPECT_EQ(uuid(a), uuid(b));
  const std::string id = uuid(a);
  EXPECT_EQ(id.size(), 36u);
  EXPECT_EQ(id[14], '4');
  EXPECT_EQ(upper_id(a, 16).find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
            std::string::npos);
  int counts[3] = {};
  for (int i = 0; i < 3000; ++i) ++counts[a.below(3)];
  for (const int count : counts) EXPECT_GT(count, 850);
}

}  // namespace
}  // namespace pileus
