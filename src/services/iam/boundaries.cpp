#include "gen/iam/DeleteRolePermissionsBoundary.h"
#include "gen/iam/DeleteUserPermissionsBoundary.h"
#include "gen/iam/PutRolePermissionsBoundary.h"
#include "gen/iam/PutUserPermissionsBoundary.h"
#include "services/iam/edit.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

// `arn` "" takes the boundary away.
template <class T, class Output>
Task<Result<Output>> set_boundary(IamState& state, aws::Context& context, std::string action,
                                  std::string name, std::string arn) {
  aws::ConditionValues conditions;
  if (!arn.empty()) conditions["iam:PermissionsBoundary"] = {arn};
  for (Edit edit(state, context);;) {
    CO_TRY_ASSIGN(T * entity, co_await edit.open<T>(action, name, conditions));
    CO_TRY(check_modifiable(*entity));
    if (entity->boundary == arn) co_return Output{};
    if (!entity->boundary.empty())
      CO_TRY(co_await edit.drop_use<T>(entity->boundary, Usage::kBoundary, entity->name));
    if (!arn.empty()) CO_TRY(co_await edit.add_use<T>(arn, Usage::kBoundary, entity->name));
    entity->boundary = arn;
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return Output{};
  }
}

}  // namespace

Task<Result<PutUserPermissionsBoundaryOutput>> IamService::put_user_permissions_boundary(
    aws::Context& context, PutUserPermissionsBoundaryInput in) {
  return set_boundary<UserRecord, PutUserPermissionsBoundaryOutput>(
      *state_, context, "iam:PutUserPermissionsBoundary", in.user_name, in.permissions_boundary);
}
Task<Result<DeleteUserPermissionsBoundaryOutput>> IamService::delete_user_permissions_boundary(
    aws::Context& context, DeleteUserPermissionsBoundaryInput in) {
  return set_boundary<UserRecord, DeleteUserPermissionsBoundaryOutput>(
      *state_, context, "iam:DeleteUserPermissionsBoundary", in.user_name, "");
}

Task<Result<PutRolePermissionsBoundaryOutput>> IamService::put_role_permissions_boundary(
    aws::Context& context, PutRolePermissionsBoundaryInput in) {
  return set_boundary<RoleRecord, PutRolePermissionsBoundaryOutput>(
      *state_, context, "iam:PutRolePermissionsBoundary", in.role_name, in.permissions_boundary);
}
Task<Result<DeleteRolePermissionsBoundaryOutput>> IamService::delete_role_permissions_boundary(
    aws::Context& context, DeleteRolePermissionsBoundaryInput in) {
  return set_boundary<RoleRecord, DeleteRolePermissionsBoundaryOutput>(
      *state_, context, "iam:DeleteRolePermissionsBoundary", in.role_name, "");
}

}  // namespace pileus::services::iam
