#include "services/iam/uses.h"

#include "aws/access_key_id.h"
#include "services/iam/arns.h"
#include "store/typed.h"

namespace pileus::services::iam {

namespace {

// Some services sign under another name than their actions have.
std::string namespace_of(const std::string& signing_name) {
  return signing_name == "monitoring" ? "cloudwatch"
         : signing_name == "email"    ? "ses"
                                      : signing_name;
}

}  // namespace

void IamState::note_use(const std::string& row, const std::string& account,
                        const std::string& owner, LastUsedRecord use) {
  std::lock_guard lock(uses_mutex);
  const auto found = uses.find(row);
  if (found != uses.end())
    found->second.record = std::move(use);
  else if (uses.size() < kNotedUses)
    uses[row] = {account + "/global", owner, std::move(use)};
}

void IamService::used(const std::string& access_key_id, const std::string& service,
                      const std::string& region, Time when) {
  const auto account = aws::account_of_access_key(access_key_id);
  if (!account) return;
  state_->note_use(key_use_row(access_key_id), *account, access_key_row(access_key_id),
                   {when, service, region});
  const auto key = state_->keys.get(access_key_id, state_->real.monotonic());
  if (!key || !key->value || !key->value->active) return;
  const aws::Identity& user = *key->value->identity;
  state_->note_use(str(accesses_prefix(user.user_id), namespace_of(service)), *account,
                   key_of<UserRecord>(user.user_name), {when, service, region});
}

void IamService::role_used(const std::string& arn, const std::string& service,
                           const std::string& region, Time when) {
  const auto role = state_->roles.get(arn, state_->real.monotonic());
  if (!role || !role->value) return;
  const std::string owner = key_of<RoleRecord>(role->value->name);
  state_->note_use(role_use_row(role->value->id), role->value->account, owner, {when, "", region});
  state_->note_use(str(accesses_prefix(role->value->id), namespace_of(service)),
                   role->value->account, owner, {when, service, region});
}

void IamService::user_used(const std::string& arn, const std::string& service,
                           const std::string& region, Time when) {
  const auto user = state_->users.get(arn, state_->real.monotonic());
  if (!user || !user->value) return;
  state_->note_use(str(accesses_prefix(user->value->id), namespace_of(service)),
                   user->value->account, key_of<UserRecord>(user->value->name),
                   {when, service, region});
}

Task<Result<std::map<std::string, LastUsedRecord>>> accesses_of(IamState& state,
                                                                std::string partition,
                                                                std::string id) {
  const std::string prefix = accesses_prefix(id);
  std::map<std::string, LastUsedRecord> found;
  CO_TRY_ASSIGN(const auto rows, co_await store::load_page<LastUsedRecord>(
                                     state.records, partition, prefix, store::ScanOptions{}));
  for (const auto& row : rows) found[row.key.substr(prefix.size())] = row.value;
  std::lock_guard lock(state.uses_mutex);
  for (const auto& [row, use] : state.uses)
    if (row.starts_with(prefix) && use.partition == partition)
      found[row.substr(prefix.size())] = use.record;
  co_return found;
}

Task<Result<Unit>> drop_accesses(Edit& edit, std::string id) {
  CO_TRY_ASSIGN(const auto rows,
                co_await edit.state().records.scan(edit.context().global_key(), accesses_prefix(id),
                                                   store::ScanOptions{}));
  for (const auto& row : rows) edit.remove_row(row.key);
  co_return Unit{};
}

Task<Result<std::optional<LastUsedRecord>>> last_use(IamState& state, std::string partition,
                                                     std::string row) {
  {
    std::lock_guard lock(state.uses_mutex);
    if (const auto found = state.uses.find(row); found != state.uses.end())
      co_return std::optional<LastUsedRecord>(found->second.record);
  }
  CO_TRY_ASSIGN(auto loaded, co_await store::load<LastUsedRecord>(state.records, partition, row));
  if (!loaded) co_return std::optional<LastUsedRecord>();
  co_return std::optional<LastUsedRecord>(std::move(loaded->value));
}

Task<Result<Unit>> IamService::save_last_uses() {
  std::unordered_map<std::string, IamState::Use> uses;
  {
    std::lock_guard lock(state_->uses_mutex);
    uses = state_->uses;
  }
  for (const auto& [row, use] : uses) {
    // Only while the key or the role is still there: a row must not outlive it.
    CO_TRY_ASSIGN(const auto owner, co_await state_->records.get(use.partition, use.owner));
    if (owner && owner->value != kDeletedKey) {
      store::Transaction transaction;
      transaction.expect(use.owner, owner->revision).put(row, store::encode(use.record));
      const auto saved = co_await state_->records.commit(use.partition, std::move(transaction));
      if (!saved && saved.error().is(errc::kConflict)) continue;  // next time
      CO_TRY(saved);
    }
    std::lock_guard lock(state_->uses_mutex);
    const auto found = state_->uses.find(row);
    if (found != state_->uses.end() && found->second.record.when == use.record.when)
      state_->uses.erase(found);
  }
  co_return Unit{};
}

}  // namespace pileus::services::iam
