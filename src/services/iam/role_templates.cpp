// Roles from templates that AWS's services publish. No service of Pileus publishes one, so every
// template's ARN is unknown.
#include "gen/iam/AcquireRole.h"
#include "gen/iam/GetRoleTemplateVersion.h"
#include "services/iam/errors.h"
#include "services/iam/state.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

template <class Output>
Task<Result<Output>> unknown_template(aws::Context& context, std::string action, std::string arn) {
  CO_TRY(co_await context.authorize(std::move(action), arn));
  co_return fail(no_such_entity(str("Role template ", arn, " was not found.")));
}

}  // namespace

Task<Result<AcquireRoleOutput>> IamService::acquire_role(aws::Context& context,
                                                         AcquireRoleInput in) {
  return unknown_template<AcquireRoleOutput>(context, "iam:AcquireRole", in.template_arn);
}

Task<Result<GetRoleTemplateVersionOutput>> IamService::get_role_template_version(
    aws::Context& context, GetRoleTemplateVersionInput in) {
  return unknown_template<GetRoleTemplateVersionOutput>(context, "iam:GetRoleTemplateVersion",
                                                        in.template_arn);
}

}  // namespace pileus::services::iam
