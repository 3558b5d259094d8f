#include "aws/policy/evaluate.h"

#include <algorithm>

namespace pileus::aws::policy {
namespace {

using Type = Identity::Type;

// What the policies of one layer say together.
struct Verdict {
  const AttachedPolicy* deny = nullptr;
  const AttachedPolicy* allow = nullptr;
  int deny_statement = -1, allow_statement = -1;
  Naming naming = Naming::kNotNamed;  // the strongest allow
};

class Evaluation {
 public:
  Evaluation(const Request& request, const PolicySet& policies, Trace* trace)
      : request_(request),
        policies_(policies),
        trace_(trace),
        action_(to_lower(request.action)),
        mask_(ActionMask::of_action(action_)) {}

  Decision run() {
    organisation_.reserve(policies_.organisation.size());
    for (const auto& level : policies_.organisation)
      organisation_.push_back(verdict(Layer::kOrganisation, level));
    if (policies_.resource) resource_ = verdict(resource_layer(), {policies_.resource, 1});
    identity_ = verdict(Layer::kIdentity, policies_.identity);
    if (policies_.boundary) boundary_ = verdict(Layer::kBoundary, {policies_.boundary, 1});
    session_ = verdict(Layer::kSession, policies_.session);
    if (trace_) tell();
    if (const auto denied = explicit_deny()) return *denied;
    for (const auto& level : organisation_)
      if (!level.allow) return none(Layer::kOrganisation);
    if (has_no_own_policies())
      return resource_.allow ? allowed(resource_layer(), resource_) : none(resource_layer());
    return decide();
  }

 private:
  void tell() const {
    for (const auto& level : organisation_)
      if (level.deny || !level.allow) trace_->organisation_allows = false;
    trace_->boundary_allows = !policies_.boundary || (boundary_.allow && !boundary_.deny);
    trace_->identity_allows = identity_.allow && !identity_.deny;
    trace_->resource_allows = resource_.allow && !resource_.deny;
  }

  Verdict verdict(Layer layer, std::span<const AttachedPolicy> policies) const {
    Verdict out;
    for (const auto& attached : policies) {
      const auto& statements = attached.policy->statements();
      const auto& masks = attached.policy->masks();
      for (std::size_t i = 0; i < statements.size(); ++i) {
        if (!masks[i].may_match(mask_)) continue;
        const Statement& statement = statements[i];
        Naming naming;
        if (!statement.applies(request_, action_, naming)) continue;
        if (trace_)
          trace_->matches.push_back({layer, &attached, static_cast<int>(i), statement.allow});
        if (!statement.allow) {
          if (!out.deny) out.deny_statement = static_cast<int>(i);
          if (!out.deny) out.deny = &attached;
          if (!trace_) return out;
          continue;
        }
        if (naming <= out.naming) continue;
        out.allow = &attached;
        out.allow_statement = static_cast<int>(i);
        out.naming = naming;
      }
    }
    return out;
  }

  bool has_no_own_policies() const {
    const Type type = request_.principal.type;
    return type == Type::kService || type == Type::kAnonymous;
  }
  Layer resource_layer() const {
    return policies_.resource_role == PolicySet::ResourceRole::kTrust ? Layer::kRoleTrust
                                                                      : Layer::kResource;
  }

  std::optional<Decision> explicit_deny() const {
    const auto denied = [](Layer layer, const Verdict& verdict) {
      return Decision{Decision::Reason::kExplicitDeny, layer, verdict.deny, verdict.deny_statement};
    };
    for (const auto& level : organisation_)
      if (level.deny) return denied(Layer::kOrganisation, level);
    if (resource_.deny) return denied(resource_layer(), resource_);
    if (identity_.deny) return denied(Layer::kIdentity, identity_);
    if (boundary_.deny) return denied(Layer::kBoundary, boundary_);
    if (session_.deny) return denied(Layer::kSession, session_);
    return std::nullopt;
  }

  static Decision none(Layer layer) {
    return {Decision::Reason::kNothingAllows, layer, nullptr, -1};
  }
  static Decision allowed(Layer layer, const Verdict& verdict) {
    return {Decision::Reason::kAllowed, layer, verdict.allow, verdict.allow_statement};
  }

  Decision decide() const {
    const bool crosses = request_.crosses_accounts();
    const bool needs_resource =
        crosses || policies_.resource_role != PolicySet::ResourceRole::kOrdinary;
    const bool root = request_.principal.type == Type::kRoot;
    if (!crosses && resource_.naming == Naming::kDirect)
      return allowed(resource_layer(), resource_);
    const bool by_role = !crosses && resource_.naming == Naming::kRole;
    // Across accounts the caller's own side is told first, as it is the one that caller can change.
    if (!identity_.allow && !root && !by_role) return none(Layer::kIdentity);
    if (needs_resource && !resource_.allow) return none(resource_layer());
    if (policies_.boundary && !boundary_.allow && !root) return none(Layer::kBoundary);
    const bool must_have_session = request_.principal.type == Type::kFederatedUser;
    if ((must_have_session || !policies_.session.empty()) && !session_.allow)
      return none(Layer::kSession);
    return identity_.allow || root ? allowed(Layer::kIdentity, identity_)
                                   : allowed(resource_layer(), resource_);
  }

  const Request& request_;
  const PolicySet& policies_;
  Trace* const trace_;
  const std::string action_;
  const ActionMask mask_;
  std::vector<Verdict> organisation_;
  Verdict resource_, identity_, boundary_, session_;
};

// With its article where it denies; without where none allows.
std::string_view layer_name(Layer layer) {
  switch (layer) {
    case Layer::kOrganisation:
      return "service control policy";
    case Layer::kResource:
      return "resource-based policy";
    case Layer::kRoleTrust:
      return "role trust policy";
    case Layer::kIdentity:
      return "identity-based policy";
    case Layer::kBoundary:
      return "permissions boundary";
    case Layer::kSession:
      return "session policy";
  }
  return "policy";
}
std::string_view article(Layer layer) {
  if (layer == Layer::kIdentity) return "an ";
  return layer == Layer::kRoleTrust ? "the " : "a ";
}

std::string_view who(const Identity& principal) {
  if (principal.type == Type::kAnonymous) return "anonymous";
  return principal.type == Type::kService ? principal.service : principal.arn;
}

}  // namespace

Decision evaluate(const Request& request, const PolicySet& policies, Trace* trace) {
  return Evaluation(request, policies, trace).run();
}

std::string denial_message(const Decision& decision, const Request& request) {
  const std::string start =
      str("User: ", who(request.principal), " is not authorized to perform: ", request.action,
          " on resource: ", request.resource);
  const auto name = layer_name(decision.layer);
  if (decision.reason != Decision::Reason::kExplicitDeny)
    return str(start, " because no ", name, " allows the ", request.action, " action");
  // Resource policies have no ARN of their own; inline ones only a name, which AWS does not tell.
  const bool named = decision.layer != Layer::kResource && decision.layer != Layer::kRoleTrust &&
                     decision.policy && is_arn(decision.policy->name);
  return str(start, " with an explicit deny in ", article(decision.layer), name, named ? ": " : "",
             named ? decision.policy->name : std::string());
}

}  // namespace pileus::aws::policy
