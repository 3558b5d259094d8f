// What an OpenID Connect token claims, checked against the provider that an account has registered.
// Pure: the signature is verified elsewhere.
// Source: IAM User Guide, "Create an OpenID Connect (OIDC) identity provider in IAM" and "Pass
// session tags in AWS STS".
#pragma once

#include "aws/context.h"
#include "services/sts/jwt.h"
#include "services/sts/session_policies.h"

namespace pileus::services::sts {

struct WebIdentity {
  std::string issuer, subject;
  std::string audience;                // the one that the provider lists
  std::vector<std::string> audiences;  // values of <issuer>:aud: `azp` where there is one
  std::vector<std::string> methods;    // amr
  std::string source_identity;
  std::vector<TagPair> tags;
  std::vector<std::string> transitive;
};

inline constexpr auto kClockSkew = std::chrono::minutes(5);   // of an issuer ahead of us
inline constexpr auto kOldestToken = std::chrono::hours(24);  // since it was issued

// The issuer that the token names, unverified. InvalidIdentityToken.
Result<std::string> claimed_issuer(const Jwt& token);
// InvalidIdentityToken, ExpiredTokenException.
Result<WebIdentity> check_claims(const Jwt& token, const aws::OidcProviderFacts& provider,
                                 Time now);
// <issuer>:aud, sub, amr.
aws::ConditionValues federation_keys(const WebIdentity& who, const std::string& provider_name);

inline Error invalid_token(std::string message) {
  return Error("InvalidIdentityToken", std::move(message), 400);
}
inline Error expired_token(std::string message) {
  return Error("ExpiredTokenException", std::move(message), 400);
}
// Session names and source identities from elsewhere: [\w+=,.@-]{2,64}.
bool is_session_name(std::string_view text);
// Tags from elsewhere have the bounds of those in requests.
Result<Unit> check_tag_sizes(const std::vector<TagPair>& tags);

}  // namespace pileus::services::sts
