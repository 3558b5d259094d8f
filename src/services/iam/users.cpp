#include "gen/iam/CreateUser.h"
#include "gen/iam/DeleteUser.h"
#include "gen/iam/GetUser.h"
#include "gen/iam/ListUsers.h"
#include "gen/iam/UpdateUser.h"
#include "services/iam/edit.h"
#include "services/iam/limits.h"
#include "services/iam/shapes.h"
#include "services/iam/uses.h"

namespace pileus::services::iam {

using namespace gen::iam;

Task<Result<CreateUserOutput>> IamService::create_user(aws::Context& context, CreateUserInput in) {
  CO_TRY_ASSIGN(const Tags tags, tags_of(in.tags));
  const std::string path = in.path.value_or("/");
  const std::string boundary = in.permissions_boundary.value_or("");
  const std::string arn = arn_of<UserRecord>(context, path, in.user_name);
  CO_TRY(co_await context.authorize("iam:CreateUser", arn, request_conditions(tags, boundary)));
  CO_TRY(co_await check_quota<UserRecord>(*state_, context, "UsersPerAccount", kUsers));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user, co_await edit.create(new_entity<UserRecord>(
                                         *state_, context, path, in.user_name, arn)));
    user->tags = tags;
    user->boundary = boundary;
    if (!boundary.empty())
      CO_TRY(co_await edit.add_use<UserRecord>(boundary, Usage::kBoundary, user->name));
    CreateUserOutput output{shape_of(*user, Detail::kFull)};
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

namespace {

// GetUser of the account's own root.
GetUserOutput root_user(const aws::Context& context) {
  GetUserOutput output;
  output.user.path = "/";
  output.user.user_id = context.account();
  output.user.arn = context.identity().arn;
  return output;
}

}  // namespace

Task<Result<GetUserOutput>> IamService::get_user(aws::Context& context, GetUserInput in) {
  const aws::Identity& caller = context.identity();
  if (!in.user_name && caller.type == aws::Identity::Type::kRoot) {
    CO_TRY(co_await context.authorize("iam:GetUser", caller.arn));
    co_return root_user(context);
  }
  if (!in.user_name && caller.type != aws::Identity::Type::kUser) {
    context.needs_no_authorization("a session without a user has nothing to get");
    co_return fail(
        validation_error("Must specify userName when calling with non-User credentials"));
  }
  Edit edit(*state_, context);
  std::string name = in.user_name ? *in.user_name : caller.user_name;
  CO_TRY_ASSIGN(UserRecord * user, co_await edit.open<UserRecord>("iam:GetUser", name));
  co_return GetUserOutput{shape_of(*user, Detail::kFull)};
}

namespace {

// Everything that finds the user by name moves with it.
Task<Result<Unit>> rename_user(Edit& edit, UserRecord* old, std::string path, std::string name) {
  UserRecord renamed = *old;
  renamed.arn = moved_arn<UserRecord>(old->arn, path, name);
  renamed.path = std::move(path);
  renamed.name = name;
  if (to_lower(name) == to_lower(old->name)) {
    *old = std::move(renamed);
    co_return Unit{};
  }
  CO_TRY(co_await edit.drop_uses(*old));
  for (const auto& arn : renamed.attached)
    CO_TRY(co_await edit.add_use<UserRecord>(arn, Usage::kPolicy, name));
  if (!renamed.boundary.empty())
    CO_TRY(co_await edit.add_use<UserRecord>(renamed.boundary, Usage::kBoundary, name));
  for (const auto& key : renamed.keys) edit.put_row(access_key_row(key.id), to_lower(name));
  for (const auto& device_name : renamed.mfa_devices) {
    CO_TRY_ASSIGN(MfaRecord * device, co_await edit.find<MfaRecord>(device_name));
    if (device) device->user = to_lower(name);
  }
  for (const auto& id : renamed.groups) {
    CO_TRY_ASSIGN(GroupRecord * group, co_await edit.find_group(id));
    if (!group) continue;
    group->members.erase(to_lower(old->name));
    group->members.insert(to_lower(name));
  }
  edit.remove(*old);
  CO_TRY(co_await edit.create(std::move(renamed)));
  co_return Unit{};
}

}  // namespace

Task<Result<UpdateUserOutput>> IamService::update_user(aws::Context& context, UpdateUserInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user,
                  co_await edit.open<UserRecord>("iam:UpdateUser", in.user_name));
    const std::string path = in.new_path.value_or(user->path);
    const std::string name = in.new_user_name.value_or(user->name);
    const std::string arn = moved_arn<UserRecord>(user->arn, path, name);
    if (arn != user->arn) CO_TRY(co_await context.authorize("iam:UpdateUser", arn));
    CO_TRY(co_await rename_user(edit, user, path, name));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return UpdateUserOutput{};
  }
}

namespace {

Result<Unit> check_deletable(const UserRecord& user) {
  constexpr std::string_view kPrefix = "Cannot delete entity, must ";
  if (!user.attached.empty())
    return fail(delete_conflict(str(kPrefix, "detach all policies first.")));
  if (!user.inline_policies.empty())
    return fail(delete_conflict(str(kPrefix, "delete policies first.")));
  if (!user.keys.empty()) return fail(delete_conflict(str(kPrefix, "delete access keys first.")));
  if (!user.groups.empty())
    return fail(delete_conflict(str(kPrefix, "remove user from groups first.")));
  if (user.login) return fail(delete_conflict(str(kPrefix, "delete login profile first.")));
  if (!user.mfa_devices.empty())
    return fail(delete_conflict(str(kPrefix, "delete MFA device first.")));
  if (!user.certificates.empty())
    return fail(delete_conflict(str(kPrefix, "delete signing certificates first.")));
  if (!user.ssh_keys.empty() || !user.service_credentials.empty())
    return fail(delete_conflict(str(kPrefix, "remove referenced objects first.")));
  return Unit{};
}

}  // namespace

Task<Result<DeleteUserOutput>> IamService::delete_user(aws::Context& context, DeleteUserInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user,
                  co_await edit.open<UserRecord>("iam:DeleteUser", in.user_name));
    CO_TRY(check_deletable(*user));
    CO_TRY(co_await edit.drop_uses(*user));
    CO_TRY(co_await drop_accesses(edit, user->id));
    edit.remove(*user);
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return DeleteUserOutput{};
  }
}

Task<Result<ListUsersOutput>> IamService::list_users(aws::Context& context, ListUsersInput in) {
  CO_TRY(co_await context.authorize("iam:ListUsers",
                                    arn_of<UserRecord>(context, in.path_prefix.value_or("/"), "")));
  CO_TRY_ASSIGN(const auto page,
                co_await load_records<UserRecord>(state_->records, context.global_key(),
                                                  prefix_of<UserRecord>(), in.marker, in.max_items,
                                                  under_path<UserRecord>(in.path_prefix)));
  ListUsersOutput output;
  for (const auto& user : page.items) output.users.push_back(shape_of(user, Detail::kListed));
  tell_page(page, output);
  co_return output;
}

}  // namespace pileus::services::iam
