#include "aws/arn.h"

#include <gtest/gtest.h>

namespace pileus::aws {
namespace {

bool resource_matches(std::string_view pattern, std::string_view arn) {
  return Pattern(pattern, Pattern::Form::kResourceArn).matches(arn);
}

TEST(ArnTest, Parts_are_read_and_written_back) {
  const auto arn = parse_arn("arn:aws:lambda:us-east-1:123456789012:function:f:prod");
  ASSERT_TRUE(arn);
  EXPECT_EQ(arn->partition, "aws");
  EXPECT_EQ(arn->service, "lambda");
  EXPECT_EQ(arn->region, "us-east-1");
  EXPECT_EQ(arn->account, "123456789012");
  EXPECT_EQ(arn->resource, "function:f:prod");
  EXPECT_EQ(arn->resource_type(), "function");
  EXPECT_EQ(arn->resource_id(), "f:prod");
  EXPECT_EQ(arn->text(), "arn:aws:lambda:us-east-1:123456789012:function:f:prod");
  EXPECT_EQ(parse_arn("arn:aws:iam::1:role/a/b")->resource_id(), "a/b");
  EXPECT_EQ(parse_arn("arn:aws:s3:::bucket")->resource_type(), "");
  EXPECT_EQ(parse_arn("arn:aws:s3:::bucket")->resource_id(), "bucket");
}

TEST(ArnTest, What_is_no_ARN_is_refused) {
  for (const auto* text :
       {"", "arn", "arn:aws:s3", "arn:aws:s3:::", "arn::s3:::b", "xrn:aws:s3:::b", "arn:aws::::b"})
    EXPECT_FALSE(parse_arn(text)) << text;
  EXPECT_FALSE(is_arn("arn:aws:s3:::"));
  EXPECT_TRUE(is_arn("arn:aws:s3:::b"));
  EXPECT_EQ(account_of_arn("arn:aws:iam::42:root"), "42");
  EXPECT_EQ(account_of_arn("nothing"), "");
}

TEST(ArnTest, Partition_follows_the_region) {
  EXPECT_EQ(partition_of_region("us-east-1"), "aws");
  EXPECT_EQ(partition_of_region("cn-north-1"), "aws-cn");
  EXPECT_EQ(partition_of_region("us-gov-west-1"), "aws-us-gov");
  EXPECT_EQ(partition_of_region("us-iso-east-1"), "aws-iso");
  EXPECT_EQ(partition_of_region("us-isob-east-1"), "aws-iso-b");
  EXPECT_EQ(partition_of_region("mars-1"), "aws");
  EXPECT_EQ(dns_suffix_of_partition("aws-cn"), "amazonaws.com.cn");
  EXPECT_EQ(dns_suffix_of_partition("aws"), "amazonaws.com");
}

TEST(PatternTest, Wildcards_match_runs_and_single_characters) {
  struct Case {
    const char *pattern, *text;
    bool match;
  };
  for (const auto& c : std::initializer_list<Case>{{"*", "", true},
                                                   {"*", "anything", true},
                                                   {"", "", true},
                                                   {"", "a", false},
                                                   {"a", "a", true},
                                                   {"a", "A", false},
                                                   {"a*", "a", true},
                                                   {"a*", "abc", true},
                                                   {"a*", "ba", false},
                                                   {"*c", "abc", true},
                                                   {"*c", "abcd", false},
                                                   {"a?c", "abc", true},
                                                   {"a?c", "ac", false},
                                                   {"?", "", false},
                                                   {"**", "", true},
                                                   {"a**b", "ab", true},
                                                   {"a*b*c", "aXbYc", true},
                                                   {"a*b*c", "acb", false},
                                                   {"*a*", "bab", true},
                                                   {"s3:Get*", "s3:GetObject", true},
                                                   {"s3:*Object", "s3:GetObjects", false},
                                                   {"a*?", "a", false},
                                                   {"a*?", "ab", true},
                                                   {"*ab", "aab", true},
                                                   {"*aab", "aaab", true},
                                                   {"[a]", "a", false}}) {
    EXPECT_EQ(glob_matches(c.pattern, c.text), c.match) << c.pattern << " / " << c.text;
  }
}

TEST(PatternTest, Wildcards_of_a_resource_stay_in_their_segment_unless_they_end_it) {
  struct Case {
    const char *pattern, *arn;
    bool match;
  };
  for (const auto& c : std::initializer_list<Case>{
           {"*", "arn:aws:s3:::b/k", true},
           {"arn:aws:s3:::b/*", "arn:aws:s3:::b/x/y", true},
           {"arn:aws:s3:::b/*", "arn:aws:s3:::b", false},
           {"arn:aws:s3:::b/a*z", "arn:aws:s3:::b/a:b:z", true},
           {"arn:aws:lambda:*:*:function:f", "arn:aws:lambda:us-east-1:1:function:f", true},
           {"arn:aws:lambda:us-*-1:1:function:f", "arn:aws:lambda:us-east-1:1:function:f", true},
           {"arn:aws:lambda:us-*1:1:function:f", "arn:aws:lambda:us-east-1:1:function:f", true},
           // In the middle of a segment: not across a colon.
           {"arn:aws:lambda:u*1:function:f", "arn:aws:lambda:us-east-1:1:function:f", false},
           {"arn:aws:sns:*t-1:1:t", "arn:aws:sns:us-east-1:1:t", true},
           {"arn:aws:sns:*x:1:t", "arn:aws:sns:us:x:1:t", false},
           // At its end: across.
           {"arn:aws:sqs:*:q", "arn:aws:sqs:us-east-1:1:q", true},
           {"arn:aws:medialive:*", "arn:aws:medialive:us-east-1:1:channel:7", true},
           {"arn:aws:s3*", "arn:aws:s3:::b", true},
           {"arn:aws:ec?:us-east-1:1:instance/i", "arn:aws:ec2:us-east-1:1:instance/i", true},
           {"arn:aws:sqs:us-east-1?1:q", "arn:aws:sqs:us-east-1:1:q", false},
           {"arn:aws:lambda:us-east-1:1:function:*:prod",
            "arn:aws:lambda:us-east-1:1:function:f:prod", true},
           {"arn:aws:lambda:us-east-1:1:function:f", "arn:aws:lambda:us-east-1:1:function:f:prod",
            false},
           {"arn:aws:sns:u**1:1:t", "arn:aws:sns:us:x1:1:t", false},
           {"arn:aws:*:e*t:*:x", "arn:aws:sns:east:1:x", true},
           {"arn:aws:*:e*t:*:x", "arn:aws:sns:ea:st:1:x", false},
       }) {
    EXPECT_EQ(resource_matches(c.pattern, c.arn), c.match) << c.pattern << " / " << c.arn;
  }
}

TEST(PatternTest, In_ARN_conditions_no_wildcard_crosses_a_segment) {
  struct Case {
    const char *pattern, *arn;
    bool match;
  };
  for (const auto& c : std::initializer_list<Case>{
           {"arn:aws:iam::*:role/*", "arn:aws:iam::1:role/a/b", true},
           {"arn:aws:iam::*:role/*", "arn:aws:iam::1:user/a", false},
           {"arn:aws:s3:*", "arn:aws:s3:::b", false},
           {"*", "arn:aws:s3:::b", false},
           {"arn:*:*:*:*:*", "arn:aws:logs:us-east-1:1:log-group:a:b", true},
           {"arn:aws:sn?:us-*-1:*:t*", "arn:aws:sns:us-east-1:1:topic", true},
           {"arn:aws:*:x:y", "arn:aws:a:b:x:y", false},
           {"arn:aws:s3:::b:*", "arn:aws:s3:::b:c", true},
       }) {
    EXPECT_EQ(Pattern(c.pattern, Pattern::Form::kConditionArn).matches(c.arn), c.match)
        << c.pattern << " / " << c.arn;
  }
}

TEST(PatternTest, Literal_pieces_are_not_wildcards) {
  Pattern::Builder builder;
  builder.pattern("arn:aws:s3:::b/");
  builder.literal("a*?");
  builder.pattern("/*");
  const Pattern pattern = builder.build(Pattern::Form::kResourceArn);
  EXPECT_TRUE(pattern.matches("arn:aws:s3:::b/a*?/k"));
  EXPECT_FALSE(pattern.matches("arn:aws:s3:::b/axy/k"));
  Pattern::Builder bytes;
  bytes.literal("\xff\xfe");
  EXPECT_TRUE(bytes.build().matches("\xff\xfe"));
  EXPECT_FALSE(bytes.build().matches("ab"));
}

TEST(PatternTest, Hostile_patterns_take_no_exponential_time) {
  std::string pattern, text(5000, 'a');
  for (int i = 0; i < 200; ++i) pattern += "*a";
  pattern += "b";
  EXPECT_FALSE(glob_matches(pattern, text));
  std::string segments = "arn:aws:x*y:";
  EXPECT_FALSE(resource_matches(segments + pattern, "arn:aws:xay:" + text));
}

}  // namespace
}  // namespace pileus::aws
