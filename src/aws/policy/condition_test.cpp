#include "aws/policy/condition.h"

#include <gtest/gtest.h>

#include "aws/policy/policy.h"

namespace pileus::aws::policy {
namespace {

Identity user() {
  Identity out;
  out.type = Identity::Type::kUser;
  out.account = "123456789012";
  out.arn = "arn:aws:iam::123456789012:user/team/ann";
  out.user_id = "AIDAEXAMPLE1234567890";
  out.user_name = "ann";
  out.tags = {{"Team", "blue"}, {"star", "a*"}};
  return out;
}

// Whether a statement with this Condition applies where the request gives these keys.
bool holds(std::string_view condition, ConditionValues given = {}, Identity who = user(),
           std::string_view resource = "*") {
  const auto policy = parse_policy(
      str(R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a:b","Resource":"*",
      "Condition":)",
          condition, "}}"),
      Use::kIdentity);
  EXPECT_TRUE(policy) << condition << ": " << policy.error().message();
  if (!policy) return false;
  Request request(who, "a:b", resource);
  request.conditions = &given;
  request.now = *parse_iso8601("2026-05-04T10:00:00Z");
  Naming naming;
  return policy->statements()[0].applies(request, "a:b", naming);
}

struct Case {
  const char* condition;
  ConditionValues given;
  bool holds;
};
void check(const std::vector<Case>& cases) {
  for (const auto& c : cases) EXPECT_EQ(holds(c.condition, c.given), c.holds) << c.condition;
}

TEST(ConditionTest, String_operators) {
  check({
      {R"({"StringEquals":{"a:k":"v"}})", {{"a:k", {"v"}}}, true},
      {R"({"StringEquals":{"A:K":"v"}})", {{"a:k", {"v"}}}, true},
      {R"({"StringEquals":{"a:k":"v"}})", {{"a:k", {"V"}}}, false},
      {R"({"StringEquals":{"a:k":"v*"}})", {{"a:k", {"vx"}}}, false},
      {R"({"StringEquals":{"a:k":["x","v"]}})", {{"a:k", {"v"}}}, true},
      {R"({"StringEquals":{"a:k":"v"}})", {}, false},
      {R"({"StringNotEquals":{"a:k":"v"}})", {{"a:k", {"v"}}}, false},
      {R"({"StringNotEquals":{"a:k":["x","v"]}})", {{"a:k", {"v"}}}, false},
      {R"({"StringNotEquals":{"a:k":"v"}})", {{"a:k", {"w"}}}, true},
      {R"({"StringNotEquals":{"a:k":"v"}})", {}, true},
      // Several values without a set operator.
      {R"({"StringEquals":{"a:k":"v"}})", {{"a:k", {"w", "v"}}}, true},
      {R"({"StringNotEquals":{"a:k":"v"}})", {{"a:k", {"w", "v"}}}, false},
      {R"({"StringEqualsIgnoreCase":{"a:k":"VaL"}})", {{"a:k", {"vAl"}}}, true},
      {R"({"StringNotEqualsIgnoreCase":{"a:k":"VaL"}})", {{"a:k", {"vAl"}}}, false},
      {R"({"StringLike":{"a:k":"v?l*"}})", {{"a:k", {"value"}}}, true},
      {R"({"StringLike":{"a:k":"V*"}})", {{"a:k", {"value"}}}, false},
      {R"({"StringNotLike":{"a:k":"v*"}})", {{"a:k", {"value"}}}, false},
      {R"({"StringNotLike":{"a:k":"v*"}})", {{"a:k", {"other"}}}, true},
      // All keys of an operator and all operators must hold.
      {R"({"StringEquals":{"a:k":"v","a:l":"w"}})", {{"a:k", {"v"}}, {"a:l", {"x"}}}, false},
      {R"({"StringEquals":{"a:k":"v"},"StringLike":{"a:l":"*"}})",
       {{"a:k", {"v"}}, {"a:l", {"x"}}},
       true},
      {R"({"StringEquals":{"a:k":[]}})", {{"a:k", {"v"}}}, false},
  });
}

TEST(ConditionTest, Numbers_dates_booleans_and_bytes) {
  check({
      {R"({"NumericEquals":{"a:n":"10"}})", {{"a:n", {"10.0"}}}, true},
      {R"({"NumericEquals":{"a:n":10}})", {{"a:n", {"10"}}}, true},
      {R"({"NumericNotEquals":{"a:n":"10"}})", {{"a:n", {"11"}}}, true},
      {R"({"NumericLessThan":{"a:n":"10"}})", {{"a:n", {"10"}}}, false},
      {R"({"NumericLessThanEquals":{"a:n":"10"}})", {{"a:n", {"10"}}}, true},
      {R"({"NumericGreaterThan":{"a:n":"-1"}})", {{"a:n", {"0"}}}, true},
      {R"({"NumericGreaterThanEquals":{"a:n":"1"}})", {{"a:n", {"0"}}}, false},
      {R"({"NumericLessThan":{"a:n":"10"}})", {{"a:n", {"many"}}}, false},
      {R"({"NumericLessThan":{"a:n":"10"}})", {}, false},
      {R"({"DateGreaterThan":{"aws:CurrentTime":"2026-05-04T09:59:59Z"}})", {}, true},
      {R"({"DateLessThan":{"aws:CurrentTime":"2026-05-04"}})", {}, false},
      {R"({"DateLessThanEquals":{"aws:EpochTime":"1777888800"}})", {}, true},
      {R"({"DateEquals":{"a:d":"2026-01-01T01:00:00+01:00"}})",
       {{"a:d", {"2026-01-01T00:00:00Z"}}},
       true},
      {R"({"DateNotEquals":{"a:d":"2026"}})", {{"a:d", {"2026-01-01"}}}, false},
      {R"({"DateGreaterThanEquals":{"a:d":"2026-02"}})", {{"a:d", {"2026-02-01T00:00Z"}}}, true},
      {R"({"Bool":{"aws:SecureTransport":"true"}})", {{"aws:SecureTransport", {"true"}}}, true},
      {R"({"Bool":{"aws:SecureTransport":false}})", {{"aws:SecureTransport", {"true"}}}, false},
      {R"({"Bool":{"aws:SecureTransport":"false"}})", {}, false},
      {R"({"BinaryEquals":{"a:b":"QmluYXJ5"}})", {{"a:b", {"Binary"}}}, true},
      {R"({"BinaryEquals":{"a:b":"QmluYXJ5"}})", {{"a:b", {"binary"}}}, false},
  });
}

TEST(ConditionTest, Addresses) {
  check({
      {R"({"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}})",
       {{"aws:SourceIp", {"203.0.113.7"}}},
       true},
      {R"({"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}})",
       {{"aws:SourceIp", {"203.0.114.7"}}},
       false},
      {R"({"IpAddress":{"aws:SourceIp":"203.0.113.7"}})",
       {{"aws:SourceIp", {"203.0.113.7"}}},
       true},
      {R"({"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}})", {{"aws:SourceIp", {"1.2.3.4"}}}, true},
      {R"({"IpAddress":{"aws:SourceIp":"10.0.0.0/9"}})", {{"aws:SourceIp", {"10.128.0.1"}}}, false},
      {R"({"IpAddress":{"aws:SourceIp":"2001:DB8:1234:5678::/64"}})",
       {{"aws:SourceIp", {"2001:db8:1234:5678::1"}}},
       true},
      {R"({"IpAddress":{"aws:SourceIp":"2001:DB8:1234:5678::/64"}})",
       {{"aws:SourceIp", {"2001:db8:1234:5679::1"}}},
       false},
      {R"({"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}})",
       {{"aws:SourceIp", {"::ffff:203.0.113.7"}}},
       true},
      {R"({"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}})", {{"aws:SourceIp", {"::1"}}}, false},
      {R"({"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","203.0.113.0/24"]}})",
       {{"aws:SourceIp", {"203.0.113.7"}}},
       false},
      {R"({"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}})",
       {{"aws:SourceIp", {"203.0.113.7"}}},
       true},
      {R"({"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}})", {}, true},
      {R"({"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}})", {{"aws:SourceIp", {"1.2.3.4/8"}}}, false},
  });
}

TEST(ConditionTest, ARNs_are_compared_part_by_part) {
  const ConditionValues topic{{"aws:SourceArn", {"arn:aws:sns:us-east-1:123456789012:topic"}}};
  check({
      {R"({"ArnEquals":{"aws:SourceArn":"arn:aws:sns:us-east-1:123456789012:topic"}})", topic,
       true},
      {R"({"ArnEquals":{"aws:SourceArn":"arn:aws:sns:*:123456789012:*"}})", topic, true},
      {R"({"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:123456789012:top?c"}})", topic, true},
      {R"({"ArnLike":{"aws:SourceArn":"arn:aws:sns:*"}})", topic, false},
      {R"({"ArnNotLike":{"aws:SourceArn":"arn:aws:sns:*:*:t*"}})", topic, false},
      {R"({"ArnNotEquals":{"aws:SourceArn":"arn:aws:sqs:*:*:t*"}})", topic, true},
      {R"({"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/*"}})", {}, true},
  });
}

TEST(ConditionTest, Absent_keys_IfExists_and_Null) {
  check({
      {R"({"StringEqualsIfExists":{"a:k":"v"}})", {}, true},
      {R"({"StringEqualsIfExists":{"a:k":"v"}})", {{"a:k", {"w"}}}, false},
      {R"({"NumericLessThanIfExists":{"a:n":"5"}})", {}, true},
      {R"({"StringNotEqualsIfExists":{"a:k":"v"}})", {}, true},
      {R"({"Null":{"a:k":"true"}})", {}, true},
      {R"({"Null":{"a:k":"false"}})", {}, false},
      {R"({"Null":{"a:k":"true"}})", {{"a:k", {"v"}}}, false},
      {R"({"Null":{"a:k":false}})", {{"a:k", {"v"}}}, true},
      {R"({"Null":{"a:k":"true"}})", {{"a:k", {}}}, true},
      {R"({"Null":{"aws:TokenIssueTime":"true"}})", {}, true},
      {R"({"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}})", {}, true},
      {R"({"Bool":{"aws:MultiFactorAuthPresent":"false"}})", {}, false},
  });
}

// The tables of the User Guide, "Set operators for multivalued context keys".
TEST(ConditionTest, ForAllValues_and_ForAnyValue) {
  const char* all =
      R"({"ForAllValues:StringEquals":{"aws:TagKeys":["environment","cost-center"]}})";
  const char* any = R"({"ForAnyValue:StringEquals":{"aws:TagKeys":["environment","cost-center"]}})";
  const char* all_not =
      R"({"ForAllValues:StringNotEquals":{"aws:TagKeys":["environment","cost-center"]}})";
  const char* any_not =
      R"({"ForAnyValue:StringNotEquals":{"aws:TagKeys":["environment","cost-center"]}})";
  const auto tags = [](std::vector<std::string> keys) {
    return ConditionValues{{"aws:TagKeys", std::move(keys)}};
  };
  check({
      {all, tags({"environment"}), true},
      {all, tags({"environment", "cost-center"}), true},
      {all, tags({"environment", "dept"}), false},
      {all, tags({"dept"}), false},
      {all, {}, true},
      {any, tags({"environment", "dept"}), true},
      {any, tags({"dept"}), false},
      {any, {}, false},
      {all_not, tags({"dept", "team"}), true},
      {all_not, tags({"dept", "environment"}), false},
      {all_not, {}, true},
      {any_not, tags({"dept", "environment"}), true},
      {any_not, tags({"environment"}), false},
      {any_not, {}, false},
      {R"({"ForAnyValue:StringEqualsIfExists":{"aws:TagKeys":"x"}})", {}, false},
      {R"({"ForAllValues:StringLike":{"aws:TagKeys":"cost*"}})", tags({"costs", "cost"}), true},
  });
}

TEST(ConditionTest, Keys_that_follow_from_the_principal) {
  check({
      {R"({"StringEquals":{"aws:username":"ann"}})", {}, true},
      {R"({"StringEquals":{"aws:PrincipalAccount":"123456789012"}})", {}, true},
      {R"({"StringEquals":{"aws:PrincipalType":"User"}})", {}, true},
      {R"({"StringEquals":{"aws:PrincipalTag/team":"blue"}})", {}, true},
      {R"({"StringEquals":{"aws:PrincipalTag/other":"blue"}})", {}, false},
      {R"({"StringEquals":{"aws:userid":"AIDAEXAMPLE1234567890"}})", {}, true},
      {R"({"StringEquals":{"aws:ResourceAccount":"123456789012"}})", {}, true},
      {R"({"Bool":{"aws:PrincipalIsAWSService":"false"}})", {}, true},
      // What the call gives, wins.
      {R"({"Bool":{"aws:ViaAWSService":"true"}})", {{"aws:ViaAWSService", {"true"}}}, true},
  });
  Identity session = user();
  session.type = Identity::Type::kAssumedRole;
  session.arn = "arn:aws:sts::123456789012:assumed-role/r/s";
  session.role_arn = "arn:aws:iam::123456789012:role/r";
  session.issued_at = *parse_iso8601("2026-05-04T09:00:00Z");
  EXPECT_TRUE(holds(R"({"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/r"}})", {},
                    session));
  EXPECT_TRUE(holds(R"({"Bool":{"aws:MultiFactorAuthPresent":"false"}})", {}, session));
  EXPECT_TRUE(
      holds(R"({"DateLessThan":{"aws:TokenIssueTime":"2026-05-04T09:30:00Z"}})", {}, session));
  EXPECT_TRUE(holds(R"({"Null":{"aws:username":"true"}})", {}, session));
}

TEST(ConditionTest, Policy_variables) {
  check({
      {R"({"StringEquals":{"a:k":"${aws:username}"}})", {{"a:k", {"ann"}}}, true},
      {R"({"StringEquals":{"a:k":"x-${aws:PrincipalTag/team}-y"}})", {{"a:k", {"x-blue-y"}}}, true},
      {R"({"StringLike":{"a:k":"home/${aws:username}/*"}})", {{"a:k", {"home/ann/x"}}}, true},
      {R"({"StringLike":{"a:k":"home/${aws:username}/*"}})", {{"a:k", {"home/bob/x"}}}, false},
      // A wildcard in a value is no wildcard.
      {R"({"StringLike":{"a:k":"${aws:PrincipalTag/star}"}})", {{"a:k", {"abc"}}}, false},
      {R"({"StringLike":{"a:k":"${aws:PrincipalTag/star}"}})", {{"a:k", {"a*"}}}, true},
      {R"({"StringLike":{"a:k":"a${*}"}})", {{"a:k", {"abc"}}}, false},
      {R"({"StringLike":{"a:k":"a${*}${?}${$}"}})", {{"a:k", {"a*?$"}}}, true},
      {R"({"StringEquals":{"a:k":"${aws:PrincipalTag/none, 'fallback'}"}})",
       {{"a:k", {"fallback"}}},
       true},
      {R"({"StringEquals":{"a:k":"${aws:PrincipalTag/team, 'fallback'}"}})",
       {{"a:k", {"blue"}}},
       true},
      {R"({"StringEquals":{"a:k":"${aws:PrincipalTag/none}"}})", {{"a:k", {""}}}, false},
      {R"({"StringNotEquals":{"a:k":"${aws:PrincipalTag/none}"}})", {{"a:k", {"x"}}}, true},
      {R"({"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:${aws:PrincipalAccount}:*"}})",
       {{"aws:SourceArn", {"arn:aws:sns:us-east-1:123456789012:t"}}},
       true},
      {R"({"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}})",
       {{"aws:ResourceTag/team", {"blue"}}},
       true},
  });
}

}  // namespace
}  // namespace pileus::aws::policy
