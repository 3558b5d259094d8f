// CreateAlias, GetAlias, UpdateAlias, DeleteAlias, ListAliases.
#include "gen/lambda/CreateAlias.h"
#include "gen/lambda/DeleteAlias.h"
#include "gen/lambda/GetAlias.h"
#include "gen/lambda/ListAliases.h"
#include "gen/lambda/UpdateAlias.h"
#include "services/lambda/impl.h"
#include "services/lambda/listing.h"
#include "services/lambda/settings.h"

namespace pileus::services::lambda {
namespace {

constexpr int kMostListed = 10'000;

Result<Unit> check_weights(const Alias& alias) {
  if (alias.weights.empty()) return Unit{};
  if (alias.weights.size() > 1)
    return fail(
        invalid("Number of items in AdditionalVersionWeights cannot be greater than 1. Update the "
                "RoutingConfig and try again."));
  if (alias.function_version == kLatest || alias.weights.contains(std::string(kLatest)))
    return fail(invalid("$LATEST is not supported for an alias pointing to more than 1 version"));
  for (const auto& [version, weight] : alias.weights) {
    if (!is_version(version)) return fail(invalid(str("'", version, "' is not a version number.")));
    if (version == alias.function_version)
      return fail(invalid(str("Invalid function version ", version, ". Function version ", version,
                              " is already included in routing configuration.")));
    if (!(weight >= 0 && weight <= 1))
      return fail(invalid("The weight of a version must be between 0.0 and 1.0."));
  }
  return Unit{};
}

std::map<std::string, double> weights_of(const gen::lambda::AliasRoutingConfiguration& routing) {
  return routing.additional_version_weights.value_or(std::map<std::string, double>());
}

// Expects, in the transaction, that every version the alias names still exists when it is saved.
Task<Result<Unit>> expect_versions(store::Records& records, FunctionRef ref, const Alias& alias,
                                   store::Transaction& transaction) {
  std::vector<std::string> versions = {alias.function_version};
  for (const auto& [version, weight] : alias.weights) versions.push_back(version);
  for (const auto& version : versions) {
    const std::string key = version == kLatest
                                ? function_key(ref.name)
                                : version_key(ref.name, parse_int(version).value_or(0));
    CO_TRY_ASSIGN(const auto entry, co_await records.get(ref.partition(), key));
    FunctionRef named = ref;
    named.qualifier = version;
    if (!entry) co_return fail(no_function(named));
    transaction.expect(key, entry->revision);
  }
  co_return Unit{};
}

}  // namespace

Task<Result<gen::lambda::CreateAliasOutput>> LambdaService::create_alias(
    aws::Context& context, gen::lambda::CreateAliasInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name));
  CO_TRY(co_await impl_->authorize(context, ref.unqualified(), "lambda:CreateAlias"));
  CO_TRY(co_await impl_->load_function(ref));
  Alias alias;
  alias.name = in.name;
  alias.function_version = in.function_version;
  alias.description = in.description.value_or("");
  if (in.routing_config) alias.weights = weights_of(*in.routing_config);
  alias.revision_id = uuid(impl_->given.random);
  CO_TRY(check_weights(alias));
  const std::string key = alias_key(ref.name, alias.name);
  for (int attempt = 0; attempt < store::kUpdateAttempts; ++attempt) {
    CO_TRY(co_await store::pause_before_attempt(attempt));
    store::Transaction transaction;
    CO_TRY(co_await expect_versions(impl_->given.records, ref, alias, transaction));
    CO_TRY_ASSIGN(const auto existing, co_await impl_->given.records.get(ref.partition(), key));
    if (existing)
      co_return fail(conflict(str("Alias already exists: ", ref.arn(), ":", alias.name)));
    transaction.expect(key, 0).put(key, store::encode(alias));
    auto committed = co_await impl_->given.records.commit(ref.partition(), std::move(transaction));
    if (!committed && committed.error().is(errc::kConflict)) continue;
    if (!committed) co_return fail(std::move(committed).error());
    CO_TRY(co_await impl_->engine.changed(ref));
    co_return to_output(ref, alias);
  }
  co_return fail(conflict("The function is being changed by somebody else. Try again."));
}

Task<Result<gen::lambda::GetAliasOutput>> LambdaService::get_alias(aws::Context& context,
                                                                   gen::lambda::GetAliasInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name));
  CO_TRY(co_await impl_->authorize(context, ref.unqualified(), "lambda:GetAlias"));
  CO_TRY_ASSIGN(const auto alias, co_await store::load<Alias>(impl_->given.records, ref.partition(),
                                                              alias_key(ref.name, in.name)));
  if (!alias) co_return fail(no_alias(ref, in.name));
  co_return to_output(ref, alias->value);
}

Task<Result<gen::lambda::UpdateAliasOutput>> LambdaService::update_alias(
    aws::Context& context, gen::lambda::UpdateAliasInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name));
  CO_TRY(co_await impl_->authorize(context, ref.unqualified(), "lambda:UpdateAlias"));
  const std::string key = alias_key(ref.name, in.name);
  for (int attempt = 0; attempt < store::kUpdateAttempts; ++attempt) {
    CO_TRY(co_await store::pause_before_attempt(attempt));
    CO_TRY_ASSIGN(auto found,
                  co_await store::load<Alias>(impl_->given.records, ref.partition(), key));
    if (!found) co_return fail(no_alias(ref, in.name));
    Alias& alias = found->value;
    if (in.revision_id && *in.revision_id != alias.revision_id) co_return fail(stale_revision());
    if (in.function_version) alias.function_version = *in.function_version;
    if (in.description) alias.description = *in.description;
    if (in.routing_config) alias.weights = weights_of(*in.routing_config);
    alias.revision_id = uuid(impl_->given.random);
    CO_TRY(check_weights(alias));
    store::Transaction transaction;
    CO_TRY(co_await expect_versions(impl_->given.records, ref, alias, transaction));
    transaction.expect(key, found->revision).put(key, store::encode(alias));
    auto committed = co_await impl_->given.records.commit(ref.partition(), std::move(transaction));
    if (!committed && committed.error().is(errc::kConflict)) continue;
    if (!committed) co_return fail(std::move(committed).error());
    CO_TRY(co_await impl_->engine.changed(ref));
    co_return to_output(ref, alias);
  }
  co_return fail(conflict("The function is being changed by somebody else. Try again."));
}

// An alias that is not there is deleted already, as in AWS.
Task<Result<gen::lambda::DeleteAliasOutput>> LambdaService::delete_alias(
    aws::Context& context, gen::lambda::DeleteAliasInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name));
  CO_TRY(co_await impl_->authorize(context, ref.unqualified(), "lambda:DeleteAlias"));
  CO_TRY(co_await impl_->load_function(ref));
  store::Transaction transaction;
  transaction.remove(alias_key(ref.name, in.name)).remove(policy_key(ref.name, in.name));
  CO_TRY(co_await impl_->given.records.commit(ref.partition(), std::move(transaction)));
  CO_TRY(co_await impl_->engine.changed(ref));
  co_return gen::lambda::DeleteAliasOutput{};
}

Task<Result<gen::lambda::ListAliasesOutput>> LambdaService::list_aliases(
    aws::Context& context, gen::lambda::ListAliasesInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name));
  CO_TRY(co_await impl_->authorize(context, ref.unqualified(), "lambda:ListAliases"));
  CO_TRY(co_await impl_->load_function(ref));
  const auto most = static_cast<std::size_t>(std::min(in.max_items.value_or(50), kMostListed));
  const std::string prefix = alias_prefix(ref.name);
  store::ScanOptions page;
  CO_TRY_ASSIGN(page.after, key_of(in.marker, prefix));
  gen::lambda::ListAliasesOutput out;
  auto& aliases = out.aliases.emplace();
  for (;;) {
    CO_TRY_ASSIGN(auto found, co_await store::load_page<Alias>(impl_->given.records,
                                                               ref.partition(), prefix, page));
    if (found.empty()) co_return out;
    for (auto& entry : found) {
      const bool matches = !in.function_version ||
                           entry.value.function_version == *in.function_version ||
                           entry.value.weights.contains(*in.function_version);
      if (matches && aliases.size() == most) {
        out.next_marker = marker_of(page.after);
        co_return out;
      }
      page.after = entry.key;
      if (matches) aliases.push_back(to_output(ref, entry.value));
    }
  }
}

}  // namespace pileus::services::lambda
