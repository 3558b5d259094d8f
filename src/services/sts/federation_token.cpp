#include "gen/sts/GetFederationToken.h"

#include "services/sts/session_policies.h"
#include "services/sts/shapes.h"

namespace pileus::services::sts {

using namespace gen::sts;
using Type = aws::Identity::Type;

namespace {

Result<SessionTags> session_tags(const GetFederationTokenInput& in) {
  std::vector<TagPair> given;
  if (in.tags)
    for (const auto& tag : *in.tags) given.emplace_back(tag.key, tag.value);
  return make_session_tags({}, given, {});
}

Task<Result<Unit>> authorize(aws::Context& context, std::string arn, SessionTags tags) {
  aws::ConditionValues conditions;
  add_tag_conditions(tags, conditions);
  CO_TRY(co_await context.authorize("sts:GetFederationToken", arn, conditions));
  if (!tags.tags.empty()) CO_TRY(co_await context.authorize("sts:TagSession", arn, conditions));
  co_return Unit{};
}

}  // namespace

Task<Result<GetFederationTokenOutput>> StsService::get_federation_token(
    aws::Context& context, GetFederationTokenInput in) {
  constexpr std::int32_t kDefaultSeconds = 43200, kRootSeconds = 3600;
  StsState& state = *state_;
  const aws::Identity& caller = context.identity();
  const bool root = caller.type == Type::kRoot;
  if ((caller.type != Type::kUser && !root) || caller.issued_at)
    co_return fail(access_denied("Cannot call GetFederationToken with session credentials"));
  CO_TRY_ASSIGN(GivenPolicies policies, given_policies(in));
  CO_TRY(check_policies(policies));
  CO_TRY_ASSIGN(SessionTags tags, session_tags(in));
  const std::string arn = federated_user_arn(caller.arn, caller.account, in.name);
  CO_TRY(co_await authorize(context, arn, tags));

  std::int32_t seconds = in.duration_seconds.value_or(kDefaultSeconds);
  if (root) seconds = std::min(seconds, kRootSeconds);
  auto session = std::make_shared<SessionRecord>();
  session->of = root ? SessionRecord::Of::kFederatedRoot : SessionRecord::Of::kFederatedUser;
  session->account = caller.account;
  session->principal = caller.arn;
  session->principal_id = caller.user_id;
  session->name = in.name;
  session->tags = std::move(tags.tags);
  session->issued = state.clock.now();
  session->expires =
      std::chrono::floor<std::chrono::seconds>(state.real.now() + std::chrono::seconds(seconds));
  CO_TRY_ASSIGN(const std::int32_t packed,
                co_await add_policies(state, std::move(policies), caller.account, session));

  GetFederationTokenOutput output;
  output.federated_user = FederatedUser{str(caller.account, ':', in.name), arn};
  if (packed > 0) output.packed_policy_size = packed;
  tell_session(state, std::move(*session), nullptr, in.minimum_session_token_size.value_or(0),
               output);
  co_return output;
}

}  // namespace pileus::services::sts
