// The Principal element of a statement, compiled. Immutable; any thread.
// Source: IAM User Guide, "AWS JSON policy elements: Principal".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/policy/request.h"

namespace pileus::aws::policy {

// How a resource policy means the one who asks; decides what else has to allow (evaluate.h).
enum class Naming : std::uint8_t {
  kNotNamed,
  kAccount,  // the account: its own policies decide on
  kRole,     // the role of a session: boundary and session policies still cut
  kDirect,   // the user, the session, the service, everyone
};

struct PrincipalEntry {
  enum class Kind : std::uint8_t {
    kEveryone,
    kAccount,
    kAws,
    kUniqueId,
    kService,
    kFederated,
    kCanonicalUser
  };
  Kind kind;
  std::string text;  // account number, ARN, service name …
};

class Principals {
 public:
  void add(PrincipalEntry entry) { entries_.push_back(std::move(entry)); }
  bool empty() const { return entries_.empty(); }
  const std::vector<PrincipalEntry>& entries() const { return entries_; }
  // The strongest naming among the entries.
  Naming names(const Request& request) const;
  // NotPrincipal: who is listed, is left out. An account stands for its root user only.
  bool leaves_out(const Request& request) const;

 private:
  std::vector<PrincipalEntry> entries_;
};

}  // namespace pileus::aws::policy
