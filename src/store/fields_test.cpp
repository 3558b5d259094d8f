#include "store/fields.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/manual_loop.h"
#include "store/typed.h"

namespace pileus::store {
namespace {

enum class Colour { kRed, kBlue };

struct Point {
  int x = 0;
  int y = 7;
  PILEUS_FIELDS(Point, x, y)
};

struct Everything {
  std::string text;
  bool flag = false;
  std::int64_t big = 0;
  std::uint64_t bigger = 0;
  std::uint16_t port = 0;
  double ratio = 0;
  Time at;
  Duration lasts{0};
  Colour colour = Colour::kRed;
  std::optional<std::string> maybe;
  std::optional<Point> maybe_point;
  std::vector<Point> points;
  std::vector<bool> flags;
  std::map<std::string, std::vector<int>> lists;
  std::set<std::string> names;
  Json raw;
  PILEUS_FIELDS(Everything, text, flag, big, bigger, port, ratio, at, lasts, colour, maybe,
                maybe_point, points, flags, lists, names, raw)
};

struct Nothing {
  PILEUS_FIELDS(Nothing)
};

TEST(Fields, Every_kind_of_member_comes_back) {
  Everything in;
  in.text = std::string("quote\" \\ \n \0 \xff\xfe ü", 18);
  in.flag = true;
  in.big = std::numeric_limits<std::int64_t>::min();
  in.bigger = std::numeric_limits<std::uint64_t>::max();
  in.port = 65535;
  in.ratio = 0.1;
  in.at = Time(std::chrono::microseconds(1'700'000'000'123'456));
  in.lasts = Duration(42);
  in.colour = Colour::kBlue;
  in.maybe = "";
  in.maybe_point = Point{1, 2};
  in.points = {{3, 4}, {5, 6}};
  in.flags = {true, false};
  in.lists = {{"a\"", {1, 2}}, {"b", {}}};
  in.names = {"x", "y"};
  in.raw = *parse_json(R"({"k":[1,2.5,null,"s"]})");
  const std::string text = encode(in);
  const auto out = decode<Everything>(text);
  ASSERT_TRUE(out) << out.error().message();
  EXPECT_EQ(encode(*out), text);
  EXPECT_EQ(out->text, in.text);
  EXPECT_EQ(out->big, in.big);
  EXPECT_EQ(out->bigger, in.bigger);
  EXPECT_EQ(out->port, 65535);
  EXPECT_EQ(out->at, in.at);
  EXPECT_EQ(out->colour, Colour::kBlue);
  EXPECT_EQ(out->maybe, "");
  EXPECT_EQ(out->maybe_point->y, 2);
  EXPECT_EQ(out->points.at(1).x, 5);
  EXPECT_EQ(out->lists, in.lists);
  EXPECT_EQ(out->names, in.names);
  EXPECT_EQ(out->raw, in.raw);
}

TEST(Fields, Records_evolve) {
  const auto point = decode<Point>(R"({"x":1,"z":[{}],"y":null})");
  ASSERT_TRUE(point);
  EXPECT_EQ(point->x, 1);
  EXPECT_EQ(point->y, 7);  // null and missing keep the default
  EXPECT_TRUE(decode<Nothing>(R"({"x":1})"));
  EXPECT_EQ(encode(Nothing{}), "{}");
}

TEST(Fields, A_wrong_kind_is_an_error_that_names_the_field) {
  const auto wrong = decode<Everything>(R"({"maybe_point":{"x":"one"}})");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message(), "a record does not fit: maybe_point.x: is not a whole number");
  EXPECT_FALSE(decode<Everything>(R"({"port":65536})"));
  EXPECT_FALSE(decode<Everything>(R"({"bigger":-1})"));
  EXPECT_FALSE(decode<Everything>("[]"));
  EXPECT_FALSE(decode<Everything>("{"));
}

TEST(Fields, Not_a_number_survives) {
  Everything in;
  in.ratio = std::nan("");
  EXPECT_TRUE(std::isnan(decode<Everything>(encode(in))->ratio));
  in.ratio = -std::numeric_limits<double>::infinity();
  EXPECT_EQ(decode<Everything>(encode(in))->ratio, in.ratio);
}

}  // namespace
}  // namespace pileus::store
