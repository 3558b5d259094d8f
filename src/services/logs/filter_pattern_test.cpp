#include "services/logs/filter_pattern.h"

#include <gtest/gtest.h>

namespace pileus::services::logs {
namespace {

bool matches(std::string_view pattern, std::string_view message) {
  const auto parsed = FilterPattern::parse(pattern);
  EXPECT_TRUE(parsed) << pattern << ": " << (parsed ? "" : parsed.error().message());
  return parsed && parsed->matches(message);
}
std::string error_of(std::string_view pattern) {
  const auto parsed = FilterPattern::parse(pattern);
  return parsed ? "no error" : parsed.error().message();
}

TEST(FilterPattern, An_empty_pattern_matches_everything) {
  EXPECT_TRUE(matches("", "anything"));
  EXPECT_TRUE(matches("  ", ""));
  EXPECT_TRUE(FilterPattern::parse("")->matches_everything());
}

TEST(FilterPattern, Terms_must_all_occur) {
  EXPECT_TRUE(matches("ERROR", "[ERROR 400] BAD REQUEST"));
  EXPECT_FALSE(matches("ERROR", "[error 400]"));
  EXPECT_TRUE(matches("ERROR ARGUMENTS", "ERROR 419 MISSING ARGUMENTS"));
  EXPECT_FALSE(matches("ERROR ARGUMENTS", "ERROR 419"));
  EXPECT_TRUE(matches(R"("INTERNAL SERVER ERROR")", "[500] INTERNAL SERVER ERROR"));
  EXPECT_FALSE(matches(R"("INTERNAL SERVER ERROR")", "SERVER INTERNAL ERROR"));
  EXPECT_TRUE(matches(R"("say \"hi\"")", R"(say "hi" now)"));
}

TEST(FilterPattern, Signed_terms_exclude_or_are_optional) {
  EXPECT_TRUE(matches("ERROR -ARGUMENTS", "ERROR 400"));
  EXPECT_FALSE(matches("ERROR -ARGUMENTS", "ERROR ARGUMENTS"));
  EXPECT_FALSE(matches(R"(-"a b")", "x a b y"));
  EXPECT_TRUE(matches("?ERROR ?ARGUMENTS", "MISSING ARGUMENTS"));
  EXPECT_FALSE(matches("?ERROR ?ARGUMENTS", "fine"));
  EXPECT_TRUE(matches("?WARN ERROR", "ERROR only"));  // beside others they are ignored
  EXPECT_FALSE(matches("?WARN ERROR", "WARN only"));
}

TEST(FilterPattern, Terms_with_symbols_need_quotes) {
  EXPECT_EQ(error_of("a-b"), "Invalid character(s) in term 'a-b'; put it in double quotes");
  EXPECT_NE(error_of("\"open"), "no error");
  EXPECT_NE(error_of("a -"), "no error");
}

TEST(FilterPattern, Regular_expressions_search_the_message) {
  EXPECT_TRUE(matches("%AUTHORIZED%", "[ERROR 401] UNAUTHORIZED REQUEST"));
  EXPECT_TRUE(matches(R"(%10\.10\.0\.1%)", "from 10.10.0.1 to"));
  EXPECT_FALSE(matches(R"(%10\.10\.0\.1%)", "from 10x10.0.1 to"));
  EXPECT_TRUE(matches("%gray|grey%", "a grey cat"));
  EXPECT_TRUE(matches("%^colou?r$%", "color"));
  EXPECT_FALSE(matches("%^colou?r$%", "colors"));
  EXPECT_TRUE(matches(R"(%^\d{3}-[a-f0-9]{2,4}$%)", "123-abc"));
  EXPECT_FALSE(matches(R"(%^\d{3}-[a-f0-9]{2,4}$%)", "123-abcde"));
  EXPECT_TRUE(matches(R"(%x[^0-9]+y%)", "..xabcy"));
  EXPECT_FALSE(matches(R"(%x[^0-9]+y%)", "xy x1y"));
  EXPECT_TRUE(matches(R"(%\w+\s\S{2,}\x21%)", "hey you!"));
  EXPECT_TRUE(matches("ERROR -%4\\d\\d%", "ERROR 500"));
}

TEST(FilterPattern, Hostile_regular_expressions_stay_linear) {
  EXPECT_FALSE(matches("%a*a*a*a*a*a*a*a*a*a*b%", std::string(100'000, 'a')));
}

TEST(FilterPattern, Unsupported_regular_expressions_are_refused) {
  for (const auto* pattern :
       {"%a!%", "%(a)%", "%a**%", "%[a%", "%a{2%", "%a{3,2}%", "%a{9999}%", "%a", "%%", "%a\\"})
    EXPECT_NE(error_of(pattern), "no error") << pattern;
}

constexpr std::string_view kEvent = R"({
  "eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "arrayKey": ["value", "another value"],
  "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": null, "ThisFlag": true,
  "off": false, "bandwidth": 75.5, "cluster.name": "c", "nested": {"deep": {"x": "y"}}, "text": "7"})";

TEST(FilterPattern, JSON_events_are_compared_by_property) {
  EXPECT_TRUE(matches(R"({ $.eventType = "UpdateTrail" })", kEvent));
  EXPECT_FALSE(matches(R"({ $.eventType = "Update" })", kEvent));
  EXPECT_TRUE(matches("{ $.eventType = Update* }", kEvent));
  EXPECT_TRUE(matches("{ $.sourceIPAddress != 123.123.* }", kEvent));
  EXPECT_FALSE(matches("{ $.missing != 1 }", kEvent));
  EXPECT_TRUE(matches(R"({ $.arrayKey[0] = "value" })", kEvent));
  EXPECT_FALSE(matches(R"({ $.arrayKey[7] = "value" })", kEvent));
  EXPECT_TRUE(matches("{ $.objectList[1].id = 2 }", kEvent));
  EXPECT_TRUE(matches("{ $.objectList[*].id = 2 }", kEvent));
  EXPECT_TRUE(matches("{ $.nested.*.x = y }", kEvent));
  EXPECT_TRUE(matches(R"({ $['cluster.name'] = "c" })", kEvent));
  EXPECT_TRUE(matches(R"({ $.["cluster.name"] = "c" })", kEvent));
  EXPECT_TRUE(matches(R"({ $.eventType = "*" })", kEvent));
  EXPECT_TRUE(matches(R"({ $.nested = "*" })", kEvent));
  EXPECT_TRUE(matches("{ $.eventType = %^Update[A-Z]% }", kEvent));
  EXPECT_TRUE(matches("{ $.text = 7 }", kEvent));
}

TEST(FilterPattern, JSON_numbers_are_ordered) {
  EXPECT_TRUE(matches("{ $.bandwidth > 75 }", kEvent));
  EXPECT_TRUE(matches("{ $.bandwidth <= 7.55e1 }", kEvent));
  EXPECT_FALSE(matches("{ $.bandwidth < 75.5 }", kEvent));
  EXPECT_TRUE(matches("{ $.bandwidth >= -1 }", kEvent));
  EXPECT_TRUE(matches("{ $.bandwidth = 75.50 }", kEvent));
  EXPECT_FALSE(matches("{ $.eventType > 1 }", kEvent));
  EXPECT_NE(error_of("{ $.a > b }"), "no error");
}

TEST(FilterPattern, JSON_states_are_named) {
  EXPECT_TRUE(matches("{ $.SomeObject IS NULL }", kEvent));
  EXPECT_FALSE(matches("{ $.missing IS NULL }", kEvent));
  EXPECT_TRUE(matches("{ $.missing NOT EXISTS }", kEvent));
  EXPECT_FALSE(matches("{ $.SomeObject NOT EXISTS }", kEvent));
  EXPECT_TRUE(matches("{ $.ThisFlag IS TRUE }", kEvent));
  EXPECT_TRUE(matches("{ $.off IS FALSE }", kEvent));
  EXPECT_FALSE(matches("{ $.off IS TRUE }", kEvent));
}

TEST(FilterPattern, JSON_conditions_combine) {
  EXPECT_TRUE(matches("{ ($.objectList[0].id = 1) && ($.objectList[1].name = b) }", kEvent));
  EXPECT_TRUE(matches("{ $.ThisFlag IS TRUE || $.missing = 1 && $.missing = 2 }", kEvent));
  EXPECT_FALSE(matches("{ ($.ThisFlag IS TRUE || $.missing = 1) && $.missing = 2 }", kEvent));
  EXPECT_FALSE(matches("{ $.a = 1 }", "no json"));
  EXPECT_FALSE(matches("{ $.a = 1 }", "{\"a\": 1"));
}

TEST(FilterPattern, Malformed_JSON_patterns_are_refused) {
  for (const auto* pattern :
       {"{", "{}", "{ a = 1 }", "{ $ = 1 }", "{ $. = 1 }", "{ $.a }", "{ $.a = }", "{ $.a IS }",
        "{ $.a = 1 && }", "{ ($.a = 1 }", "{ $.a = 1 ) }", "{ $.a[x] = 1 }", "{ $.a[1 = 1 }",
        "{ $.a NOT NULL }", "{ $.a = %x% && $.a = %y% && $.a = %z% }"})
    EXPECT_NE(error_of(pattern), "no error") << pattern;
  EXPECT_NE(error_of("{ " + std::string(100, '(') + "$.a = 1" + std::string(100, ')') + " }"),
            "no error");
}

constexpr std::string_view kLine =
    R"(127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534)";

TEST(FilterPattern, Words_are_compared_by_position) {
  EXPECT_TRUE(matches("[ip, user, username, timestamp, request, status_code, bytes]", kLine));
  EXPECT_TRUE(
      matches("[ip, user, username, timestamp, request =*.html*, status_code = 4*, bytes]", kLine));
  EXPECT_FALSE(matches("[ip, user, username, timestamp, request, status_code = 5*, bytes]", kLine));
  EXPECT_TRUE(
      matches("[ip, user, username, timestamp, request, status_code = 404, bytes > 1000]", kLine));
  EXPECT_FALSE(
      matches("[ip, user, username, timestamp, request, status_code = 404, bytes > 2000]", kLine));
  EXPECT_FALSE(matches("[ip, user, username]", kLine));
  EXPECT_TRUE(matches("[..., status_code = 404, bytes]", kLine));
  EXPECT_TRUE(matches("[ip = 127.*, ...]", kLine));
  EXPECT_TRUE(matches("[ip, ..., bytes != 1]", kLine));
  EXPECT_FALSE(matches("[a, b, c, d, e, f, g, ..., h]", kLine));
  EXPECT_TRUE(matches("[ip, user, username = \"frank\", ..., status = %4\\d4%, bytes]", kLine));
}

TEST(FilterPattern, Words_take_compound_conditions) {
  EXPECT_TRUE(matches("[w1 = ERROR || w1 = WARN, w2]", "WARN now"));
  EXPECT_FALSE(matches("[w1 != ERROR && w1 != WARN, w2]", "WARN now"));
  EXPECT_TRUE(matches("[(w1 = A || w1 = B) && w1 != A, w2]", "B x"));
  for (const auto* pattern :
       {"[", "[]", "[a b]", "[a = ]", "[a = 1 || b = 2]", "[..., ...]", "[(a, b]", "[a,]"})
    EXPECT_NE(error_of(pattern), "no error") << pattern;
}

}  // namespace
}  // namespace pileus::services::logs
