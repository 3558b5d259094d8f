// CreateFunctionUrlConfig, GetFunctionUrlConfig, UpdateFunctionUrlConfig, DeleteFunctionUrlConfig,
// ListFunctionUrlConfigs.
#include <algorithm>

#include "base/text.h"
#include "gen/lambda/CreateFunctionUrlConfig.h"
#include "gen/lambda/DeleteFunctionUrlConfig.h"
#include "gen/lambda/GetFunctionUrlConfig.h"
#include "gen/lambda/ListFunctionUrlConfigs.h"
#include "gen/lambda/UpdateFunctionUrlConfig.h"
#include "services/lambda/impl.h"
#include "services/lambda/listing.h"

namespace pileus::services::lambda {
namespace {

constexpr int kMostListed = 50;

Error no_url() { return not_found("The resource you requested does not exist."); }

// A URL belongs to a function or an alias, never to a version.
Result<FunctionRef> parse_owner(const aws::Context& context, const std::string& name,
                                const std::optional<std::string>& qualifier) {
  TRY_ASSIGN(auto ref, parse_function(context, name, qualifier));
  if (is_version(ref.qualifier))
    return fail("ValidationException",
                str("1 validation error detected: Value '", ref.qualifier,
                    "' at 'qualifier' failed to satisfy constraint: Member must satisfy regular "
                    "expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)"));
  return ref;
}

std::optional<UrlCors> to_record(const std::optional<gen::lambda::Cors>& in) {
  if (!in) return std::nullopt;
  UrlCors out{in->allow_credentials, in->allow_headers,  in->allow_methods,
              in->allow_origins,     in->expose_headers, in->max_age};
  const bool empty = !out.allow_credentials && !out.allow_headers && !out.allow_methods &&
                     !out.allow_origins && !out.expose_headers && !out.max_age;
  return empty ? std::nullopt : std::optional(std::move(out));
}

std::optional<gen::lambda::Cors> to_shape(const std::optional<UrlCors>& in) {
  if (!in) return std::nullopt;
  return gen::lambda::Cors{in->allow_credentials, in->allow_headers,  in->allow_methods,
                           in->allow_origins,     in->expose_headers, in->max_age};
}

Result<Unit> check_cors(const std::optional<UrlCors>& cors) {
  if (!cors || !cors->allow_methods) return Unit{};
  for (const auto& method : *cors->allow_methods) {
    constexpr std::string_view known[] = {"GET", "PUT", "HEAD", "POST", "PATCH", "DELETE", "*"};
    if (std::find(std::begin(known), std::end(known), method) == std::end(known))
      return fail(invalid(str("'", method,
                              "' is not a method that Cors.AllowMethods may name: GET, PUT, HEAD, "
                              "POST, PATCH, DELETE or *.")));
  }
  return Unit{};
}

template <class Output>
Output shown(const std::string& base, const FunctionRef& ref, const FunctionUrl& url) {
  Output out;
  out.function_url = base;
  out.function_arn = ref.qualified_arn();
  out.auth_type = url.auth_type;
  out.cors = to_shape(url.cors);
  out.creation_time = iso8601(url.created);
  out.invoke_mode = url.invoke_mode;
  if constexpr (requires { out.last_modified_time; })
    out.last_modified_time = iso8601(url.modified);
  return out;
}

}  // namespace

// http://<id>.lambda-url.<region>.localhost:<port>/
std::string LambdaService::Impl::function_url(const aws::Context& context, const FunctionRef& ref,
                                              const FunctionUrl& url) {
  const auto colon = options.public_url.rfind(':');
  std::string port =
      public_port != 0 ? std::to_string(public_port.load()) : options.public_url.substr(colon + 1);
  return str(context.secure_transport ? "https://" : "http://", url.id, ".lambda-url.", ref.region,
             ".localhost:", port, "/");
}

void LambdaService::set_public_port(std::uint16_t port) { impl_->public_port = port; }

Task<Result<Unit>> LambdaService::Impl::authorize_url(aws::Context& context, std::string action,
                                                      FunctionRef ref,
                                                      std::optional<std::string> auth_type) {
  aws::Authorization ask;
  ask.action = "lambda:" + action;
  ask.resource = ref.qualified_arn();
  ask.resource_account = ref.account;
  if (auth_type) ask.conditions["lambda:FunctionUrlAuthType"] = {*auth_type};
  co_return co_await context.authorize(std::move(ask));
}

Task<Result<store::Versioned<FunctionUrl>>> LambdaService::Impl::load_url(FunctionRef ref) {
  CO_TRY_ASSIGN(auto found, co_await store::load<FunctionUrl>(given.records, ref.partition(),
                                                              url_key(ref.name, ref.qualifier)));
  if (!found) co_return fail(no_url());
  co_return std::move(*found);
}

Task<Result<gen::lambda::CreateFunctionUrlConfigOutput>> LambdaService::create_function_url_config(
    aws::Context& context, gen::lambda::CreateFunctionUrlConfigInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_owner(context, in.function_name, in.qualifier));
  CO_TRY(co_await impl_->authorize_url(context, "CreateFunctionUrlConfig", ref, in.auth_type));
  CO_TRY_ASSIGN(const auto function, co_await impl_->load_function(ref));
  CO_TRY(co_await impl_->load_configuration(ref));
  FunctionUrl url;
  url.id = make_url_id(impl_->given.random, ref.account);
  url.function = ref.name;
  url.qualifier = ref.qualifier;
  url.auth_type = in.auth_type;
  url.invoke_mode = in.invoke_mode.value_or("BUFFERED");
  url.cors = to_record(in.cors);
  CO_TRY(check_cors(url.cors));
  url.created = url.modified = context.now();
  store::Transaction transaction;
  transaction.expect(function_key(ref.name), function.revision)
      .expect(url_key(ref.name, ref.qualifier), 0)
      .put(url_key(ref.name, ref.qualifier), store::encode(url))
      .put(url_id_key(url.id), store::encode(UrlOwner{ref.name, ref.qualifier}));
  auto saved = co_await impl_->given.records.commit(ref.partition(), std::move(transaction));
  if (!saved && saved.error().is(errc::kConflict)) {
    if (auto existing = co_await impl_->load_url(ref); existing)
      co_return fail(conflict(
          str("Failed to create function url config for [functionArn = ", ref.qualified_arn(),
              "]. Error message:  FunctionUrlConfig exists for this Lambda function")));
    co_return fail(conflict("The function is being changed by somebody else. Try again."));
  }
  CO_TRY(std::move(saved));
  co_return shown<gen::lambda::CreateFunctionUrlConfigOutput>(
      impl_->function_url(context, ref, url), ref, url);
}

Task<Result<gen::lambda::GetFunctionUrlConfigOutput>> LambdaService::get_function_url_config(
    aws::Context& context, gen::lambda::GetFunctionUrlConfigInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_owner(context, in.function_name, in.qualifier));
  CO_TRY(co_await impl_->authorize_url(context, "GetFunctionUrlConfig", ref, std::nullopt));
  CO_TRY_ASSIGN(const auto url, co_await impl_->load_url(ref));
  co_return shown<gen::lambda::GetFunctionUrlConfigOutput>(
      impl_->function_url(context, ref, url.value), ref, url.value);
}

Task<Result<gen::lambda::UpdateFunctionUrlConfigOutput>> LambdaService::update_function_url_config(
    aws::Context& context, gen::lambda::UpdateFunctionUrlConfigInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_owner(context, in.function_name, in.qualifier));
  CO_TRY(co_await impl_->authorize_url(context, "UpdateFunctionUrlConfig", ref, in.auth_type));
  const auto cors = to_record(in.cors);
  CO_TRY(check_cors(cors));
  std::function<Result<Unit>(std::optional<FunctionUrl>&)> change =
      [&](std::optional<FunctionUrl>& url) -> Result<Unit> {
    if (!url) return fail(no_url());
    if (in.auth_type) url->auth_type = *in.auth_type;
    if (in.invoke_mode) url->invoke_mode = *in.invoke_mode;
    if (in.cors) url->cors = cors;
    url->modified = context.now();
    return Unit{};
  };
  CO_TRY_ASSIGN(auto saved,
                co_await store::update<FunctionUrl>(impl_->given.records, ref.partition(),
                                                    url_key(ref.name, ref.qualifier), change));
  const FunctionUrl& url = saved->value;
  impl_->urls.forget(url.id);
  co_return shown<gen::lambda::UpdateFunctionUrlConfigOutput>(
      impl_->function_url(context, ref, url), ref, url);
}

Task<Result<gen::lambda::DeleteFunctionUrlConfigOutput>> LambdaService::delete_function_url_config(
    aws::Context& context, gen::lambda::DeleteFunctionUrlConfigInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_owner(context, in.function_name, in.qualifier));
  CO_TRY(co_await impl_->authorize_url(context, "DeleteFunctionUrlConfig", ref, std::nullopt));
  CO_TRY_ASSIGN(const auto url, co_await impl_->load_url(ref));
  store::Transaction transaction;
  transaction.expect(url_key(ref.name, ref.qualifier), url.revision)
      .remove(url_key(ref.name, ref.qualifier))
      .remove(url_id_key(url.value.id));
  auto removed = co_await impl_->given.records.commit(ref.partition(), std::move(transaction));
  if (!removed && removed.error().is(errc::kConflict))
    co_return fail(conflict("The function URL is being changed by somebody else. Try again."));
  CO_TRY(std::move(removed));
  impl_->urls.forget(url.value.id);
  co_return gen::lambda::DeleteFunctionUrlConfigOutput{};
}

Task<Result<gen::lambda::ListFunctionUrlConfigsOutput>> LambdaService::list_function_url_configs(
    aws::Context& context, gen::lambda::ListFunctionUrlConfigsInput in) {
  CO_TRY_ASSIGN(FunctionRef ref, parse_owner(context, in.function_name, std::nullopt));
  ref.qualifier.clear();
  CO_TRY(co_await impl_->authorize_url(context, "ListFunctionUrlConfigs", ref, std::nullopt));
  CO_TRY(co_await impl_->load_function(ref));
  const auto most =
      static_cast<std::size_t>(std::min(in.max_items.value_or(kMostListed), kMostListed));
  store::ScanOptions page;
  page.limit = most + 1;
  CO_TRY_ASSIGN(page.after, key_of(in.marker, url_prefix(ref.name)));
  CO_TRY_ASSIGN(auto found, co_await store::load_page<FunctionUrl>(
                                impl_->given.records, ref.partition(), url_prefix(ref.name), page));
  gen::lambda::ListFunctionUrlConfigsOutput out;
  if (found.size() > most) {
    found.resize(most);
    out.next_marker = marker_of(found.back().key);
  }
  for (const auto& entry : found) {
    ref.qualifier = entry.value.qualifier;
    out.function_url_configs.push_back(shown<gen::lambda::FunctionUrlConfig>(
        impl_->function_url(context, ref, entry.value), ref, entry.value));
  }
  co_return out;
}

}  // namespace pileus::services::lambda
