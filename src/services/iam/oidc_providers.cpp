#include "gen/iam/AddClientIDToOpenIDConnectProvider.h"
#include "gen/iam/CreateOpenIDConnectProvider.h"
#include "gen/iam/DeleteOpenIDConnectProvider.h"
#include "gen/iam/GetOpenIDConnectProvider.h"
#include "gen/iam/ListOpenIDConnectProviderTags.h"
#include "gen/iam/ListOpenIDConnectProviders.h"
#include "gen/iam/RemoveClientIDFromOpenIDConnectProvider.h"
#include "gen/iam/TagOpenIDConnectProvider.h"
#include "gen/iam/UntagOpenIDConnectProvider.h"
#include "gen/iam/UpdateOpenIDConnectProviderThumbprint.h"
#include "services/iam/provider_url.h"
#include "services/iam/providers.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

Result<std::vector<std::string>> thumbprints_of(const std::vector<std::string>& list) {
  if (list.size() > kThumbprintsPerProvider)
    return fail(invalid_input("Thumbprint list must contain fewer than 5 entries."));
  std::vector<std::string> out;
  for (const auto& thumbprint : list) {
    if (thumbprint.size() != 40 || !from_hex(to_lower(thumbprint)))
      return fail(invalid_input(str("Thumbprint ", thumbprint,
                                    " is not the SHA-1 hash of a "
                                    "certificate in hexadecimal.")));
    out.push_back(to_lower(thumbprint));
  }
  return out;
}

Result<Unit> check_client_ids(const std::vector<std::string>& ids) {
  if (ids.size() > kClientIdsPerProvider)
    return fail(quota_exceeded("ClientIdsPerOpenIdConnectProvider", kClientIdsPerProvider));
  return Unit{};
}

void add_once(std::vector<std::string>& list, const std::string& value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(value);
}

}  // namespace

Task<Result<CreateOpenIDConnectProviderOutput>> IamService::create_open_id_connect_provider(
    aws::Context& context, CreateOpenIDConnectProviderInput in) {
  CO_TRY_ASSIGN(const Tags tags, tags_of(in.tags));
  CO_TRY_ASSIGN(const std::string name, provider_name_of_url(in.url));
  OidcProviderRecord made;
  made.name = name;
  made.url = in.url;
  made.arn = provider_arn<OidcProviderRecord>(context, name);
  made.created = whole_seconds(context.now());
  made.tags = tags;
  CO_TRY(co_await context.authorize("iam:CreateOpenIDConnectProvider", made.arn,
                                    request_conditions(tags)));
  CO_TRY_ASSIGN(made.thumbprints,
                thumbprints_of(in.thumbprint_list.value_or(std::vector<std::string>())));
  if (in.client_id_list)
    for (const auto& id : *in.client_id_list) add_once(made.client_ids, id);
  CO_TRY(check_client_ids(made.client_ids));
  CO_TRY(co_await check_quota<OidcProviderRecord>(
      *state_, context, "OpenIdConnectProvidersPerAccount", kOidcProviders));
  CreateOpenIDConnectProviderOutput output;
  output.open_id_connect_provider_arn = made.arn;
  if (!tags.empty()) output.tags = tag_list(tags);
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(OidcProviderRecord * existing, co_await edit.find<OidcProviderRecord>(name));
    if (existing)
      co_return fail("EntityAlreadyExists", str("Provider with url ", in.url, " already exists."),
                     409);
    CO_TRY(co_await edit.create(made));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

Task<Result<GetOpenIDConnectProviderOutput>> IamService::get_open_id_connect_provider(
    aws::Context& context, GetOpenIDConnectProviderInput in) {
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(OidcProviderRecord * provider,
                co_await open_provider<OidcProviderRecord>(edit, "iam:GetOpenIDConnectProvider",
                                                           in.open_id_connect_provider_arn));
  GetOpenIDConnectProviderOutput output;
  output.url = provider->name;  // as AWS, without its scheme
  output.client_id_list = provider->client_ids;
  output.thumbprint_list = provider->thumbprints;
  output.create_date = provider->created;
  output.tags = tag_list(provider->tags);
  co_return output;
}

Task<Result<ListOpenIDConnectProvidersOutput>> IamService::list_open_id_connect_providers(
    aws::Context& context, ListOpenIDConnectProvidersInput) {
  CO_TRY(co_await context.authorize("iam:ListOpenIDConnectProviders",
                                    provider_arn<OidcProviderRecord>(context, "*")));
  CO_TRY_ASSIGN(const auto all,
                co_await all_providers<OidcProviderRecord>(state_->records, context.global_key()));
  ListOpenIDConnectProvidersOutput output;
  auto& list = output.open_id_connect_provider_list.emplace();
  for (const auto& provider : all) list.emplace_back().arn = provider.arn;
  co_return output;
}

// Idempotent: no error where there is none.
Task<Result<DeleteOpenIDConnectProviderOutput>> IamService::delete_open_id_connect_provider(
    aws::Context& context, DeleteOpenIDConnectProviderInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(OidcProviderRecord * provider,
                  co_await find_provider<OidcProviderRecord>(
                      edit, "iam:DeleteOpenIDConnectProvider", in.open_id_connect_provider_arn));
    if (!provider) co_return DeleteOpenIDConnectProviderOutput{};
    edit.remove(*provider);
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return DeleteOpenIDConnectProviderOutput{};
  }
}

Task<Result<AddClientIDToOpenIDConnectProviderOutput>>
IamService::add_client_id_to_open_id_connect_provider(aws::Context& context,
                                                      AddClientIDToOpenIDConnectProviderInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(OidcProviderRecord * provider, co_await open_provider<OidcProviderRecord>(
                                                     edit, "iam:AddClientIDToOpenIDConnectProvider",
                                                     in.open_id_connect_provider_arn));
    add_once(provider->client_ids, in.client_id);
    CO_TRY(check_client_ids(provider->client_ids));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return AddClientIDToOpenIDConnectProviderOutput{};
  }
}

Task<Result<RemoveClientIDFromOpenIDConnectProviderOutput>>
IamService::remove_client_id_from_open_id_connect_provider(
    aws::Context& context, RemoveClientIDFromOpenIDConnectProviderInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(
        OidcProviderRecord * provider,
        co_await open_provider<OidcProviderRecord>(
            edit, "iam:RemoveClientIDFromOpenIDConnectProvider", in.open_id_connect_provider_arn));
    std::erase(provider->client_ids, in.client_id);
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return RemoveClientIDFromOpenIDConnectProviderOutput{};
  }
}

Task<Result<UpdateOpenIDConnectProviderThumbprintOutput>>
IamService::update_open_id_connect_provider_thumbprint(
    aws::Context& context, UpdateOpenIDConnectProviderThumbprintInput in) {
  CO_TRY_ASSIGN(const auto thumbprints, thumbprints_of(in.thumbprint_list));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(
        OidcProviderRecord * provider,
        co_await open_provider<OidcProviderRecord>(
            edit, "iam:UpdateOpenIDConnectProviderThumbprint", in.open_id_connect_provider_arn));
    provider->thumbprints = thumbprints;
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return UpdateOpenIDConnectProviderThumbprintOutput{};
  }
}

Task<Result<TagOpenIDConnectProviderOutput>> IamService::tag_open_id_connect_provider(
    aws::Context& context, TagOpenIDConnectProviderInput in) {
  return tag_provider<OidcProviderRecord, TagOpenIDConnectProviderOutput>(
      *state_, context, "iam:TagOpenIDConnectProvider", in.open_id_connect_provider_arn, in.tags);
}
Task<Result<UntagOpenIDConnectProviderOutput>> IamService::untag_open_id_connect_provider(
    aws::Context& context, UntagOpenIDConnectProviderInput in) {
  return untag_provider<OidcProviderRecord, UntagOpenIDConnectProviderOutput>(
      *state_, context, "iam:UntagOpenIDConnectProvider", in.open_id_connect_provider_arn,
      in.tag_keys);
}
Task<Result<ListOpenIDConnectProviderTagsOutput>> IamService::list_open_id_connect_provider_tags(
    aws::Context& context, ListOpenIDConnectProviderTagsInput in) {
  std::string arn = in.open_id_connect_provider_arn;
  return list_provider_tags<OidcProviderRecord, ListOpenIDConnectProviderTagsOutput>(
      *state_, context, "iam:ListOpenIDConnectProviderTags", std::move(arn), std::move(in));
}

Task<Result<std::optional<aws::OidcProviderFacts>>> IamService::find_oidc_provider(
    std::string account, std::string name) {
  CO_TRY_ASSIGN(auto loaded,
                co_await store::load<OidcProviderRecord>(state_->records, account + "/global",
                                                         key_of<OidcProviderRecord>(name)));
  if (!loaded || loaded->value.name != name) co_return std::nullopt;
  OidcProviderRecord& record = loaded->value;
  aws::OidcProviderFacts facts;
  facts.arn = std::move(record.arn);
  facts.account = std::move(account);
  facts.url = std::move(record.url);
  facts.name = std::move(record.name);
  facts.client_ids = std::move(record.client_ids);
  facts.thumbprints = std::move(record.thumbprints);
  co_return facts;
}

}  // namespace pileus::services::iam
