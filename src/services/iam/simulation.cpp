#include "services/iam/simulation.h"

#include "aws/policy/positions.h"
#include "services/iam/errors.h"

namespace pileus::services::iam {

using namespace aws::policy;
using gen::iam::EvaluationResult;
using gen::iam::ResourceSpecificResult;

namespace {

constexpr std::string_view kIdentityKind = "IAM Policy";
constexpr std::string_view kResourceKind = "Resource Policy";

void add_once(std::vector<std::string>& list, const std::string& item) {
  if (std::ranges::none_of(list, [&](const auto& known) { return iequals(known, item); }))
    list.push_back(item);
}

// The worse of two: an explicit deny, then an implicit one.
std::string worse(const std::string& a, const std::string& b) {
  const auto rank = [](const std::string& word) {
    return word == "explicitDeny" ? 2 : word == "implicitDeny" ? 1 : 0;
  };
  return rank(a) >= rank(b) ? a : b;
}

bool same_statement(const gen::iam::Statement& a, const gen::iam::Statement& b) {
  return a.source_policy_id == b.source_policy_id && a.source_policy_type == b.source_policy_type &&
         a.start_position->line == b.start_position->line &&
         a.start_position->column == b.start_position->column;
}

std::string layer_word(const Trace& trace, Layer layer, bool allows) {
  for (const auto& match : trace.matches)
    if (match.layer == layer && !match.allow) return "explicitDeny";
  return allows ? "allowed" : "implicitDeny";
}

}  // namespace

std::string decision_word(const Decision& decision) {
  if (decision.allowed()) return "allowed";
  return decision.reason == Decision::Reason::kExplicitDeny ? "explicitDeny" : "implicitDeny";
}

Result<AttachedPolicy> Simulation::hold(Source source, std::string document, Use use) {
  auto parsed = parse_policy(document, use);
  if (!parsed) return fail(invalid_input(parsed.error().message()));
  held_.push_back({std::move(source), std::move(document), std::move(*parsed)});
  // The name finds the source again.
  return Attached{&held_.back().policy, std::to_string(held_.size() - 1), Attached::Kind::kInline};
}

Result<Unit> Simulation::add_identity(Source source, std::string document) {
  TRY_ASSIGN(auto attached, hold(std::move(source), std::move(document), Use::kIdentity));
  identity_.push_back(std::move(attached));
  return Unit{};
}

Result<Unit> Simulation::set_boundary(Source source, std::string document) {
  TRY_ASSIGN(boundary_, hold(std::move(source), std::move(document), Use::kIdentity));
  return Unit{};
}

Result<Unit> Simulation::add_organization_level(const std::vector<std::string>& documents) {
  std::vector<Attached> level;
  for (const auto& document : documents) {
    TRY_ASSIGN(auto attached, hold({}, document, Use::kIdentity));
    level.push_back(std::move(attached));
  }
  organization_.push_back(std::move(level));
  return Unit{};
}

Result<Unit> Simulation::set_resource_policy(std::string document) {
  TRY_ASSIGN(resource_policy_,
             hold({"ResourcePolicy", "resource"}, std::move(document), Use::kResource));
  return Unit{};
}

// What decided: the denying statements where any denies, else all that allow.
std::vector<gen::iam::Statement> Simulation::matched(const Decision& decision,
                                                     const Trace& trace) const {
  std::vector<gen::iam::Statement> list;
  if (decision.reason == Decision::Reason::kNothingAllows) return list;
  for (const auto& match : trace.matches) {
    if (match.allow != decision.allowed()) continue;
    if (match.layer != Layer::kIdentity && match.layer != Layer::kResource) continue;
    const Held& held = held_[static_cast<std::size_t>(*parse_int(match.policy->name))];
    const auto spans = statement_spans(held.document);
    const auto& span = spans[static_cast<std::size_t>(match.statement)];
    gen::iam::Statement shape;
    shape.source_policy_id = held.source.id;
    shape.source_policy_type = held.source.type;
    shape.start_position = {span.start.line, span.start.column};
    shape.end_position = {span.end.line, span.end.column};
    list.push_back(std::move(shape));
  }
  return list;
}

std::vector<std::string> Simulation::missing(const Request& request) const {
  std::vector<std::string> all, once;
  const std::string action = to_lower(request.action);
  for (const auto& held : held_)
    for (const auto& statement : held.policy.statements())
      statement.add_missing_keys(request, action, all);
  for (const auto& key : all) add_once(once, key);
  return once;
}

ResourceSpecificResult Simulation::decide(const std::string& action, const std::string& resource,
                                          bool& organisation_allows) const {
  Request request(caller, action, resource);
  request.conditions = &conditions;
  request.now = now;
  const std::string_view named = aws::account_of_arn(resource);
  request.resource_account = named.empty() || named == "*" ? resource_owner : named;
  PolicySet set;
  set.identity = identity_;
  set.boundary = boundary_ ? &*boundary_ : nullptr;
  set.resource = resource_policy_ ? &*resource_policy_ : nullptr;
  set.organisation = organization_;
  Trace trace;
  // An account that no resource policy speaks for decides by the caller's own policies.
  if (!resource_policy_) request.resource_account = {};
  const Decision decision = evaluate(request, set, &trace);
  organisation_allows = trace.organisation_allows;

  ResourceSpecificResult result;
  result.eval_resource_name = resource;
  result.eval_resource_decision = decision_word(decision);
  result.matched_statements = matched(decision, trace);
  result.missing_context_values = missing(request);
  if (boundary_)
    result.permissions_boundary_decision_detail = {.allowed_by_permissions_boundary =
                                                       trace.boundary_allows};
  auto& details = result.eval_decision_details.emplace();
  if (request.crosses_accounts()) {
    details[std::string(kIdentityKind)] =
        layer_word(trace, Layer::kIdentity, trace.identity_allows);
    details[std::string(kResourceKind)] =
        layer_word(trace, Layer::kResource, trace.resource_allows);
  }
  return result;
}

EvaluationResult Simulation::simulate(const std::string& action,
                                      const std::vector<std::string>& resources) const {
  EvaluationResult result;
  result.eval_action_name = action;
  const bool all = resources.empty() || (resources.size() == 1 && resources[0] == "*");
  result.eval_resource_name = all || resources.size() > 1 ? "*" : resources[0];
  result.eval_decision = "allowed";
  auto& statements = result.matched_statements.emplace();
  auto& missing_keys = result.missing_context_values.emplace();
  bool organisation = true, boundary = true;
  std::vector<ResourceSpecificResult> each;
  for (const auto& resource : all ? std::vector<std::string>{"*"} : resources) {
    bool organisation_here = true;
    auto one = decide(action, resource, organisation_here);
    organisation &= organisation_here;
    if (one.permissions_boundary_decision_detail)
      boundary &= *one.permissions_boundary_decision_detail->allowed_by_permissions_boundary;
    result.eval_decision = worse(result.eval_decision, one.eval_resource_decision);
    if (!all) {
      auto& details = result.eval_decision_details ? *result.eval_decision_details
                                                   : result.eval_decision_details.emplace();
      for (const auto& [kind, word] : *one.eval_decision_details)
        if (const auto [known, added] = details.try_emplace(kind, word); !added)
          known->second = worse(known->second, word);
    }
    each.push_back(std::move(one));
  }
  for (const auto& one : each) {
    if (one.eval_resource_decision == result.eval_decision)
      for (const auto& statement : *one.matched_statements)
        if (std::ranges::none_of(statements,
                                 [&](const auto& it) { return same_statement(it, statement); }))
          statements.push_back(statement);
    if (all)
      for (const auto& key : *one.missing_context_values) add_once(missing_keys, key);
  }
  if (!organization_.empty())
    result.organizations_decision_detail = {.allowed_by_organizations = organisation};
  if (boundary_)
    result.permissions_boundary_decision_detail = {.allowed_by_permissions_boundary = boundary};
  if (!all) result.resource_specific_results = std::move(each);
  return result;
}

Result<std::vector<std::string>> context_keys(const std::vector<std::string>& documents) {
  std::vector<std::string> all, once;
  for (const auto& document : documents) {
    const auto policy = parse_policy(document, Use::kIdentity);
    if (!policy) return fail(invalid_input(policy.error().message()));
    for (const auto& statement : policy->statements()) statement.add_keys(all);
  }
  for (const auto& key : all) add_once(once, key);
  return once;
}

}  // namespace pileus::services::iam
