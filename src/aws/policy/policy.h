// A policy document, validated and compiled. Immutable once parsed; any thread; share it.
// The size of a document is the caller's limit; here the number of statements and values is bounded
// and every match is linear in pattern and text.
// Source: IAM User Guide, "Grammar of the IAM JSON policy language".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/policy/condition.h"
#include "aws/policy/principal.h"
#include "base/error.h"

namespace pileus::aws::policy {

// What the document is attached to; each has rules of its own.
enum class Use {
  kIdentity,  // users, groups, roles; boundaries, session and organisation policies: no Principal
  kResource,  // buckets, queues, functions …: Principal
  kTrust,     // AssumeRolePolicyDocument: Principal, no Resource, sts actions
};

inline constexpr std::size_t kMaxStatements = 1024;
inline constexpr std::size_t kMaxValues =
    16384;  // actions, resources, principals, condition values
inline constexpr std::size_t kMaxJsonDepth = 16;

// A resource pattern; with policy variables it is put together for each request.
struct ResourceEntry {
  Pattern pattern;
  std::optional<TextTemplate> with_variables;
  bool matches(const Request& request) const;
};

struct Statement {
  std::string sid;
  bool allow = false;
  bool not_principal = false, not_action = false, not_resource = false;
  Principals principals;                 // empty: the statement has no Principal element
  std::vector<Pattern> actions;          // in lower case
  std::vector<ResourceEntry> resources;  // empty: everything (trust policies)
  std::vector<Condition> conditions;     // all must hold

  // `action` in lower case. Whom it names comes back in `naming` (kDirect without Principal).
  bool applies(const Request& request, std::string_view action, Naming& naming) const;

  // The condition keys that it asks for, as written, in conditions and variables.
  void add_keys(std::vector<std::string>& out) const;
  // Those of them that the request does not have, where the decision may depend on them: the
  // statement is about the action, and keys of conditions count only where it is about the
  // resource.
  void add_missing_keys(const Request& request, std::string_view action,
                        std::vector<std::string>& out) const;

 private:
  bool lists_action(std::string_view action) const;
  bool lists_resource(const Request& request) const;
};

// A quick no: whether a statement can speak of an action at all, by a hash of the vendor and the
// first letters of the name. Most statements of most policies are about something else.
class ActionMask {
 public:
  static ActionMask of_action(std::string_view lower_action);  // of a request
  static ActionMask of_statement(const Statement& statement);
  bool may_match(ActionMask action) const { return (bits_ & action.bits_) != 0; }

 private:
  std::uint64_t bits_ = 0;
};

class Policy {
 public:
  const std::vector<Statement>& statements() const { return statements_; }
  const std::vector<ActionMask>& masks() const { return masks_; }  // one for each statement
  std::string_view version() const { return variables_ ? "2012-10-17" : "2008-10-17"; }
  const std::string& id() const { return id_; }

 private:
  friend class Parser;
  std::vector<Statement> statements_;
  std::vector<ActionMask> masks_;
  std::string id_;
  bool variables_ = false;  // version 2012-10-17
};

// MalformedPolicyDocument, in AWS's words where they are known.
Result<Policy> parse_policy(std::string_view document, Use use);

}  // namespace pileus::aws::policy
