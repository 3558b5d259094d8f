// PutFunctionEventInvokeConfig, UpdateFunctionEventInvokeConfig, GetFunctionEventInvokeConfig,
// DeleteFunctionEventInvokeConfig, ListFunctionEventInvokeConfigs.
#include <algorithm>

#include "base/text.h"
#include "gen/lambda/DeleteFunctionEventInvokeConfig.h"
#include "gen/lambda/GetFunctionEventInvokeConfig.h"
#include "gen/lambda/ListFunctionEventInvokeConfigs.h"
#include "gen/lambda/PutFunctionEventInvokeConfig.h"
#include "gen/lambda/UpdateFunctionEventInvokeConfig.h"
#include "services/lambda/async_records.h"
#include "services/lambda/impl.h"
#include "services/lambda/listing.h"

namespace pileus::services::lambda {
namespace {

constexpr int kMostListed = 50;

std::string config_arn(const FunctionRef& ref, std::string_view qualifier) {
  return str(ref.arn(), ":", qualifier.empty() ? kLatest : qualifier);
}

Error no_config(const FunctionRef& ref) {
  return not_found(
      str("The function ", config_arn(ref, ref.qualifier), " doesn't have an EventInvokeConfig"));
}

std::string destination_of(const auto& side) {
  return side ? side->destination.value_or("") : std::string();
}

template <class Output>
Output shown(const FunctionRef& ref, const EventInvokeConfig& config) {
  Output out;
  out.last_modified = config.modified;
  out.function_arn = config_arn(ref, config.qualifier);
  out.maximum_retry_attempts = config.max_retries;
  out.maximum_event_age_in_seconds = config.max_age_s;
  auto& destinations = out.destination_config.emplace();
  auto& success = destinations.on_success.emplace();
  auto& failure = destinations.on_failure.emplace();
  if (!config.on_success.empty()) success.destination = config.on_success;
  if (!config.on_failure.empty()) failure.destination = config.on_failure;
  return out;
}

// Sets what the request names.
template <class Input>
void apply_config(const Input& in, EventInvokeConfig& config) {
  if (in.maximum_retry_attempts) config.max_retries = in.maximum_retry_attempts;
  if (in.maximum_event_age_in_seconds) config.max_age_s = in.maximum_event_age_in_seconds;
  if (!in.destination_config) return;
  if (in.destination_config->on_success)
    config.on_success = destination_of(in.destination_config->on_success);
  if (in.destination_config->on_failure)
    config.on_failure = destination_of(in.destination_config->on_failure);
}

template <class Input>
Result<Unit> check_given(const Input& in) {
  if (in.maximum_retry_attempts || in.maximum_event_age_in_seconds || in.destination_config)
    return Unit{};
  return fail(invalid("You must specify at least one of error handling or destination setting."));
}

}  // namespace

// A destination that is built, exists, is not the function itself, and that its role may use.
Task<Result<Unit>> LambdaService::Impl::check_destination(FunctionRef ref, std::string arn) {
  if (arn.empty()) co_return Unit{};
  const auto parts = split(arn, ':');
  Destination* kind = destinations.find(arn);
  if (!kind) {
    const auto service = parts.size() > 2 ? parts[2] : std::string_view();
    constexpr std::string_view later[] = {"sqs", "sns", "events", "s3"};
    if (std::find(std::begin(later), std::end(later), service) != std::end(later))
      co_return fail(
          invalid(str("Destinations of the service ", service,
                      " are not built yet; the ARN of a Lambda function works. Given: ", arn)));
    co_return fail(invalid(str("The destination ARN ", arn, " is invalid.")));
  }
  CO_TRY(co_await kind->check(arn));
  if (parts[3] != ref.region)
    co_return fail(
        invalid(str("The destination ", arn, " is in another region than the function.")));
  if (arn == ref.arn() || arn.starts_with(ref.arn() + ":"))
    co_return fail(invalid("You can't specify the function as a destination for itself."));
  CO_TRY_ASSIGN(const auto configuration, co_await load_configuration(ref));
  CO_TRY_ASSIGN(auto sender, co_await events.sender(ref, configuration.role));
  aws::Authorization ask;
  ask.action = std::string(kind->action());
  ask.resource = arn;
  const std::string account = sender->account;
  aws::Context as_role(given.door.authorizer(), std::move(sender), account, ref.region,
                       uuid(given.random), given.clock.now());
  if (auto allowed = co_await as_role.authorize(std::move(ask)); !allowed)
    co_return fail(invalid(str("The function execution role does not have permissions to call ",
                               kind->action().substr(kind->action().find(':') + 1), " on ", arn)));
  if (parts[2] == "lambda") {
    FunctionRef target{"aws", std::string(parts[4]), ref.region, std::string(parts[6]),
                       parts.size() > 7 ? std::string(parts[7]) : ""};
    if (auto exists = co_await engine.check(std::move(target)); !exists)
      co_return fail(invalid(str("The destination ARN ", arn, " is invalid.")));
  }
  co_return Unit{};
}

Task<Result<Unit>> LambdaService::Impl::save_event_config(FunctionRef ref,
                                                          EventInvokeConfig config) {
  CO_TRY(co_await check_destination(ref, config.on_success));
  CO_TRY(co_await check_destination(ref, config.on_failure));
  CO_TRY_ASSIGN(const auto function, co_await load_function(ref));
  store::Transaction transaction;
  transaction.expect(function_key(ref.name), function.revision)
      .put(event_config_key(ref.name, ref.qualifier), store::encode(config));
  auto saved = co_await given.records.commit(ref.partition(), std::move(transaction));
  if (!saved && saved.error().is(errc::kConflict))
    co_return fail(conflict("The function is being changed by somebody else. Try again."));
  CO_TRY(std::move(saved));
  co_return Unit{};
}

Task<Result<store::Versioned<EventInvokeConfig>>> LambdaService::Impl::load_event_config(
    FunctionRef ref) {
  CO_TRY_ASSIGN(auto found,
                co_await store::load<EventInvokeConfig>(given.records, ref.partition(),
                                                        event_config_key(ref.name, ref.qualifier)));
  if (!found) co_return fail(no_config(ref));
  co_return std::move(*found);
}

Task<Result<gen::lambda::PutFunctionEventInvokeConfigOutput>>
LambdaService::put_function_event_invoke_config(aws::Context& context,
                                                gen::lambda::PutFunctionEventInvokeConfigInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name, in.qualifier));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:PutFunctionEventInvokeConfig"));
  CO_TRY(co_await impl_->load_configuration(ref));
  CO_TRY(check_given(in));
  EventInvokeConfig config;
  config.qualifier = ref.qualifier.empty() ? std::string(kLatest) : ref.qualifier;
  config.modified = context.now();
  apply_config(in, config);
  CO_TRY(co_await impl_->save_event_config(ref, config));
  co_return shown<gen::lambda::PutFunctionEventInvokeConfigOutput>(ref, config);
}

Task<Result<gen::lambda::UpdateFunctionEventInvokeConfigOutput>>
LambdaService::update_function_event_invoke_config(
    aws::Context& context, gen::lambda::UpdateFunctionEventInvokeConfigInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name, in.qualifier));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:UpdateFunctionEventInvokeConfig"));
  CO_TRY(co_await impl_->load_configuration(ref));
  CO_TRY(check_given(in));
  CO_TRY_ASSIGN(auto config, co_await impl_->load_event_config(ref));
  apply_config(in, config.value);
  config.value.modified = context.now();
  CO_TRY(co_await impl_->save_event_config(ref, config.value));
  co_return shown<gen::lambda::UpdateFunctionEventInvokeConfigOutput>(ref, config.value);
}

Task<Result<gen::lambda::GetFunctionEventInvokeConfigOutput>>
LambdaService::get_function_event_invoke_config(aws::Context& context,
                                                gen::lambda::GetFunctionEventInvokeConfigInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name, in.qualifier));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:GetFunctionEventInvokeConfig"));
  CO_TRY_ASSIGN(const auto config, co_await impl_->load_event_config(ref));
  co_return shown<gen::lambda::GetFunctionEventInvokeConfigOutput>(ref, config.value);
}

Task<Result<gen::lambda::DeleteFunctionEventInvokeConfigOutput>>
LambdaService::delete_function_event_invoke_config(
    aws::Context& context, gen::lambda::DeleteFunctionEventInvokeConfigInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name, in.qualifier));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:DeleteFunctionEventInvokeConfig"));
  CO_TRY(co_await impl_->load_event_config(ref));
  store::Transaction transaction;
  transaction.remove(event_config_key(ref.name, ref.qualifier));
  CO_TRY(co_await impl_->given.records.commit(ref.partition(), std::move(transaction)));
  co_return gen::lambda::DeleteFunctionEventInvokeConfigOutput{};
}

Task<Result<gen::lambda::ListFunctionEventInvokeConfigsOutput>>
LambdaService::list_function_event_invoke_configs(
    aws::Context& context, gen::lambda::ListFunctionEventInvokeConfigsInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:ListFunctionEventInvokeConfigs"));
  CO_TRY(co_await impl_->load_function(ref));
  const auto most =
      static_cast<std::size_t>(std::min(in.max_items.value_or(kMostListed), kMostListed));
  const std::string prefix = event_config_prefix(ref.name);
  store::ScanOptions page;
  page.limit = most + 1;
  CO_TRY_ASSIGN(page.after, key_of(in.marker, prefix));
  CO_TRY_ASSIGN(auto found, co_await store::load_page<EventInvokeConfig>(
                                impl_->given.records, ref.partition(), prefix, page));
  gen::lambda::ListFunctionEventInvokeConfigsOutput out;
  auto& configs = out.function_event_invoke_configs.emplace();
  if (found.size() > most) {
    found.resize(most);
    out.next_marker = marker_of(found.back().key);
  }
  for (const auto& entry : found)
    configs.push_back(shown<gen::lambda::FunctionEventInvokeConfig>(ref, entry.value));
  co_return out;
}

}  // namespace pileus::services::lambda
