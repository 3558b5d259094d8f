#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/policy/policy.h"

namespace pileus::aws::policy {
namespace {

std::string message(std::string_view document, Use use) {
  const auto parsed = parse_policy(document, use);
  if (parsed) return "fine";
  EXPECT_EQ(parsed.error().code(), "MalformedPolicyDocument");
  EXPECT_EQ(parsed.error().status(), 400);
  return parsed.error().message();
}
// A document of one statement.
std::string one(std::string_view statement) {
  return str(R"({"Version":"2012-10-17","Statement":[{)", statement, "}]}");
}
struct Case {
  std::string document;
  std::string message;
};

TEST(ParsePolicyTest, Identity_policies_are_validated_in_the_words_of_IAM) {
  const std::string allow = R"("Effect":"Allow","Action":"s3:GetObject","Resource":"*")";
  const std::string arn_message = "Resource x must be in ARN format or \"*\".";
  for (
      const auto& c : std::vector<Case>{
          {one(allow), "fine"},
          {R"({"Statement":{"Effect":"Deny","NotAction":["a:b"],"NotResource":
      ["arn:aws:s3:::b"]}})",
           "fine"},
          {"", "Syntax errors in policy."},
          {"[]", "Syntax errors in policy."},
          {"{", "Syntax errors in policy."},
          {"{}", "Syntax errors in policy."},
          {R"({"Version":"2012-10-17","Statement":[]})", "Syntax errors in policy."},
          {R"({"Version":"2012-10-17","Statement":["x"]})", "Syntax errors in policy."},
          {R"({"Version":"2012-10-18","Statement":[{)" + allow + "}]}",
           "The policy must contain a valid version string."},
          {R"({"Version":5,"Statement":[]})", "The policy must contain a valid version string."},
          {R"({"Extra":1,"Statement":[{)" + allow + "}]}", "Syntax errors in policy."},
          {one(allow + R"(,"Extra":1)"), "Syntax errors in policy."},
          {one(R"("Effect":"allow","Action":"s3:GetObject","Resource":"*")"),
           "Syntax errors in policy."},
          {one(R"("Action":"s3:GetObject","Resource":"*")"), "Syntax errors in policy."},
          {one(R"("Effect":"Allow","Resource":"*")"), "Policy statement must contain actions."},
          {one(R"("Effect":"Allow","Action":[],"Resource":"*")"),
           "Policy statement must contain actions."},
          {one(R"("Effect":"Allow","Action":"s3:GetObject")"),
           "Policy statement must contain resources."},
          {one(R"("Effect":"Allow","Action":"s3:GetObject","Resource":[])"),
           "Policy statement must contain resources."},
          {one(R"("Effect":"Allow","Action":"a:b","NotAction":"a:c","Resource":"*")"),
           "Syntax errors in policy."},
          {one(R"("Effect":"Allow","Action":[["a:b"]],"Resource":"*")"),
           "Syntax errors in policy."},
          {one(R"("Effect":"Allow","Action":{"a":"b"},"Resource":"*")"),
           "Syntax errors in policy."},
          {one(R"("Effect":"Allow","Action":"GetObject","Resource":"*")"),
           "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
          {one(R"("Effect":"Allow","Action":":GetObject","Resource":"*")"),
           "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
          {one(R"("Effect":"Allow","Action":"s3:a:b","Resource":"*")"),
           "Actions/Condition can contain only one colon."},
          {one(R"("Effect":"Allow","Action":"s*:Get","Resource":"*")"), "Vendor s* is not valid"},
          {one(R"("Effect":"Allow","Action":"*","Resource":"*")"), "fine"},
          {one(R"("Effect":"Allow","Action":"s3:*","Resource":"x")"), arn_message},
          {one(R"("Effect":"Allow","Action":"s3:*","Resource":"")"),
           "Resource  must be in ARN format or \"*\"."},
          {one(R"("Effect":"Allow","Action":"s3:*","Resource":"arn::s3:::b")"),
           "Partition \"\" is not valid for resource \"arn::s3:::b\"."},
          {one(R"("Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s?:::b")"),
           "Resource vendor must be fully qualified and cannot contain regexes."},
          {one(R"("Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:us-east-1::b")"),
           "Resource arn:aws:s3:us-east-1::b can not contain region information."},
          {one(R"("Effect":"Allow","Action":"a:*","Resource":"arn:aws:medialive:*")"), "fine"},
          {one(R"("Effect":"Allow","Action":"a:*","Resource":"arn:aws:s3:::${aws:username}/*")"),
           "fine"},
          {one(R"("Effect":"Allow","Action":"a:*","Resource":"arn:aws:s3:::${aws:username/*")"),
           "The policy failed legacy parsing"},
          {one(R"("Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam:us-east-1:1:role/x")"),
           "IAM resource arn:aws:iam:us-east-1:1:role/x cannot contain region information."},
          {one(R"("Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::123456789012:*/*")"),
           "IAM resource path must either be \"*\" or start with user/, federated-user/, role/, "
           "group/, instance-profile/, mfa/, "
           "server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, "
           "access-report/."},
          {one(allow + R"(,"Principal":"*")"), "Policy document should not specify a principal."},
          {one(allow + R"(,"Sid":"a-b")"),
           "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
           "expression [0-9A-Za-z]*"},
          {R"({"Statement":[{"Sid":"A",)" + allow + R"(},{"Sid":"A",)" + allow + "}]}",
           "Statement IDs (SID) in a single policy must be unique."},
          {one(allow + R"(,"Condition":{"StringEqualz":{"a:b":"c"}})"),
           "Invalid Condition type : StringEqualz."},
          {one(allow + R"(,"Condition":{"NullIfExists":{"a:b":"true"}})"),
           "Invalid Condition type : NullIfExists."},
          {one(allow + R"(,"Condition":{"StringEquals":{"b":"c"}})"),
           "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
          {one(allow + R"(,"Condition":{"StringEquals":"c"})"), "Syntax errors in policy."},
          {one(allow + R"(,"Condition":[])"), "Syntax errors in policy."},
          {one(allow + R"(,"Condition":{})"), "fine"},
          {one(allow +
               R"(,"Condition":{"Bool":{"aws:SecureTransport":true},"NumericLessThan":{"a:b":5}})"),
           "fine"},
          {one(allow + R"(,"Condition":{"IpAddress":{"aws:SourceIp":"300.1.1.1"}})"),
           "Invalid value \"300.1.1.1\" for condition IpAddress of aws:SourceIp."},
          {one(allow + R"(,"Condition":{"DateLessThan":{"aws:CurrentTime":"soon"}})"),
           "Invalid value \"soon\" for condition DateLessThan of aws:CurrentTime."},
      })
    EXPECT_EQ(message(c.document, Use::kIdentity), c.message) << c.document;
}

TEST(ParsePolicyTest, Trust_policies_have_a_principal_and_no_resource) {
  const std::string allow = R"("Effect":"Allow","Action":"sts:AssumeRole")";
  for (
      const auto& c : std::vector<Case>{
          {one(allow + R"(,"Principal":{"Service":"lambda.amazonaws.com"})"), "fine"},
          {one(allow +
               R"(,"Principal":{"Service":["lambda.amazonaws.com","ecs-tasks.amazonaws.com"],
      "AWS":"123456789012"})"),
           "fine"},
          {one(allow + R"(,"Principal":{"AWS":"*"})"), "fine"},
          {one(allow + R"(,"Principal":"*")"), "fine"},
          {one(allow + R"(,"Principal":{"AWS":"arn:aws:sts::123456789012:assumed-role/r/s"})"),
           "fine"},
          {one(allow + R"(,"Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/x"})"),
           "fine"},
          {one(R"("Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Principal":
      {"AWS":"123456789012"})"),
           "fine"},
          {"nonsense", "This policy contains invalid Json"},
          {one(allow), "Missing required field Principal"},
          {R"({"Version":"2012-10-17"})", "Missing required field Statement"},
          {one(R"("Action":"sts:AssumeRole","Principal":"*")"), "Missing required field Effect"},
          {one(R"("Effect":"Allow","Principal":"*")"), "Missing required field Action"},
          {one(allow + R"(,"Principal":"*","Resource":"*")"), "Has prohibited field Resource"},
          {one(R"("Effect":"Allow","Action":"s3:GetObject","Principal":"*")"),
           "AssumeRole policy may only specify STS AssumeRole actions."},
          {one(allow + R"(,"Principal":{"AWS":"arn:aws:iam::123456789012:group/g"})"),
           "Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:group/g\""},
          {one(allow + R"(,"Principal":{"AWS":"arn:aws:iam::123456789012:role/*"})"),
           "Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:role/*\""},
          {one(allow + R"(,"Principal":{"AWS":"arn:aws:iam::12345:root"})"),
           "Invalid principal in policy: \"AWS\":\"arn:aws:iam::12345:root\""},
          {one(allow + R"(,"Principal":"lambda.amazonaws.com")"),
           "Invalid principal in policy: \"AWS\":\"lambda.amazonaws.com\""},
          {one(allow + R"(,"Principal":{"AWS":[]})"),
           "Invalid principal in policy: com.amazon.balsa.error.InvalidPolicyException: The passed "
           "in policy has a statement with no principals!"},
          {one(allow + R"(,"Principal":"*","Extra":1)"), "Unknown field Extra"},
      })
    EXPECT_EQ(message(c.document, Use::kTrust), c.message) << c.document;
}

TEST(ParsePolicyTest, Resource_policies_have_both) {
  EXPECT_EQ(message(one(R"("Sid":"a b","Effect":"Allow","Principal":"*","Action":"s3:*","Resource":
      "arn:aws:s3:::b/*")"),
                    Use::kResource),
            "fine");
  EXPECT_EQ(message(one(R"("Effect":"Allow","Action":"s3:*","Resource":"*")"), Use::kResource),
            "Missing required field Principal");
  EXPECT_EQ(message(one(R"("Effect":"Allow","Principal":"*","Action":"s3:*")"), Use::kResource),
            "Policy statement must contain resources.");
  EXPECT_EQ(
      message(
          one(R"("Effect":"Allow","Principal":{"CanonicalUser":"79a5"},"Action":"s3:*","Resource":
      "*")"),
          Use::kResource),
      "fine");
}

TEST(ParsePolicyTest, The_document_is_bounded) {
  std::string many = R"({"Statement":[)";
  for (std::size_t i = 0; i <= kMaxStatements; ++i)
    many += str(i ? "," : "", R"({"Effect":"Allow","Action":"a:b","Resource":"*"})");
  EXPECT_EQ(message(many + "]}", Use::kIdentity), "The policy has too many statements.");
  std::string values = R"("Effect":"Allow","Resource":"*","Action":[)";
  for (std::size_t i = 0; i <= kMaxValues; ++i) values += str(i ? "," : "", R"("a:b")");
  EXPECT_EQ(message(one(values + "]"), Use::kIdentity), "Syntax errors in policy.");
  EXPECT_EQ(message(std::string(100000, '['), Use::kIdentity), "Syntax errors in policy.");
}

TEST(ParsePolicyTest, Version_and_id_are_kept) {
  const auto policy = parse_policy(
      R"({"Id":"mine","Version":"2012-10-17","Statement":{"Sid":"S","Effect":"Allow","Action":
      "a:b","Resource":"*"}})",
      Use::kIdentity);
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->id(), "mine");
  EXPECT_EQ(policy->version(), "2012-10-17");
  ASSERT_EQ(policy->statements().size(), 1u);
  EXPECT_EQ(policy->statements()[0].sid, "S");
}

}  // namespace
}  // namespace pileus::aws::policy
