// What the iam room keeps, in partition "<account>/global". Names are unique without regard to
// case, so records are found by the lower-case name.
//
//   iam/user/<name>  iam/group/<name>  iam/role/<name>  iam/profile/<name>  iam/policy/<name>
//   iam/key/<access key id>             → lower-case name of the user whose record holds the key,
//   or
//                                       kDeletedKey: an id is never given twice, and one that was
//                                       ours stays known, so that nobody takes it for a stranger's
//   iam/group_id/<group id>             → lower-case name of the group
//   iam/oidc_provider/<issuer without scheme>  iam/saml_provider/<name>
//   iam/uses/<policy arn>|<usage>|<kind>|<name>   one row per attachment; usage is
//                                       "policy" or "boundary", kind "user", "group" or "role"
//   iam/last_used/key/<access key id>, iam/last_used/role/<role id>
//   iam/accessed/<user or role id>/<service>  when the principal last used the service
//   iam/mfa/<path/name>  iam/server-certificate/<name>
//   iam/signing_certificate/<fingerprint>  → id of the user whose record holds it
//   iam/password_policy  iam/alias  iam/preferences  iam/credential_report/<part>
//   iam/task/<id> (deletions of service-linked roles)  iam/access_job/<id>
//
// An account's alias is claimed in partition "global": iam/alias/<alias> → account.
//
// Invariants, each kept by single transactions: a key's row names the user exactly while that
// record holds the key; a uses row exists exactly while the entity's record names the policy, and
// the counts of a customer's policy are the numbers of its rows; group.members and user.groups
// agree; role.instance_profiles and profile.role agree; user.mfa_devices and device.user agree; a
// signing certificate's row exists exactly while a user's record holds it.
#pragma once

#include "services/iam/credential_records.h"

namespace pileus::services::iam {

struct AccessKeyRecord {
  std::string id;
  bool active = true;
  Time created{};
  std::string secret;  // sealed, bound to the id, base64
  PILEUS_FIELDS(AccessKeyRecord, id, active, created, secret)
};

struct UserRecord {
  static constexpr std::string_view kKind = "user";
  static constexpr std::string_view kTitle = "User";
  static constexpr std::string_view kIdPrefix = "AIDA";
  static constexpr std::size_t kInlineBytes = 2048;  // all inline policies, white space not counted
  std::string name, path, id, arn;
  Time created{};
  std::string boundary;  // ARN of a managed policy, or ""
  Tags tags;
  std::map<std::string, std::string> inline_policies;  // name → document
  std::set<std::string> attached;                      // ARNs of managed policies
  std::set<std::string> groups;                        // ids
  std::vector<AccessKeyRecord> keys;
  std::optional<LoginProfileRecord> login;
  std::set<std::string> mfa_devices;  // names of MfaRecord, lower case
  std::vector<SigningCertificateRecord> certificates;
  std::vector<SshKeyRecord> ssh_keys;
  std::vector<ServiceCredentialRecord> service_credentials;
  PILEUS_FIELDS(UserRecord, name, path, id, arn, created, boundary, tags, inline_policies, attached,
                groups, keys, login, mfa_devices, certificates, ssh_keys, service_credentials)
};

struct GroupRecord {
  static constexpr std::string_view kKind = "group";
  static constexpr std::string_view kTitle = "Group";
  static constexpr std::string_view kIdPrefix = "AGPA";
  static constexpr std::size_t kInlineBytes = 5120;
  std::string name, path, id, arn;
  Time created{};
  std::map<std::string, std::string> inline_policies;
  std::set<std::string> attached;
  std::set<std::string> members;  // lower-case user names
  PILEUS_FIELDS(GroupRecord, name, path, id, arn, created, inline_policies, attached, members)
};

struct RoleRecord {
  static constexpr std::string_view kKind = "role";
  static constexpr std::string_view kTitle = "Role";
  static constexpr std::string_view kIdPrefix = "AROA";
  static constexpr std::size_t kInlineBytes = 10240;
  std::string name, path, id, arn;
  Time created{};
  std::string trust_policy;
  std::optional<std::string> description;
  std::int32_t max_session_seconds = 3600;
  std::string boundary;
  Tags tags;
  std::map<std::string, std::string> inline_policies;
  std::set<std::string> attached;
  std::set<std::string> instance_profiles;  // lower-case names
  std::string linked_service;               // principal that the role is linked to, or ""
  PILEUS_FIELDS(RoleRecord, name, path, id, arn, created, trust_policy, description,
                max_session_seconds, boundary, tags, inline_policies, attached, instance_profiles,
                linked_service)
};

struct ProfileRecord {
  static constexpr std::string_view kKind = "profile";
  static constexpr std::string_view kTitle = "Instance Profile";
  static constexpr std::string_view kIdPrefix = "AIPA";
  std::string name, path, id, arn;
  Time created{};
  std::string role;  // lower-case name, or ""
  Tags tags;
  PILEUS_FIELDS(ProfileRecord, name, path, id, arn, created, role, tags)
};

struct PolicyVersionRecord {
  std::int64_t number = 1;
  std::string document;
  Time created{};
  PILEUS_FIELDS(PolicyVersionRecord, number, document, created)
};
struct PolicyRecord {
  static constexpr std::string_view kKind = "policy";
  static constexpr std::string_view kTitle = "Policy";
  static constexpr std::string_view kIdPrefix = "ANPA";
  std::string name, path, id, arn;
  Time created{}, updated{};
  std::optional<std::string> description;
  Tags tags;
  std::vector<PolicyVersionRecord> versions;  // oldest first
  std::int64_t default_version = 1;
  std::int64_t newest = 1;  // numbers are not used again
  std::int32_t attachments = 0;
  std::int32_t boundaries = 0;
  PILEUS_FIELDS(PolicyRecord, name, path, id, arn, created, updated, description, tags, versions,
                default_version, newest, attachments, boundaries)
};

struct OidcProviderRecord {
  static constexpr std::string_view kKind = "oidc_provider";
  static constexpr std::string_view kTitle = "OpenIDConnect Provider";
  std::string name;  // the issuer without its scheme, as in the ARN
  std::string url;   // the issuer
  std::string arn;
  Time created{};
  std::vector<std::string> client_ids;
  std::vector<std::string> thumbprints;  // lower-case hex
  Tags tags;
  PILEUS_FIELDS(OidcProviderRecord, name, url, arn, created, client_ids, thumbprints, tags)
};

struct SamlProviderRecord {
  static constexpr std::string_view kKind = "saml_provider";
  static constexpr std::string_view kTitle = "SAML Provider";
  std::string name, arn, id;
  Time created{}, valid_until{};
  std::string metadata;                   // as it was uploaded; what follows is read from it
  std::string entity_id;                  // the issuer
  std::vector<std::string> certificates;  // DER
  std::optional<std::string> encryption_mode;
  Tags tags;
  PILEUS_FIELDS(SamlProviderRecord, name, arn, id, created, valid_until, metadata, entity_id,
                certificates, encryption_mode, tags)
};

struct LastUsedRecord {
  Time when{};
  std::string service, region;
  PILEUS_FIELDS(LastUsedRecord, when, service, region)
};

template <class T>
std::string prefix_of() {
  return str("iam/", T::kKind, "/");
}
template <class T>
std::string key_of(std::string_view name) {
  return str("iam/", T::kKind, "/", to_lower(name));
}
inline constexpr std::string_view kDeletedKey = "/";  // no user's name
inline std::string access_key_row(std::string_view id) { return str("iam/key/", id); }
inline std::string group_id_row(std::string_view id) { return str("iam/group_id/", id); }

enum class Usage { kPolicy, kBoundary };
inline constexpr std::string_view usage_word(Usage usage) {
  return usage == Usage::kPolicy ? "policy" : "boundary";
}
// '|' is in no policy ARN and in no name.
inline std::string uses_prefix(std::string_view policy_arn) {
  return str("iam/uses/", policy_arn, "|");
}
template <class T>
std::string uses_row(std::string_view policy_arn, Usage usage, std::string_view name) {
  return str("iam/uses/", policy_arn, "|", usage_word(usage), "|", T::kKind, "|", to_lower(name));
}

}  // namespace pileus::services::iam
