// Who makes a call. Made by the Door (from a verified key, a session, the owner's convenience) or
// by a service that calls another in its own name or with a role it was given. Immutable once made.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"

namespace pileus::aws {

struct Identity {
  enum class Type {
    kAnonymous,      // no credentials
    kRoot,           // the account itself; the owner's convenience is this too
    kUser,           // an IAM user
    kAssumedRole,    // a session of a role
    kFederatedUser,  // GetFederationToken
    kService,        // an AWS service in its own name: `service` is e.g. "lambda.amazonaws.com"
  };
  Type type = Type::kAnonymous;
  std::string account;        // of the principal
  std::string arn;            // what GetCallerIdentity answers; the service principal for kService
  std::string user_id;        // "AIDA…", "AROA…:session", the account id for root
  std::string access_key_id;  // that signed; "" for internal calls
  std::string user_name;      // kUser
  std::string role_arn;       // kAssumedRole: arn:aws:iam::<account>:role/<path><name>
  std::string session_name;   // kAssumedRole, kFederatedUser
  std::string service;        // kService
  std::string source_identity;
  std::map<std::string, std::string> tags;    // principal tags, session tags over them
  std::set<std::string> transitive_tag_keys;  // of the tags: passed on to chained sessions
  std::vector<std::string> session_policies;  // policy documents given at AssumeRole
  std::vector<std::string> session_policy_arns;
  std::optional<Time> issued_at;  // sessions
  bool mfa = false;
  bool owner = false;  // kRoot by convenience: no key was verified, the socket is the owner's
};

}  // namespace pileus::aws
