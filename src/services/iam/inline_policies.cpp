#include "gen/iam/DeleteGroupPolicy.h"
#include "gen/iam/DeleteRolePolicy.h"
#include "gen/iam/DeleteUserPolicy.h"
#include "gen/iam/GetGroupPolicy.h"
#include "gen/iam/GetRolePolicy.h"
#include "gen/iam/GetUserPolicy.h"
#include "gen/iam/ListGroupPolicies.h"
#include "gen/iam/ListRolePolicies.h"
#include "gen/iam/ListUserPolicies.h"
#include "gen/iam/PutGroupPolicy.h"
#include "gen/iam/PutRolePolicy.h"
#include "gen/iam/PutUserPolicy.h"
#include "services/iam/documents.h"
#include "services/iam/edit.h"
#include "services/iam/shapes.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

template <class T>
Error no_such_inline_policy(std::string_view name) {
  return no_such_entity(str("The ", T::kKind, " policy with name ", name, " cannot be found."));
}

template <class T, class Output>
Task<Result<Output>> put_inline(IamState& state, aws::Context& context, std::string action,
                                std::string entity_name, std::string policy_name,
                                std::string document) {
  for (Edit edit(state, context);;) {
    CO_TRY_ASSIGN(T * entity, co_await edit.open<T>(action, entity_name));
    CO_TRY(check_modifiable(*entity));
    CO_TRY(check_document(document, DocumentKind::kIdentity));
    entity->inline_policies[policy_name] = document;
    std::size_t total = 0;
    for (const auto& [name, text] : entity->inline_policies) total += counted_bytes(text);
    if (total > T::kInlineBytes)
      co_return fail(limit_exceeded(str("Maximum policy size of ", T::kInlineBytes,
                                        " bytes exceeded for ", T::kKind, " ", entity->name)));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return Output{};
  }
}

template <class T, class Output>
Task<Result<Output>> get_inline(IamState& state, aws::Context& context, std::string action,
                                std::string entity_name, std::string policy_name) {
  Edit edit(state, context);
  CO_TRY_ASSIGN(T * entity, co_await edit.open<T>(action, entity_name));
  const auto policy = entity->inline_policies.find(policy_name);
  if (policy == entity->inline_policies.end())
    co_return fail(no_such_inline_policy<T>(policy_name));
  co_return Output{entity->name, policy->first, percent_encode(policy->second)};
}

template <class T, class Output>
Task<Result<Output>> delete_inline(IamState& state, aws::Context& context, std::string action,
                                   std::string entity_name, std::string policy_name) {
  for (Edit edit(state, context);;) {
    CO_TRY_ASSIGN(T * entity, co_await edit.open<T>(action, entity_name));
    CO_TRY(check_modifiable(*entity));
    if (!entity->inline_policies.erase(policy_name))
      co_return fail(no_such_inline_policy<T>(policy_name));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return Output{};
  }
}

template <class T, class Input, class Output>
Task<Result<Output>> list_inline(IamState& state, aws::Context& context, std::string action,
                                 std::string entity_name, Input in) {
  Edit edit(state, context);
  CO_TRY_ASSIGN(T * entity, co_await edit.open<T>(action, entity_name));
  std::set<std::string> names;
  for (const auto& [name, document] : entity->inline_policies) names.insert(name);
  CO_TRY_ASSIGN(auto page, page_of(names, in));
  Output output;
  tell_page(page, output);
  output.policy_names = std::move(page.items);
  co_return output;
}

}  // namespace

Task<Result<PutUserPolicyOutput>> IamService::put_user_policy(aws::Context& context,
                                                              PutUserPolicyInput in) {
  return put_inline<UserRecord, PutUserPolicyOutput>(
      *state_, context, "iam:PutUserPolicy", in.user_name, in.policy_name, in.policy_document);
}
Task<Result<GetUserPolicyOutput>> IamService::get_user_policy(aws::Context& context,
                                                              GetUserPolicyInput in) {
  return get_inline<UserRecord, GetUserPolicyOutput>(*state_, context, "iam:GetUserPolicy",
                                                     in.user_name, in.policy_name);
}
Task<Result<DeleteUserPolicyOutput>> IamService::delete_user_policy(aws::Context& context,
                                                                    DeleteUserPolicyInput in) {
  return delete_inline<UserRecord, DeleteUserPolicyOutput>(*state_, context, "iam:DeleteUserPolicy",
                                                           in.user_name, in.policy_name);
}
Task<Result<ListUserPoliciesOutput>> IamService::list_user_policies(aws::Context& context,
                                                                    ListUserPoliciesInput in) {
  std::string name = in.user_name;
  return list_inline<UserRecord, ListUserPoliciesInput, ListUserPoliciesOutput>(
      *state_, context, "iam:ListUserPolicies", std::move(name), std::move(in));
}

Task<Result<PutGroupPolicyOutput>> IamService::put_group_policy(aws::Context& context,
                                                                PutGroupPolicyInput in) {
  return put_inline<GroupRecord, PutGroupPolicyOutput>(
      *state_, context, "iam:PutGroupPolicy", in.group_name, in.policy_name, in.policy_document);
}
Task<Result<GetGroupPolicyOutput>> IamService::get_group_policy(aws::Context& context,
                                                                GetGroupPolicyInput in) {
  return get_inline<GroupRecord, GetGroupPolicyOutput>(*state_, context, "iam:GetGroupPolicy",
                                                       in.group_name, in.policy_name);
}
Task<Result<DeleteGroupPolicyOutput>> IamService::delete_group_policy(aws::Context& context,
                                                                      DeleteGroupPolicyInput in) {
  return delete_inline<GroupRecord, DeleteGroupPolicyOutput>(
      *state_, context, "iam:DeleteGroupPolicy", in.group_name, in.policy_name);
}
Task<Result<ListGroupPoliciesOutput>> IamService::list_group_policies(aws::Context& context,
                                                                      ListGroupPoliciesInput in) {
  std::string name = in.group_name;
  return list_inline<GroupRecord, ListGroupPoliciesInput, ListGroupPoliciesOutput>(
      *state_, context, "iam:ListGroupPolicies", std::move(name), std::move(in));
}

Task<Result<PutRolePolicyOutput>> IamService::put_role_policy(aws::Context& context,
                                                              PutRolePolicyInput in) {
  return put_inline<RoleRecord, PutRolePolicyOutput>(
      *state_, context, "iam:PutRolePolicy", in.role_name, in.policy_name, in.policy_document);
}
Task<Result<GetRolePolicyOutput>> IamService::get_role_policy(aws::Context& context,
                                                              GetRolePolicyInput in) {
  return get_inline<RoleRecord, GetRolePolicyOutput>(*state_, context, "iam:GetRolePolicy",
                                                     in.role_name, in.policy_name);
}
Task<Result<DeleteRolePolicyOutput>> IamService::delete_role_policy(aws::Context& context,
                                                                    DeleteRolePolicyInput in) {
  return delete_inline<RoleRecord, DeleteRolePolicyOutput>(*state_, context, "iam:DeleteRolePolicy",
                                                           in.role_name, in.policy_name);
}
Task<Result<ListRolePoliciesOutput>> IamService::list_role_policies(aws::Context& context,
                                                                    ListRolePoliciesInput in) {
  std::string name = in.role_name;
  return list_inline<RoleRecord, ListRolePoliciesInput, ListRolePoliciesOutput>(
      *state_, context, "iam:ListRolePolicies", std::move(name), std::move(in));
}

}  // namespace pileus::services::iam
