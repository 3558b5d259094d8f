// What the two kinds of identity providers share: they are found by ARN, tagged and listed alike.
#pragma once

#include "aws/arn.h"
#include "services/iam/edit.h"
#include "services/iam/limits.h"
#include "services/iam/shapes.h"

namespace pileus::services::iam {

// How the ARN of a provider begins: "oidc-provider/" or "saml-provider/".
template <class T>
constexpr std::string_view provider_kind() {
  if constexpr (std::is_same_v<T, OidcProviderRecord>)
    return "oidc-provider/";
  else
    return "saml-provider/";
}

template <class T>
std::string provider_arn(const aws::Context& context, std::string_view name) {
  return str("arn:", context.partition(), ":iam::", context.account(), ":", provider_kind<T>(),
             name);
}

template <class T>
Error no_such_provider(std::string_view arn) {
  if constexpr (std::is_same_v<T, OidcProviderRecord>)
    return no_such_entity(str("OpenIDConnect Provider not found for arn ", arn));
  else
    return no_such_entity(str("Manifest not found for arn ", arn));
}

// The name of a provider of that kind; InvalidInput where the text is no such ARN.
template <class T>
Result<std::string> provider_name(std::string_view text) {
  const auto arn = aws::parse_arn(text);
  constexpr std::string_view kKind = provider_kind<T>();
  if (!arn || arn->service != "iam" || !arn->region.empty() || !arn->resource.starts_with(kKind) ||
      arn->resource.size() == kKind.size())
    return fail(invalid_input(str("Invalid ARN: ", text)));
  return arn->resource.substr(kKind.size());
}

// Authorizes `action` on the provider; nullptr where there is none.
template <class T>
Task<Result<T*>> find_provider(Edit& edit, std::string action, std::string arn,
                               aws::ConditionValues conditions = {}) {
  CO_TRY_ASSIGN(std::string name, provider_name<T>(arn));
  T* provider = nullptr;
  if (aws::account_of_arn(arn) == edit.context().account()) {
    CO_TRY_ASSIGN(provider, co_await edit.find<T>(std::move(name)));
    if (provider && provider->arn != arn) provider = nullptr;
  }
  if (provider) conditions.merge(conditions_of(*provider, action));
  CO_TRY(
      co_await edit.context().authorize(std::move(action), std::move(arn), std::move(conditions)));
  co_return provider;
}
// The same; NoSuchEntity where there is none.
template <class T>
Task<Result<T*>> open_provider(Edit& edit, std::string action, std::string arn,
                               aws::ConditionValues conditions = {}) {
  CO_TRY_ASSIGN(T * provider,
                co_await find_provider<T>(edit, std::move(action), arn, std::move(conditions)));
  if (!provider) co_return fail(no_such_provider<T>(arn));
  co_return provider;
}

// All providers of the account; AWS answers them in one list.
template <class T>
Task<Result<std::vector<T>>> all_providers(store::Records& records, std::string partition) {
  std::vector<T> all;
  store::ScanOptions options;
  for (;;) {
    CO_TRY_ASSIGN(auto page,
                  co_await store::load_page<T>(records, partition, prefix_of<T>(), options));
    for (auto& item : page) all.push_back(std::move(item.value));
    if (page.size() < options.limit) co_return all;
    options.after = page.back().key;
  }
}

template <class T, class Output>
Task<Result<Output>> tag_provider(IamState& state, aws::Context& context, std::string action,
                                  std::string arn, std::vector<gen::iam::Tag> tags) {
  CO_TRY_ASSIGN(const Tags added, tags_of(std::move(tags)));
  for (Edit edit(state, context);;) {
    CO_TRY_ASSIGN(T * provider,
                  co_await open_provider<T>(edit, action, arn, request_conditions(added)));
    CO_TRY(add_tags(provider->tags, added));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return Output{};
  }
}

template <class T, class Output>
Task<Result<Output>> untag_provider(IamState& state, aws::Context& context, std::string action,
                                    std::string arn, std::vector<std::string> keys) {
  for (Edit edit(state, context);;) {
    CO_TRY_ASSIGN(T * provider,
                  co_await open_provider<T>(edit, action, arn, tag_key_conditions(keys)));
    remove_tags(provider->tags, keys);
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return Output{};
  }
}

template <class T, class Output, class Input>
Task<Result<Output>> list_provider_tags(IamState& state, aws::Context& context, std::string action,
                                        std::string arn, Input in) {
  Edit edit(state, context);
  CO_TRY_ASSIGN(T * provider, co_await open_provider<T>(edit, std::move(action), std::move(arn)));
  std::set<std::string> keys;
  for (const auto& [key, value] : provider->tags) keys.insert(key);
  CO_TRY_ASSIGN(const auto page, page_of(keys, in));
  Output output;
  tell_page(page, output);
  for (const auto& key : page.items) output.tags.push_back({key, provider->tags.at(key)});
  co_return output;
}

}  // namespace pileus::services::iam
