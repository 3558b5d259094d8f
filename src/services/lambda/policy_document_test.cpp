#include "services/lambda/policy_document.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace pileus::services::lambda {
namespace {

constexpr const char* kArn = "arn:aws:lambda:us-east-1:000000000000:function:f";

JsonObject granted(std::string id, std::string principal = "s3.amazonaws.com") {
  Grant grant;
  grant.statement_id = std::move(id);
  grant.action = "lambda:InvokeFunction";
  grant.principal = *function_principal("aws", principal);
  return statement_of(grant, kArn);
}

TEST(PolicyDocument, Principals_have_the_forms_of_aws) {
  const auto shown = [](const std::string& text) {
    auto principal = function_principal("aws", text);
    return principal ? to_text(*principal) : principal.error().code();
  };
  EXPECT_EQ(shown("*"), R"("*")");
  EXPECT_EQ(shown("123456789012"), R"({"AWS":"arn:aws:iam::123456789012:root"})");
  EXPECT_EQ(shown("arn:aws:iam::123456789012:user/a/b"),
            R"({"AWS":"arn:aws:iam::123456789012:user/a/b"})");
  EXPECT_EQ(shown("arn:aws:sts::123456789012:assumed-role/r/s"),
            R"({"AWS":"arn:aws:sts::123456789012:assumed-role/r/s"})");
  EXPECT_EQ(shown("events.amazonaws.com"), R"({"Service":"events.amazonaws.com"})");
  for (const char* bad : {"", "1234", "arn:aws:iam::12:root", "arn:aws:s3:::b", ".amazonaws.com",
                          "a..amazonaws.com", "arn:aws:iam::123456789012:role/", "example.com"})
    EXPECT_EQ(shown(bad), "InvalidParameterValueException") << bad;
}

TEST(PolicyDocument, Statements_come_and_go_by_their_ids) {
  std::string document;
  ASSERT_TRUE(add_statement(document, granted("a")));
  ASSERT_TRUE(add_statement(document, granted("b")));
  EXPECT_EQ(document.find(R"({"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"a")"), 0u)
      << document;
  const std::string before = document;
  EXPECT_EQ(add_statement(document, granted("a")).error().code(), "ResourceConflictException");
  EXPECT_EQ(remove_statement(document, "c").error().code(), "ResourceNotFoundException");
  EXPECT_EQ(document, before);
  EXPECT_TRUE(find_statement(document, "b"));
  ASSERT_TRUE(remove_statement(document, "a"));
  EXPECT_FALSE(find_statement(document, "a"));
  ASSERT_TRUE(remove_statement(document, "b"));
  EXPECT_EQ(document, "");
  EXPECT_EQ(remove_statement(document, "b").error().code(), "ResourceNotFoundException");
}

TEST(PolicyDocument, A_single_statement_that_is_no_list_is_one_too) {
  std::string document = R"({"Version":"2012-10-17","Statement":{"Sid":"one","Effect":"Allow"}})";
  ASSERT_TRUE(add_statement(document, granted("two")));
  EXPECT_TRUE(find_statement(document, "one"));
  EXPECT_TRUE(find_statement(document, "two"));
}

TEST(PolicyDocument, It_is_at_most_20_KB_large) {
  std::string document;
  Result<Unit> added = Unit{};
  for (int i = 0; added; ++i) added = add_statement(document, granted(str("statement-", i)));
  EXPECT_EQ(added.error().code(), "PolicyLengthExceededException");
  EXPECT_LE(document.size(), kMaxPolicyBytes);
  EXPECT_GT(document.size(), kMaxPolicyBytes - 300);
}

TEST(PolicyDocument, A_whole_policy_is_about_its_resource_and_not_for_everyone) {
  const auto checked = [](std::string_view principal, std::string_view more = "",
                          std::string_view resource = kArn, std::string_view effect = "Allow") {
    const std::string text = str(
        R"({"Version":"2012-10-17","Statement":[{"Effect":")", effect, R"(","Principal":)",
        principal, R"(,"Action":"lambda:InvokeFunction","Resource":")", resource, '"', more, "}]}");
    auto done = check_whole_policy(text, kArn);
    return done ? std::string("ok") : done.error().code();
  };
  EXPECT_EQ(checked(R"({"AWS":"123456789012"})"), "ok");
  EXPECT_EQ(checked(R"("*")"), "PublicPolicyException");
  EXPECT_EQ(checked(R"({"AWS":["123456789012","*"]})"), "PublicPolicyException");
  EXPECT_EQ(checked(R"("*")", "", kArn, "Deny"), "ok");
  EXPECT_EQ(checked(R"("*")", R"(,"Condition":{"StringEquals":{"aws:SourceAccount":"1"}})"), "ok");
  for (const char* open :
       {R"(,"Condition":{"StringNotEquals":{"aws:SourceAccount":"1"}})",
        R"(,"Condition":{"StringEqualsIfExists":{"aws:SourceAccount":"1"}})",
        R"(,"Condition":{"StringLike":{"aws:SourceAccount":"*"}})",
        R"(,"Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","0.0.0.0/0"]}})",
        R"(,"Condition":{"Null":{"aws:SourceAccount":"true"}})",
        R"(,"Condition":{"StringEquals":{"aws:UserAgent":"me"}})"})
    EXPECT_EQ(checked(R"("*")", open), "PublicPolicyException") << open;
  EXPECT_EQ(checked(R"({"AWS":"123456789012"})", "", str(kArn, ":1")),
            "InvalidParameterValueException");
}

}  // namespace
}  // namespace pileus::services::lambda
