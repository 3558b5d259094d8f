// DeleteFunction: one version, or the function with all its versions and aliases.
#include "base/text.h"
#include "gen/lambda/DeleteFunction.h"
#include "services/lambda/impl.h"

namespace pileus::services::lambda {
namespace {

constexpr std::size_t kDeletedAtOnce = 400;  // records in one transaction

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

Task<Result<Unit>> LambdaService::Impl::delete_version(FunctionRef ref) {
  const std::string key = version_key(ref.name, parse_int(ref.qualifier).value_or(0));
  std::vector<std::string> aliases;
  store::ScanOptions page;
  for (;;) {
    CO_TRY_ASSIGN(auto found, co_await store::load_page<Alias>(given.records, ref.partition(),
                                                               alias_prefix(ref.name), page));
    if (found.empty()) break;
    page.after = found.back().key;
    for (const auto& entry : found)
      if (entry.value.function_version == ref.qualifier ||
          entry.value.weights.contains(ref.qualifier))
        aliases.push_back(entry.value.name);
  }
  if (!aliases.empty())
    co_return fail(
        conflict(str("Unable to delete version because the following aliases reference it: [",
                     joined(aliases), "]")));
  CO_TRY_ASSIGN(auto version,
                co_await store::load<Configuration>(given.records, ref.partition(), key));
  if (!version) co_return Unit{};  // deleted already, as in AWS
  store::Transaction removal;
  removal.remove(key);
  CO_TRY(co_await drop_provisioned(ref, ref.qualifier, std::move(removal)));
  co_return co_await code.release(version->value.code_id, code_user(ref, ref.qualifier));
}

// Versions and aliases first, the function's own record last: whatever is cut short can be
// repeated.
Task<Result<Unit>> LambdaService::Impl::delete_all(FunctionRef ref) {
  std::vector<std::pair<std::string, std::string>> released;  // code, user
  for (const std::string& prefix : {alias_prefix(ref.name), version_prefix(ref.name)}) {
    for (;;) {
      store::ScanOptions page;
      page.limit = kDeletedAtOnce;
      CO_TRY_ASSIGN(auto found, co_await given.records.scan(ref.partition(), prefix, page));
      if (found.empty()) break;
      store::Transaction transaction;
      for (const auto& entry : found) {
        transaction.remove(entry.key);
        if (!prefix.starts_with(kVersionPrefix)) continue;
        CO_TRY_ASSIGN(const auto version, store::decode<Configuration>(entry.value));
        released.emplace_back(version.code_id, code_user(ref, version.version));
      }
      CO_TRY(co_await given.records.commit(ref.partition(), std::move(transaction)));
    }
  }
  CO_TRY_ASSIGN(const auto function, co_await load_function(ref));
  released.emplace_back(function.value.latest.code_id, code_user(ref, kLatest));
  CO_TRY(co_await remove_function(ref));
  CO_TRY(co_await engine.changed(ref));
  for (auto& [id, user] : released) CO_TRY(co_await code.release(id, user));
  co_return Unit{};
}

// The record, and what it claimed of the account's concurrency.
Task<Result<Unit>> LambdaService::Impl::remove_function(FunctionRef ref) {
  for (int attempt = 0; attempt < store::kUpdateAttempts; ++attempt) {
    CO_TRY(co_await store::pause_before_attempt(attempt));
    CO_TRY_ASSIGN(const auto function, co_await load_function(ref));
    CO_TRY_ASSIGN(const auto claims, co_await store::load<Claims>(given.records, ref.partition(),
                                                                  std::string(kClaimsKey)));
    const std::int64_t claim = claim_of(function.value.concurrency);
    store::Transaction transaction;
    transaction.expect(function_key(ref.name), function.revision).remove(function_key(ref.name));
    if (claim != 0 && claims)
      transaction.expect(std::string(kClaimsKey), claims->revision)
          .put(std::string(kClaimsKey), store::encode(Claims{claims->value.total - claim}));
    auto committed = co_await given.records.commit(ref.partition(), std::move(transaction));
    if (!committed && committed.error().is(errc::kConflict)) continue;
    if (!committed) co_return fail(std::move(committed).error());
    engine.account(ref.partition()).claimed -= claim;
    co_return Unit{};
  }
  co_return fail(conflict("The function is being changed by somebody else. Try again."));
}

Task<Result<Unit>> LambdaService::Impl::drop_provisioned(FunctionRef ref, std::string qualifier,
                                                         store::Transaction more) {
  std::function<Result<Unit>(Concurrency&, std::int64_t)> change =
      [&qualifier](Concurrency& concurrency, std::int64_t) -> Result<Unit> {
    concurrency.provisioned.erase(qualifier);
    return Unit{};
  };
  CO_TRY(co_await update_concurrency(std::move(ref), std::move(more), std::move(change)));
  co_return Unit{};
}

Task<Result<gen::lambda::DeleteFunctionOutput>> LambdaService::delete_function(
    aws::Context& context, gen::lambda::DeleteFunctionInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name, in.qualifier));
  CO_TRY(co_await context.authorize("lambda:DeleteFunction", ref.qualified_arn()));
  CO_TRY(co_await impl_->load_function(ref));
  gen::lambda::DeleteFunctionOutput out;
  out.status_code = 204;
  if (ref.qualifier.empty()) {
    CO_TRY(co_await impl_->delete_all(ref));
    co_return out;
  }
  if (ref.qualifier == kLatest)
    co_return fail(invalid("$LATEST version cannot be deleted without deleting the function."));
  if (!is_version(ref.qualifier))
    co_return fail(invalid("Deletion of aliases is not currently supported."));
  CO_TRY(co_await impl_->delete_version(ref));
  co_return out;
}

}  // namespace pileus::services::lambda
