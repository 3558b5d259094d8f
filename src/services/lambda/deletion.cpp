// DeleteFunction: one version, or the function with all its versions and aliases.
#include "base/text.h"
#include "gen/lambda/DeleteFunction.h"
#include "services/lambda/impl.h"

namespace pileus::services::lambda {
namespace {

constexpr std::size_t kDeletedAtOnce = 200;  // records in one transaction

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
  store::Transaction transaction;
  transaction.expect(key, version->revision)
      .remove(key)
      .remove(policy_key(ref.name, ref.qualifier));
  auto committed = co_await given.records.commit(ref.partition(), std::move(transaction));
  if (!committed && !committed.error().is(errc::kConflict))
    co_return fail(std::move(committed).error());
  CO_TRY(co_await engine.changed(ref));
  co_return co_await release_content(ref, std::move(version->value));
}

// Versions and aliases first, the function's own record last: whatever is cut short can be
// repeated.
Task<Result<Unit>> LambdaService::Impl::delete_all(FunctionRef ref) {
  std::vector<Configuration> released;
  for (const std::string& prefix : {alias_prefix(ref.name), version_prefix(ref.name)}) {
    for (;;) {
      store::ScanOptions page;
      page.limit = kDeletedAtOnce;
      CO_TRY_ASSIGN(auto found, co_await given.records.scan(ref.partition(), prefix, page));
      if (found.empty()) break;
      store::Transaction transaction;
      for (const auto& entry : found) {
        transaction.remove(entry.key);
        // The policy of what is gone: keys end with the alias, or with the number in ten digits.
        const std::string last = entry.key.substr(prefix.size());
        const bool version_too = prefix.starts_with(kVersionPrefix);
        transaction.remove(
            policy_key(ref.name, version_too ? std::to_string(parse_int(last).value_or(0)) : last));
        if (!version_too) continue;
        CO_TRY_ASSIGN(auto version, store::decode<Configuration>(entry.value));
        released.push_back(std::move(version));
      }
      CO_TRY(co_await given.records.commit(ref.partition(), std::move(transaction)));
    }
  }
  CO_TRY_ASSIGN(const auto function, co_await load_function(ref));
  released.push_back(function.value.latest);
  store::Transaction transaction;
  transaction.remove(function_key(ref.name)).remove(policy_key(ref.name, ""));
  CO_TRY(co_await given.records.commit(ref.partition(), std::move(transaction)));
  CO_TRY(co_await engine.changed(ref));
  for (auto& configuration : released)
    CO_TRY(co_await release_content(ref, std::move(configuration)));
  co_return Unit{};
}

Task<Result<gen::lambda::DeleteFunctionOutput>> LambdaService::delete_function(
    aws::Context& context, gen::lambda::DeleteFunctionInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name, in.qualifier));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:DeleteFunction"));
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
