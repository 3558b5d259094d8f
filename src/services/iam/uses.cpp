#include "services/iam/uses.h"

#include "aws/access_key_id.h"
#include "services/iam/arns.h"
#include "store/typed.h"

namespace pileus::services::iam {

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
  if (const auto account = aws::account_of_access_key(access_key_id))
    state_->note_use(key_use_row(access_key_id), *account, access_key_row(access_key_id),
                     {when, service, region});
}

void IamService::role_used(const std::string& arn, const std::string& region, Time when) {
  const auto role = state_->roles.get(arn, state_->real.monotonic());
  if (role && role->value)
    state_->note_use(role_use_row(role->value->id), role->value->account,
                     key_of<RoleRecord>(role->value->name), {when, "", region});
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
