// What sessions of every kind carry besides who they are: session policies, tags, their size.
#pragma once

#include "aws/context.h"
#include "services/sts/state.h"

namespace pileus::services::sts {

inline constexpr std::int32_t kDefaultRoleSeconds = 3600;

// Session policies as a request gives them.
struct GivenPolicies {
  std::optional<std::string> document;
  std::vector<std::string> arns;
};
template <class Input>
Result<GivenPolicies> given_policies(const Input& in) {
  GivenPolicies given{in.policy, {}};
  if (!in.policy_arns) return given;
  for (const auto& policy : *in.policy_arns) {
    if (!policy.arn) return fail(validation_error("Each of PolicyArns must have an arn."));
    given.arns.push_back(*policy.arn);
  }
  return given;
}
// Their number, size and grammar.
Result<Unit> check_policies(const GivenPolicies& given);

struct SessionTags {
  std::map<std::string, std::string> tags;
  std::set<std::string> transitive;
};
using TagPair = std::pair<std::string, std::string>;
// `given` laid beside `inherited`, which it may not change; keys are equal without regard to case.
Result<SessionTags> make_session_tags(SessionTags inherited, const std::vector<TagPair>& given,
                                      const std::vector<std::string>& transitive);
// aws:RequestTag/…, aws:TagKeys, sts:TransitiveTagKeys.
void add_tag_conditions(const SessionTags& tags, aws::ConditionValues& values);

// Puts the policies into the session, whose tags are in it already. Per cent of what a token may
// hold of both; 0 for none. PackedPolicyTooLarge above 100.
Task<Result<std::int32_t>> add_policies(StsState& state, GivenPolicies given, std::string account,
                                        std::shared_ptr<SessionRecord> session /* the caller's */);

// A new session of the role: its name, tags and times. MaxSessionDuration is checked.
Result<std::shared_ptr<SessionRecord>> new_role_session(const StsState& state,
                                                        const aws::RoleFacts& role,
                                                        std::string name, SessionTags tags,
                                                        std::int32_t seconds);

// The role must trust the caller (or the provider that vouches for it) with each action.
Task<Result<Unit>> authorize_role(aws::Context& context, aws::ConditionValues conditions,
                                  std::shared_ptr<const aws::RoleFacts> role,
                                  std::vector<std::string> actions, std::string federated_provider);

}  // namespace pileus::services::sts
