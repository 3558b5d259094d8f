#include "gen/iam/CreateRole.h"
#include "gen/iam/DeleteRole.h"
#include "gen/iam/GetRole.h"
#include "gen/iam/ListRoles.h"
#include "gen/iam/UpdateAssumeRolePolicy.h"
#include "gen/iam/UpdateRole.h"
#include "gen/iam/UpdateRoleDescription.h"
#include "services/iam/documents.h"
#include "services/iam/edit.h"
#include "services/iam/limits.h"
#include "services/iam/shapes.h"
#include "services/iam/uses.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

Result<Unit> check_trust_policy(const IamState& state, const std::string& document) {
  TRY(check_document(document, DocumentKind::kTrust));
  const std::size_t limit = bound(state, kTrustPolicyBytes);
  if (counted_bytes(document) > limit) return fail(quota_exceeded("ACLSizePerRole", limit));
  return Unit{};
}

}  // namespace

Task<Result<CreateRoleOutput>> IamService::create_role(aws::Context& context, CreateRoleInput in) {
  CO_TRY_ASSIGN(const Tags tags, tags_of(in.tags));
  const std::string path = in.path.value_or("/");
  const std::string boundary = in.permissions_boundary.value_or("");
  const std::string arn = arn_of<RoleRecord>(context, path, in.role_name);
  CO_TRY(co_await context.authorize("iam:CreateRole", arn, request_conditions(tags, boundary)));
  CO_TRY(check_trust_policy(*state_, in.assume_role_policy_document));
  CO_TRY(co_await check_quota<RoleRecord>(*state_, context, "RolesPerAccount", kRoles));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(RoleRecord * role, co_await edit.create(new_entity<RoleRecord>(
                                         *state_, context, path, in.role_name, arn)));
    role->trust_policy = in.assume_role_policy_document;
    role->description = in.description;
    role->max_session_seconds = in.max_session_duration.value_or(3600);
    role->tags = tags;
    role->boundary = boundary;
    if (!boundary.empty())
      CO_TRY(co_await edit.add_use<RoleRecord>(boundary, Usage::kBoundary, role->name));
    CreateRoleOutput output{shape_of(*role, Detail::kFull)};
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

Task<Result<GetRoleOutput>> IamService::get_role(aws::Context& context, GetRoleInput in) {
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(RoleRecord * role, co_await edit.open<RoleRecord>("iam:GetRole", in.role_name));
  CO_TRY_ASSIGN(const auto use,
                co_await last_use(*state_, context.global_key(), role_use_row(role->id)));
  GetRoleOutput output{shape_of(*role, Detail::kFull)};
  auto& shape = output.role.role_last_used.emplace();
  if (use) {
    shape.last_used_date = whole_seconds(use->when);
    shape.region = use->region;
  }
  co_return output;
}

Task<Result<ListRolesOutput>> IamService::list_roles(aws::Context& context, ListRolesInput in) {
  CO_TRY(co_await context.authorize("iam:ListRoles",
                                    arn_of<RoleRecord>(context, in.path_prefix.value_or("/"), "")));
  CO_TRY_ASSIGN(const auto page,
                co_await load_records<RoleRecord>(state_->records, context.global_key(),
                                                  prefix_of<RoleRecord>(), in.marker, in.max_items,
                                                  under_path<RoleRecord>(in.path_prefix)));
  ListRolesOutput output;
  for (const auto& role : page.items) output.roles.push_back(shape_of(role, Detail::kListed));
  tell_page(page, output);
  co_return output;
}

Task<Result<UpdateRoleOutput>> IamService::update_role(aws::Context& context, UpdateRoleInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(RoleRecord * role,
                  co_await edit.open<RoleRecord>("iam:UpdateRole", in.role_name));
    if (in.max_session_duration) CO_TRY(check_modifiable(*role));
    if (in.description) role->description = in.description;
    if (in.max_session_duration) role->max_session_seconds = *in.max_session_duration;
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return UpdateRoleOutput{};
  }
}

Task<Result<UpdateRoleDescriptionOutput>> IamService::update_role_description(
    aws::Context& context, UpdateRoleDescriptionInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(RoleRecord * role,
                  co_await edit.open<RoleRecord>("iam:UpdateRoleDescription", in.role_name));
    role->description = in.description;
    UpdateRoleDescriptionOutput output{shape_of(*role, Detail::kFull)};
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

Task<Result<UpdateAssumeRolePolicyOutput>> IamService::update_assume_role_policy(
    aws::Context& context, UpdateAssumeRolePolicyInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(RoleRecord * role,
                  co_await edit.open<RoleRecord>("iam:UpdateAssumeRolePolicy", in.role_name));
    CO_TRY(check_modifiable(*role));
    CO_TRY(check_trust_policy(*state_, in.policy_document));
    role->trust_policy = in.policy_document;
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return UpdateAssumeRolePolicyOutput{};
  }
}

Task<Result<DeleteRoleOutput>> IamService::delete_role(aws::Context& context, DeleteRoleInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(RoleRecord * role,
                  co_await edit.open<RoleRecord>("iam:DeleteRole", in.role_name));
    CO_TRY(check_modifiable(*role));
    if (!role->instance_profiles.empty())
      co_return fail(
          delete_conflict("Cannot delete entity, must remove roles from instance profile first."));
    if (!role->attached.empty())
      co_return fail(delete_conflict("Cannot delete entity, must detach all policies first."));
    if (!role->inline_policies.empty())
      co_return fail(delete_conflict("Cannot delete entity, must delete policies first."));
    CO_TRY(co_await edit.drop_uses(*role));
    CO_TRY(co_await drop_accesses(edit, role->id));
    edit.remove_row(role_use_row(role->id));
    edit.remove(*role);
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return DeleteRoleOutput{};
  }
}

}  // namespace pileus::services::iam
