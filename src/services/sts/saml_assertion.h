// What a SAML assertion says, read from what its signature covers and checked against the provider
// that an account has registered. Pure.
// Source: IAM User Guide, "Configure SAML assertions for the authentication response".
#pragma once

#include "aws/credentials.h"
#include "services/sts/claims.h"

namespace pileus::services::sts {

struct SamlAssertion {
  std::string issuer;
  std::string subject, subject_format;
  std::string recipient;  // of the bearer's confirmation
  std::vector<std::string> audiences;
  std::optional<Time> issued, not_before, not_on_or_after, confirmed_until, session_until;
  std::map<std::string, std::vector<std::string>> attributes;
};
// `xml`: an Assertion, or a Response around one, verified. InvalidIdentityToken.
Result<SamlAssertion> read_assertion(std::string_view xml);

struct SamlIdentity {
  std::string session_name, source_identity;
  std::string subject_type;             // the format without SAML's own prefix
  std::string name_qualifier;           // see AssumeRoleWithSAML's answer
  std::optional<std::int32_t> seconds;  // SessionDuration
  std::vector<TagPair> tags;
  std::vector<std::string> transitive;
};
// After its issue an assertion must be used within that.
inline constexpr auto kRedeemWithin = std::chrono::minutes(5);
// InvalidIdentityToken, ExpiredTokenException; AccessDenied where the role is not among its roles.
Result<SamlIdentity> check_assertion(const SamlAssertion& assertion,
                                     const aws::SamlProviderFacts& provider,
                                     const std::string& role_arn, Time now);

// Keys of the trust policy, and those of them that stay with the session.
aws::ConditionValues trust_keys(const SamlAssertion& assertion, const SamlIdentity& who,
                                const aws::SamlProviderFacts& provider);
aws::ConditionValues session_keys(const SamlAssertion& assertion, const SamlIdentity& who);

}  // namespace pileus::services::sts
