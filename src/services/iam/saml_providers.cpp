#include "gen/iam/CreateSAMLProvider.h"
#include "gen/iam/DeleteSAMLProvider.h"
#include "gen/iam/GetSAMLProvider.h"
#include "gen/iam/ListSAMLProviderTags.h"
#include "gen/iam/ListSAMLProviders.h"
#include "gen/iam/TagSAMLProvider.h"
#include "gen/iam/UntagSAMLProvider.h"
#include "gen/iam/UpdateSAMLProvider.h"
#include "services/iam/providers.h"
#include "services/iam/saml_metadata.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

// A record holds it; AWS takes ten megabytes.
constexpr std::size_t kMaxMetadataBytes = 512 * 1024;
// Of a provider whose metadata does not say when they end.
constexpr auto kValidFor = std::chrono::years(100);

Result<Unit> take_metadata(SamlProviderRecord& record, const std::string& document, Time now) {
  if (document.size() > kMaxMetadataBytes)
    return fail(quota_exceeded("SAMLMetadataDocumentBytes", kMaxMetadataBytes));
  TRY_ASSIGN(SamlMetadata metadata, parse_saml_metadata(document));
  record.metadata = document;
  record.entity_id = std::move(metadata.entity_id);
  record.certificates = std::move(metadata.certificates);
  record.valid_until = metadata.valid_until.value_or(
      whole_seconds(now + std::chrono::duration_cast<Duration>(kValidFor)));
  return Unit{};
}

}  // namespace

Task<Result<CreateSAMLProviderOutput>> IamService::create_saml_provider(
    aws::Context& context, CreateSAMLProviderInput in) {
  CO_TRY_ASSIGN(const Tags tags, tags_of(in.tags));
  SamlProviderRecord made;
  made.name = in.name;
  made.arn = provider_arn<SamlProviderRecord>(context, in.name);
  made.id = upper_id(state_->random, 32);
  made.created = whole_seconds(context.now());
  made.encryption_mode = in.assertion_encryption_mode;
  made.tags = tags;
  CO_TRY(co_await context.authorize("iam:CreateSAMLProvider", made.arn, request_conditions(tags)));
  CO_TRY(take_metadata(made, in.saml_metadata_document, context.now()));
  CO_TRY(co_await check_quota<SamlProviderRecord>(*state_, context, "SAMLProvidersPerAccount",
                                                  kSamlProviders));
  CreateSAMLProviderOutput output;
  output.saml_provider_arn = made.arn;
  if (!tags.empty()) output.tags = tag_list(tags);
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(SamlProviderRecord * existing, co_await edit.find<SamlProviderRecord>(in.name));
    if (existing)
      co_return fail("EntityAlreadyExists", str("Provider with name ", in.name, " already exists."),
                     409);
    CO_TRY(co_await edit.create(made));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

Task<Result<GetSAMLProviderOutput>> IamService::get_saml_provider(aws::Context& context,
                                                                  GetSAMLProviderInput in) {
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(SamlProviderRecord * provider,
                co_await open_provider<SamlProviderRecord>(edit, "iam:GetSAMLProvider",
                                                           in.saml_provider_arn));
  GetSAMLProviderOutput output;
  output.saml_provider_uuid = provider->id;
  output.saml_metadata_document = provider->metadata;
  output.create_date = provider->created;
  output.valid_until = provider->valid_until;
  output.assertion_encryption_mode = provider->encryption_mode;
  if (!provider->tags.empty()) output.tags = tag_list(provider->tags);
  co_return output;
}

Task<Result<UpdateSAMLProviderOutput>> IamService::update_saml_provider(
    aws::Context& context, UpdateSAMLProviderInput in) {
  if (!in.saml_metadata_document && !in.assertion_encryption_mode)
    co_return fail(
        invalid_input("Unable to update identity provider. No updates are defined for metadata or "
                      "encryption assertion."));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(SamlProviderRecord * provider,
                  co_await open_provider<SamlProviderRecord>(edit, "iam:UpdateSAMLProvider",
                                                             in.saml_provider_arn));
    if (in.saml_metadata_document)
      CO_TRY(take_metadata(*provider, *in.saml_metadata_document, context.now()));
    if (in.assertion_encryption_mode) provider->encryption_mode = in.assertion_encryption_mode;
    UpdateSAMLProviderOutput output;
    output.saml_provider_arn = provider->arn;
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

Task<Result<DeleteSAMLProviderOutput>> IamService::delete_saml_provider(
    aws::Context& context, DeleteSAMLProviderInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(SamlProviderRecord * provider,
                  co_await open_provider<SamlProviderRecord>(edit, "iam:DeleteSAMLProvider",
                                                             in.saml_provider_arn));
    edit.remove(*provider);
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return DeleteSAMLProviderOutput{};
  }
}

Task<Result<ListSAMLProvidersOutput>> IamService::list_saml_providers(aws::Context& context,
                                                                      ListSAMLProvidersInput) {
  CO_TRY(co_await context.authorize("iam:ListSAMLProviders",
                                    provider_arn<SamlProviderRecord>(context, "*")));
  CO_TRY_ASSIGN(const auto all,
                co_await all_providers<SamlProviderRecord>(state_->records, context.global_key()));
  ListSAMLProvidersOutput output;
  auto& list = output.saml_provider_list.emplace();
  for (const auto& provider : all) {
    auto& entry = list.emplace_back();
    entry.arn = provider.arn;
    entry.valid_until = provider.valid_until;
    entry.create_date = provider.created;
  }
  co_return output;
}

Task<Result<TagSAMLProviderOutput>> IamService::tag_saml_provider(aws::Context& context,
                                                                  TagSAMLProviderInput in) {
  return tag_provider<SamlProviderRecord, TagSAMLProviderOutput>(
      *state_, context, "iam:TagSAMLProvider", in.saml_provider_arn, in.tags);
}
Task<Result<UntagSAMLProviderOutput>> IamService::untag_saml_provider(aws::Context& context,
                                                                      UntagSAMLProviderInput in) {
  return untag_provider<SamlProviderRecord, UntagSAMLProviderOutput>(
      *state_, context, "iam:UntagSAMLProvider", in.saml_provider_arn, in.tag_keys);
}
Task<Result<ListSAMLProviderTagsOutput>> IamService::list_saml_provider_tags(
    aws::Context& context, ListSAMLProviderTagsInput in) {
  std::string arn = in.saml_provider_arn;
  return list_provider_tags<SamlProviderRecord, ListSAMLProviderTagsOutput>(
      *state_, context, "iam:ListSAMLProviderTags", std::move(arn), std::move(in));
}

Task<Result<std::optional<aws::SamlProviderFacts>>> IamService::find_saml_provider(
    std::string arn) {
  const auto name = provider_name<SamlProviderRecord>(arn);
  if (!name) co_return std::nullopt;
  const std::string account(aws::account_of_arn(arn));
  CO_TRY_ASSIGN(auto loaded,
                co_await store::load<SamlProviderRecord>(state_->records, account + "/global",
                                                         key_of<SamlProviderRecord>(*name)));
  if (!loaded || loaded->value.arn != arn) co_return std::nullopt;
  SamlProviderRecord& record = loaded->value;
  aws::SamlProviderFacts facts;
  facts.arn = std::move(record.arn);
  facts.account = account;
  facts.name = std::move(record.name);
  facts.entity_id = std::move(record.entity_id);
  facts.certificates = std::move(record.certificates);
  facts.valid_until = record.valid_until;
  co_return facts;
}

}  // namespace pileus::services::iam
