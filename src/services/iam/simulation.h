// The policy simulator: the evaluator of src/aws/policy over policies that a request brings or that
// a user, group or role has, told as SimulateCustomPolicy and SimulatePrincipalPolicy tell it.
// Pure; one coroutine uses it.
#pragma once

#include <deque>

#include "aws/policy/evaluate.h"
#include "gen/iam/shapes/EvaluationResult.h"
#include "gen/iam/shapes/ResourceSpecificResult.h"
#include "services/iam/policy_sources.h"

namespace pileus::services::iam {

class Simulation {
 public:
  // The names that MatchedStatements gives a policy.
  struct Source {
    std::string id, type;
  };

  // Policies; InvalidInput where a document is none.
  Result<Unit> add_identity(Source source, std::string document);
  Result<Unit> set_boundary(Source source, std::string document);
  Result<Unit> add_organization_level(const std::vector<std::string>& documents);
  Result<Unit> set_resource_policy(std::string document);

  aws::Identity caller;
  std::string resource_owner;  // account; "" for the caller's
  aws::ConditionValues conditions;
  std::optional<Time> now;

  // One action on all of `resources`; none is "*".
  gen::iam::EvaluationResult simulate(const std::string& action,
                                      const std::vector<std::string>& resources) const;

 private:
  struct Held {
    Source source;
    std::string document;
    aws::policy::Policy policy;
  };
  using Attached = aws::policy::AttachedPolicy;
  Result<Attached> hold(Source source, std::string document, aws::policy::Use use);
  gen::iam::ResourceSpecificResult decide(const std::string& action, const std::string& resource,
                                          bool& organisation_allows) const;
  std::vector<gen::iam::Statement> matched(const aws::policy::Decision& decision,
                                           const aws::policy::Trace& trace) const;
  std::vector<std::string> missing(const aws::policy::Request& request) const;

  std::deque<Held> held_;  // stable addresses
  std::vector<Attached> identity_;
  std::optional<Attached> boundary_, resource_policy_;
  std::vector<std::vector<Attached>> organization_;
};

// "allowed", "explicitDeny", "implicitDeny".
std::string decision_word(const aws::policy::Decision& decision);

// The condition keys that the documents ask for, each once, in their order; InvalidInput.
Result<std::vector<std::string>> context_keys(const std::vector<std::string>& documents);

}  // namespace pileus::services::iam
