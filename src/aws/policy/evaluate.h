// The decision over all policies that apply to a request. Pure; any thread.
//
// Order (IAM User Guide, "Policy evaluation logic"): an explicit Deny anywhere wins; then, each of
// which must allow where it is present: organisation policies, then the resource policy, identity
// policies, the permissions boundary, session policies.
//  - In one account a resource policy that names the user or the session grants by itself; one that
//    names the role (or everyone, to a session) grants but is cut by boundary and session policies;
//    one that names the account leaves the decision to identity policies.
//  - Across accounts identity and resource policy must both allow.
//  - Role trust policies and key policies must allow in one account too (required resource policy).
//  - Root users need no identity policy. Services and anonymous callers have resource policies
//  only.
#pragma once

#include <span>

#include "aws/policy/policy.h"

namespace pileus::aws::policy {

enum class Layer : std::uint8_t {
  kOrganisation,
  kResource,
  kRoleTrust,
  kIdentity,
  kBoundary,
  kSession
};

struct AttachedPolicy {
  enum class Kind : std::uint8_t { kInline, kManaged, kGroup };
  const Policy* policy = nullptr;  // borrowed
  std::string name;                // its ARN where it has one (then denials name it), or its name
  Kind kind = Kind::kInline;
};

// Borrowed for one evaluation.
struct PolicySet {
  std::span<const AttachedPolicy> identity;
  const AttachedPolicy* resource = nullptr;  // the resource's own, or the role's trust policy
  const AttachedPolicy* boundary = nullptr;
  std::span<const AttachedPolicy> session;  // none: not cut
  std::span<const std::vector<AttachedPolicy>>
      organisation;  // per level from the root: one of each must allow
  enum class ResourceRole : std::uint8_t {
    kOrdinary,
    kRequired,
    kTrust
  } resource_role = ResourceRole::kOrdinary;
};

struct Decision {
  enum class Reason : std::uint8_t { kAllowed, kExplicitDeny, kNothingAllows };
  Reason reason = Reason::kNothingAllows;
  Layer layer = Layer::kIdentity;  // that allowed, denied, or did not allow
  const AttachedPolicy* policy =
      nullptr;         // that decided; nullptr where none allows, or for a root user
  int statement = -1;  // its index in that policy

  bool allowed() const { return reason == Reason::kAllowed; }
  std::string_view sid() const {
    return policy && statement >= 0
               ? std::string_view(
                     policy->policy->statements()[static_cast<std::size_t>(statement)].sid)
               : std::string_view();
  }
};

// Everything that spoke in the decision, for people who want to know why.
struct Trace {
  struct Match {
    Layer layer = Layer::kIdentity;
    const AttachedPolicy* policy = nullptr;
    int statement = -1;
    bool allow = false;
  };
  std::vector<Match> matches;  // every statement that applies
  bool organisation_allows = true, boundary_allows = true;
  bool identity_allows = false, resource_allows = false;
};

// `trace` costs: only the simulator gives one.
Decision evaluate(const Request& request, const PolicySet& policies, Trace* trace = nullptr);

// "User: <arn> is not authorized to perform: <action> on resource: <arn> because no identity-based
// policy allows the <action> action" and its kin (IAM User Guide, "Troubleshoot access denied error
// messages").
std::string denial_message(const Decision& decision, const Request& request);

}  // namespace pileus::aws::policy
