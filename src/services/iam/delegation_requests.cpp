// Temporary access that an onboarded partner of AWS asks an account for. Pileus onboards no
// partner, so nobody can create a request and there is none: the answers are those that AWS gives
// then.
#include "gen/iam/AcceptDelegationRequest.h"
#include "gen/iam/AssociateDelegationRequest.h"
#include "gen/iam/CreateDelegationRequest.h"
#include "gen/iam/GetDelegationRequest.h"
#include "gen/iam/ListDelegationRequests.h"
#include "gen/iam/RejectDelegationRequest.h"
#include "gen/iam/SendDelegationToken.h"
#include "gen/iam/UpdateDelegationRequest.h"
#include "services/iam/errors.h"
#include "services/iam/shapes.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

std::string request_arn(const aws::Context& context, std::string_view id) {
  return str("arn:", context.partition(), ":iam:::delegation-request/", id);
}

template <class Output>
Task<Result<Output>> unknown_request(aws::Context& context, std::string action, std::string id) {
  CO_TRY(co_await context.authorize(std::move(action), request_arn(context, id)));
  co_return fail(no_such_entity(str("Delegation request with id ", id, " cannot be found.")));
}

}  // namespace

Task<Result<CreateDelegationRequestOutput>> IamService::create_delegation_request(
    aws::Context& context, CreateDelegationRequestInput) {
  CO_TRY(co_await context.authorize("iam:CreateDelegationRequest", request_arn(context, "*")));
  co_return fail(
      "AccessDenied",
      str("Account ", context.account(), " is not onboarded to create delegation requests."), 403);
}

Task<Result<ListDelegationRequestsOutput>> IamService::list_delegation_requests(
    aws::Context& context, ListDelegationRequestsInput in) {
  CO_TRY(co_await context.authorize("iam:ListDelegationRequests", "*"));
  CO_TRY(read_marker(in.marker));
  ListDelegationRequestsOutput output;
  output.delegation_requests.emplace();
  output.is_truncated = false;
  co_return output;
}

Task<Result<AcceptDelegationRequestOutput>> IamService::accept_delegation_request(
    aws::Context& context, AcceptDelegationRequestInput in) {
  return unknown_request<AcceptDelegationRequestOutput>(context, "iam:AcceptDelegationRequest",
                                                        in.delegation_request_id);
}

Task<Result<AssociateDelegationRequestOutput>> IamService::associate_delegation_request(
    aws::Context& context, AssociateDelegationRequestInput in) {
  return unknown_request<AssociateDelegationRequestOutput>(
      context, "iam:AssociateDelegationRequest", in.delegation_request_id);
}

Task<Result<GetDelegationRequestOutput>> IamService::get_delegation_request(
    aws::Context& context, GetDelegationRequestInput in) {
  return unknown_request<GetDelegationRequestOutput>(context, "iam:GetDelegationRequest",
                                                     in.delegation_request_id);
}

Task<Result<RejectDelegationRequestOutput>> IamService::reject_delegation_request(
    aws::Context& context, RejectDelegationRequestInput in) {
  return unknown_request<RejectDelegationRequestOutput>(context, "iam:RejectDelegationRequest",
                                                        in.delegation_request_id);
}

Task<Result<SendDelegationTokenOutput>> IamService::send_delegation_token(
    aws::Context& context, SendDelegationTokenInput in) {
  return unknown_request<SendDelegationTokenOutput>(context, "iam:SendDelegationToken",
                                                    in.delegation_request_id);
}

Task<Result<UpdateDelegationRequestOutput>> IamService::update_delegation_request(
    aws::Context& context, UpdateDelegationRequestInput in) {
  return unknown_request<UpdateDelegationRequestOutput>(context, "iam:UpdateDelegationRequest",
                                                        in.delegation_request_id);
}

}  // namespace pileus::services::iam
