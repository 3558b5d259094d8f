// The session token: what a session is, sealed. Compact JSON, deflated, encrypted and bound to the
// access key id; base64 on the wire. Any thread.
#pragma once

#include "aws/seal.h"
#include "store/fields.h"

namespace pileus::services::sts {

struct SessionRecord {
  enum class Of {
    kRole,
    kUser,
    kRoot,
    kFederatedUser,
    kFederatedRoot
  };  // the last two: by
      // GetFederationToken
  Of of = Of::kRole;
  std::string secret;
  Time expires{};  // machine time
  Time issued{};   // cloud time
  std::string account;
  std::string principal;     // ARN of the role or the user, or of the root
  std::string principal_id;  // "AROA…", "AIDA…", or the account
  std::string name;          // role session name, federated user's name
  std::string source_identity;
  std::map<std::string, std::string> tags;  // session tags only
  std::set<std::string> transitive;
  std::vector<std::string> policies;  // documents
  std::vector<std::string> policy_arns;
  bool mfa = false;
  std::string federated_provider;  // see aws::Identity
  std::map<std::string, std::vector<std::string>> federation_keys;
  PILEUS_FIELDS(SessionRecord, of, secret, expires, issued, account, principal, principal_id, name,
                source_identity, tags, transitive, policies, policy_arns, mfa, federated_provider,
                federation_keys)
};

inline constexpr std::size_t kTokenLimit = 4096;  // characters; what SessionTokenUtilization is of
inline constexpr std::size_t kMaxTokenRecord =
    1 << 17;  // bytes of JSON; a token that says more is not ours

// `least_size` in characters: the token is padded to it.
std::string write_token(const aws::Sealer& sealer, const SessionRecord& session,
                        const std::string& access_key_id, std::size_t least_size);
// Nothing for what write_token() did not make for that key.
std::optional<SessionRecord> read_token(const aws::Sealer& sealer, std::string_view token,
                                        const std::string& access_key_id);

// Bytes of `text` deflated.
std::size_t packed_size(std::string_view text);

}  // namespace pileus::services::sts
