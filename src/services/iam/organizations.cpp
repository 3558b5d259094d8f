// What an organisation's management account asks. Pileus has no organisations, so no account is in
// one, and the answers are those that AWS gives such an account.
#include "gen/iam/DisableOrganizationsRootCredentialsManagement.h"
#include "gen/iam/DisableOrganizationsRootSessions.h"
#include "gen/iam/EnableOrganizationsRootCredentialsManagement.h"
#include "gen/iam/EnableOrganizationsRootSessions.h"
#include "gen/iam/GenerateOrganizationsAccessReport.h"
#include "gen/iam/GetOrganizationsAccessReport.h"
#include "gen/iam/ListOrganizationsFeatures.h"
#include "services/iam/errors.h"
#include "services/iam/state.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

template <class Output>
Task<Result<Output>> needs_organization(aws::Context& context, std::string action) {
  CO_TRY(co_await context.authorize(std::move(action), "*"));
  co_return fail("OrganizationNotFoundException",
                 "The request was rejected because your account is not part of an organization.",
                 400);
}

}  // namespace

Task<Result<ListOrganizationsFeaturesOutput>> IamService::list_organizations_features(
    aws::Context& context, ListOrganizationsFeaturesInput) {
  return needs_organization<ListOrganizationsFeaturesOutput>(context,
                                                             "iam:ListOrganizationsFeatures");
}

Task<Result<EnableOrganizationsRootSessionsOutput>> IamService::enable_organizations_root_sessions(
    aws::Context& context, EnableOrganizationsRootSessionsInput) {
  return needs_organization<EnableOrganizationsRootSessionsOutput>(
      context, "iam:EnableOrganizationsRootSessions");
}

Task<Result<DisableOrganizationsRootSessionsOutput>>
IamService::disable_organizations_root_sessions(aws::Context& context,
                                                DisableOrganizationsRootSessionsInput) {
  return needs_organization<DisableOrganizationsRootSessionsOutput>(
      context, "iam:DisableOrganizationsRootSessions");
}

Task<Result<EnableOrganizationsRootCredentialsManagementOutput>>
IamService::enable_organizations_root_credentials_management(
    aws::Context& context, EnableOrganizationsRootCredentialsManagementInput) {
  return needs_organization<EnableOrganizationsRootCredentialsManagementOutput>(
      context, "iam:EnableOrganizationsRootCredentialsManagement");
}

Task<Result<DisableOrganizationsRootCredentialsManagementOutput>>
IamService::disable_organizations_root_credentials_management(
    aws::Context& context, DisableOrganizationsRootCredentialsManagementInput) {
  return needs_organization<DisableOrganizationsRootCredentialsManagementOutput>(
      context, "iam:DisableOrganizationsRootCredentialsManagement");
}

Task<Result<GenerateOrganizationsAccessReportOutput>>
IamService::generate_organizations_access_report(aws::Context& context,
                                                 GenerateOrganizationsAccessReportInput in) {
  CO_TRY(co_await context.authorize("iam:GenerateOrganizationsAccessReport",
                                    str("arn:", context.partition(), ":iam::", context.account(),
                                        ":access-report/", in.entity_path)));
  co_return fail("AccessDenied",
                 "You must be signed in to the management account of an organization to generate "
                 "this report.",
                 403);
}

// Nobody can have generated one.
Task<Result<GetOrganizationsAccessReportOutput>> IamService::get_organizations_access_report(
    aws::Context& context, GetOrganizationsAccessReportInput in) {
  CO_TRY(co_await context.authorize("iam:GetOrganizationsAccessReport", "*"));
  co_return fail(no_such_entity(str("Job with id ", in.job_id, " cannot be found.")));
}

}  // namespace pileus::services::iam
