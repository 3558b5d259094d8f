// AddPermission, RemovePermission, GetPolicy: the resource policies of functions, versions and
// aliases; PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy: the same as whole documents.
#include "base/text.h"
#include "gen/lambda/AddPermission.h"
#include "gen/lambda/DeleteResourcePolicy.h"
#include "gen/lambda/GetPolicy.h"
#include "gen/lambda/GetResourcePolicy.h"
#include "gen/lambda/PutResourcePolicy.h"
#include "gen/lambda/RemovePermission.h"
#include "services/lambda/impl.h"

namespace pileus::services::lambda {
namespace {

// The record that a policy is about: where it goes, the policy goes.
std::string target_key(const FunctionRef& ref) {
  if (ref.qualifier.empty()) return function_key(ref.name);
  if (is_version(ref.qualifier)) return version_key(ref.name, parse_int(ref.qualifier).value_or(0));
  return alias_key(ref.name, ref.qualifier);
}

Result<FunctionRef> parse_target(const aws::Context& context, const std::string& name,
                                 const std::optional<std::string>& qualifier = std::nullopt) {
  TRY_ASSIGN(const auto ref, parse_function(context, name, qualifier));
  if (ref.qualifier == kLatest)
    return fail(invalid("We currently do not support adding policies for $LATEST."));
  return ref;
}

Result<Grant> grant_of(const FunctionRef& ref, const gen::lambda::AddPermissionInput& in) {
  Grant grant;
  grant.statement_id = in.statement_id;
  grant.action = in.action;
  TRY_ASSIGN(grant.principal, function_principal(ref.arn_partition, in.principal));
  if (in.function_url_auth_type && in.action != "lambda:InvokeFunctionUrl")
    return fail(
        invalid("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action"));
  if (in.invoked_via_function_url.value_or(false) && in.action != "lambda:InvokeFunction")
    return fail(
        invalid("InvokedViaFunctionUrl is only supported for lambda:InvokeFunction action"));
  if (in.source_account) grant.equals["AWS:SourceAccount"] = *in.source_account;
  if (in.principal_org_id) grant.equals["aws:PrincipalOrgID"] = *in.principal_org_id;
  if (in.event_source_token) grant.equals["lambda:EventSourceToken"] = *in.event_source_token;
  if (in.function_url_auth_type)
    grant.equals["lambda:FunctionUrlAuthType"] = *in.function_url_auth_type;
  if (in.invoked_via_function_url)
    grant.boolean["lambda:InvokedViaFunctionUrl"] = *in.invoked_via_function_url ? "true" : "false";
  if (in.source_arn) grant.like["AWS:SourceArn"] = *in.source_arn;
  return grant;
}

Error no_policy() { return not_found("The resource you requested does not exist."); }

// A revision to compare with needs something to compare it to.
Result<Unit> check_policy_revision(const std::optional<std::string>& wanted,
                                   const ResourcePolicy& policy) {
  if (wanted && *wanted != policy.revision_id) return fail(stale_policy());
  return Unit{};
}

}  // namespace

Error stale_policy() {
  return Error("PreconditionFailedException",
               "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy "
               "API to retrieve the latest Revision Id",
               412)
      .with("Type", "User");
}

Task<Result<Unit>> LambdaService::Impl::authorize(aws::Context& context, FunctionRef ref,
                                                  std::string action,
                                                  aws::ConditionValues conditions) {
  auto access = engine.known_access(ref);
  if (!access) {
    CO_TRY_ASSIGN(access, co_await engine.access(ref));
  }
  aws::Authorization ask;
  ask.action = std::move(action);
  ask.resource = ref.qualified_arn();
  ask.resource_account = ref.account;
  ask.resource_policy = access->policy;
  ask.conditions = std::move(conditions);
  for (const auto& [key, values] : access->tags) ask.conditions.try_emplace(key, values);
  co_return co_await context.authorize(std::move(ask));
}

Task<Result<ResourcePolicy>> LambdaService::Impl::change_policy(
    FunctionRef ref, std::function<Result<Unit>(ResourcePolicy&)> change) {
  const std::string key = policy_key(ref.name, ref.qualifier);
  for (int attempt = 0; attempt < store::kUpdateAttempts; ++attempt) {
    CO_TRY(co_await store::pause_before_attempt(attempt));
    CO_TRY_ASSIGN(const auto target, co_await given.records.get(ref.partition(), target_key(ref)));
    if (!target) co_return fail(no_function(ref));
    CO_TRY_ASSIGN(auto found,
                  co_await store::load<ResourcePolicy>(given.records, ref.partition(), key));
    ResourcePolicy policy = found ? std::move(found->value) : ResourcePolicy{};
    CO_TRY(change(policy));
    policy.revision_id = uuid(given.random);
    store::Transaction transaction;
    transaction.expect(target_key(ref), target->revision).expect(key, found ? found->revision : 0);
    if (policy.document.empty())
      transaction.remove(key);
    else
      transaction.put(key, store::encode(policy));
    auto committed = co_await given.records.commit(ref.partition(), std::move(transaction));
    if (!committed && committed.error().is(errc::kConflict)) continue;
    if (!committed) co_return fail(std::move(committed).error());
    CO_TRY(co_await engine.changed(ref.unqualified()));
    co_return policy;
  }
  co_return fail(conflict("The function is being changed by somebody else. Try again."));
}

Task<Result<ResourcePolicy>> LambdaService::Impl::load_policy(FunctionRef ref) {
  CO_TRY_ASSIGN(const auto target, co_await given.records.get(ref.partition(), target_key(ref)));
  if (!target) co_return fail(no_function(ref));
  CO_TRY_ASSIGN(auto found,
                co_await store::load<ResourcePolicy>(given.records, ref.partition(),
                                                     policy_key(ref.name, ref.qualifier)));
  if (!found) co_return fail(no_policy());
  co_return std::move(found->value);
}

Task<Result<gen::lambda::AddPermissionOutput>> LambdaService::add_permission(
    aws::Context& context, gen::lambda::AddPermissionInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name, in.qualifier));
  aws::ConditionValues conditions = {{"lambda:Principal", {in.principal}}};
  if (in.function_url_auth_type)
    conditions["lambda:FunctionUrlAuthType"] = {*in.function_url_auth_type};
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:AddPermission", std::move(conditions)));
  CO_TRY(parse_target(context, in.function_name, in.qualifier));
  CO_TRY_ASSIGN(const Grant grant, grant_of(ref, in));
  const JsonObject statement = statement_of(grant, ref.qualified_arn());
  std::function<Result<Unit>(ResourcePolicy&)> change =
      [&](ResourcePolicy& policy) -> Result<Unit> {
    TRY(check_policy_revision(in.revision_id, policy));
    return add_statement(policy.document, statement);
  };
  CO_TRY(co_await impl_->change_policy(ref, change));
  gen::lambda::AddPermissionOutput out;
  out.statement = to_text(Json(statement));
  co_return out;
}

Task<Result<gen::lambda::RemovePermissionOutput>> LambdaService::remove_permission(
    aws::Context& context, gen::lambda::RemovePermissionInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name, in.qualifier));
  CO_TRY_ASSIGN(const auto access, co_await impl_->engine.access(ref));
  aws::ConditionValues conditions;
  if (const auto statement = find_statement(access->policy, in.statement_id)) {
    conditions["lambda:Principal"] = principals_of(to_text(Json({{"Statement", *statement}})));
    if (const auto type = url_auth_type_of(*statement))
      conditions["lambda:FunctionUrlAuthType"] = {*type};
  }
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:RemovePermission", std::move(conditions)));
  CO_TRY(parse_target(context, in.function_name, in.qualifier));
  std::function<Result<Unit>(ResourcePolicy&)> change =
      [&](ResourcePolicy& policy) -> Result<Unit> {
    if (policy.document.empty())
      return fail(not_found("No policy is associated with the given resource."));
    TRY(check_policy_revision(in.revision_id, policy));
    return remove_statement(policy.document, in.statement_id);
  };
  CO_TRY(co_await impl_->change_policy(ref, change));
  co_return gen::lambda::RemovePermissionOutput{};
}

Task<Result<gen::lambda::GetPolicyOutput>> LambdaService::get_policy(
    aws::Context& context, gen::lambda::GetPolicyInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name, in.qualifier));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:GetPolicy"));
  if (ref.qualifier == kLatest) co_return fail(no_policy());
  CO_TRY_ASSIGN(auto policy, co_await impl_->load_policy(ref));
  gen::lambda::GetPolicyOutput out;
  out.policy = std::move(policy.document);
  out.revision_id = std::move(policy.revision_id);
  co_return out;
}

Task<Result<gen::lambda::PutResourcePolicyOutput>> LambdaService::put_resource_policy(
    aws::Context& context, gen::lambda::PutResourcePolicyInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.resource_arn));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:PutResourcePolicy",
                                   {{"lambda:Principal", principals_of(in.policy)}}));
  CO_TRY(parse_target(context, in.resource_arn));
  CO_TRY(check_whole_policy(in.policy, ref.qualified_arn()));
  std::function<Result<Unit>(ResourcePolicy&)> change =
      [&](ResourcePolicy& policy) -> Result<Unit> {
    TRY(check_policy_revision(in.revision_id, policy));
    policy.document = in.policy;
    return Unit{};
  };
  CO_TRY_ASSIGN(auto policy, co_await impl_->change_policy(ref, change));
  gen::lambda::PutResourcePolicyOutput out;
  out.policy = std::move(policy.document);
  out.revision_id = std::move(policy.revision_id);
  co_return out;
}

Task<Result<gen::lambda::GetResourcePolicyOutput>> LambdaService::get_resource_policy(
    aws::Context& context, gen::lambda::GetResourcePolicyInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.resource_arn));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:GetResourcePolicy"));
  if (ref.qualifier == kLatest) co_return fail(no_policy());
  CO_TRY_ASSIGN(auto policy, co_await impl_->load_policy(ref));
  gen::lambda::GetResourcePolicyOutput out;
  out.policy = std::move(policy.document);
  out.revision_id = std::move(policy.revision_id);
  co_return out;
}

Task<Result<gen::lambda::DeleteResourcePolicyOutput>> LambdaService::delete_resource_policy(
    aws::Context& context, gen::lambda::DeleteResourcePolicyInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.resource_arn));
  CO_TRY_ASSIGN(const auto access, co_await impl_->engine.access(ref));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:DeleteResourcePolicy",
                                   {{"lambda:Principal", principals_of(access->policy)}}));
  CO_TRY(parse_target(context, in.resource_arn));
  std::function<Result<Unit>(ResourcePolicy&)> change =
      [&](ResourcePolicy& policy) -> Result<Unit> {
    if (policy.document.empty())
      return fail(not_found("No policy is associated with the given resource."));
    TRY(check_policy_revision(in.revision_id, policy));
    policy.document.clear();
    return Unit{};
  };
  CO_TRY(co_await impl_->change_policy(ref, change));
  co_return gen::lambda::DeleteResourcePolicyOutput{};
}

}  // namespace pileus::services::lambda
