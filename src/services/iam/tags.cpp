#include "gen/iam/ListInstanceProfileTags.h"
#include "gen/iam/ListPolicyTags.h"
#include "gen/iam/ListRoleTags.h"
#include "gen/iam/ListUserTags.h"
#include "gen/iam/TagInstanceProfile.h"
#include "gen/iam/TagPolicy.h"
#include "gen/iam/TagRole.h"
#include "gen/iam/TagUser.h"
#include "gen/iam/UntagInstanceProfile.h"
#include "gen/iam/UntagPolicy.h"
#include "gen/iam/UntagRole.h"
#include "gen/iam/UntagUser.h"
#include "services/iam/edit.h"
#include "services/iam/shapes.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

// Users, roles and instance profiles are named, policies have ARNs.
template <class T>
Task<Result<T*>> open_tagged(Edit& edit, std::string action, std::string name,
                             aws::ConditionValues conditions) {
  if constexpr (std::is_same_v<T, PolicyRecord>)
    co_return co_await edit.open_policy(std::move(action), std::move(name), std::move(conditions));
  else
    co_return co_await edit.open<T>(std::move(action), std::move(name), std::move(conditions));
}

template <class T, class Output>
Task<Result<Output>> tag(IamState& state, aws::Context& context, std::string action,
                         std::string name, std::vector<Tag> tags) {
  CO_TRY_ASSIGN(const Tags added, tags_of(std::move(tags)));
  for (Edit edit(state, context);;) {
    CO_TRY_ASSIGN(T * entity,
                  co_await open_tagged<T>(edit, action, name, request_conditions(added)));
    CO_TRY(add_tags(entity->tags, added));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return Output{};
  }
}

template <class T, class Output>
Task<Result<Output>> untag(IamState& state, aws::Context& context, std::string action,
                           std::string name, std::vector<std::string> keys) {
  for (Edit edit(state, context);;) {
    CO_TRY_ASSIGN(T * entity,
                  co_await open_tagged<T>(edit, action, name, tag_key_conditions(keys)));
    remove_tags(entity->tags, keys);
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return Output{};
  }
}

template <class T, class Input, class Output>
Task<Result<Output>> list_tags(IamState& state, aws::Context& context, std::string action,
                               std::string name, Input in) {
  Edit edit(state, context);
  CO_TRY_ASSIGN(T * entity, co_await open_tagged<T>(edit, action, name, {}));
  co_return tag_page<Output>(entity->tags, in);
}

}  // namespace

Task<Result<TagUserOutput>> IamService::tag_user(aws::Context& context, TagUserInput in) {
  return tag<UserRecord, TagUserOutput>(*state_, context, "iam:TagUser", in.user_name, in.tags);
}
Task<Result<UntagUserOutput>> IamService::untag_user(aws::Context& context, UntagUserInput in) {
  return untag<UserRecord, UntagUserOutput>(*state_, context, "iam:UntagUser", in.user_name,
                                            in.tag_keys);
}
Task<Result<ListUserTagsOutput>> IamService::list_user_tags(aws::Context& context,
                                                            ListUserTagsInput in) {
  std::string name = in.user_name;
  return list_tags<UserRecord, ListUserTagsInput, ListUserTagsOutput>(
      *state_, context, "iam:ListUserTags", std::move(name), std::move(in));
}

Task<Result<TagRoleOutput>> IamService::tag_role(aws::Context& context, TagRoleInput in) {
  return tag<RoleRecord, TagRoleOutput>(*state_, context, "iam:TagRole", in.role_name, in.tags);
}
Task<Result<UntagRoleOutput>> IamService::untag_role(aws::Context& context, UntagRoleInput in) {
  return untag<RoleRecord, UntagRoleOutput>(*state_, context, "iam:UntagRole", in.role_name,
                                            in.tag_keys);
}
Task<Result<ListRoleTagsOutput>> IamService::list_role_tags(aws::Context& context,
                                                            ListRoleTagsInput in) {
  std::string name = in.role_name;
  return list_tags<RoleRecord, ListRoleTagsInput, ListRoleTagsOutput>(
      *state_, context, "iam:ListRoleTags", std::move(name), std::move(in));
}

Task<Result<TagInstanceProfileOutput>> IamService::tag_instance_profile(
    aws::Context& context, TagInstanceProfileInput in) {
  return tag<ProfileRecord, TagInstanceProfileOutput>(*state_, context, "iam:TagInstanceProfile",
                                                      in.instance_profile_name, in.tags);
}
Task<Result<UntagInstanceProfileOutput>> IamService::untag_instance_profile(
    aws::Context& context, UntagInstanceProfileInput in) {
  return untag<ProfileRecord, UntagInstanceProfileOutput>(
      *state_, context, "iam:UntagInstanceProfile", in.instance_profile_name, in.tag_keys);
}
Task<Result<ListInstanceProfileTagsOutput>> IamService::list_instance_profile_tags(
    aws::Context& context, ListInstanceProfileTagsInput in) {
  std::string name = in.instance_profile_name;
  return list_tags<ProfileRecord, ListInstanceProfileTagsInput, ListInstanceProfileTagsOutput>(
      *state_, context, "iam:ListInstanceProfileTags", std::move(name), std::move(in));
}

Task<Result<TagPolicyOutput>> IamService::tag_policy(aws::Context& context, TagPolicyInput in) {
  return tag<PolicyRecord, TagPolicyOutput>(*state_, context, "iam:TagPolicy", in.policy_arn,
                                            in.tags);
}
Task<Result<UntagPolicyOutput>> IamService::untag_policy(aws::Context& context,
                                                         UntagPolicyInput in) {
  return untag<PolicyRecord, UntagPolicyOutput>(*state_, context, "iam:UntagPolicy", in.policy_arn,
                                                in.tag_keys);
}
Task<Result<ListPolicyTagsOutput>> IamService::list_policy_tags(aws::Context& context,
                                                                ListPolicyTagsInput in) {
  std::string name = in.policy_arn;
  return list_tags<PolicyRecord, ListPolicyTagsInput, ListPolicyTagsOutput>(
      *state_, context, "iam:ListPolicyTags", std::move(name), std::move(in));
}

}  // namespace pileus::services::iam
