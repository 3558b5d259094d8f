// What the Door needs to know of keys and policies. The iam and sts rooms implement it; app/ wires.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "aws/identity.h"
#include "base/completion.h"

namespace pileus::aws {

// A key as its verifier needs it.
struct Credential {
  std::string secret;                        // of the access key
  std::string session_token;                 // temporary ones; "" for long-lived keys
  std::optional<Time> expires;               // machine time
  bool active = true;                        // an inactive key is refused
  std::shared_ptr<const Identity> identity;  // shared by all calls of that key
};

class Credentials {
 public:
  virtual ~Credentials() = default;
  // The key of that id, or nullptr when nobody has it. Answers from a cache on the warm path.
  // `session_token` is what the request carries: stateless sessions are found by it. One that was
  // ours and has ended (deleted key, deleted role) is found as inactive, not as nobody's.
  virtual Task<Result<std::shared_ptr<const Credential>>> find(std::string access_key_id,
                                                               std::string session_token) = 0;
  // The key was used (last-used records). Cheap; never waits.
  virtual void used(const std::string& access_key_id, const std::string& service,
                    const std::string& region, Time when) = 0;
};

// A policy document with its name, as decisions name it.
struct NamedPolicy {
  std::string name;      // policy name, or ARN for managed ones
  std::string document;  // JSON
};
struct PrincipalPolicies {
  std::vector<NamedPolicy> identity;  // inline, managed, those of groups
  std::optional<NamedPolicy> boundary;
  std::vector<NamedPolicy> session_managed;  // documents of Identity::session_policy_arns
  std::uint64_t version = 0;                 // grows whenever anything of it changes
};

class Policies {
 public:
  virtual ~Policies() = default;
  // What applies to a user or the role of a session. The same pointer as long as nothing changed,
  // so that the authorizer can keep compiled policies by it.
  virtual Task<Result<std::shared_ptr<const PrincipalPolicies>>> of(const Identity& identity) = 0;
};

// Makes role sessions for services of this program: what AssumeRole does, for a service principal
// that the role trusts.
struct SessionRequest {
  std::string role_arn;
  std::string session_name;
  std::string service;  // "lambda.amazonaws.com"
  Duration lifetime = std::chrono::hours(12);
  std::string source_arn;  // aws:SourceArn for the trust policy
  std::string source_account;
};
struct Session {
  std::string access_key_id, secret_access_key, session_token;
  Time expires{};
  std::shared_ptr<const Identity> identity;  // shared by all calls of the session
};
class Sessions {
 public:
  virtual ~Sessions() = default;
  // AccessDenied when the role's trust policy does not let the service assume it; NoSuchEntity.
  virtual Task<Result<Session>> assume(SessionRequest request) = 0;
};

// Users and roles as sessions are made of them. Immutable snapshots.
struct RoleFacts {
  std::string arn, id, name, path, account;  // id: "AROA…", another one after a re-creation
  std::string trust_policy;                  // JSON
  std::int32_t max_session_seconds = 3600;
  std::map<std::string, std::string> tags;
};
struct UserFacts {
  std::string arn, id, name, path, account;
  std::map<std::string, std::string> tags;
};
// The iam room implements it; answers from a cache on the warm path.
class Principals {
 public:
  virtual ~Principals() = default;
  // By ARN; nullptr where there is none. The same pointer as long as nothing changed.
  virtual Task<Result<std::shared_ptr<const RoleFacts>>> find_role(std::string arn) = 0;
  virtual Task<Result<std::shared_ptr<const UserFacts>>> find_user(std::string arn) = 0;
  // The document in force of a managed policy; nothing where there is none.
  virtual Task<Result<std::optional<std::string>>> managed_policy(std::string arn) = 0;
  // The URL that the account's outbound web identity tokens name as their issuer; nothing while the
  // account has them disabled.
  virtual Task<Result<std::optional<std::string>>> outbound_issuer(std::string account) = 0;
  // Grows whenever a user or a role has changed or may have: what was derived from the facts at one
  // generation holds while it stays.
  virtual std::uint64_t generation() const = 0;
  // Whether `code` is what the MFA device of that user shows now. A code counts once.
  virtual Task<Result<bool>> verify_mfa(std::string user_arn, std::string serial,
                                        std::string code) = 0;
  // A session of the role was used (RoleLastUsed, service last accessed). Cheap; never waits.
  virtual void role_used(const std::string& arn, const std::string& service,
                         const std::string& region, Time when) = 0;
  // A session of the user was used (service last accessed). Cheap; never waits.
  virtual void user_used(const std::string& arn, const std::string& service,
                         const std::string& region, Time when) = 0;
};

// Identity providers as sts needs them to verify what they signed. Snapshots.
struct OidcProviderFacts {
  std::string arn, account;
  std::string url;   // the issuer, with its scheme
  std::string name;  // the same without it: what condition keys begin with
  std::vector<std::string> client_ids;
  std::vector<std::string> thumbprints;  // SHA-1 of certificates, lower-case hex
};
struct SamlProviderFacts {
  std::string arn, account, name;
  std::string entity_id;                  // the issuer
  std::vector<std::string> certificates;  // DER; what the issuer signs with
  Time valid_until{};
};
// The iam room implements it.
class IdentityProviders {
 public:
  virtual ~IdentityProviders() = default;
  // The account's provider of that issuer ("host/path", no scheme); nothing where it has none.
  virtual Task<Result<std::optional<OidcProviderFacts>>> find_oidc_provider(std::string account,
                                                                            std::string name) = 0;
  virtual Task<Result<std::optional<SamlProviderFacts>>> find_saml_provider(std::string arn) = 0;
};

}  // namespace pileus::aws
