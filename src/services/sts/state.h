// What the operations of the room share. Made and owned by StsService; any loop.
#pragma once

#include "aws/access_key_id.h"
#include "aws/cache.h"
#include "aws/policy/policy.h"
#include "services/sts/issuer_keys.h"
#include "services/sts/service.h"
#include "services/sts/token.h"

namespace pileus::services::sts {

// A session whose token was read, and of what facts its identity was made.
struct KnownSession {
  std::string token;
  SessionRecord record;
  std::shared_ptr<const aws::Credential> credential;  // shared by all calls of the session
  std::shared_ptr<const void> facts;   // RoleFacts or UserFacts; shared with Principals
  std::uint64_t generation = 0;        // of Principals, when the facts were looked up
  std::chrono::nanoseconds recheck{};  // monotonic: look again from then on
};

struct StsState {
  // Another node's changes show by then; one's own at once, by Principals::generation.
  static constexpr std::chrono::nanoseconds kBelieved = std::chrono::seconds(30);
  static constexpr std::size_t kCachedTrustPolicies = 1024;

  StsState(aws::Credentials& keys_, aws::Principals& principals_,
           aws::IdentityProviders& providers_, WebSource& web,
           const aws::AuthorizationMessages& messages_, const Clock& clock_, const RealTime& real_,
           Random& random_, const aws::MasterKey& master)
      : keys(keys_),
        principals(principals_),
        providers(providers_),
        messages(messages_),
        clock(clock_),
        real(real_),
        random(random_),
        sealer(master, "sts session tokens", random_),
        issuer_keys(web, real_) {}

  aws::Credentials& keys;
  aws::Principals& principals;
  aws::IdentityProviders& providers;
  const aws::AuthorizationMessages& messages;
  const Clock& clock;
  const RealTime& real;
  Random& random;
  const aws::Sealer sealer;
  IssuerKeys issuer_keys;
  aws::Cache<std::string, std::shared_ptr<const KnownSession>> sessions{
      StsService::kMaxCachedSessions};
  aws::Cache<std::string, std::shared_ptr<const aws::policy::Policy>> trust_policies{
      kCachedTrustPolicies};

  // A new session of the record, which needs no key and no secret yet.
  struct Issued {
    std::string access_key_id, secret, token;
    std::shared_ptr<const aws::Identity> identity;  // of a role's session; shared by its calls
  };
  Issued issue(SessionRecord record, std::shared_ptr<const aws::RoleFacts> role,
               std::size_t least_token_size);
};

// Nothing but what the record and the facts say.
std::shared_ptr<const aws::Identity> identity_of(const SessionRecord& session,
                                                 const std::string& access_key_id,
                                                 const aws::RoleFacts* role,
                                                 const aws::UserFacts* user);
std::string assumed_role_arn(const aws::RoleFacts& role, std::string_view session_name);
std::string federated_user_arn(std::string_view issuer_arn, std::string_view account,
                               std::string_view name);

inline Error validation_error(std::string message) {
  return Error("ValidationError", std::move(message), 400);
}
inline Error access_denied(std::string message) {
  return Error("AccessDenied", std::move(message), 403);
}

}  // namespace pileus::services::sts
