#include "base/json.h"
#include "gen/iam/CreateServiceLinkedRole.h"
#include "gen/iam/DeleteServiceLinkedRole.h"
#include "gen/iam/GetServiceLinkedRoleDeletionStatus.h"
#include "services/iam/aws_policies.h"
#include "services/iam/edit.h"
#include "services/iam/limits.h"
#include "services/iam/linked_services.h"
#include "services/iam/shapes.h"
#include "services/iam/uses.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

constexpr std::string_view kTaskPrefix = "task/";
std::string task_row(std::string_view id) { return str("iam/", id); }

std::string trust_of(std::string_view principal) {
  const JsonObject statement{{"Effect", "Allow"},
                             {"Principal", JsonObject{{"Service", std::string(principal)}}},
                             {"Action", "sts:AssumeRole"}};
  return to_text(JsonObject{{"Version", "2012-10-17"}, {"Statement", JsonArray{statement}}});
}

Error no_such_task(std::string_view id) {
  return no_such_entity(str("Deletion Task id ", id, " cannot be found."));
}

}  // namespace

Task<Result<CreateServiceLinkedRoleOutput>> IamService::create_service_linked_role(
    aws::Context& context, CreateServiceLinkedRoleInput in) {
  const std::string& principal = in.aws_service_name;
  const auto* service = find_linked_service(principal);
  const std::string suffix = in.custom_suffix ? str('_', *in.custom_suffix) : "";
  const std::string name = str("AWSServiceRoleFor", service ? service->role : "", suffix);
  const std::string path = str("/aws-service-role/", principal, "/");
  const std::string arn = arn_of<RoleRecord>(context, path, service ? name : "*");
  CO_TRY(co_await context.authorize("iam:CreateServiceLinkedRole", arn,
                                    {{"iam:AWSServiceName", {principal}}}));
  if (!service)
    co_return fail("AccessDenied", str("Cannot find Service Linked Role template for ", principal),
                   403);
  if (in.custom_suffix && !service->custom_suffix)
    co_return fail(invalid_input(str("Custom suffix is not allowed for ", principal)));
  CO_TRY(co_await check_quota<RoleRecord>(*state_, context, "RolesPerAccount", kRoles));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(RoleRecord * existing, co_await edit.find<RoleRecord>(name));
    if (existing)
      co_return fail(
          invalid_input(str("Service role name ", name,
                            " has been taken in this account, please try a different suffix.")));
    CO_TRY_ASSIGN(RoleRecord * role,
                  co_await edit.create(new_entity<RoleRecord>(*state_, context, path, name, arn)));
    role->trust_policy = trust_of(principal);
    role->linked_service = principal;
    if (in.description)
      role->description = in.description;
    else if (!service->description.empty())
      role->description = std::string(service->description);
    const std::string policy =
        str("arn:", context.partition(), ":iam::aws:policy/aws-service-role/", service->policy);
    if (find_aws_policy(policy)) {
      CO_TRY(co_await edit.add_use<RoleRecord>(policy, Usage::kPolicy, name));
      role->attached.insert(policy);
    }
    CreateServiceLinkedRoleOutput output;
    output.role = shape_of(*role, Detail::kFull);
    output.role->max_session_duration.reset();
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

// The role and all of it go in the transaction that saves the task: whoever is told the task's id
// finds it done.
Task<Result<DeleteServiceLinkedRoleOutput>> IamService::delete_service_linked_role(
    aws::Context& context, DeleteServiceLinkedRoleInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(RoleRecord * role,
                  co_await edit.open<RoleRecord>("iam:DeleteServiceLinkedRole", in.role_name));
    if (role->linked_service.empty())
      co_return fail(
          no_such_entity(str("The role with name ", role->name, " is not a service-linked role.")));
    const std::string id =
        str(kTaskPrefix, role->path.substr(1), role->name, "/", uuid(state_->random));
    edit.put_row(task_row(id), "SUCCEEDED");
    CO_TRY(co_await edit.drop_uses(*role));
    CO_TRY(co_await drop_accesses(edit, role->id));
    edit.remove_row(role_use_row(role->id));
    edit.remove(*role);
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return DeleteServiceLinkedRoleOutput{id};
  }
}

Task<Result<GetServiceLinkedRoleDeletionStatusOutput>>
IamService::get_service_linked_role_deletion_status(aws::Context& context,
                                                    GetServiceLinkedRoleDeletionStatusInput in) {
  // task/aws-service-role/<service>/<role>/<uuid>
  const auto parts = split(in.deletion_task_id, '/');
  const bool formed = parts.size() == 5 && parts[0] == "task" && parts[1] == "aws-service-role";
  const std::string arn =
      formed ? arn_of<RoleRecord>(context, str("/aws-service-role/", parts[2], "/"), parts[3])
             : arn_of<RoleRecord>(context, "/", "*");
  CO_TRY(co_await context.authorize("iam:GetServiceLinkedRoleDeletionStatus", arn));
  if (!formed)
    co_return fail(invalid_input(str("Deletion Task id ", in.deletion_task_id, " is not valid.")));
  CO_TRY_ASSIGN(const auto task,
                co_await state_->records.get(context.global_key(), task_row(in.deletion_task_id)));
  if (!task) co_return fail(no_such_task(in.deletion_task_id));
  GetServiceLinkedRoleDeletionStatusOutput output;
  output.status = task->value;
  co_return output;
}

}  // namespace pileus::services::iam
