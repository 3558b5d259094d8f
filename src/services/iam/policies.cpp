#include "gen/iam/CreatePolicy.h"
#include "gen/iam/DeletePolicy.h"
#include "gen/iam/GetPolicy.h"
#include "gen/iam/ListEntitiesForPolicy.h"
#include "gen/iam/ListPolicies.h"
#include "services/iam/aws_policies.h"
#include "services/iam/documents.h"
#include "services/iam/edit.h"
#include "services/iam/limits.h"
#include "services/iam/policy_uses.h"
#include "services/iam/shapes.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

Policy shape_of(const AwsPolicy& policy, std::string_view partition, UseCounts counts,
                Detail detail) {
  Policy shape;
  shape.policy_name = policy.name;
  shape.policy_id = policy.id();
  shape.arn = policy.arn(partition);
  shape.path = policy.path;
  shape.default_version_id = policy.version();
  shape.attachment_count = counts.attachments;
  shape.permissions_boundary_usage_count = counts.boundaries;
  shape.is_attachable = true;
  shape.create_date = policy.created();
  shape.update_date = policy.updated();
  if (detail == Detail::kFull && !policy.description.empty())
    shape.description = policy.description;
  return shape;
}

}  // namespace

Task<Result<CreatePolicyOutput>> IamService::create_policy(aws::Context& context,
                                                           CreatePolicyInput in) {
  CO_TRY_ASSIGN(const Tags tags, tags_of(in.tags));
  const std::string path = in.path.value_or("/");
  const std::string arn = arn_of<PolicyRecord>(context, path, in.policy_name);
  CO_TRY(co_await context.authorize("iam:CreatePolicy", arn, request_conditions(tags)));
  CO_TRY(check_document(in.policy_document, DocumentKind::kIdentity));
  if (counted_bytes(in.policy_document) > kPolicyBytes)
    co_return fail(quota_exceeded("PolicySize", kPolicyBytes));
  CO_TRY(co_await check_quota<PolicyRecord>(*state_, context, "PoliciesPerAccount", kPolicies));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(PolicyRecord * policy, co_await edit.create(new_entity<PolicyRecord>(
                                             *state_, context, path, in.policy_name, arn)));
    policy->updated = policy->created;
    policy->description = in.description;
    policy->tags = tags;
    policy->versions.push_back({1, in.policy_document, policy->created});
    CreatePolicyOutput output{shape_of(*policy, Detail::kListed)};
    output.policy->tags = shape_of(*policy, Detail::kFull).tags;
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

Task<Result<GetPolicyOutput>> IamService::get_policy(aws::Context& context, GetPolicyInput in) {
  if (const AwsPolicy* policy = find_aws_policy(in.policy_arn)) {
    CO_TRY(co_await context.authorize("iam:GetPolicy", in.policy_arn));
    CO_TRY_ASSIGN(auto counts, co_await count_uses(state_->records, context.global_key(),
                                                   str(in.policy_arn, '|')));
    co_return GetPolicyOutput{
        shape_of(*policy, context.partition(), counts[in.policy_arn], Detail::kFull)};
  }
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(PolicyRecord * policy, co_await edit.open_policy("iam:GetPolicy", in.policy_arn));
  co_return GetPolicyOutput{shape_of(*policy, Detail::kFull)};
}

Task<Result<DeletePolicyOutput>> IamService::delete_policy(aws::Context& context,
                                                           DeletePolicyInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(PolicyRecord * policy,
                  co_await edit.open_policy("iam:DeletePolicy", in.policy_arn));
    if (policy->attachments > 0 || policy->boundaries > 0)
      co_return fail(delete_conflict("Cannot delete a policy attached to entities."));
    if (policy->versions.size() > 1)
      co_return fail(delete_conflict(
          "This policy has more than one version. Before you delete a policy, you must delete the "
          "policy's versions. The default version is deleted with the policy."));
    edit.remove(*policy);
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return DeletePolicyOutput{};
  }
}

namespace {

constexpr std::string_view kAwsMarker = "aws/";

bool is_wanted(const ListPoliciesInput& in, std::string_view path, UseCounts counts) {
  if (in.path_prefix && !path.starts_with(*in.path_prefix)) return false;
  if (in.policy_usage_filter == "PermissionsPolicy" && counts.attachments == 0) return false;
  if (in.policy_usage_filter == "PermissionsBoundary" && counts.boundaries == 0) return false;
  return !in.only_attached.value_or(false) || counts.attachments > 0;
}

// Fills the page from AWS's own policies that follow `after`.
Task<Result<Unit>> list_aws_policies(
    store::Records& records, aws::Context& context, ListPoliciesInput in, std::string after,
    std::shared_ptr<Page<Policy>> page /* shared with the caller */) {
  const std::size_t limit = in.max_items ? *in.max_items : kDefaultPage;
  const std::string arns = str("arn:", context.partition(), ":iam::aws:policy/");
  CO_TRY_ASSIGN(auto counts, co_await count_uses(records, context.global_key(), arns));
  for (const AwsPolicy& policy : aws_policies()) {
    const UseCounts uses = counts[policy.arn(context.partition())];
    if (policy.name <= after || !is_wanted(in, policy.path, uses)) continue;
    if (page->items.size() == limit) {
      page->marker = make_marker(str(kAwsMarker, after));
      co_return Unit{};
    }
    page->items.push_back(shape_of(policy, context.partition(), uses, Detail::kListed));
    after = policy.name;
  }
  co_return Unit{};
}

}  // namespace

// The customer's policies first, then AWS's own.
Task<Result<ListPoliciesOutput>> IamService::list_policies(aws::Context& context,
                                                           ListPoliciesInput in) {
  CO_TRY(co_await context.authorize(
      "iam:ListPolicies", arn_of<PolicyRecord>(context, in.path_prefix.value_or("/"), "")));
  CO_TRY_ASSIGN(const std::string after, read_marker(in.marker));
  const std::string scope = in.scope.value_or("All");
  const bool in_aws_part = after.starts_with(kAwsMarker);
  auto page = std::make_shared<Page<Policy>>();
  if (scope != "AWS" && !in_aws_part) {
    std::function<bool(const PolicyRecord&)> wanted = [&in](const PolicyRecord& policy) {
      return is_wanted(in, policy.path, {policy.attachments, policy.boundaries});
    };
    CO_TRY_ASSIGN(const auto found,
                  co_await load_records<PolicyRecord>(state_->records, context.global_key(),
                                                      prefix_of<PolicyRecord>(), in.marker,
                                                      in.max_items, wanted));
    for (const auto& policy : found.items) page->items.push_back(shape_of(policy, Detail::kListed));
    page->marker = found.marker;
  }
  if (scope != "Local" && !page->marker)
    CO_TRY(co_await list_aws_policies(state_->records, context, in,
                                      in_aws_part ? after.substr(kAwsMarker.size()) : "", page));
  ListPoliciesOutput output;
  tell_page(*page, output);
  output.policies = std::move(page->items);
  co_return output;
}

namespace {

bool is_wanted(const ListEntitiesForPolicyInput& in, const PolicyUse& use) {
  if (in.entity_filter && to_lower(*in.entity_filter) != use.kind) return false;
  if (!in.policy_usage_filter) return true;
  return (*in.policy_usage_filter == "PermissionsPolicy") == (use.usage == Usage::kPolicy);
}

// "<kind>/<name>" of the entities that use the policy as the request wants it; each once.
Task<Result<std::set<std::string>>> entities_of(store::Records& records, std::string partition,
                                                ListEntitiesForPolicyInput in) {
  std::set<std::string> entities;
  store::ScanOptions options;
  for (;;) {
    CO_TRY_ASSIGN(const auto rows,
                  co_await records.scan(partition, uses_prefix(in.policy_arn), options));
    for (const auto& row : rows) {
      const auto use = parse_use(row.key);
      if (use && is_wanted(in, *use)) entities.insert(str(use->kind, '/', use->name));
    }
    if (rows.size() < options.limit) co_return entities;
    options.after = rows.back().key;
  }
}

// The entity's name and id, and its path to be filtered by.
struct Named {
  std::string name, id, path;
};
Task<Result<std::optional<Named>>> load_named(store::Records& records, std::string partition,
                                              std::string entity) {
  CO_TRY_ASSIGN(auto loaded,
                co_await store::load<GroupRecord>(records, partition, "iam/" + entity));
  if (!loaded) co_return std::optional<Named>();
  co_return std::optional<Named>({loaded->value.name, loaded->value.id, loaded->value.path});
}

void add_entity(ListEntitiesForPolicyOutput& output, std::string_view kind, const Named& entity) {
  if (kind == GroupRecord::kKind)
    output.policy_groups->push_back({entity.name, entity.id});
  else if (kind == UserRecord::kKind)
    output.policy_users->push_back({entity.name, entity.id});
  else
    output.policy_roles->push_back({entity.name, entity.id});
}

}  // namespace

Task<Result<ListEntitiesForPolicyOutput>> IamService::list_entities_for_policy(
    aws::Context& context, ListEntitiesForPolicyInput in) {
  Edit edit(*state_, context);
  if (find_aws_policy(in.policy_arn)) {
    CO_TRY(co_await context.authorize("iam:ListEntitiesForPolicy", in.policy_arn));
  } else {
    CO_TRY(co_await edit.open_policy("iam:ListEntitiesForPolicy", in.policy_arn));
  }
  CO_TRY_ASSIGN(const std::string after, read_marker(in.marker));
  CO_TRY_ASSIGN(const auto entities,
                co_await entities_of(state_->records, context.global_key(), in));
  const std::size_t limit = in.max_items ? *in.max_items : kDefaultPage;
  const std::string path_prefix = in.path_prefix.value_or("/");
  ListEntitiesForPolicyOutput output;
  output.is_truncated = false;
  output.policy_groups.emplace();
  output.policy_users.emplace();
  output.policy_roles.emplace();
  std::size_t taken = 0;
  std::string last;
  for (auto it = entities.upper_bound(after); it != entities.end(); ++it) {
    CO_TRY_ASSIGN(const auto entity,
                  co_await load_named(state_->records, context.global_key(), *it));
    if (!entity || !entity->path.starts_with(path_prefix)) continue;
    if (taken++ == limit) {
      output.is_truncated = true;
      output.marker = make_marker(last);
      break;
    }
    add_entity(output, it->substr(0, it->find('/')), *entity);
    last = *it;
  }
  co_return output;
}

}  // namespace pileus::services::iam
