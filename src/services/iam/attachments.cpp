#include "gen/iam/AttachGroupPolicy.h"
#include "gen/iam/AttachRolePolicy.h"
#include "gen/iam/AttachUserPolicy.h"
#include "gen/iam/DetachGroupPolicy.h"
#include "gen/iam/DetachRolePolicy.h"
#include "gen/iam/DetachUserPolicy.h"
#include "gen/iam/ListAttachedGroupPolicies.h"
#include "gen/iam/ListAttachedRolePolicies.h"
#include "gen/iam/ListAttachedUserPolicies.h"
#include "services/iam/edit.h"
#include "services/iam/limits.h"
#include "services/iam/shapes.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

template <class T, class Output>
Task<Result<Output>> attach(IamState& state, aws::Context& context, std::string action,
                            std::string name, std::string arn) {
  for (Edit edit(state, context);;) {
    CO_TRY_ASSIGN(T * entity, co_await edit.open<T>(action, name, {{"iam:PolicyARN", {arn}}}));
    CO_TRY(check_modifiable(*entity));
    if (arn.find(":aws:policy/aws-service-role/") != std::string::npos)
      co_return fail("PolicyNotAttachable",
                     "Cannot attach a Service Role Policy to a Customer Role.", 400);
    if (entity->attached.contains(arn)) co_return Output{};
    CO_TRY(co_await edit.add_use<T>(arn, Usage::kPolicy, entity->name));
    if (entity->attached.size() >= bound(state, kAttachments))
      co_return fail(quota_exceeded(str("PoliciesPer", T::kTitle), bound(state, kAttachments)));
    entity->attached.insert(arn);
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return Output{};
  }
}

template <class T, class Output>
Task<Result<Output>> detach(IamState& state, aws::Context& context, std::string action,
                            std::string name, std::string arn) {
  for (Edit edit(state, context);;) {
    CO_TRY_ASSIGN(T * entity, co_await edit.open<T>(action, name, {{"iam:PolicyARN", {arn}}}));
    CO_TRY(check_modifiable(*entity));
    if (!entity->attached.erase(arn)) co_return fail(no_such_policy(arn));
    CO_TRY(co_await edit.drop_use<T>(arn, Usage::kPolicy, entity->name));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return Output{};
  }
}

template <class T, class Input, class Output>
Task<Result<Output>> list_attached(IamState& state, aws::Context& context, std::string action,
                                   std::string name, Input in) {
  Edit edit(state, context);
  CO_TRY_ASSIGN(T * entity, co_await edit.open<T>(action, name));
  std::set<std::string> wanted;
  for (const auto& arn : entity->attached) {
    const auto parsed = parse_entity_arn(arn);
    if (parsed && parsed->path.starts_with(in.path_prefix.value_or("/"))) wanted.insert(arn);
  }
  CO_TRY_ASSIGN(const auto page, page_of(wanted, in));
  Output output;
  tell_page(page, output);
  output.attached_policies.emplace();
  for (const auto& arn : page.items)
    output.attached_policies->push_back({parse_entity_arn(arn)->name, arn});
  co_return output;
}

}  // namespace

Task<Result<AttachUserPolicyOutput>> IamService::attach_user_policy(aws::Context& context,
                                                                    AttachUserPolicyInput in) {
  return attach<UserRecord, AttachUserPolicyOutput>(*state_, context, "iam:AttachUserPolicy",
                                                    in.user_name, in.policy_arn);
}
Task<Result<DetachUserPolicyOutput>> IamService::detach_user_policy(aws::Context& context,
                                                                    DetachUserPolicyInput in) {
  return detach<UserRecord, DetachUserPolicyOutput>(*state_, context, "iam:DetachUserPolicy",
                                                    in.user_name, in.policy_arn);
}
Task<Result<ListAttachedUserPoliciesOutput>> IamService::list_attached_user_policies(
    aws::Context& context, ListAttachedUserPoliciesInput in) {
  std::string name = in.user_name;
  return list_attached<UserRecord, ListAttachedUserPoliciesInput, ListAttachedUserPoliciesOutput>(
      *state_, context, "iam:ListAttachedUserPolicies", std::move(name), std::move(in));
}

Task<Result<AttachGroupPolicyOutput>> IamService::attach_group_policy(aws::Context& context,
                                                                      AttachGroupPolicyInput in) {
  return attach<GroupRecord, AttachGroupPolicyOutput>(*state_, context, "iam:AttachGroupPolicy",
                                                      in.group_name, in.policy_arn);
}
Task<Result<DetachGroupPolicyOutput>> IamService::detach_group_policy(aws::Context& context,
                                                                      DetachGroupPolicyInput in) {
  return detach<GroupRecord, DetachGroupPolicyOutput>(*state_, context, "iam:DetachGroupPolicy",
                                                      in.group_name, in.policy_arn);
}
Task<Result<ListAttachedGroupPoliciesOutput>> IamService::list_attached_group_policies(
    aws::Context& context, ListAttachedGroupPoliciesInput in) {
  std::string name = in.group_name;
  return list_attached<GroupRecord, ListAttachedGroupPoliciesInput,
                       ListAttachedGroupPoliciesOutput>(
      *state_, context, "iam:ListAttachedGroupPolicies", std::move(name), std::move(in));
}

Task<Result<AttachRolePolicyOutput>> IamService::attach_role_policy(aws::Context& context,
                                                                    AttachRolePolicyInput in) {
  return attach<RoleRecord, AttachRolePolicyOutput>(*state_, context, "iam:AttachRolePolicy",
                                                    in.role_name, in.policy_arn);
}
Task<Result<DetachRolePolicyOutput>> IamService::detach_role_policy(aws::Context& context,
                                                                    DetachRolePolicyInput in) {
  return detach<RoleRecord, DetachRolePolicyOutput>(*state_, context, "iam:DetachRolePolicy",
                                                    in.role_name, in.policy_arn);
}
Task<Result<ListAttachedRolePoliciesOutput>> IamService::list_attached_role_policies(
    aws::Context& context, ListAttachedRolePoliciesInput in) {
  std::string name = in.role_name;
  return list_attached<RoleRecord, ListAttachedRolePoliciesInput, ListAttachedRolePoliciesOutput>(
      *state_, context, "iam:ListAttachedRolePolicies", std::move(name), std::move(in));
}

}  // namespace pileus::services::iam
