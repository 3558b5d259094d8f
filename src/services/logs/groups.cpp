#include "aws/context.h"
#include "gen/logs/CreateLogGroup.h"
#include "gen/logs/DeleteLogGroup.h"
#include "gen/logs/DeleteRetentionPolicy.h"
#include "gen/logs/DescribeLogGroups.h"
#include "gen/logs/ListLogGroups.h"
#include "gen/logs/PutLogGroupDeletionProtection.h"
#include "gen/logs/PutRetentionPolicy.h"
#include "services/logs/state.h"
#include "services/logs/tags.h"

namespace pileus::services::logs {

using namespace gen::logs;

Task<Result<CreateLogGroupOutput>> LogsService::create_log_group(aws::Context& context,
                                                                 CreateLogGroupInput in) {
  const auto tags = in.tags.value_or(std::map<std::string, std::string>());
  CO_TRY(co_await context.authorize("logs:CreateLogGroup", access_arn(context, in.log_group_name),
                                    tag_conditions(tags)));
  if (!tags.empty())
    CO_TRY(co_await context.authorize("logs:TagResource", group_arn(context, in.log_group_name),
                                      tag_conditions(tags)));
  if (in.log_group_name.starts_with("aws/"))
    co_return fail(invalid("Log groups starting with AWS/ are reserved for AWS."));
  CO_TRY(check_tags(tags));
  GroupRecord group;
  group.name = in.log_group_name;
  group.id = hex_id(state_->random, 16);
  group.created_ms = to_millis(context.now());
  group.deletion_protection = in.deletion_protection_enabled.value_or(false);
  group.tags = tags;
  store::Transaction transaction;
  transaction.expect(group_key(group.name), 0).put(group_key(group.name), store::encode(group));
  const auto saved =
      co_await state_->records.commit(context.partition_key(), std::move(transaction));
  if (!saved && saved.error().is(errc::kConflict)) co_return fail(already_exists("log group"));
  CO_TRY(saved);
  co_return CreateLogGroupOutput{};
}

Task<Result<DeleteLogGroupOutput>> LogsService::delete_log_group(aws::Context& context,
                                                                 DeleteLogGroupInput in) {
  CO_TRY_ASSIGN(const auto group,
                co_await open_group(*state_, context, "logs:DeleteLogGroup",
                                    access_arn(context, in.log_group_name), in.log_group_name));
  if (group.value.deletion_protection)
    co_return fail("ValidationException",
                   str("The log group ", in.log_group_name,
                       " has deletion protection enabled. Disable it with "
                       "PutLogGroupDeletionProtection before you delete the group."));
  const std::string partition = context.partition_key();
  const std::string gone_key = str(kGone, group.value.id);
  const GoneRecord gone{journals_of(partition, group.value), streams_of(group.value)};
  store::Transaction transaction;
  transaction.expect(group_key(group.value.name), group.revision);
  transaction.remove(group_key(group.value.name)).put(gone_key, store::encode(gone));
  CO_TRY(told(co_await state_->records.commit(partition, std::move(transaction))));
  state_->forget_group(partition, group.value.name);
  CO_TRY(co_await state_->clean_up(partition, gone_key, gone));
  co_return DeleteLogGroupOutput{};
}

namespace {

Task<Result<std::int64_t>> stored_bytes(LogsState* state, std::string partition,
                                        GroupRecord group) {
  const std::string folder = journals_of(partition, group);
  std::int64_t bytes = 0;
  for (std::string after;;) {
    CO_TRY_ASSIGN(const auto journals, co_await state->journals.list(folder, 1000, after));
    for (const auto& journal : journals) {
      CO_TRY_ASSIGN(const auto size, co_await state->journals.stored_bytes(journal));
      bytes += static_cast<std::int64_t>(size);
    }
    if (journals.size() < 1000) co_return bytes;
    after = journals.back();
  }
}

LogGroup shape_of(const aws::Context& context, const GroupRecord& group, std::int64_t bytes) {
  LogGroup shape;
  shape.log_group_name = group.name;
  shape.creation_time = group.created_ms;
  shape.retention_in_days = group.retention_days;
  shape.metric_filter_count = 0;
  shape.arn = group_arn(context, group.name) + ":*";
  shape.log_group_arn = group_arn(context, group.name);
  shape.stored_bytes = bytes;
  shape.log_group_class = "STANDARD";
  shape.deletion_protection_enabled = group.deletion_protection;
  return shape;
}

// Groups in order of name, after the token's, that `wanted` takes; one more than `limit` if there
// is.
using Wanted = std::function<bool(const GroupRecord&)>;
Task<Result<std::vector<GroupRecord>>> select_groups(LogsState* state, std::string partition,
                                                     std::string prefix, std::string after,
                                                     std::size_t limit, Wanted wanted) {
  std::vector<GroupRecord> selected;
  std::string position = after.empty() ? "" : group_key(after);
  while (selected.size() <= limit) {
    CO_TRY_ASSIGN(auto page, co_await store::load_page<GroupRecord>(
                                 state->records, partition, group_key(prefix),
                                 {.limit = 1000, .after = position}));
    for (auto& group : page)
      if (selected.size() <= limit && wanted(group.value))
        selected.push_back(std::move(group.value));
    if (page.size() < 1000) break;
    position = std::move(page.back().key);
  }
  co_return selected;
}

// The token of the page that ends at the last of `limit` groups, if there are more.
std::optional<std::string> cut_page(std::vector<GroupRecord>& groups, std::size_t limit) {
  if (groups.size() <= limit) return std::nullopt;
  groups.resize(limit);
  return to_token(groups.back().name);
}

Result<std::set<std::string>> named_groups(const aws::Context& context,
                                           const DescribeLogGroupsInput& in) {
  std::set<std::string> names;
  if (!in.log_group_identifiers) return names;
  if (in.log_group_name_prefix || in.log_group_name_pattern || in.log_group_class)
    return fail(invalid("logGroupIdentifiers cannot be combined with other filters."));
  for (const auto& identifier : *in.log_group_identifiers) {
    auto name = group_of_identifier(context, identifier);
    if (name)
      names.insert(std::move(*name));
    else if (name.error().is("InvalidParameterException"))
      return fail(std::move(name).error());
  }
  return names;
}

}  // namespace

Task<Result<DescribeLogGroupsOutput>> LogsService::describe_log_groups(aws::Context& context,
                                                                       DescribeLogGroupsInput in) {
  CO_TRY(co_await context.authorize("logs:DescribeLogGroups", access_arn(context, "")));
  if (in.log_group_name_prefix && in.log_group_name_pattern)
    co_return fail(invalid(
        "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
  CO_TRY_ASSIGN(const auto after, from_token(in.next_token));
  CO_TRY_ASSIGN(const auto names, named_groups(context, in));
  const auto wanted = [&in, &names](const GroupRecord& group) {
    if (in.log_group_identifiers) return names.contains(group.name);
    if (in.log_group_class && *in.log_group_class != "STANDARD") return false;
    return !in.log_group_name_pattern ||
           group.name.find(*in.log_group_name_pattern) != std::string::npos;
  };
  const auto limit = static_cast<std::size_t>(in.limit.value_or(kDefaultPage));
  CO_TRY_ASSIGN(auto groups, co_await select_groups(state_.get(), context.partition_key(),
                                                    in.log_group_name_prefix.value_or(""), after,
                                                    limit, wanted));
  DescribeLogGroupsOutput output;
  output.next_token = cut_page(groups, limit);
  output.log_groups.emplace();
  for (const auto& group : groups) {
    CO_TRY_ASSIGN(const auto bytes,
                  co_await stored_bytes(state_.get(), context.partition_key(), group));
    output.log_groups->push_back(shape_of(context, group, bytes));
  }
  co_return output;
}

namespace {

// "^/aws/lambda|discovery": any of up to five prefixes (^) and substrings.
bool name_matches(std::string_view pattern, std::string_view name) {
  for (const auto part : split(pattern, '|')) {
    if (part.starts_with('^') ? name.starts_with(part.substr(1))
                              : name.find(part) != std::string_view::npos)
      return true;
  }
  return false;
}

}  // namespace

Task<Result<ListLogGroupsOutput>> LogsService::list_log_groups(aws::Context& context,
                                                               ListLogGroupsInput in) {
  CO_TRY(co_await context.authorize("logs:ListLogGroups", access_arn(context, "")));
  CO_TRY_ASSIGN(const auto after, from_token(in.next_token));
  const auto wanted = [&in](const GroupRecord& group) {
    if (in.log_group_class && *in.log_group_class != "STANDARD") return false;
    if (in.log_group_name_pattern && !name_matches(*in.log_group_name_pattern, group.name))
      return false;
    if (in.log_group_tags)
      for (const auto& filter : *in.log_group_tags)
        if (!tag_matches(group.tags, filter.key,
                         filter.values.value_or(std::vector<std::string>())))
          return false;
    return true;
  };
  const auto limit = static_cast<std::size_t>(in.limit.value_or(kDefaultPage));
  CO_TRY_ASSIGN(auto groups, co_await select_groups(state_.get(), context.partition_key(), "",
                                                    after, limit, wanted));
  ListLogGroupsOutput output;
  output.next_token = cut_page(groups, limit);
  output.log_groups.emplace();
  for (const auto& group : groups)
    output.log_groups->push_back({group.name, group_arn(context, group.name), "STANDARD"});
  co_return output;
}

namespace {

constexpr int kRetentionDays[] = {1,   3,   5,   7,   14,   30,   60,   90,   120,  150,  180,
                                  365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653};

Result<Unit> check_retention(std::int32_t days) {
  std::string values;
  for (const int allowed : kRetentionDays) {
    if (allowed == days) return Unit{};
    values += str(values.empty() ? "" : ", ", allowed);
  }
  return fail(invalid(str("1 validation error detected: Value '", days,
                          "' at 'retentionInDays' failed to satisfy "
                          "constraint: Member must satisfy enum value set: [",
                          values, "]")));
}

}  // namespace

Task<Result<PutRetentionPolicyOutput>> LogsService::put_retention_policy(
    aws::Context& context, PutRetentionPolicyInput in) {
  CO_TRY(co_await open_group(*state_, context, "logs:PutRetentionPolicy",
                             access_arn(context, in.log_group_name), in.log_group_name));
  CO_TRY(check_retention(in.retention_in_days));
  CO_TRY(co_await change_group(state_.get(), context.partition_key(), in.log_group_name,
                               [days = in.retention_in_days](GroupRecord& group) -> Result<Unit> {
                                 group.retention_days = days;
                                 return Unit{};
                               }));
  co_return PutRetentionPolicyOutput{};
}

Task<Result<DeleteRetentionPolicyOutput>> LogsService::delete_retention_policy(
    aws::Context& context, DeleteRetentionPolicyInput in) {
  CO_TRY(co_await open_group(*state_, context, "logs:DeleteRetentionPolicy",
                             access_arn(context, in.log_group_name), in.log_group_name));
  CO_TRY(co_await change_group(state_.get(), context.partition_key(), in.log_group_name,
                               [](GroupRecord& group) -> Result<Unit> {
                                 group.retention_days.reset();
                                 return Unit{};
                               }));
  co_return DeleteRetentionPolicyOutput{};
}

Task<Result<PutLogGroupDeletionProtectionOutput>> LogsService::put_log_group_deletion_protection(
    aws::Context& context, PutLogGroupDeletionProtectionInput in) {
  const auto named = group_of_identifier(context, in.log_group_identifier);
  const std::string name = named.value_or("");
  CO_TRY(co_await open_group(*state_, context, "logs:PutLogGroupDeletionProtection",
                             access_arn(context, name), name));
  CO_TRY(named);
  CO_TRY(co_await change_group(
      state_.get(), context.partition_key(), name,
      [on = in.deletion_protection_enabled](GroupRecord& group) -> Result<Unit> {
        group.deletion_protection = on;
        return Unit{};
      }));
  co_return PutLogGroupDeletionProtectionOutput{};
}

}  // namespace pileus::services::logs
