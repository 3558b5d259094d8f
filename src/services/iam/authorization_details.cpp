#include "gen/iam/GetAccountAuthorizationDetails.h"
#include "services/iam/aws_policies.h"
#include "services/iam/edit.h"
#include "services/iam/policy_uses.h"
#include "services/iam/shapes.h"
#include "services/iam/uses.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

// A page over several kinds of records, one kind after the other.
struct Reading {
  std::size_t left = kDefaultPage;
  std::string after;  // key of the last item of the page before; "" once that is passed
  std::string last;   // key of the last item taken
  bool truncated = false;
};

// Takes what of T still fits, in the order of keys.
template <class T, class Take>
Task<Result<Unit>> read(store::Records& records, std::string partition, Reading* page, bool wanted,
                        Take take) {
  const std::string prefix = prefix_of<T>();
  if (page->truncated) co_return Unit{};
  if (!page->after.empty() && !page->after.starts_with(prefix)) co_return Unit{};
  store::ScanOptions options;
  options.after = std::exchange(page->after, "");
  if (!wanted) co_return Unit{};
  for (;;) {
    options.limit = std::max<std::size_t>(page->left + 1, 100);
    CO_TRY_ASSIGN(auto found, co_await store::load_page<T>(records, partition, prefix, options));
    for (auto& item : found) {
      if (page->left == 0) {
        page->truncated = true;
        co_return Unit{};
      }
      CO_TRY(co_await take(item.value));
      --page->left;
      page->last = item.key;
    }
    if (found.size() < options.limit) co_return Unit{};
    options.after = found.back().key;
  }
}

std::vector<PolicyDetail> inline_list(const std::map<std::string, std::string>& policies) {
  std::vector<PolicyDetail> list;
  for (const auto& [name, document] : policies) list.push_back({name, percent_encode(document)});
  return list;
}
std::vector<AttachedPolicy> attached_list(const std::set<std::string>& arns) {
  std::vector<AttachedPolicy> list;
  for (const auto& arn : arns) {
    const auto parsed = parse_entity_arn(arn);
    list.push_back({parsed ? parsed->name : arn, arn});
  }
  return list;
}
std::optional<AttachedPermissionsBoundary> boundary_of(const std::string& arn) {
  if (arn.empty()) return std::nullopt;
  return AttachedPermissionsBoundary{"Policy", arn};
}

// What a whole answer shares.
struct Details {
  IamState& state;
  std::string partition;
  Edit edit;  // its look-ups of groups, roles and profiles
  GetAccountAuthorizationDetailsOutput output;

  Task<Result<Unit>> add_user(UserRecord user) {
    UserDetail detail;
    detail.path = user.path;
    detail.user_name = user.name;
    detail.user_id = user.id;
    detail.arn = user.arn;
    detail.create_date = user.created;
    detail.user_policy_list = inline_list(user.inline_policies);
    auto& groups = detail.group_list.emplace();
    for (const auto& id : user.groups) {
      CO_TRY_ASSIGN(GroupRecord * group, co_await edit.find_group(id));
      if (group) groups.push_back(group->name);
    }
    detail.attached_managed_policies = attached_list(user.attached);
    detail.permissions_boundary = boundary_of(user.boundary);
    detail.tags = tag_list(user.tags);
    output.user_detail_list->push_back(std::move(detail));
    co_return Unit{};
  }

  Task<Result<Unit>> add_group(GroupRecord group) {
    GroupDetail detail;
    detail.path = group.path;
    detail.group_name = group.name;
    detail.group_id = group.id;
    detail.arn = group.arn;
    detail.create_date = group.created;
    detail.group_policy_list = inline_list(group.inline_policies);
    detail.attached_managed_policies = attached_list(group.attached);
    output.group_detail_list->push_back(std::move(detail));
    co_return Unit{};
  }

  Task<Result<Unit>> add_role(RoleRecord role) {
    RoleDetail detail;
    detail.path = role.path;
    detail.role_name = role.name;
    detail.role_id = role.id;
    detail.arn = role.arn;
    detail.create_date = role.created;
    detail.assume_role_policy_document = percent_encode(role.trust_policy);
    auto& profiles = detail.instance_profile_list.emplace();
    for (const auto& name : role.instance_profiles) {
      CO_TRY_ASSIGN(ProfileRecord * profile, co_await edit.find<ProfileRecord>(name));
      if (profile) profiles.push_back(shape_of(*profile, &role));
    }
    detail.role_policy_list = inline_list(role.inline_policies);
    detail.attached_managed_policies = attached_list(role.attached);
    detail.permissions_boundary = boundary_of(role.boundary);
    detail.tags = tag_list(role.tags);
    CO_TRY_ASSIGN(const auto use, co_await last_use(state, partition, role_use_row(role.id)));
    auto& used = detail.role_last_used.emplace();
    if (use) {
      used.last_used_date = whole_seconds(use->when);
      used.region = use->region;
    }
    output.role_detail_list->push_back(std::move(detail));
    co_return Unit{};
  }

  Task<Result<Unit>> add_policy(PolicyRecord policy) {
    const Policy shape = shape_of(policy, Detail::kFull);
    ManagedPolicyDetail detail{shape.policy_name,
                               shape.policy_id,
                               shape.arn,
                               shape.path,
                               shape.default_version_id,
                               shape.attachment_count,
                               shape.permissions_boundary_usage_count,
                               shape.is_attachable,
                               shape.description,
                               shape.create_date,
                               shape.update_date,
                               std::vector<PolicyVersion>()};
    for (const auto& version : policy.versions) {
      auto one = iam::shape_of(version, version.number == policy.default_version);
      one.document = percent_encode(version.document);
      detail.policy_version_list->push_back(std::move(one));
    }
    output.policies->push_back(std::move(detail));
    co_return Unit{};
  }

  void add_aws_policy(const AwsPolicy& policy, const std::string& arn, UseCounts counts) {
    PolicyVersion version;
    version.document = percent_encode(policy.document);
    version.version_id = policy.version();
    version.is_default_version = true;
    version.create_date = policy.updated();
    output.policies->push_back(
        {std::string(policy.name), policy.id(), arn, std::string(policy.path), policy.version(),
         counts.attachments, counts.boundaries, true, std::string(policy.description),
         policy.created(), policy.updated(), std::vector<PolicyVersion>{version}});
  }
};

// AWS's policies that the account uses come last; their keys are their ARNs.
Task<Result<Unit>> read_aws_policies(Details* details, Reading* page, std::string arn_prefix) {
  if (page->truncated) co_return Unit{};
  CO_TRY_ASSIGN(const auto used,
                co_await count_uses(details->state.records, details->partition, arn_prefix));
  for (const auto& [arn, counts] : used) {
    if (!page->after.empty() && arn <= page->after) continue;
    const AwsPolicy* policy = find_aws_policy(arn);
    if (!policy) continue;
    if (page->left == 0) {
      page->truncated = true;
      co_return Unit{};
    }
    details->add_aws_policy(*policy, arn, counts);
    --page->left;
    page->last = arn;
  }
  co_return Unit{};
}

}  // namespace

Task<Result<GetAccountAuthorizationDetailsOutput>> IamService::get_account_authorization_details(
    aws::Context& context, GetAccountAuthorizationDetailsInput in) {
  CO_TRY(co_await context.authorize("iam:GetAccountAuthorizationDetails", "*"));
  constexpr std::string_view kKinds[] = {"User", "Role", "Group", "LocalManagedPolicy",
                                         "AWSManagedPolicy"};
  if (in.filter)
    for (const auto& kind : *in.filter)
      if (std::ranges::find(kKinds, kind) == std::end(kKinds))
        co_return fail(
            validation_error(str("A filter is one of User, Role, Group, "
                                 "LocalManagedPolicy, AWSManagedPolicy, not ",
                                 kind, ".")));
  const auto wanted = [&](std::string_view kind) {
    return !in.filter || in.filter->empty() ||
           std::ranges::find(*in.filter, kind) != in.filter->end();
  };
  Reading page;
  if (in.max_items) page.left = static_cast<std::size_t>(*in.max_items);
  CO_TRY_ASSIGN(page.after, read_marker(in.marker));
  Details all{*state_, context.global_key(), Edit(*state_, context), {}};
  all.output.user_detail_list.emplace();
  all.output.group_detail_list.emplace();
  all.output.role_detail_list.emplace();
  all.output.policies.emplace();
  store::Records& records = state_->records;
  CO_TRY(co_await read<UserRecord>(
      records, all.partition, &page, wanted("User"),
      [&] [[clang::coro_wrapper]] (auto user) { return all.add_user(std::move(user)); }));
  CO_TRY(co_await read<GroupRecord>(
      records, all.partition, &page, wanted("Group"),
      [&] [[clang::coro_wrapper]] (auto group) { return all.add_group(std::move(group)); }));
  CO_TRY(co_await read<RoleRecord>(
      records, all.partition, &page, wanted("Role"),
      [&] [[clang::coro_wrapper]] (auto role) { return all.add_role(std::move(role)); }));
  CO_TRY(co_await read<PolicyRecord>(
      records, all.partition, &page, wanted("LocalManagedPolicy"),
      [&] [[clang::coro_wrapper]] (auto policy) { return all.add_policy(std::move(policy)); }));
  if (wanted("AWSManagedPolicy"))
    CO_TRY(co_await read_aws_policies(&all, &page, str("arn:", context.partition(), ":iam::aws:")));
  all.output.is_truncated = page.truncated;
  if (page.truncated) all.output.marker = make_marker(page.last);
  co_return std::move(all.output);
}

}  // namespace pileus::services::iam
