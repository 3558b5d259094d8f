#include "services/iam/policy_sources.h"

#include "aws/policy/policy.h"
#include "services/iam/aws_policies.h"
#include "services/iam/errors.h"
#include "store/typed.h"

namespace pileus::services::iam {

Task<Result<std::optional<aws::NamedPolicy>>> read_managed(IamState& state, std::string arn) {
  using Answer = std::optional<aws::NamedPolicy>;
  if (const AwsPolicy* policy = find_aws_policy(arn))
    co_return Answer({std::move(arn), std::string(policy->document)});
  const auto parsed = parse_entity_arn(arn);
  if (!parsed || parsed->kind != PolicyRecord::kKind) co_return Answer();
  CO_TRY_ASSIGN(const auto loaded,
                co_await store::load<PolicyRecord>(state.records, str(parsed->account, "/global"),
                                                   key_of<PolicyRecord>(parsed->name)));
  if (!loaded || loaded->value.arn != arn) co_return Answer();
  for (const auto& version : loaded->value.versions)
    if (version.number == loaded->value.default_version)
      co_return Answer({std::move(arn), version.document});
  co_return Answer();
}

namespace {

template <class T>
constexpr SourcedPolicy::Owner owner_of() {
  if constexpr (std::is_same_v<T, UserRecord>) return SourcedPolicy::Owner::kUser;
  if constexpr (std::is_same_v<T, GroupRecord>) return SourcedPolicy::Owner::kGroup;
  return SourcedPolicy::Owner::kRole;
}

Task<Result<std::optional<SourcedPolicy>>> managed(IamState& state, std::string arn) {
  CO_TRY_ASSIGN(auto policy, co_await read_managed(state, arn));
  if (!policy) co_return std::optional<SourcedPolicy>();
  const auto parsed = parse_entity_arn(arn);
  SourcedPolicy out;
  out.owner =
      parsed && parsed->of_aws() ? SourcedPolicy::Owner::kAws : SourcedPolicy::Owner::kAccount;
  out.name = parsed ? parsed->name : arn;
  out.arn = std::move(arn);
  out.document = std::move(policy->document);
  co_return std::optional<SourcedPolicy>(std::move(out));
}

template <class T>
Task<Result<Unit>> add(IamState& state, T entity, std::vector<SourcedPolicy>* out) {
  for (const auto& [name, document] : entity.inline_policies)
    out->push_back({owner_of<T>(), name, "", entity.name, document});
  for (const auto& arn : entity.attached) {
    CO_TRY_ASSIGN(auto policy, co_await managed(state, arn));
    if (policy) out->push_back(std::move(*policy));
  }
  co_return Unit{};
}

template <class T>
Task<Result<PolicyHolder>> load(IamState& state, std::string partition, EntityArn arn,
                                std::string text) {
  CO_TRY_ASSIGN(auto loaded,
                co_await store::load<T>(state.records, partition, key_of<T>(arn.name)));
  if (!loaded || loaded->value.arn != text) co_return fail(no_such<T>(arn.name));
  const T& entity = loaded->value;
  PolicyHolder holder;
  holder.arn = std::move(arn);
  holder.id = entity.id;
  holder.name = entity.name;
  holder.path = entity.path;
  if constexpr (requires { entity.tags; }) holder.tags = entity.tags;
  if constexpr (requires { entity.members; }) holder.members = entity.members;
  CO_TRY(co_await add(state, entity, &holder.policies));
  if constexpr (requires { entity.groups; }) {
    for (const auto& id : entity.groups) {
      CO_TRY_ASSIGN(const auto row, co_await state.records.get(partition, group_id_row(id)));
      if (!row) continue;
      CO_TRY_ASSIGN(auto group, co_await store::load<GroupRecord>(state.records, partition,
                                                                  key_of<GroupRecord>(row->value)));
      if (group) CO_TRY(co_await add(state, std::move(group->value), &holder.policies));
    }
  }
  if constexpr (requires { entity.boundary; })
    if (!entity.boundary.empty()) {
      CO_TRY_ASSIGN(holder.boundary, co_await managed(state, entity.boundary));
    }
  co_return holder;
}

}  // namespace

Task<Result<PolicyHolder>> load_holder(IamState& state, std::string account, std::string arn) {
  auto parsed = parse_entity_arn(arn);
  const std::string partition = str(account, "/global");
  if (parsed && parsed->account == account) {
    if (parsed->kind == UserRecord::kKind)
      co_return co_await load<UserRecord>(state, partition, std::move(*parsed), arn);
    if (parsed->kind == GroupRecord::kKind)
      co_return co_await load<GroupRecord>(state, partition, std::move(*parsed), arn);
    if (parsed->kind == RoleRecord::kKind)
      co_return co_await load<RoleRecord>(state, partition, std::move(*parsed), arn);
  }
  co_return fail(invalid_input(
      str("Invalid Entity Arn: ", arn, " does not clearly define entity type and name.")));
}

bool grants_access(std::string_view document, std::string_view service_namespace) {
  const auto policy = aws::policy::parse_policy(document, aws::policy::Use::kIdentity);
  if (!policy) return false;
  const std::string all = str(service_namespace, ":*");
  const auto speaks = [&](const aws::Pattern& action) {
    const std::string_view start = action.literal();
    const auto colon = start.find(':');
    return colon == start.npos ? action.matches(all) : start.substr(0, colon) == service_namespace;
  };
  return std::ranges::any_of(policy->statements(), [&](const auto& statement) {
    if (!statement.allow) return false;
    // NotAction: all but what it lists, so the service is out only where all of it is listed.
    if (statement.not_action)
      return std::ranges::none_of(statement.actions,
                                  [&](const auto& action) { return action.matches(all); });
    return std::ranges::any_of(statement.actions, speaks);
  });
}

}  // namespace pileus::services::iam
