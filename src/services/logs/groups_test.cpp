#include "gen/logs/DeleteLogGroup.h"
#include "gen/logs/DeleteLogStream.h"
#include "gen/logs/DeleteRetentionPolicy.h"
#include "gen/logs/DescribeLogGroups.h"
#include "gen/logs/DescribeLogStreams.h"
#include "gen/logs/ListLogGroups.h"
#include "gen/logs/ListTagsForResource.h"
#include "gen/logs/ListTagsLogGroup.h"
#include "gen/logs/PutLogGroupDeletionProtection.h"
#include "gen/logs/PutRetentionPolicy.h"
#include "gen/logs/TagLogGroup.h"
#include "gen/logs/TagResource.h"
#include "gen/logs/UntagLogGroup.h"
#include "gen/logs/UntagResource.h"
#include "services/logs/test_logs.h"

namespace pileus::services::logs {
namespace {

using namespace gen::logs;

class GroupsTest : public LogsTest {
 protected:
  std::vector<std::string> names(const Result<DescribeLogGroupsOutput>& output) {
    std::vector<std::string> out;
    if (!output) return {error_of(output)};
    for (const auto& group : *output->log_groups) out.push_back(*group.log_group_name);
    return out;
  }
  std::vector<std::string> stream_names(const Result<DescribeLogStreamsOutput>& output) {
    std::vector<std::string> out;
    if (!output) return {error_of(output)};
    for (const auto& stream : *output->log_streams) out.push_back(*stream.log_stream_name);
    return out;
  }
  Result<DescribeLogGroupsOutput> describe(DescribeLogGroupsInput in = {}) {
    return call(&LogsService::describe_log_groups, std::move(in));
  }
  Result<DescribeLogStreamsOutput> streams(DescribeLogStreamsInput in = {}) {
    if (!in.log_group_identifier && !in.log_group_name) in.log_group_name = "g";
    return call(&LogsService::describe_log_streams, std::move(in));
  }
};

TEST_F(GroupsTest, A_group_is_described_as_it_was_made) {
  make_group("/aws/lambda/f");
  const auto output = describe();
  ASSERT_TRUE(output);
  const auto& group = output->log_groups->at(0);
  EXPECT_EQ(group.log_group_name, "/aws/lambda/f");
  EXPECT_EQ(group.arn, "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f:*");
  EXPECT_EQ(group.log_group_arn, "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f");
  EXPECT_EQ(group.creation_time, kStartMs);
  EXPECT_EQ(group.log_group_class, "STANDARD");
  EXPECT_EQ(group.stored_bytes, 0);
  EXPECT_EQ(group.metric_filter_count, 0);
  EXPECT_FALSE(group.retention_in_days);
  EXPECT_FALSE(output->next_token);
}

TEST_F(GroupsTest, A_name_is_taken_once) {
  make_group("g");
  CreateLogGroupInput in;
  in.log_group_name = "g";
  EXPECT_EQ(error_of(call(&LogsService::create_log_group, in)),
            "ResourceAlreadyExistsException: The specified log group already exists");
  make_stream("g", "s");
  EXPECT_EQ(error_of(call(&LogsService::create_log_stream, CreateLogStreamInput{"g", "s"})),
            "ResourceAlreadyExistsException: The specified log stream already exists");
  EXPECT_EQ(error_of(call(&LogsService::create_log_stream, CreateLogStreamInput{"none", "s"})),
            "ResourceNotFoundException: The specified log group does not exist.");
  in.log_group_name = "aws/mine";
  EXPECT_NE(error_of(call(&LogsService::create_log_group, in)), "no error");
}

TEST_F(GroupsTest, Groups_are_listed_page_by_page) {
  for (const auto* name : {"b", "a/2", "a/1", "c"}) make_group(name);
  DescribeLogGroupsInput in;
  in.limit = 3;
  const auto first = describe(in);
  EXPECT_EQ(names(first), (std::vector<std::string>{"a/1", "a/2", "b"}));
  in.next_token = first->next_token;
  const auto second = describe(in);
  EXPECT_EQ(names(second), std::vector<std::string>{"c"});
  EXPECT_FALSE(second->next_token);
  in = {};
  in.log_group_name_prefix = "a/";
  EXPECT_EQ(names(describe(in)), (std::vector<std::string>{"a/1", "a/2"}));
  in = {};
  in.log_group_name_pattern = "2";
  EXPECT_EQ(names(describe(in)), std::vector<std::string>{"a/2"});
  in.log_group_name_prefix = "a";
  EXPECT_EQ(error_of(describe(in)),
            "InvalidParameterException: LogGroup name prefix and LogGroup name pattern are "
            "mutually exclusive parameters.");
  in = {};
  in.log_group_identifiers = {{"b", "arn:aws:logs:us-east-1:000000000000:log-group:c"}};
  EXPECT_EQ(names(describe(in)), (std::vector<std::string>{"b", "c"}));
  in = {};
  in.next_token = "?";
  EXPECT_EQ(error_of(describe(in)),
            "InvalidParameterException: The specified nextToken is invalid.");
}

TEST_F(GroupsTest, ListLogGroups_takes_patterns_and_tags) {
  CreateLogGroupInput in;
  in.log_group_name = "/aws/lambda/x";
  in.tags = {{{"stage", "Prod-1"}}};
  ASSERT_TRUE(call(&LogsService::create_log_group, in));
  make_group("other/discovery");
  make_group("third");
  const auto list = [&](ListLogGroupsInput query) {
    std::string out;
    const auto output = call(&LogsService::list_log_groups, std::move(query));
    if (!output) return error_of(output);
    for (const auto& group : *output->log_groups) out += *group.log_group_name + " ";
    return out;
  };
  ListLogGroupsInput query;
  query.log_group_name_pattern = "^/aws/|discovery";
  EXPECT_EQ(list(query), "/aws/lambda/x other/discovery ");
  query.log_group_name_pattern = "^aws";
  EXPECT_EQ(list(query), "");
  const auto by_tag = [&](std::vector<std::string> values) {
    ListLogGroupsInput tagged;
    tagged.log_group_tags = {{TagFilter{"stage", std::move(values)}}};
    return list(tagged);
  };
  EXPECT_EQ(by_tag({}), "/aws/lambda/x ");
  EXPECT_EQ(by_tag({"prod*"}), "/aws/lambda/x ");
  EXPECT_EQ(by_tag({"prod-1"}), "");
  EXPECT_EQ(by_tag({"!dev"}), "/aws/lambda/x ");
  EXPECT_EQ(by_tag({"!Prod-1"}), "");
}

TEST_F(GroupsTest, Tags_are_kept_by_name_and_by_ARN) {
  make_group("g");
  const std::string arn = "arn:aws:logs:us-east-1:000000000000:log-group:g";
  ASSERT_TRUE(call(&LogsService::tag_resource, TagResourceInput{arn, {{"a", "1"}, {"b", "2"}}}));
  ASSERT_TRUE(call(&LogsService::tag_log_group, TagLogGroupInput{"g", {{"b", "3"}, {"c", ""}}}));
  ASSERT_TRUE(call(&LogsService::untag_resource, UntagResourceInput{arn + ":*", {"a"}}));
  const auto tags = call(&LogsService::list_tags_for_resource, ListTagsForResourceInput{arn});
  EXPECT_EQ(*tags->tags, (std::map<std::string, std::string>{{"b", "3"}, {"c", ""}}));
  ASSERT_TRUE(call(&LogsService::untag_log_group, UntagLogGroupInput{"g", {"b", "none"}}));
  EXPECT_EQ(call(&LogsService::list_tags_log_group, ListTagsLogGroupInput{"g"})->tags->size(), 1u);
}

TEST_F(GroupsTest, Tags_have_their_rules) {
  make_group("g");
  const std::string arn = "arn:aws:logs:us-east-1:000000000000:log-group:g";
  std::map<std::string, std::string> many;
  for (int i = 0; i < 51; ++i) many["k" + std::to_string(i)] = "v";
  EXPECT_TRUE(error_of(call(&LogsService::tag_resource, TagResourceInput{arn, many}))
                  .starts_with("TooManyTags"));
  EXPECT_NE(error_of(call(&LogsService::tag_resource, TagResourceInput{arn, {{"aws:x", "1"}}})),
            "no error");
  EXPECT_TRUE(
      call(&LogsService::list_tags_for_resource, ListTagsForResourceInput{arn})->tags->empty());
  EXPECT_EQ(error_of(call(&LogsService::tag_resource, TagResourceInput{arn + "x", {{"a", "1"}}})),
            "ResourceNotFoundException: The specified log group does not exist.");
  for (const auto* other : {"g", "arn:aws:s3:::bucket", "arn:aws:logs:us-east-1:1:destination:d"})
    EXPECT_TRUE(
        error_of(call(&LogsService::list_tags_for_resource, ListTagsForResourceInput{other}))
            .starts_with("InvalidParameterException"));
  EXPECT_EQ(
      error_of(call(&LogsService::list_tags_for_resource,
                    ListTagsForResourceInput{"arn:aws:logs:us-east-1:999999999999:log-group:g"})),
      "ResourceNotFoundException: The specified log group does not exist.");
}

TEST_F(GroupsTest, Retention_takes_the_values_of_AWS) {
  make_group("g");
  ASSERT_TRUE(call(&LogsService::put_retention_policy, PutRetentionPolicyInput{"g", 7}));
  EXPECT_EQ(describe()->log_groups->at(0).retention_in_days, 7);
  EXPECT_TRUE(error_of(call(&LogsService::put_retention_policy, PutRetentionPolicyInput{"g", 2}))
                  .starts_with("InvalidParameterException: 1 validation error detected: Value '2' "
                               "at 'retentionInDays'"));
  ASSERT_TRUE(call(&LogsService::delete_retention_policy, DeleteRetentionPolicyInput{"g"}));
  EXPECT_FALSE(describe()->log_groups->at(0).retention_in_days);
  EXPECT_EQ(error_of(call(&LogsService::put_retention_policy, PutRetentionPolicyInput{"x", 7})),
            "ResourceNotFoundException: The specified log group does not exist.");
}

TEST_F(GroupsTest, A_deleted_group_takes_everything_with_it) {
  make_group("g");
  make_stream("g", "s");
  ASSERT_TRUE(put("s", {{kStartMs, "old"}}));
  EXPECT_EQ(describe()->log_groups->at(0).stored_bytes,
            11);  // the time of ingestion and the message
  ASSERT_TRUE(call(&LogsService::delete_log_group, DeleteLogGroupInput{"g"}));
  EXPECT_EQ(error_of(put("s", {{kStartMs, "x"}})),
            "ResourceNotFoundException: The specified log group does not exist.");
  EXPECT_TRUE(loop_.run(journals_->list("", 10, ""))->empty());
  EXPECT_TRUE(loop_.run(records_->partitions())->empty());
  make_group("g");
  make_stream("g", "s");
  EXPECT_EQ(messages(call(&LogsService::get_log_events, get_input("s"))), Messages{});
}

TEST_F(GroupsTest, A_protected_group_is_not_deleted) {
  CreateLogGroupInput in;
  in.log_group_name = "g";
  in.deletion_protection_enabled = true;
  ASSERT_TRUE(call(&LogsService::create_log_group, in));
  EXPECT_TRUE(error_of(call(&LogsService::delete_log_group, DeleteLogGroupInput{"g"}))
                  .starts_with("ValidationException"));
  EXPECT_TRUE(*describe()->log_groups->at(0).deletion_protection_enabled);
  ASSERT_TRUE(call(&LogsService::put_log_group_deletion_protection,
                   PutLogGroupDeletionProtectionInput{"g", false}));
  EXPECT_TRUE(call(&LogsService::delete_log_group, DeleteLogGroupInput{"g"}));
}

TEST_F(GroupsTest, What_a_crash_left_of_a_deletion_is_cleaned_up) {
  make_group("g");
  make_stream("g", "s");
  ASSERT_TRUE(put("s", {{kStartMs, "x"}}));
  const auto journal = loop_.run(journals_->list("", 1, ""))->at(0);
  const std::string folder = journal.substr(0, journal.rfind('/') + 1);
  const std::string id = folder.substr(folder.size() - 17, 16);
  store::Transaction crashed;  // what a deletion commits before it cleans up
  crashed.remove("logs/group/g")
      .put("logs/gone/" + id,
           R"({"journal": ")" + folder + R"(", "streams": "logs/stream/)" + id + R"(/"})");
  ASSERT_TRUE(loop_.run(records_->commit("000000000000/us-east-1", std::move(crashed))));
  ASSERT_TRUE(loop_.run(logs_.enforce_retention()));
  EXPECT_TRUE(loop_.run(journals_->list("", 10, ""))->empty());
  EXPECT_TRUE(loop_.run(records_->partitions())->empty());
}

TEST_F(GroupsTest, Streams_are_listed_by_name_and_by_last_event) {
  make_group("g");
  for (const auto* name : {"b", "a", "c", "x/1"}) make_stream("g", name);
  ASSERT_TRUE(put("b", {{kStartMs - 5, "1"}, {kStartMs + 10, "2"}}));
  ASSERT_TRUE(put("a", {{kStartMs + 20, "3"}}));
  EXPECT_EQ(stream_names(streams()), (std::vector<std::string>{"a", "b", "c", "x/1"}));
  DescribeLogStreamsInput in;
  in.descending = true;
  EXPECT_EQ(stream_names(streams(in)), (std::vector<std::string>{"x/1", "c", "b", "a"}));
  in.order_by = "LastEventTime";
  in.limit = 2;
  const auto first = streams(in);
  EXPECT_EQ(stream_names(first), (std::vector<std::string>{"a", "b"}));
  in.next_token = first->next_token;
  EXPECT_EQ(stream_names(streams(in)), (std::vector<std::string>{"x/1", "c"}));
  EXPECT_FALSE(streams(in)->next_token);
  in.log_stream_name_prefix = "x";
  EXPECT_EQ(error_of(streams(in)),
            "InvalidParameterException: Cannot order by LastEventTime with a logStreamNamePrefix.");
  DescribeLogStreamsInput prefix;
  prefix.log_group_identifier = "arn:aws:logs:us-east-1:000000000000:log-group:g:*";
  prefix.log_stream_name_prefix = "x";
  EXPECT_EQ(stream_names(streams(prefix)), std::vector<std::string>{"x/1"});
  const auto all = streams();
  const auto& b = all->log_streams->at(1);
  EXPECT_EQ(b.first_event_timestamp, kStartMs - 5);
  EXPECT_EQ(b.last_event_timestamp, kStartMs + 10);
  EXPECT_EQ(b.last_ingestion_time, kStartMs);
  EXPECT_EQ(b.arn, "arn:aws:logs:us-east-1:000000000000:log-group:g:log-stream:b");
  EXPECT_FALSE(all->log_streams->at(2).last_event_timestamp);
}

TEST_F(GroupsTest, Pages_of_streams_follow_each_other_in_either_direction) {
  make_group("g");
  for (int i = 0; i < 7; ++i) make_stream("g", "s" + std::to_string(i));
  for (const bool descending : {false, true}) {
    std::vector<std::string> all;
    DescribeLogStreamsInput in;
    in.limit = 3;
    in.descending = descending;
    do {
      const auto page = streams(in);
      ASSERT_TRUE(page);
      for (const auto& name : stream_names(page)) all.push_back(name);
      in.next_token = page->next_token;
    } while (in.next_token);
    if (descending) std::reverse(all.begin(), all.end());
    EXPECT_EQ(all, (std::vector<std::string>{"s0", "s1", "s2", "s3", "s4", "s5", "s6"}));
  }
}

TEST_F(GroupsTest, A_deleted_stream_is_gone_and_its_name_free) {
  make_group("g");
  make_stream("g", "s");
  ASSERT_TRUE(put("s", {{kStartMs, "x"}}));
  ASSERT_TRUE(call(&LogsService::delete_log_stream, DeleteLogStreamInput{"g", "s"}));
  EXPECT_EQ(error_of(put("s", {{kStartMs, "x"}})),
            "ResourceNotFoundException: The specified log stream does not exist.");
  EXPECT_EQ(error_of(call(&LogsService::delete_log_stream, DeleteLogStreamInput{"g", "s"})),
            "ResourceNotFoundException: The specified log stream does not exist.");
  EXPECT_TRUE(loop_.run(journals_->list("", 10, ""))->empty());
  make_stream("g", "s");
}

TEST_F(GroupsTest, Every_operation_asks_with_its_resource) {
  make_group("g");
  ASSERT_TRUE(call(&LogsService::tag_log_group, TagLogGroupInput{"g", {{"team", "red"}}}));
  make_stream("g", "s");
  const auto asked = [&] {
    return authorizer_.asked.back().action + " " + authorizer_.asked.back().resource;
  };
  const std::string g = "arn:aws:logs:us-east-1:000000000000:log-group:";
  EXPECT_EQ(asked(), "logs:CreateLogStream " + g + "g:log-stream:s");
  ASSERT_TRUE(put("s", {{kStartMs, "x"}}));
  EXPECT_EQ(asked(), "logs:PutLogEvents " + g + "g:log-stream:s");
  EXPECT_EQ(authorizer_.asked.back().conditions.at("aws:ResourceTag/team"),
            std::vector<std::string>{"red"});
  (void)call(&LogsService::get_log_events, get_input("s"));
  EXPECT_EQ(asked(), "logs:GetLogEvents " + g + "g:log-stream:s");
  (void)describe();
  EXPECT_EQ(asked(), "logs:DescribeLogGroups " + g + ":log-stream:");
  (void)streams();
  EXPECT_EQ(asked(), "logs:DescribeLogStreams " + g + "g:log-stream:");
  (void)call(&LogsService::tag_resource, TagResourceInput{g + "g", {{"a", "1"}}});
  EXPECT_EQ(asked(), "logs:TagResource " + g + "g");
  EXPECT_EQ(authorizer_.asked.back().conditions.at("aws:RequestTag/a"),
            std::vector<std::string>{"1"});
  EXPECT_EQ(authorizer_.asked.back().conditions.at("aws:TagKeys"), std::vector<std::string>{"a"});
}

TEST_F(GroupsTest, Who_may_not_ask_does_not_learn_what_exists) {
  for (const auto* action : {"logs:PutLogEvents", "logs:GetLogEvents", "logs:FilterLogEvents"}) {
    authorizer_.refused = action;
    FilterLogEventsInput filter;
    filter.log_group_name = "none";
    EXPECT_EQ(error_of(put("s", {{kStartMs, "x"}})).starts_with("AccessDenied"),
              action == std::string("logs:PutLogEvents"));
    EXPECT_EQ(
        error_of(call(&LogsService::get_log_events, get_input("s"))).starts_with("AccessDenied"),
        action == std::string("logs:GetLogEvents"));
    EXPECT_EQ(error_of(call(&LogsService::filter_log_events, filter)).starts_with("AccessDenied"),
              action == std::string("logs:FilterLogEvents"));
  }
  authorizer_.refused = "logs:TagResource";
  CreateLogGroupInput in;
  in.log_group_name = "g";
  in.tags = {{{"a", "b"}}};
  EXPECT_TRUE(error_of(call(&LogsService::create_log_group, in)).starts_with("AccessDenied"));
}

}  // namespace
}  // namespace pileus::services::logs
