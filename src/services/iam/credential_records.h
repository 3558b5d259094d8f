// What a user can sign in or be known by besides access keys, as the user's record holds it; and
// the devices and certificates that are entities of their own. Keys and invariants: records.h.
#pragma once

#include "store/fields.h"

namespace pileus::services::iam {

using Tags = std::map<std::string, std::string>;

// Secrets are sealed (IamState::secrets), bound to what is named beside them, base64.
struct LoginProfileRecord {
  std::string salt;                   // one for all of the user's passwords, so that a new one is
                                      // hashed once to be compared with all
  std::string password;               // its hash; bound to the user's id
  std::vector<std::string> previous;  // hashes, newest first
  Time created{}, changed{};
  bool reset_required = false;
  PILEUS_FIELDS(LoginProfileRecord, salt, password, previous, created, changed, reset_required)
};

struct SigningCertificateRecord {
  std::string id, body;     // PEM as it was given
  std::string fingerprint;  // SHA-256
  bool active = true;
  Time uploaded{};
  PILEUS_FIELDS(SigningCertificateRecord, id, body, fingerprint, active, uploaded)
};

struct SshKeyRecord {
  std::string id;
  std::string body;         // ssh-rsa AAAA… [comment]
  std::string fingerprint;  // MD5
  bool active = true;
  Time uploaded{};
  PILEUS_FIELDS(SshKeyRecord, id, body, fingerprint, active, uploaded)
};

struct ServiceCredentialRecord {
  std::string id, service;
  std::string user_name;  // "ann-at-123456789012", or the alias of an API key
  std::string secret;     // password, or the API key; bound to the id
  bool active = true;
  Time created{};
  std::optional<Time> expires;
  PILEUS_FIELDS(ServiceCredentialRecord, id, service, user_name, secret, active, created, expires)
};

struct MfaRecord {
  static constexpr std::string_view kKind = "mfa";
  std::string name;  // path and name without the first slash, so it is unique as the ARN is
  std::string arn;   // the serial number
  Time created{};
  Tags tags;
  std::string seed;  // Base32; bound to the ARN
  std::string user;  // lower-case name, or "" while it is nobody's
  Time enabled{};
  std::int64_t skew = 0;       // time steps that the device is ahead of ours
  std::int64_t last_step = 0;  // whose code was taken last; none up to it counts any more
  PILEUS_FIELDS(MfaRecord, name, arn, created, tags, seed, user, enabled, skew, last_step)
};

struct ServerCertificateRecord {
  static constexpr std::string_view kKind = "server-certificate";
  static constexpr std::string_view kTitle = "Server Certificate";
  static constexpr std::string_view kIdPrefix = "ASCA";
  std::string name, path, id, arn;
  Time created{}, expires{};
  Tags tags;
  std::string body, chain;  // PEM
  std::string private_key;  // PEM; bound to the id
  PILEUS_FIELDS(ServerCertificateRecord, name, path, id, arn, created, expires, tags, body, chain,
                private_key)
};

struct PasswordPolicyRecord {
  std::int32_t minimum_length = 6;
  bool symbols = false, numbers = false, uppercase = false, lowercase = false;
  bool users_may_change = false;
  std::optional<std::int32_t> max_age_days, reuse_prevention;
  bool hard_expiry = false;
  PILEUS_FIELDS(PasswordPolicyRecord, minimum_length, symbols, numbers, uppercase, lowercase,
                users_may_change, max_age_days, reuse_prevention, hard_expiry)
};
inline constexpr std::string_view kPasswordPolicyRow = "iam/password_policy";

struct PreferencesRecord {
  std::int32_t token_version = 1;  // of tokens from the global STS endpoint
  bool outbound_enabled = false;
  std::string outbound_issuer;  // kept when disabled: an account's issuer is always the same
  PILEUS_FIELDS(PreferencesRecord, token_version, outbound_enabled, outbound_issuer)
};
inline constexpr std::string_view kPreferencesRow = "iam/preferences";

}  // namespace pileus::services::iam
