// Put…, Get…, List…, DeleteProvisionedConcurrencyConfig. The environments themselves are the
// dispatchers' (dispatcher.h): here is what was asked for, and how far it has come.
#include <algorithm>

#include "base/text.h"
#include "gen/lambda/DeleteProvisionedConcurrencyConfig.h"
#include "gen/lambda/GetProvisionedConcurrencyConfig.h"
#include "gen/lambda/ListProvisionedConcurrencyConfigs.h"
#include "gen/lambda/PutProvisionedConcurrencyConfig.h"
#include "services/lambda/impl.h"
#include "services/lambda/listing.h"
#include "services/lambda/settings.h"

namespace pileus::services::lambda {
namespace {

constexpr int kMostListed = 50;

Error no_config() {
  return Error("ProvisionedConcurrencyConfigNotFoundException",
               "No Provisioned Concurrency Config found for this function", 404)
      .with("Type", "User");
}

Error unpublished() {
  return invalid(
      "Provisioned Concurrency Configs cannot be applied to unpublished function versions.");
}

struct Progress {
  int allocated = 0, available = 0;
  std::string status = "IN_PROGRESS", reason;
};

// One configuration's part in what its versions have. A version may have others as well.
Progress progress_of(int requested, const Shares& shares, const ProvisionedStates& states) {
  Progress out;
  for (const auto& [version, part] : shares) {
    const auto found = states.find(version);
    if (found == states.end()) continue;
    const ProvisionedState& state = found->second;
    out.allocated += std::min(part, state.allocated);
    out.available += std::min(part, state.available);
    if (state.failed && state.allocated < state.target) out.reason = "FUNCTION_ERROR_INIT_FAILURE";
  }
  if (out.allocated >= requested)
    out.status = "READY";
  else if (!out.reason.empty())
    out.status = "FAILED";
  if (out.status == "READY") out.reason.clear();
  return out;
}

template <class Output>
Output to_output(const Provisioned& provisioned, const Progress& progress) {
  Output out;
  out.requested_provisioned_concurrent_executions = provisioned.requested;
  out.allocated_provisioned_concurrent_executions = progress.allocated;
  out.available_provisioned_concurrent_executions = progress.available;
  out.status = progress.status;
  if (!progress.reason.empty()) out.status_reason = progress.reason;
  out.last_modified = last_modified_text(provisioned.last_modified);
  return out;
}

// An alias or a published version.
Result<FunctionRef> parse_qualified(const aws::Context& context, const std::string& name,
                                    const std::string& qualifier) {
  TRY_ASSIGN(auto ref, parse_function(context, name, qualifier));
  if (ref.qualifier.empty() || ref.qualifier == kLatest) return fail(unpublished());
  return ref;
}

}  // namespace

// The versions that a configuration is spread over.
Task<Result<Shares>> LambdaService::Impl::shares(FunctionRef ref, int requested) {
  if (is_version(ref.qualifier)) co_return Shares{{ref.qualifier, requested}};
  CO_TRY_ASSIGN(const auto alias, co_await store::load<Alias>(given.records, ref.partition(),
                                                              alias_key(ref.name, ref.qualifier)));
  if (!alias) co_return fail(no_function(ref));
  co_return shares_of(requested, alias->value);
}

Task<Result<gen::lambda::PutProvisionedConcurrencyConfigOutput>>
LambdaService::put_provisioned_concurrency_config(
    aws::Context& context, gen::lambda::PutProvisionedConcurrencyConfigInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_qualified(context, in.function_name, in.qualifier));
  CO_TRY(co_await context.authorize("lambda:PutProvisionedConcurrencyConfig", ref.qualified_arn()));
  CO_TRY_ASSIGN(const auto configuration, co_await impl_->load_configuration(ref));
  if (configuration.version == kLatest) co_return fail(unpublished());
  if (!configuration.tenancy.empty())
    co_return fail(invalid(
        "Provisioned concurrency is not supported for functions with tenant isolation mode."));
  const int wanted = in.provisioned_concurrent_executions;
  const bool quotas = impl_->options.quotas == Quotas::kAws;
  const auto most = impl_->options.max_environments;
  Provisioned provisioned{wanted, context.now()};
  std::function<Result<Unit>(Concurrency&, std::int64_t)> change =
      [&](Concurrency& concurrency, std::int64_t others) -> Result<Unit> {
    concurrency.provisioned[ref.qualifier] = provisioned;
    if (static_cast<std::size_t>(provisioned_of(concurrency)) > most)
      return fail(invalid(str("This machine holds at most ", most,
                              " environments. Start Pileus with a higher --max-environments.")));
    return check_provisioned(concurrency, others, quotas);
  };
  CO_TRY(co_await impl_->update_concurrency(ref, {}, change));
  co_return to_output<gen::lambda::PutProvisionedConcurrencyConfigOutput>(provisioned, {});
}

Task<Result<gen::lambda::GetProvisionedConcurrencyConfigOutput>>
LambdaService::get_provisioned_concurrency_config(
    aws::Context& context, gen::lambda::GetProvisionedConcurrencyConfigInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_qualified(context, in.function_name, in.qualifier));
  CO_TRY(co_await context.authorize("lambda:GetProvisionedConcurrencyConfig", ref.qualified_arn()));
  CO_TRY(co_await impl_->load_configuration(ref));
  CO_TRY_ASSIGN(const auto function, co_await impl_->load_function(ref));
  const auto& all = function.value.concurrency.provisioned;
  const auto found = all.find(ref.qualifier);
  if (found == all.end()) co_return fail(no_config());
  const Provisioned provisioned = found->second;
  CO_TRY_ASSIGN(const auto shares, co_await impl_->shares(ref, provisioned.requested));
  CO_TRY_ASSIGN(const auto states, co_await impl_->engine.provisioned(ref));
  co_return to_output<gen::lambda::GetProvisionedConcurrencyConfigOutput>(
      provisioned, progress_of(provisioned.requested, shares, states));
}

Task<Result<gen::lambda::ListProvisionedConcurrencyConfigsOutput>>
LambdaService::list_provisioned_concurrency_configs(
    aws::Context& context, gen::lambda::ListProvisionedConcurrencyConfigsInput in) {
  CO_TRY_ASSIGN(FunctionRef ref, parse_function(context, in.function_name));
  ref.qualifier.clear();
  CO_TRY(co_await context.authorize("lambda:ListProvisionedConcurrencyConfigs", ref.arn()));
  CO_TRY_ASSIGN(const auto function, co_await impl_->load_function(ref));
  CO_TRY_ASSIGN(const auto states, co_await impl_->engine.provisioned(ref));
  CO_TRY_ASSIGN(const std::string after, key_of(in.marker, ""));
  const auto most = static_cast<std::size_t>(std::min(in.max_items.value_or(kMostListed), 50));
  gen::lambda::ListProvisionedConcurrencyConfigsOutput out;
  auto& list = out.provisioned_concurrency_configs.emplace();
  const auto& all = function.value.concurrency.provisioned;
  for (auto at = all.upper_bound(after); at != all.end(); ++at) {
    ref.qualifier = at->first;
    if (list.size() == most) {
      out.next_marker = marker_of(std::prev(at)->first);
      break;
    }
    auto shares = co_await impl_->shares(ref, at->second.requested);
    if (!shares && shares.error().is("ResourceNotFoundException")) continue;  // deleted just now
    if (!shares) co_return fail(std::move(shares).error());
    auto item = to_output<gen::lambda::ProvisionedConcurrencyConfigListItem>(
        at->second, progress_of(at->second.requested, *shares, states));
    item.function_arn = ref.qualified_arn();
    list.push_back(std::move(item));
  }
  co_return out;
}

// One that is not there is deleted already.
Task<Result<gen::lambda::DeleteProvisionedConcurrencyConfigOutput>>
LambdaService::delete_provisioned_concurrency_config(
    aws::Context& context, gen::lambda::DeleteProvisionedConcurrencyConfigInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_qualified(context, in.function_name, in.qualifier));
  CO_TRY(
      co_await context.authorize("lambda:DeleteProvisionedConcurrencyConfig", ref.qualified_arn()));
  CO_TRY(co_await impl_->load_configuration(ref));
  std::function<Result<Unit>(Concurrency&, std::int64_t)> change =
      [&ref](Concurrency& concurrency, std::int64_t) -> Result<Unit> {
    concurrency.provisioned.erase(ref.qualifier);
    return Unit{};
  };
  CO_TRY(co_await impl_->update_concurrency(ref, {}, change));
  co_return gen::lambda::DeleteProvisionedConcurrencyConfigOutput{};
}

}  // namespace pileus::services::lambda
