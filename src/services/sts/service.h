// StsService: temporary credentials. A session is its token: identity, secret and expiry, encrypted
// and authenticated with the machine's key, so sessions survive restarts without a row each. A
// session of a role ends with the role (or user) it was made from. What people from elsewhere bring
// (OpenID Connect tokens, SAML assertions) is verified here. Any loop. Made by app/.
#pragma once

#include <memory>

#include "aws/authorization_messages.h"
#include "aws/context.h"
#include "aws/credentials.h"
#include "aws/seal.h"
#include "gen/sts/interface.h"
#include "services/sts/web_source.h"

namespace pileus::services::sts {

struct StsState;  // state.h

class StsService final : public gen::sts::Sts, public aws::Sessions, public aws::Credentials {
 public:
  static constexpr std::size_t kMaxCachedSessions = 16384;

  // `keys` knows the long-lived keys, `principals` the users and roles, `providers` those who vouch
  // for people from elsewhere (the iam room is all three). `web` fetches what such a provider
  // publishes. `clock` dates sessions for policies (aws:TokenIssueTime), `real` ends them.
  StsService(aws::Credentials& keys, aws::Principals& principals, aws::IdentityProviders& providers,
             WebSource& web, const aws::AuthorizationMessages& messages, const Clock& clock,
             const RealTime& real, Random& random, const aws::MasterKey& master);
  ~StsService() override;

  void reset();  // forgets what is cached; sessions of roles that are gone fail by themselves

  Task<Result<gen::sts::AssumeRoleOutput>> assume_role(aws::Context& context,
                                                       gen::sts::AssumeRoleInput input) override;
  Task<Result<gen::sts::AssumeRoleWithSAMLOutput>> assume_role_with_saml(
      aws::Context& context, gen::sts::AssumeRoleWithSAMLInput input) override;
  Task<Result<gen::sts::AssumeRoleWithWebIdentityOutput>> assume_role_with_web_identity(
      aws::Context& context, gen::sts::AssumeRoleWithWebIdentityInput input) override;
  Task<Result<gen::sts::DecodeAuthorizationMessageOutput>> decode_authorization_message(
      aws::Context& context, gen::sts::DecodeAuthorizationMessageInput input) override;
  Task<Result<gen::sts::GetFederationTokenOutput>> get_federation_token(
      aws::Context& context, gen::sts::GetFederationTokenInput input) override;
  Task<Result<gen::sts::GetAccessKeyInfoOutput>> get_access_key_info(
      aws::Context& context, gen::sts::GetAccessKeyInfoInput input) override;
  Task<Result<gen::sts::GetCallerIdentityOutput>> get_caller_identity(
      aws::Context& context, gen::sts::GetCallerIdentityInput input) override;
  Task<Result<gen::sts::GetSessionTokenOutput>> get_session_token(
      aws::Context& context, gen::sts::GetSessionTokenInput input) override;

  // aws::Sessions: role sessions for services of this program. Any lifetime from a second up.
  Task<Result<aws::Session>> assume(aws::SessionRequest request) override;

  // aws::Credentials, for all keys: temporary ones (ASIA…) by their token, the others from `keys`.
  // The Door is given this one. A token that is not ours: nullptr; one whose role or user
  // is gone: inactive.
  [[clang::coro_wrapper]] Task<Result<std::shared_ptr<const aws::Credential>>> find(
      std::string access_key_id, std::string session_token) override;
  void used(const std::string& access_key_id, const std::string& service, const std::string& region,
            Time when) override;

 private:
  std::unique_ptr<StsState> state_;
};

}  // namespace pileus::services::sts
