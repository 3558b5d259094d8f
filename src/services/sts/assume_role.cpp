#include "gen/sts/AssumeRole.h"

#include "aws/arn.h"
#include "services/sts/session_policies.h"
#include "services/sts/shapes.h"

namespace pileus::services::sts {

using namespace gen::sts;
using Type = aws::Identity::Type;

namespace {

constexpr std::int32_t kChainedSeconds = 3600;

Error invalid_value(std::string message) {
  return Error("InvalidParameterValue", std::move(message), 400);
}

std::string not_authorized(const aws::Identity& caller, const std::string& role_arn) {
  return str("User: ", caller.arn,
             " is not authorized to perform: sts:AssumeRole on resource: ", role_arn);
}

// What can be refused before anything is looked up.
Result<Unit> check_request(const AssumeRoleInput& in) {
  const auto arn = aws::parse_arn(in.role_arn);
  if (!arn || arn->service != "iam" || arn->resource_type() != "role" || arn->account.empty())
    return fail(validation_error(str(in.role_arn, " is invalid")));
  if (in.provided_contexts && !in.provided_contexts->empty())
    return fail(invalid_value("ProvidedContexts: Pileus knows no context provider; leave it out."));
  if (in.source_identity && to_lower(*in.source_identity).starts_with("aws:"))
    return fail(validation_error("The source identity must not begin with aws:."));
  return Unit{};
}

Result<SessionTags> session_tags(const AssumeRoleInput& in, const aws::Identity& caller) {
  SessionTags inherited;
  for (const auto& key : caller.transitive_tag_keys) {
    if (const auto tag = caller.tags.find(key); tag != caller.tags.end()) {
      inherited.tags.insert(*tag);
      inherited.transitive.insert(key);
    }
  }
  std::vector<TagPair> given;
  if (in.tags)
    for (const auto& tag : *in.tags) given.emplace_back(tag.key, tag.value);
  return make_session_tags(std::move(inherited), given,
                           in.transitive_tag_keys.value_or(std::vector<std::string>()));
}

aws::ConditionValues conditions_of(const AssumeRoleInput& in, const SessionTags& tags,
                                   const std::string& source_identity) {
  aws::ConditionValues values = {{"sts:RoleSessionName", {in.role_session_name}}};
  if (in.external_id) values["sts:ExternalId"] = {*in.external_id};
  if (!source_identity.empty()) values["sts:SourceIdentity"] = {source_identity};
  add_tag_conditions(tags, values);
  return values;
}

Result<std::int32_t> session_seconds(const AssumeRoleInput& in, const aws::Identity& caller) {
  const std::int32_t seconds = in.duration_seconds.value_or(kDefaultRoleSeconds);
  if (caller.type == Type::kAssumedRole && seconds > kChainedSeconds)
    return fail(
        validation_error("The requested DurationSeconds exceeds the 1 hour session limit for "
                         "roles assumed by role chaining."));
  return seconds;
}

}  // namespace

Task<Result<AssumeRoleOutput>> StsService::assume_role(aws::Context& context, AssumeRoleInput in) {
  StsState& state = *state_;
  const aws::Identity& caller = context.identity();
  CO_TRY(check_request(in));
  CO_TRY_ASSIGN(GivenPolicies policies, given_policies(in));
  CO_TRY(check_policies(policies));
  CO_TRY_ASSIGN(SessionTags tags, session_tags(in, caller));
  CO_TRY_ASSIGN(const auto role, co_await state.principals.find_role(in.role_arn));
  if (!role) co_return fail(access_denied(not_authorized(caller, in.role_arn)));
  const std::string source_identity = in.source_identity.value_or(caller.source_identity);
  // A wrong code is told before the decision: the trust policy may ask for the factor.
  CO_TRY_ASSIGN(const bool mfa, co_await check_mfa(state, caller, in.serial_number, in.token_code));
  std::vector<std::string> actions = {"sts:AssumeRole"};
  if (!tags.tags.empty()) actions.push_back("sts:TagSession");
  if (!source_identity.empty()) actions.push_back("sts:SetSourceIdentity");
  aws::ConditionValues conditions = conditions_of(in, tags, source_identity);
  if (mfa) {
    conditions["aws:MultiFactorAuthPresent"] = {"true"};
    conditions["aws:MultiFactorAuthAge"] = {"0"};
  }
  CO_TRY(
      co_await authorize_role(context, std::move(conditions), role, std::move(actions), ""));
  if (!caller.source_identity.empty() && source_identity != caller.source_identity)
    co_return fail(access_denied(
        "The source identity of a session cannot be changed by assuming another role."));
  CO_TRY_ASSIGN(const std::int32_t seconds, session_seconds(in, caller));
  CO_TRY_ASSIGN(const auto session,
                new_role_session(state, *role, in.role_session_name, std::move(tags), seconds));
  session->source_identity = source_identity;
  session->mfa = mfa;
  CO_TRY_ASSIGN(const std::int32_t packed,
                co_await add_policies(state, std::move(policies), role->account, session));

  AssumeRoleOutput output;
  output.assumed_role_user = AssumedRoleUser{str(role->id, ':', in.role_session_name),
                                             assumed_role_arn(*role, in.role_session_name)};
  if (packed > 0) output.packed_policy_size = packed;
  if (!source_identity.empty()) output.source_identity = source_identity;
  tell_session(state, std::move(*session), role, in.minimum_session_token_size.value_or(0), output);
  co_return output;
}

}  // namespace pileus::services::sts
