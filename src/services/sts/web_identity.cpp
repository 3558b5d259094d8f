#include "gen/sts/AssumeRoleWithWebIdentity.h"

#include "aws/arn.h"
#include "services/sts/claims.h"
#include "services/sts/shapes.h"

namespace pileus::services::sts {

using namespace gen::sts;

namespace {

Result<std::string> account_of_role(const std::string& text) {
  const auto arn = aws::parse_arn(text);
  if (!arn || arn->service != "iam" || arn->resource_type() != "role" || arn->account.empty())
    return fail(validation_error("Request ARN is invalid"));
  return arn->account;
}

std::string without_scheme(std::string_view url) {
  const auto at = url.find("://");
  return std::string(at == std::string_view::npos ? url : url.substr(at + 3));
}

// The provider that the account trusts for the token's issuer.
Task<Result<aws::OidcProviderFacts>> provider_of(StsState& state, std::string account,
                                                 std::string issuer) {
  CO_TRY_ASSIGN(auto provider, co_await state.providers.find_oidc_provider(std::move(account),
                                                                           without_scheme(issuer)));
  // Some issuers leave their scheme out of `iss`.
  if (!provider || (provider->url != issuer && provider->name != issuer))
    co_return fail(
        invalid_token(str("No OpenIDConnect provider found in your account for ", issuer)));
  co_return std::move(*provider);
}

Task<Result<Unit>> verify_signature(StsState& state, Jwt token, aws::OidcProviderFacts provider) {
  CO_TRY_ASSIGN(const KeySet keys,
                co_await state.issuer_keys.find(std::move(provider), token.key_id));
  bool known = false;
  for (const Jwk& key : *keys) {
    if (key.key_id != token.key_id || token.key_id.empty()) continue;
    known = true;
    if (verify(token, key)) co_return Unit{};
  }
  if (known) co_return fail(invalid_token("Token signature is invalid"));
  co_return fail(
      invalid_token("Couldn't retrieve verification key from your identity provider,  please "
                    "reference AssumeRoleWithWebIdentity documentation for requirements"));
}

}  // namespace

Task<Result<AssumeRoleWithWebIdentityOutput>> StsService::assume_role_with_web_identity(
    aws::Context& context, AssumeRoleWithWebIdentityInput in) {
  StsState& state = *state_;
  CO_TRY_ASSIGN(const std::string account, account_of_role(in.role_arn));
  CO_TRY_ASSIGN(GivenPolicies policies, given_policies(in));
  CO_TRY(check_policies(policies));
  const auto token = parse_jwt(in.web_identity_token);
  if (!token)
    co_return fail(
        invalid_token("The ID Token provided is not a valid JWT. (You may see this error if you "
                      "sent an Access Token)"));
  CO_TRY_ASSIGN(std::string issuer, claimed_issuer(*token));
  CO_TRY_ASSIGN(const auto provider, co_await provider_of(state, account, std::move(issuer)));
  CO_TRY_ASSIGN(const WebIdentity who, check_claims(*token, provider, state.real.now()));
  CO_TRY(co_await verify_signature(state, *token, provider));
  CO_TRY_ASSIGN(SessionTags tags, make_session_tags({}, who.tags, who.transitive));

  CO_TRY_ASSIGN(const auto role, co_await state.principals.find_role(in.role_arn));
  if (!role)
    co_return fail(access_denied("Not authorized to perform sts:AssumeRoleWithWebIdentity"));
  std::vector<std::string> actions = {"sts:AssumeRoleWithWebIdentity"};
  if (!tags.tags.empty()) actions.push_back("sts:TagSession");
  if (!who.source_identity.empty()) actions.push_back("sts:SetSourceIdentity");
  const aws::ConditionValues keys = federation_keys(who, provider.name);
  aws::ConditionValues conditions = keys;
  conditions["sts:RoleSessionName"] = {in.role_session_name};
  if (!who.source_identity.empty()) conditions["sts:SourceIdentity"] = {who.source_identity};
  add_tag_conditions(tags, conditions);
  CO_TRY(co_await authorize_role(context, std::move(conditions), role, std::move(actions),
                                 provider.arn));

  CO_TRY_ASSIGN(const auto session,
                new_role_session(state, *role, in.role_session_name, std::move(tags),
                                 in.duration_seconds.value_or(kDefaultRoleSeconds)));
  session->source_identity = who.source_identity;
  session->federated_provider = provider.arn;
  session->federation_keys = keys;
  CO_TRY_ASSIGN(const std::int32_t packed,
                co_await add_policies(state, std::move(policies), role->account, session));
  AssumeRoleWithWebIdentityOutput output;
  output.assumed_role_user = AssumedRoleUser{str(role->id, ':', in.role_session_name),
                                             assumed_role_arn(*role, in.role_session_name)};
  output.subject_from_web_identity_token = who.subject;
  output.audience = who.audience;
  output.provider = who.issuer;
  if (packed > 0) output.packed_policy_size = packed;
  if (!who.source_identity.empty()) output.source_identity = who.source_identity;
  tell_session(state, std::move(*session), role, in.minimum_session_token_size.value_or(0), output);
  co_return output;
}

}  // namespace pileus::services::sts
