#include "services/iam/edit.h"

#include "services/iam/aws_policies.h"

namespace pileus::services::iam {

bool knows_boundary(std::string_view action) {
  static constexpr std::string_view kActions[] = {"iam:AttachRolePolicy",
                                                  "iam:AttachUserPolicy",
                                                  "iam:DeleteRole",
                                                  "iam:DeleteRolePermissionsBoundary",
                                                  "iam:DeleteRolePolicy",
                                                  "iam:DeleteUserPermissionsBoundary",
                                                  "iam:DeleteUserPolicy",
                                                  "iam:DetachRolePolicy",
                                                  "iam:DetachUserPolicy",
                                                  "iam:GetRole",
                                                  "iam:PutRolePolicy",
                                                  "iam:PutUserPolicy",
                                                  "iam:UpdateAssumeRolePolicy",
                                                  "iam:UpdateRole",
                                                  "iam:UpdateRoleDescription"};
  return std::ranges::find(kActions, action) != std::end(kActions);
}

// Gives the items that the transaction changes.
std::vector<Edit::Item*> Edit::collect(store::Transaction& transaction) {
  std::vector<Item*> changed;
  for (auto& [key, item] : items_) {
    transaction.expect(key, item.revision);
    if (!item.value) continue;
    if (item.removed) {
      if (item.revision == 0) continue;
      transaction.remove(key);
      changed.push_back(&item);
      continue;
    }
    std::string text = item.encode(item.value.get());
    if (text == item.before) continue;
    transaction.put(key, std::move(text));
    changed.push_back(&item);
  }
  for (auto& [key, value] : rows_) {
    if (value)
      transaction.put(key, *value);
    else
      transaction.remove(key);
  }
  for (const auto& [key, revision] : rows_read_) transaction.expect(key, revision);
  return changed;
}

Task<Result<GroupRecord*>> Edit::find_group(std::string id) {
  CO_TRY_ASSIGN(auto row, co_await state_.records.get(context_.global_key(), group_id_row(id)));
  rows_read_[group_id_row(id)] = row ? row->revision : 0;
  if (!row) co_return static_cast<GroupRecord*>(nullptr);
  co_return co_await find<GroupRecord>(row->value);
}

Task<Result<PolicyRecord*>> Edit::find_policy(std::string arn) {
  const auto parsed = parse_entity_arn(arn);
  if (!parsed || parsed->kind != PolicyRecord::kKind)
    co_return fail(invalid_input(str("ARN ", arn, " is not valid.")));
  if (parsed->account != context_.account()) co_return static_cast<PolicyRecord*>(nullptr);
  CO_TRY_ASSIGN(PolicyRecord * policy, co_await find<PolicyRecord>(parsed->name));
  co_return policy && policy->arn == arn ? policy : nullptr;
}

Task<Result<PolicyRecord*>> Edit::open_policy(std::string action, std::string arn,
                                              aws::ConditionValues conditions) {
  auto policy = co_await find_policy(arn);
  if (policy && *policy) conditions.merge(conditions_of(**policy, action));
  CO_TRY(co_await context_.authorize(std::move(action), arn, std::move(conditions)));
  CO_TRY(policy);
  if (*policy) co_return *policy;
  if (find_aws_policy(arn))
    co_return fail(Error("AccessDenied", "Cannot perform operation on AWS managed policies.", 403));
  co_return fail(no_such_policy(arn));
}

Task<Result<Unit>> Edit::count_use(std::string arn, Usage usage, int change) {
  if (find_aws_policy(arn)) co_return Unit{};
  CO_TRY_ASSIGN(PolicyRecord * policy, co_await find_policy(arn));
  if (!policy) {
    co_return fail(no_such_entity(str(usage == Usage::kPolicy ? "Policy " : "Scope ARN: ", arn,
                                      " does not exist or is not attachable.")));
  }
  (usage == Usage::kPolicy ? policy->attachments : policy->boundaries) += change;
  co_return Unit{};
}

Task<Result<bool>> Edit::commit() {
  store::Transaction transaction;
  const auto changed = collect(transaction);
  if (transaction.writes.empty()) co_return true;
  if (transaction.writes.size() + transaction.expects.size() > store::Records::kMaxOperations)
    co_return fail(limit_exceeded("The change touches more records than one transaction holds."));
  auto committed = co_await state_.records.commit(context_.global_key(), std::move(transaction));
  const bool conflict = !committed && committed.error().is(errc::kConflict);
  // An error that is no conflict may come after the commit happened: the caches are dropped too.
  if (!conflict)
    for (const Item* item : changed)
      item->changed(state_, item->removed ? nullptr : item->value.get(), item->before);
  if (committed) co_return true;
  if (!conflict) co_return fail(std::move(committed).error());
  if (++attempt_ == store::kUpdateAttempts) co_return fail(concurrent_modification());
  items_.clear();
  rows_.clear();
  rows_read_.clear();
  CO_TRY(co_await store::pause_before_attempt(attempt_));
  co_return false;
}

}  // namespace pileus::services::iam
