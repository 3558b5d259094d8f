#include "services/iam/account_aliases.h"

#include "gen/iam/CreateAccountAlias.h"
#include "gen/iam/DeleteAccountAlias.h"
#include "gen/iam/ListAccountAliases.h"
#include "services/iam/shapes.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

// The claim and the account's own row are in two partitions: a claim counts only while the account
// it names has that alias, so one that a crash left behind is free again.
Task<Result<bool>> is_taken(IamState& state, std::string alias, store::Revision& claim) {
  CO_TRY_ASSIGN(const auto found,
                co_await state.records.get(std::string(kAliasClaims), alias_claim(alias)));
  claim = found ? found->revision : 0;
  if (!found) co_return false;
  CO_TRY_ASSIGN(const auto row,
                co_await state.records.get(str(found->value, "/global"), std::string(kAliasRow)));
  co_return row && row->value == alias;
}

Task<Result<Unit>> drop_claim(IamState& state, std::string alias, std::string account) {
  const std::string partition(kAliasClaims);
  CO_TRY_ASSIGN(const auto found, co_await state.records.get(partition, alias_claim(alias)));
  if (!found || found->value != account) co_return Unit{};
  store::Transaction transaction;
  transaction.expect(found->key, found->revision).remove(found->key);
  const auto dropped = co_await state.records.commit(partition, std::move(transaction));
  if (!dropped && !dropped.error().is(errc::kConflict)) co_return fail(dropped.error());
  co_return Unit{};
}

}  // namespace

Task<Result<CreateAccountAliasOutput>> IamService::create_account_alias(
    aws::Context& context, CreateAccountAliasInput in) {
  CO_TRY(co_await context.authorize("iam:CreateAccountAlias", "*"));
  const std::string& alias = in.account_alias;
  store::Revision claim = 0;
  CO_TRY_ASSIGN(const bool taken, co_await is_taken(*state_, alias, claim));
  if (taken)
    co_return fail("EntityAlreadyExists", str("The account alias ", alias, " already exists."),
                   409);
  CO_TRY_ASSIGN(const auto before,
                co_await state_->records.get(context.global_key(), std::string(kAliasRow)));
  store::Transaction claiming;
  claiming.expect(alias_claim(alias), claim).put(alias_claim(alias), context.account());
  const auto claimed =
      co_await state_->records.commit(std::string(kAliasClaims), std::move(claiming));
  if (!claimed && claimed.error().is(errc::kConflict)) co_return fail(concurrent_modification());
  CO_TRY(claimed);
  store::Transaction transaction;
  transaction.put(std::string(kAliasRow), alias);
  CO_TRY(co_await state_->records.commit(context.global_key(), std::move(transaction)));
  if (before && before->value != alias)
    CO_TRY(co_await drop_claim(*state_, before->value, context.account()));
  co_return CreateAccountAliasOutput{};
}

Task<Result<DeleteAccountAliasOutput>> IamService::delete_account_alias(
    aws::Context& context, DeleteAccountAliasInput in) {
  CO_TRY(co_await context.authorize("iam:DeleteAccountAlias", "*"));
  CO_TRY_ASSIGN(const auto row,
                co_await state_->records.get(context.global_key(), std::string(kAliasRow)));
  if (!row || row->value != in.account_alias)
    co_return fail(
        no_such_entity(str("The account alias ", in.account_alias, " cannot be found.")));
  store::Transaction transaction;
  transaction.expect(row->key, row->revision).remove(row->key);
  const auto removed =
      co_await state_->records.commit(context.global_key(), std::move(transaction));
  if (!removed && removed.error().is(errc::kConflict)) co_return fail(concurrent_modification());
  CO_TRY(removed);
  CO_TRY(co_await drop_claim(*state_, in.account_alias, context.account()));
  co_return DeleteAccountAliasOutput{};
}

Task<Result<ListAccountAliasesOutput>> IamService::list_account_aliases(
    aws::Context& context, ListAccountAliasesInput in) {
  CO_TRY(co_await context.authorize("iam:ListAccountAliases", "*"));
  CO_TRY_ASSIGN(const auto row,
                co_await state_->records.get(context.global_key(), std::string(kAliasRow)));
  std::set<std::string> aliases;
  if (row) aliases.insert(row->value);
  CO_TRY_ASSIGN(auto page, page_of(aliases, in));
  ListAccountAliasesOutput output;
  tell_page(page, output);
  output.account_aliases = std::move(page.items);
  co_return output;
}

}  // namespace pileus::services::iam
