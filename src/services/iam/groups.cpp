#include "gen/iam/AddUserToGroup.h"
#include "gen/iam/CreateGroup.h"
#include "gen/iam/DeleteGroup.h"
#include "gen/iam/GetGroup.h"
#include "gen/iam/ListGroups.h"
#include "gen/iam/ListGroupsForUser.h"
#include "gen/iam/RemoveUserFromGroup.h"
#include "gen/iam/UpdateGroup.h"
#include "services/iam/edit.h"
#include "services/iam/limits.h"
#include "services/iam/shapes.h"

namespace pileus::services::iam {

using namespace gen::iam;

Task<Result<CreateGroupOutput>> IamService::create_group(aws::Context& context,
                                                         CreateGroupInput in) {
  const std::string path = in.path.value_or("/");
  const std::string arn = arn_of<GroupRecord>(context, path, in.group_name);
  CO_TRY(co_await context.authorize("iam:CreateGroup", arn));
  CO_TRY(co_await check_quota<GroupRecord>(*state_, context, "GroupsPerAccount", kGroups));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(GroupRecord * group, co_await edit.create(new_entity<GroupRecord>(
                                           *state_, context, path, in.group_name, arn)));
    edit.put_row(group_id_row(group->id), to_lower(group->name));
    CreateGroupOutput output{shape_of(*group)};
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

Task<Result<GetGroupOutput>> IamService::get_group(aws::Context& context, GetGroupInput in) {
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(GroupRecord * group,
                co_await edit.open<GroupRecord>("iam:GetGroup", in.group_name));
  CO_TRY_ASSIGN(const auto page, page_of(group->members, in));
  GetGroupOutput output;
  output.group = shape_of(*group);
  for (const auto& name : page.items) {
    CO_TRY_ASSIGN(UserRecord * user, co_await edit.find<UserRecord>(name));
    if (user) output.users.push_back(shape_of(*user, Detail::kListed));
  }
  tell_page(page, output);
  co_return output;
}

Task<Result<UpdateGroupOutput>> IamService::update_group(aws::Context& context,
                                                         UpdateGroupInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(GroupRecord * group,
                  co_await edit.open<GroupRecord>("iam:UpdateGroup", in.group_name));
    GroupRecord renamed = *group;
    renamed.path = in.new_path.value_or(group->path);
    renamed.name = in.new_group_name.value_or(group->name);
    renamed.arn = moved_arn<GroupRecord>(group->arn, renamed.path, renamed.name);
    if (renamed.arn != group->arn)
      CO_TRY(co_await context.authorize("iam:UpdateGroup", renamed.arn));
    if (to_lower(renamed.name) == to_lower(group->name)) {
      *group = std::move(renamed);
    } else {
      CO_TRY(co_await edit.drop_uses(*group));
      for (const auto& arn : renamed.attached)
        CO_TRY(co_await edit.add_use<GroupRecord>(arn, Usage::kPolicy, renamed.name));
      edit.put_row(group_id_row(renamed.id), to_lower(renamed.name));
      edit.remove(*group);
      CO_TRY(co_await edit.create(std::move(renamed)));
    }
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return UpdateGroupOutput{};
  }
}

Task<Result<DeleteGroupOutput>> IamService::delete_group(aws::Context& context,
                                                         DeleteGroupInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(GroupRecord * group,
                  co_await edit.open<GroupRecord>("iam:DeleteGroup", in.group_name));
    if (!group->members.empty())
      co_return fail(delete_conflict("Cannot delete entity, must remove users from group first."));
    if (!group->attached.empty())
      co_return fail(delete_conflict("Cannot delete entity, must detach all policies first."));
    if (!group->inline_policies.empty())
      co_return fail(delete_conflict("Cannot delete entity, must delete policies first."));
    edit.remove_row(group_id_row(group->id));
    edit.remove(*group);
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return DeleteGroupOutput{};
  }
}

Task<Result<ListGroupsOutput>> IamService::list_groups(aws::Context& context, ListGroupsInput in) {
  CO_TRY(co_await context.authorize(
      "iam:ListGroups", arn_of<GroupRecord>(context, in.path_prefix.value_or("/"), "")));
  CO_TRY_ASSIGN(const auto page,
                co_await load_records<GroupRecord>(
                    state_->records, context.global_key(), prefix_of<GroupRecord>(), in.marker,
                    in.max_items, under_path<GroupRecord>(in.path_prefix)));
  ListGroupsOutput output;
  for (const auto& group : page.items) output.groups.push_back(shape_of(group));
  tell_page(page, output);
  co_return output;
}

Task<Result<ListGroupsForUserOutput>> IamService::list_groups_for_user(aws::Context& context,
                                                                       ListGroupsForUserInput in) {
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(UserRecord * user,
                co_await edit.open<UserRecord>("iam:ListGroupsForUser", in.user_name));
  CO_TRY_ASSIGN(const auto page, page_of(user->groups, in));
  ListGroupsForUserOutput output;
  for (const auto& id : page.items) {
    CO_TRY_ASSIGN(GroupRecord * group, co_await edit.find_group(id));
    if (group) output.groups.push_back(shape_of(*group));
  }
  tell_page(page, output);
  co_return output;
}

Task<Result<AddUserToGroupOutput>> IamService::add_user_to_group(aws::Context& context,
                                                                 AddUserToGroupInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(GroupRecord * group,
                  co_await edit.open<GroupRecord>("iam:AddUserToGroup", in.group_name));
    CO_TRY_ASSIGN(UserRecord * user, co_await edit.find<UserRecord>(in.user_name));
    if (!user) co_return fail(no_such<UserRecord>(in.user_name));
    user->groups.insert(group->id);
    group->members.insert(to_lower(user->name));
    if (user->groups.size() > bound(*state_, kGroupsPerUser))
      co_return fail(quota_exceeded("GroupsPerUser", bound(*state_, kGroupsPerUser)));
    if (group->members.size() > bound(*state_, kMembersPerGroup))
      co_return fail(quota_exceeded("UsersPerGroup", bound(*state_, kMembersPerGroup)));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return AddUserToGroupOutput{};
  }
}

Task<Result<RemoveUserFromGroupOutput>> IamService::remove_user_from_group(
    aws::Context& context, RemoveUserFromGroupInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(GroupRecord * group,
                  co_await edit.open<GroupRecord>("iam:RemoveUserFromGroup", in.group_name));
    CO_TRY_ASSIGN(UserRecord * user, co_await edit.find<UserRecord>(in.user_name));
    if (!user) co_return fail(no_such<UserRecord>(in.user_name));
    user->groups.erase(group->id);
    group->members.erase(to_lower(user->name));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return RemoveUserFromGroupOutput{};
  }
}

}  // namespace pileus::services::iam
