#include "aws/policy/positions.h"

#include <gtest/gtest.h>

#include "aws/policy/evaluate.h"

namespace pileus::aws::policy {

constexpr std::string_view kList = R"({
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "*",
      "Resource": "*"
    },
    {"Effect": "Deny", "Action": "a:}", "Resource": "*"}
  ]
})";

TEST(Positions, Begin_behind_the_bracket_and_the_statement_before) {
  const auto spans = statement_spans(kList);
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0].start.line, 3);
  EXPECT_EQ(spans[0].start.column, 17);
  EXPECT_EQ(spans[0].end.line, 8);
  EXPECT_EQ(spans[0].end.column, 6);
  EXPECT_EQ(spans[1].start.line, 8);
  EXPECT_EQ(spans[1].start.column, 6);
  EXPECT_EQ(spans[1].end.line, 9);
  EXPECT_EQ(kList.substr(spans[1].begin, spans[1].past - spans[1].begin).back(), '}');
}

TEST(Positions, A_single_statement_begins_behind_its_brace) {
  const auto spans =
      statement_spans(R"({"Statement":{"Effect":"Allow"},"Version":"2012-10-17","Id":"a\"b"})");
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].start.column, 15);
  EXPECT_EQ(spans[0].end.column, 32);
}

TEST(Trace, Tells_every_statement_that_applies_and_does_not_change_the_decision) {
  const auto policy = parse_policy(
      R"({"Version":"2012-10-17","Statement":[
        {"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"},
        {"Sid":"B","Effect":"Deny","Action":"s3:Get*","Resource":"*"},
        {"Sid":"C","Effect":"Deny","Action":"s3:GetObject","Resource":"*"},
        {"Sid":"D","Effect":"Allow","Action":"sqs:*","Resource":"*"}]})",
      Use::kIdentity);
  ASSERT_TRUE(policy);
  const AttachedPolicy attached = {&*policy, "p", AttachedPolicy::Kind::kInline};
  PolicySet set;
  set.identity = {&attached, 1};
  Identity who;
  who.type = Identity::Type::kUser;
  const Request request(who, "s3:GetObject", "*");
  Trace trace;
  const Decision traced = evaluate(request, set, &trace), plain = evaluate(request, set);
  EXPECT_EQ(traced.sid(), "B");
  EXPECT_EQ(plain.sid(), "B");
  ASSERT_EQ(trace.matches.size(), 3u);
  EXPECT_TRUE(trace.matches[0].allow);
  EXPECT_EQ(trace.matches[2].statement, 2);
  EXPECT_FALSE(trace.identity_allows);
}

TEST(MissingKeys, Are_those_that_the_decision_may_depend_on) {
  const auto policy = parse_policy(
      R"({"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team}"},
        {"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::c",
         "Condition":{"StringEquals":{"s3:prefix":"x","aws:username":"ann"}}},
        {"Effect":"Allow","Action":"sqs:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]})",
      Use::kIdentity);
  ASSERT_TRUE(policy);
  Identity who;
  who.type = Identity::Type::kUser;
  who.user_name = "ann";
  const auto missing = [&](std::string_view resource) {
    const Request request(who, "s3:GetObject", resource);
    std::vector<std::string> keys;
    for (const auto& statement : policy->statements())
      statement.add_missing_keys(request, "s3:getobject", keys);
    return keys;
  };
  EXPECT_EQ(missing("arn:aws:s3:::b/x"), std::vector<std::string>{"aws:PrincipalTag/team"});
  EXPECT_EQ(missing("arn:aws:s3:::c"),
            (std::vector<std::string>{"aws:PrincipalTag/team", "s3:prefix"}));
}

}  // namespace pileus::aws::policy
