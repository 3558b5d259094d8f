#include "services/logs/tags.h"

#include "aws/arn.h"
#include "gen/logs/ListTagsForResource.h"
#include "gen/logs/ListTagsLogGroup.h"
#include "gen/logs/TagLogGroup.h"
#include "gen/logs/TagResource.h"
#include "gen/logs/UntagLogGroup.h"
#include "gen/logs/UntagResource.h"
#include "services/logs/filter_condition.h"
#include "services/logs/state.h"

namespace pileus::services::logs {

using namespace gen::logs;
using Tags = std::map<std::string, std::string>;

Result<Unit> check_tags(const Tags& tags) {
  for (const auto& [key, value] : tags)
    if (to_lower(key).starts_with("aws:"))
      return fail(
          invalid(str("The tag key '", key, "' begins with aws:, which is reserved for AWS.")));
  return Unit{};
}

aws::ConditionValues tag_conditions(const Tags& tags) {
  aws::ConditionValues conditions;
  for (const auto& [key, value] : tags) {
    conditions["aws:RequestTag/" + key] = {value};
    conditions["aws:TagKeys"].push_back(key);
  }
  return conditions;
}

aws::ConditionValues tag_key_conditions(const std::vector<std::string>& keys) {
  if (keys.empty()) return {};
  return {{"aws:TagKeys", keys}};
}

bool tag_matches(const Tags& tags, const std::string& key, const std::vector<std::string>& values) {
  const auto tag = tags.find(key);
  if (tag == tags.end()) return false;
  if (values.empty()) return true;
  for (std::string_view value : values) {
    const bool negated = value.starts_with('!');
    if (negated) value.remove_prefix(1);
    const bool wild = value.find('*') != std::string_view::npos;
    const bool equal = wild ? filter::wildcard_matches(to_lower(value), to_lower(tag->second))
                            : value == tag->second;
    if (equal != negated) return true;
  }
  return false;
}

namespace {

GroupChange add_tags(Tags tags) {
  return [tags = std::move(tags)](GroupRecord& group) -> Result<Unit> {
    for (const auto& [key, value] : tags) group.tags[key] = value;
    if (group.tags.size() > kMaxTags)
      return fail(
          Error("TooManyTagsException", str("A resource can have at most ", kMaxTags, " tags."))
              .with("resourceName", group.name));
    return Unit{};
  };
}

GroupChange remove_tags(std::vector<std::string> keys) {
  return [keys = std::move(keys)](GroupRecord& group) -> Result<Unit> {
    for (const auto& key : keys) group.tags.erase(key);
    return Unit{};
  };
}

// What the three *Resource operations and the three older ones have in common. The older ones are
// authorized under their own names with the access form of the ARN.
struct Target {
  std::string action;
  std::string name;  // of the group
  std::string arn;
};

Result<Target> resource_target(const aws::Context& context, std::string action,
                               const std::string& arn) {
  if (!aws::is_arn(arn)) return fail(invalid(str("'", arn, "' is not the ARN of a log group.")));
  TRY_ASSIGN(auto name, group_of_identifier(context, arn));
  auto own = group_arn(context, name);
  return Target{std::move(action), std::move(name), std::move(own)};
}
Target group_target(const aws::Context& context, std::string action, const std::string& name) {
  return {std::move(action), name, access_arn(context, name)};
}

Task<Result<Tags>> list_tags(LogsState& state, aws::Context& context, Target target) {
  CO_TRY_ASSIGN(auto group,
                co_await open_group(state, context, target.action, target.arn, target.name));
  co_return std::move(group.value.tags);
}

Task<Result<Unit>> edit_tags(LogsState& state, aws::Context& context, Target target,
                             aws::ConditionValues conditions, GroupChange change) {
  const std::string partition = context.partition_key();
  CO_TRY_ASSIGN(const auto group, co_await state.load_group(partition, target.name));
  CO_TRY(co_await authorize(context, target.action, target.arn, group ? &group->value : nullptr,
                            std::move(conditions)));
  if (!group) co_return fail(no_such_group());
  co_return co_await change_group(&state, partition, target.name, std::move(change));
}

// A target that cannot be understood is still decided upon before it is refused.
Task<Result<Target>> decided_target(aws::Context& context, std::string action, std::string arn) {
  auto target = resource_target(context, action, arn);
  if (!target) CO_TRY(co_await context.authorize(std::move(action), std::move(arn)));
  co_return target;
}

}  // namespace

Task<Result<ListTagsForResourceOutput>> LogsService::list_tags_for_resource(
    aws::Context& context, ListTagsForResourceInput in) {
  CO_TRY_ASSIGN(auto target,
                co_await decided_target(context, "logs:ListTagsForResource", in.resource_arn));
  CO_TRY_ASSIGN(auto tags, co_await list_tags(*state_, context, std::move(target)));
  co_return ListTagsForResourceOutput{std::move(tags)};
}

Task<Result<ListTagsLogGroupOutput>> LogsService::list_tags_log_group(aws::Context& context,
                                                                      ListTagsLogGroupInput in) {
  CO_TRY_ASSIGN(auto tags, co_await list_tags(
                               *state_, context,
                               group_target(context, "logs:ListTagsLogGroup", in.log_group_name)));
  co_return ListTagsLogGroupOutput{std::move(tags)};
}

Task<Result<TagResourceOutput>> LogsService::tag_resource(aws::Context& context,
                                                          TagResourceInput in) {
  CO_TRY_ASSIGN(auto target, co_await decided_target(context, "logs:TagResource", in.resource_arn));
  const auto checked = check_tags(in.tags);
  CO_TRY(co_await edit_tags(*state_, context, std::move(target), tag_conditions(in.tags),
                            [add = add_tags(in.tags), checked](GroupRecord& group) -> Result<Unit> {
                              TRY(checked);
                              return add(group);
                            }));
  co_return TagResourceOutput{};
}

Task<Result<TagLogGroupOutput>> LogsService::tag_log_group(aws::Context& context,
                                                           TagLogGroupInput in) {
  const auto checked = check_tags(in.tags);
  auto done = co_await edit_tags(
      *state_, context, group_target(context, "logs:TagLogGroup", in.log_group_name),
      tag_conditions(in.tags),
      [add = add_tags(in.tags), checked](GroupRecord& group) -> Result<Unit> {
        TRY(checked);
        return add(group);
      });
  // The older operation has no error of its own for too many tags.
  if (!done && done.error().is("TooManyTagsException"))
    co_return fail(invalid(done.error().message()));
  CO_TRY(done);
  co_return TagLogGroupOutput{};
}

Task<Result<UntagResourceOutput>> LogsService::untag_resource(aws::Context& context,
                                                              UntagResourceInput in) {
  CO_TRY_ASSIGN(auto target,
                co_await decided_target(context, "logs:UntagResource", in.resource_arn));
  CO_TRY(co_await edit_tags(*state_, context, std::move(target), tag_key_conditions(in.tag_keys),
                            remove_tags(in.tag_keys)));
  co_return UntagResourceOutput{};
}

Task<Result<UntagLogGroupOutput>> LogsService::untag_log_group(aws::Context& context,
                                                               UntagLogGroupInput in) {
  CO_TRY(co_await edit_tags(*state_, context,
                            group_target(context, "logs:UntagLogGroup", in.log_group_name),
                            tag_key_conditions(in.tags), remove_tags(in.tags)));
  co_return UntagLogGroupOutput{};
}

}  // namespace pileus::services::logs
