#include "gen/sts/AssumeRoleWithSAML.h"

#include "aws/arn.h"
#include "services/sts/saml_assertion.h"
#include "services/sts/shapes.h"
#include "services/sts/xml_signature.h"

namespace pileus::services::sts {

using namespace gen::sts;

namespace {

Result<Unit> check_arns(const AssumeRoleWithSAMLInput& in) {
  const auto role = aws::parse_arn(in.role_arn);
  const auto provider = aws::parse_arn(in.principal_arn);
  if (!role || role->service != "iam" || role->resource_type() != "role" || role->account.empty() ||
      !provider || provider->service != "iam" || provider->resource_type() != "saml-provider")
    return fail(validation_error("Request ARN is invalid"));
  return Unit{};
}

std::optional<std::string> decoded(std::string_view assertion) {
  std::string compact;
  for (const char c : assertion)
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') compact += c;
  return from_base64(compact);
}

std::int32_t seconds_of(const AssumeRoleWithSAMLInput& in, const SamlIdentity& who) {
  return in.duration_seconds.value_or(who.seconds.value_or(kDefaultRoleSeconds));
}

Task<Result<Unit>> authorize(aws::Context& context, std::shared_ptr<const aws::RoleFacts> role,
                             aws::ConditionValues conditions, SamlIdentity who, SessionTags tags,
                             std::string provider_arn) {
  std::vector<std::string> actions = {"sts:AssumeRoleWithSAML"};
  if (!tags.tags.empty()) actions.push_back("sts:TagSession");
  if (!who.source_identity.empty()) actions.push_back("sts:SetSourceIdentity");
  conditions["sts:RoleSessionName"] = {who.session_name};
  if (!who.source_identity.empty()) conditions["sts:SourceIdentity"] = {who.source_identity};
  add_tag_conditions(tags, conditions);
  co_return co_await authorize_role(context, std::move(conditions), std::move(role),
                                    std::move(actions), std::move(provider_arn));
}

}  // namespace

Task<Result<AssumeRoleWithSAMLOutput>> StsService::assume_role_with_saml(
    aws::Context& context, AssumeRoleWithSAMLInput in) {
  StsState& state = *state_;
  CO_TRY(check_arns(in));
  CO_TRY_ASSIGN(GivenPolicies policies, given_policies(in));
  CO_TRY(check_policies(policies));
  const auto response = decoded(in.saml_assertion);
  if (!response) co_return fail(invalid_token("Invalid base64 SAMLResponse"));
  CO_TRY_ASSIGN(const auto provider, co_await state.providers.find_saml_provider(in.principal_arn));
  if (!provider) co_return fail(invalid_token("Specified provider doesn't exist"));
  CO_TRY_ASSIGN(const std::string verified, signed_part(*response, provider->certificates));
  CO_TRY_ASSIGN(const SamlAssertion assertion, read_assertion(verified));
  CO_TRY_ASSIGN(const SamlIdentity who,
                check_assertion(assertion, *provider, in.role_arn, state.real.now()));
  CO_TRY_ASSIGN(SessionTags tags, make_session_tags({}, who.tags, who.transitive));

  CO_TRY_ASSIGN(const auto role, co_await state.principals.find_role(in.role_arn));
  if (!role || role->account != provider->account)
    co_return fail(access_denied("Not authorized to perform sts:AssumeRoleWithSAML"));
  CO_TRY(co_await authorize(context, role, trust_keys(assertion, who, *provider), who, tags,
                            provider->arn));

  CO_TRY_ASSIGN(const auto session, new_role_session(state, *role, who.session_name,
                                                     std::move(tags), seconds_of(in, who)));
  if (assertion.session_until)
    session->expires = std::min(
        session->expires, Time(std::chrono::floor<std::chrono::seconds>(*assertion.session_until)));
  session->source_identity = who.source_identity;
  session->federated_provider = provider->arn;
  session->federation_keys = session_keys(assertion, who);
  CO_TRY_ASSIGN(const std::int32_t packed,
                co_await add_policies(state, std::move(policies), role->account, session));
  AssumeRoleWithSAMLOutput output;
  output.assumed_role_user = AssumedRoleUser{str(role->id, ':', who.session_name),
                                             assumed_role_arn(*role, who.session_name)};
  output.subject = assertion.subject;
  if (!who.subject_type.empty()) output.subject_type = who.subject_type;
  output.issuer = assertion.issuer;
  output.audience = assertion.recipient;
  output.name_qualifier = who.name_qualifier;
  if (packed > 0) output.packed_policy_size = packed;
  if (!who.source_identity.empty()) output.source_identity = who.source_identity;
  tell_session(state, std::move(*session), role, in.minimum_session_token_size.value_or(0), output);
  co_return output;
}

}  // namespace pileus::services::sts
