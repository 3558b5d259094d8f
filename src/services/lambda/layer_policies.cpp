// AddLayerVersionPermission, RemoveLayerVersionPermission, GetLayerVersionPolicy.
#include "base/text.h"
#include "gen/lambda/AddLayerVersionPermission.h"
#include "gen/lambda/GetLayerVersionPolicy.h"
#include "gen/lambda/RemoveLayerVersionPermission.h"
#include "services/lambda/impl.h"
#include "services/lambda/layer_names.h"

namespace pileus::services::lambda {

Task<Result<ResourcePolicy>> LambdaService::Impl::change_layer_policy(
    LayerRef ref, std::optional<std::string> revision,
    std::function<Result<Unit>(ResourcePolicy&)> change) {
  std::function<Result<Unit>(std::optional<LayerVersion>&)> apply =
      [&](std::optional<LayerVersion>& version) -> Result<Unit> {
    if (!version) return fail(no_layer_version());
    if (revision && *revision != version->policy.revision_id) return fail(stale_policy());
    TRY(change(version->policy));
    version->policy.revision_id = version->policy.document.empty() ? "" : uuid(given.random);
    return Unit{};
  };
  CO_TRY_ASSIGN(auto saved, co_await store::update<LayerVersion>(
                                given.records, ref.partition(),
                                layer_version_key(ref.name, ref.version), apply));
  co_return std::move(saved->value.policy);
}

Task<Result<gen::lambda::AddLayerVersionPermissionOutput>>
LambdaService::add_layer_version_permission(aws::Context& context,
                                            gen::lambda::AddLayerVersionPermissionInput in) {
  CO_TRY_ASSIGN(const LayerRef ref, parse_layer(context, in.layer_name, in.version_number));
  CO_TRY(co_await impl_->load_layer(context, ref, "lambda:AddLayerVersionPermission"));
  if (in.organization_id && in.principal != "*")
    co_return fail(invalid("OrganizationId is only supported with the principal *."));
  Grant grant;
  grant.statement_id = in.statement_id;
  grant.action = in.action;
  CO_TRY_ASSIGN(grant.principal, function_principal(ref.arn_partition, in.principal));
  if (in.organization_id) grant.equals["aws:PrincipalOrgID"] = *in.organization_id;
  const JsonObject statement = statement_of(grant, ref.arn());
  std::function<Result<Unit>(ResourcePolicy&)> change = [&statement](ResourcePolicy& policy) {
    return add_statement(policy.document, statement);
  };
  CO_TRY_ASSIGN(const auto policy,
                co_await impl_->change_layer_policy(ref, in.revision_id, change));
  gen::lambda::AddLayerVersionPermissionOutput out;
  out.statement = to_text(Json(statement));
  out.revision_id = policy.revision_id;
  co_return out;
}

Task<Result<gen::lambda::RemoveLayerVersionPermissionOutput>>
LambdaService::remove_layer_version_permission(aws::Context& context,
                                               gen::lambda::RemoveLayerVersionPermissionInput in) {
  CO_TRY_ASSIGN(const LayerRef ref, parse_layer(context, in.layer_name, in.version_number));
  CO_TRY(co_await impl_->load_layer(context, ref, "lambda:RemoveLayerVersionPermission"));
  std::function<Result<Unit>(ResourcePolicy&)> change = [&in](ResourcePolicy& policy) {
    return remove_statement(policy.document, in.statement_id);
  };
  CO_TRY(co_await impl_->change_layer_policy(ref, in.revision_id, change));
  co_return gen::lambda::RemoveLayerVersionPermissionOutput{};
}

Task<Result<gen::lambda::GetLayerVersionPolicyOutput>> LambdaService::get_layer_version_policy(
    aws::Context& context, gen::lambda::GetLayerVersionPolicyInput in) {
  CO_TRY_ASSIGN(const LayerRef ref, parse_layer(context, in.layer_name, in.version_number));
  CO_TRY_ASSIGN(const auto found,
                co_await impl_->load_layer(context, ref, "lambda:GetLayerVersionPolicy"));
  if (found.value.policy.document.empty())
    co_return fail(not_found("No policy is associated with the given resource."));
  gen::lambda::GetLayerVersionPolicyOutput out;
  out.policy = found.value.policy.document;
  out.revision_id = found.value.policy.revision_id;
  co_return out;
}

}  // namespace pileus::services::lambda
