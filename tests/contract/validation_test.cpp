// The words of validation, and that every pattern of the services is enforced or listed.
#include "aws/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/patterns.h"
#include "aws/protocol/codec.h"
#include "base/text.h"
#include "gen/lambda/CreateFunction.h"
#include "registry.h"

namespace pileus::aws {
namespace {

using testing::HasSubstr;

const Service& service(std::string_view name) {
  for (const auto* candidate : all_services())
    if (candidate->name == name) return *candidate;
  std::abort();
}

std::string said(std::string_view service_name, std::string_view operation_name,
                 std::string_view json, std::vector<std::string> missing = {}) {
  const Service& s = service(service_name);
  const Operation& operation = *s.operation(operation_name);
  void* input = operation.new_input();
  EXPECT_TRUE(protocol::from_json(*operation.input, parse_json(json).value(), input));
  const auto result = validate(s, operation, input, missing);
  operation.delete_input(input);
  return result ? "" : str(result.error().code(), ": ", result.error().message());
}

TEST(Validation, A_single_violation_is_worded_as_aws_does) {
  EXPECT_EQ(said("logs", "CreateLogGroup", R"({"logGroupName":"a b"})"),
            "InvalidParameterException: 1 validation error detected: Value 'a b' at 'logGroupName' "
            "failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+");
}

TEST(Validation, Several_violations_are_joined_and_counted) {
  EXPECT_EQ(said("logs", "CreateLogGroup", R"({"logGroupName":""})"),
            "InvalidParameterException: 2 validation errors detected: Value '' at 'logGroupName' "
            "failed to satisfy constraint: "
            "Member must have length greater than or equal to 1; Value '' at 'logGroupName' failed "
            "to satisfy constraint: "
            "Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+");
}

TEST(Validation, An_absent_required_member_is_null) {
  EXPECT_EQ(said("logs", "CreateLogGroup", R"({"logGroupName":"g"})", {"logGroupName"}),
            "InvalidParameterException: 1 validation error detected: Value null at 'logGroupName' "
            "failed to satisfy constraint: "
            "Member must not be null");
}

TEST(Validation, Elements_of_a_list_are_worded_on_the_list) {
  EXPECT_THAT(
      said(
          "lambda", "UntagResource",
          R"({"Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","TagKeys":["ok",""]})"),
      HasSubstr("Value '[ok, ]' at 'tagKeys' failed to satisfy constraint: Member must satisfy "
                "constraint: "
                "[Member must have length less than or equal to 128, Member must have length "
                "greater than or equal to 1"));
}

TEST(Validation, Secrets_are_not_repeated) {
  const auto text = said(
      "lambda", "CreateFunction",
      R"({"FunctionName":"f","Role":"arn:aws:iam::123456789012:role/r","Code":{},"Environment":{"Variables":{"1bad":"secret-value"}}})");
  EXPECT_THAT(
      text, HasSubstr("at 'environment.variables' failed to satisfy constraint: Map keys must "
                      "satisfy constraint: "
                      "[Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]"));
  EXPECT_THAT(text, testing::Not(HasSubstr("secret-value")));
}

TEST(Validation, Own_words_replace_the_usual_ones) {
  EXPECT_EQ(said("iam", "CreateUser", R"({"UserName":"a b"})"),
            "ValidationError: The specified value for userName is invalid. It must contain only "
            "alphanumeric characters and/or "
            "the following: +=,.@_-");
}

TEST(Validation, Enforcement_that_reality_does_not_have_is_left_out) {
  EXPECT_EQ(
      said(
          "lambda", "CreateFunction",
          R"({"FunctionName":"f","Role":"arn:aws:iam::123456789012:role/r","Code":{},"Runtime":"cobol74"})"),
      "");
}

TEST(Validation, A_long_value_is_cut_between_characters) {
  std::string name;
  while (name.size() < 3 * kMaxEchoBytes) name += "é";
  const auto text = said("logs", "CreateLogGroup", str("{\"logGroupName\":\"", name, "\"}"));
  EXPECT_TRUE(is_utf8(text));
  EXPECT_LT(text.size(), 3 * kMaxEchoBytes);
}

TEST(Validation, The_count_of_named_violations_is_bounded) {
  std::string tags;
  for (int i = 0; i < 500; ++i) tags += str(i ? "," : "", "{\"Key\":\"\",\"Value\":\"\"}");
  EXPECT_THAT(said("iam", "CreateUser", str("{\"UserName\":\"u\",\"Tags\":[", tags, "]}")),
              HasSubstr("100 validation errors detected"));
}

TEST(Patterns, Java_s_forms_are_translated) {
  EXPECT_EQ(to_re2("[\\u0020-\\u00FF]+"), "[\\x{000020}-\\x{0000FF}]+");
  EXPECT_EQ(to_re2("\\p{Print}+"), "[[:print:]]+");
  EXPECT_EQ(to_re2("a{1,5000}"), "a{1,}");
  EXPECT_EQ(to_re2("[\\_a]"), "[_a]");
  EXPECT_EQ(to_re2("(?=a)b"), "");
  EXPECT_TRUE(pattern_matches("\\p{L}+", "Größe"));
  EXPECT_TRUE(pattern_matches("(?!^[0-9]+$)([a-zA-Z0-9-_]+)", "v1"));
  EXPECT_FALSE(pattern_matches("(?!^[0-9]+$)([a-zA-Z0-9-_]+)", "12"));
  EXPECT_FALSE(pattern_matches("[0-9A-Za-z\\.\\-_]*(?<!\\.)", "bucket."));
}

// Input shapes only: an answer is not validated.
void collect(const Shape& shape, std::set<const Shape*>& seen,
             std::map<std::string, std::string>& unenforced) {
  if (!seen.insert(&shape).second) return;
  std::string why;
  if (shape.constraint.pattern && !pattern_enforced(shape.constraint.pattern, &why))
    unenforced[shape.constraint.pattern] = why;
  for (const auto& member : shape.members) collect(*member.shape, seen, unenforced);
  if (shape.element) collect(*shape.element, seen, unenforced);
  if (shape.key) collect(*shape.key, seen, unenforced);
}

TEST(Patterns, Every_pattern_of_every_spoken_input_is_enforced) {
  std::map<std::string, std::string> unenforced;
  std::set<const Shape*> seen;
  for (const auto* s : all_services())
    for (const auto& operation : s->operations)
      if (operation.spoken()) collect(*operation.input, seen, unenforced);
  EXPECT_THAT(unenforced, testing::IsEmpty()) << "add a form by hand (aws/patterns.cpp)";
}

TEST(Patterns, Matching_is_linear_in_the_text) {
  const std::string text(200'000, 'a');
  EXPECT_FALSE(pattern_matches("(a+)+b", text));  // exponential for a backtracking engine
}

}  // namespace
}  // namespace pileus::aws
