#include "gen/iam/AddRoleToInstanceProfile.h"
#include "gen/iam/CreateInstanceProfile.h"
#include "gen/iam/DeleteInstanceProfile.h"
#include "gen/iam/GetInstanceProfile.h"
#include "gen/iam/ListInstanceProfiles.h"
#include "gen/iam/ListInstanceProfilesForRole.h"
#include "gen/iam/RemoveRoleFromInstanceProfile.h"
#include "services/iam/edit.h"
#include "services/iam/limits.h"
#include "services/iam/shapes.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

Task<Result<InstanceProfile>> with_role(Edit& edit, ProfileRecord profile) {
  if (profile.role.empty()) co_return shape_of(profile, nullptr);
  CO_TRY_ASSIGN(RoleRecord * role, co_await edit.find<RoleRecord>(profile.role));
  co_return shape_of(profile, role);
}

}  // namespace

Task<Result<CreateInstanceProfileOutput>> IamService::create_instance_profile(
    aws::Context& context, CreateInstanceProfileInput in) {
  CO_TRY_ASSIGN(const Tags tags, tags_of(in.tags));
  const std::string path = in.path.value_or("/");
  const std::string arn = arn_of<ProfileRecord>(context, path, in.instance_profile_name);
  CO_TRY(co_await context.authorize("iam:CreateInstanceProfile", arn, request_conditions(tags)));
  CO_TRY(co_await check_quota<ProfileRecord>(*state_, context, "InstanceProfilesPerAccount",
                                             kProfiles));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(ProfileRecord * profile,
                  co_await edit.create(new_entity<ProfileRecord>(*state_, context, path,
                                                                 in.instance_profile_name, arn)));
    profile->tags = tags;
    CreateInstanceProfileOutput output{shape_of(*profile, nullptr)};
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

Task<Result<GetInstanceProfileOutput>> IamService::get_instance_profile(
    aws::Context& context, GetInstanceProfileInput in) {
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(ProfileRecord * profile, co_await edit.open<ProfileRecord>(
                                             "iam:GetInstanceProfile", in.instance_profile_name));
  GetInstanceProfileOutput output;
  CO_TRY_ASSIGN(output.instance_profile, co_await with_role(edit, *profile));
  co_return output;
}

Task<Result<DeleteInstanceProfileOutput>> IamService::delete_instance_profile(
    aws::Context& context, DeleteInstanceProfileInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(
        ProfileRecord * profile,
        co_await edit.open<ProfileRecord>("iam:DeleteInstanceProfile", in.instance_profile_name));
    if (!profile->role.empty())
      co_return fail(
          delete_conflict("Cannot delete entity, must remove roles from instance profile first."));
    edit.remove(*profile);
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return DeleteInstanceProfileOutput{};
  }
}

Task<Result<ListInstanceProfilesOutput>> IamService::list_instance_profiles(
    aws::Context& context, ListInstanceProfilesInput in) {
  CO_TRY(
      co_await context.authorize("iam:ListInstanceProfiles",
                                 arn_of<ProfileRecord>(context, in.path_prefix.value_or("/"), "")));
  CO_TRY_ASSIGN(const auto page,
                co_await load_records<ProfileRecord>(
                    state_->records, context.global_key(), prefix_of<ProfileRecord>(), in.marker,
                    in.max_items, under_path<ProfileRecord>(in.path_prefix)));
  ListInstanceProfilesOutput output;
  Edit edit(*state_, context);
  for (const auto& profile : page.items) {
    CO_TRY_ASSIGN(auto shape, co_await with_role(edit, profile));
    shape.tags.reset();
    output.instance_profiles.push_back(std::move(shape));
  }
  tell_page(page, output);
  co_return output;
}

Task<Result<ListInstanceProfilesForRoleOutput>> IamService::list_instance_profiles_for_role(
    aws::Context& context, ListInstanceProfilesForRoleInput in) {
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(RoleRecord * role,
                co_await edit.open<RoleRecord>("iam:ListInstanceProfilesForRole", in.role_name));
  CO_TRY_ASSIGN(const auto page, page_of(role->instance_profiles, in));
  ListInstanceProfilesForRoleOutput output;
  for (const auto& name : page.items) {
    CO_TRY_ASSIGN(ProfileRecord * profile, co_await edit.find<ProfileRecord>(name));
    if (!profile) continue;
    auto shape = shape_of(*profile, role);
    shape.tags.reset();
    output.instance_profiles.push_back(std::move(shape));
  }
  tell_page(page, output);
  co_return output;
}

Task<Result<AddRoleToInstanceProfileOutput>> IamService::add_role_to_instance_profile(
    aws::Context& context, AddRoleToInstanceProfileInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(ProfileRecord * profile,
                  co_await edit.open<ProfileRecord>("iam:AddRoleToInstanceProfile",
                                                    in.instance_profile_name));
    CO_TRY_ASSIGN(RoleRecord * role, co_await edit.find<RoleRecord>(in.role_name));
    if (!role) co_return fail(no_such<RoleRecord>(in.role_name));
    auto pass = conditions_of(*role, "iam:PassRole");
    pass["iam:PassedToService"] = {"ec2.amazonaws.com"};  // instance profiles are EC2's
    CO_TRY(co_await context.authorize("iam:PassRole", role->arn, std::move(pass)));
    if (!profile->role.empty())
      co_return fail(quota_exceeded("InstanceSessionsPerInstanceProfile", kRolesPerProfile));
    if (role->instance_profiles.size() == kProfilesPerRole)
      co_return fail(quota_exceeded("InstanceProfilesPerRole", kProfilesPerRole));
    profile->role = to_lower(role->name);
    role->instance_profiles.insert(to_lower(profile->name));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return AddRoleToInstanceProfileOutput{};
  }
}

Task<Result<RemoveRoleFromInstanceProfileOutput>> IamService::remove_role_from_instance_profile(
    aws::Context& context, RemoveRoleFromInstanceProfileInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(ProfileRecord * profile,
                  co_await edit.open<ProfileRecord>("iam:RemoveRoleFromInstanceProfile",
                                                    in.instance_profile_name));
    CO_TRY_ASSIGN(RoleRecord * role, co_await edit.find<RoleRecord>(in.role_name));
    if (!role || profile->role != to_lower(role->name))
      co_return fail(no_such<RoleRecord>(in.role_name));
    profile->role.clear();
    role->instance_profiles.erase(to_lower(profile->name));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return RemoveRoleFromInstanceProfileOutput{};
  }
}

}  // namespace pileus::services::iam
