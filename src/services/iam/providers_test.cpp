#include "gen/iam/AddClientIDToOpenIDConnectProvider.h"
#include "gen/iam/CreateOpenIDConnectProvider.h"
#include "gen/iam/CreateSAMLProvider.h"
#include "gen/iam/DeleteOpenIDConnectProvider.h"
#include "gen/iam/DeleteSAMLProvider.h"
#include "gen/iam/GetAccountSummary.h"
#include "gen/iam/GetOpenIDConnectProvider.h"
#include "gen/iam/GetSAMLProvider.h"
#include "gen/iam/ListOpenIDConnectProviderTags.h"
#include "gen/iam/ListOpenIDConnectProviders.h"
#include "gen/iam/ListSAMLProviders.h"
#include "gen/iam/RemoveClientIDFromOpenIDConnectProvider.h"
#include "gen/iam/TagOpenIDConnectProvider.h"
#include "gen/iam/UntagOpenIDConnectProvider.h"
#include "gen/iam/UpdateOpenIDConnectProviderThumbprint.h"
#include "gen/iam/UpdateSAMLProvider.h"
#include "net/tls.h"
#include "services/iam/provider_url.h"
#include "services/iam/saml_metadata.h"
#include "services/iam/test_world.h"

namespace pileus::services::iam {
namespace {

using namespace gen::iam;
using Strings = std::vector<std::string>;

const std::string kArn = str("arn:aws:iam::", kTestAccount, ":oidc-provider/idp.example.com/team");
const std::string kSamlArn = str("arn:aws:iam::", kTestAccount, ":saml-provider/corp");

// A certificate's base64, without the PEM's frame.
std::string some_certificate() {
  SeededRandom random{5};
  const std::string pem =
      net::make_authority("idp", Time(std::chrono::seconds(1'700'000'000)), random)
          ->certificate_pem;
  const auto begin = pem.find('\n') + 1;
  return pem.substr(begin, pem.find("-----END") - begin);
}
std::string metadata(const std::string& certificate, const std::string& more = "") {
  return R"(<?xml version="1.0"?><md:EntityDescriptor )"
         R"(xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/saml")" +
         more +
         R"(><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">)"
         R"(<md:KeyDescriptor use="signing"><ds:KeyInfo )"
         R"(xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>)" +
         certificate +
         "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
         "</md:IDPSSODescriptor></md:EntityDescriptor>";
}

TEST(Providers, An_OIDC_provider_is_kept_changed_and_deleted) {
  World world;
  const auto made = world.call(&IamService::create_open_id_connect_provider,
                               {.url = "https://idp.example.com/team",
                                .client_id_list = Strings{"one", "one", "two"},
                                .thumbprint_list = Strings{std::string(40, 'A')},
                                .tags = std::vector<gen::iam::Tag>{{"b", "2"}, {"a", "1"}}});
  ASSERT_TRUE(made) << error_of(made);
  EXPECT_EQ(*made->open_id_connect_provider_arn, kArn);
  EXPECT_EQ(made->tags->front().key, "a");
  EXPECT_EQ(world.authorizer.asked.back().resource, kArn);
  EXPECT_EQ(world.authorizer.asked.back().conditions.at("aws:RequestTag/a"), Strings{"1"});
  EXPECT_EQ(error_of(world.call(&IamService::create_open_id_connect_provider,
                                {.url = "https://idp.example.com/team"})),
            "EntityAlreadyExists: Provider with url https://idp.example.com/team already exists.");

  EXPECT_TRUE(world.call(&IamService::add_client_id_to_open_id_connect_provider,
                         {.open_id_connect_provider_arn = kArn, .client_id = "three"}));
  EXPECT_TRUE(world.call(&IamService::add_client_id_to_open_id_connect_provider,
                         {.open_id_connect_provider_arn = kArn, .client_id = "three"}));
  EXPECT_TRUE(world.call(&IamService::remove_client_id_from_open_id_connect_provider,
                         {.open_id_connect_provider_arn = kArn, .client_id = "one"}));
  EXPECT_TRUE(world.call(
      &IamService::update_open_id_connect_provider_thumbprint,
      {.open_id_connect_provider_arn = kArn, .thumbprint_list = Strings{std::string(40, 'b')}}));
  auto got =
      world.call(&IamService::get_open_id_connect_provider, {.open_id_connect_provider_arn = kArn});
  EXPECT_EQ(*got->url, "idp.example.com/team");
  EXPECT_EQ(*got->client_id_list, (Strings{"two", "three"}));
  EXPECT_EQ(*got->thumbprint_list, Strings{std::string(40, 'b')});
  EXPECT_EQ(got->create_date, Time(std::chrono::seconds(1'600'000'000)));

  EXPECT_TRUE(world.call(
      &IamService::tag_open_id_connect_provider,
      {.open_id_connect_provider_arn = kArn, .tags = std::vector<gen::iam::Tag>{{"B", "3"}}}));
  EXPECT_TRUE(world.call(&IamService::untag_open_id_connect_provider,
                         {.open_id_connect_provider_arn = kArn, .tag_keys = Strings{"A"}}));
  const auto tags = world.call(&IamService::list_open_id_connect_provider_tags,
                               {.open_id_connect_provider_arn = kArn});
  ASSERT_EQ(tags->tags.size(), 1u);
  EXPECT_EQ(tags->tags[0].key, "B");

  EXPECT_EQ(world.call(&IamService::list_open_id_connect_providers, {})
                ->open_id_connect_provider_list->size(),
            1u);
  EXPECT_EQ(world.call(&IamService::get_account_summary, {})->summary_map->at("Providers"), 1);
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(world.call(&IamService::delete_open_id_connect_provider,
                           {.open_id_connect_provider_arn = kArn}))
        << "idempotent";
  EXPECT_EQ(error_of(world.call(&IamService::get_open_id_connect_provider,
                                {.open_id_connect_provider_arn = kArn})),
            "NoSuchEntity: OpenIDConnect Provider not found for arn " + kArn);
}

TEST(Providers, What_an_OIDC_provider_cannot_be_is_refused) {
  World world;
  const auto create = [&](std::string url, Strings thumbprints = {}, Strings ids = {}) {
    return error_of(
        world.call(&IamService::create_open_id_connect_provider,
                   {.url = url, .client_id_list = ids, .thumbprint_list = thumbprints}));
  };
  for (const char* url : {"idp.example.com", "http://idp.example.com", "ftp://localhost",
                          "https://", "https://a?b", "https://a#b", "https://u@a", "https://a b"})
    EXPECT_EQ(create(url), "ValidationError: Invalid Open ID Connect Provider URL") << url;
  EXPECT_EQ(create("https://a", Strings(6, std::string(40, 'a'))),
            "InvalidInput: Thumbprint list must contain fewer than 5 entries.");
  EXPECT_NE(create("https://a", Strings{std::string(40, 'z')}), "");
  Strings ids;
  for (int i = 0; i < 101; ++i) ids.push_back(std::to_string(i));
  EXPECT_EQ(create("https://a", {}, ids),
            "LimitExceeded: Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100");
  for (const std::string arn :
       {"nonsense-nonsense-nonsense", "arn:aws:iam::123456789012:role/x", kSamlArn.c_str()})
    EXPECT_EQ(error_of(world.call(&IamService::get_open_id_connect_provider,
                                  {.open_id_connect_provider_arn = arn})),
              "InvalidInput: Invalid ARN: " + arn);
}

TEST(Providers, Plain_HTTP_is_for_issuers_on_this_machine) {
  EXPECT_EQ(*provider_name_of_url("http://127.0.0.1:8080/a"), "127.0.0.1:8080/a");
  EXPECT_EQ(*provider_name_of_url("http://localhost"), "localhost");
  EXPECT_EQ(*provider_name_of_url("http://[::1]:80"), "[::1]:80");
  EXPECT_EQ(*provider_name_of_url("https://t.auth0.com/"), "t.auth0.com/");
  EXPECT_FALSE(provider_name_of_url("http://10.0.0.1"));
  EXPECT_FALSE(provider_name_of_url("http://localhost.example.com"));
}

TEST(Providers, Facts_of_an_OIDC_provider_are_found_by_its_issuer) {
  World world;
  world.call(&IamService::create_open_id_connect_provider,
             {.url = "http://127.0.0.1:1/A", .client_id_list = Strings{"c"}});
  const auto find = [&](const char* account, const char* name) {
    return *world.loop.run(world.iam.find_oidc_provider(account, name));
  };
  const auto found = find("123456789012", "127.0.0.1:1/A");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->url, "http://127.0.0.1:1/A");
  EXPECT_EQ(found->client_ids, Strings{"c"});
  EXPECT_FALSE(find("123456789012", "127.0.0.1:1/a")) << "paths differ by case";
  EXPECT_FALSE(find("999999999999", "127.0.0.1:1/A"));
}

TEST(Providers, A_SAML_provider_is_kept_changed_and_deleted) {
  World world;
  const std::string document = metadata(some_certificate());
  const auto made = world.call(&IamService::create_saml_provider,
                               {.saml_metadata_document = document, .name = "corp"});
  ASSERT_TRUE(made) << error_of(made);
  EXPECT_EQ(*made->saml_provider_arn, kSamlArn);
  EXPECT_EQ(error_of(world.call(&IamService::create_saml_provider,
                                {.saml_metadata_document = document, .name = "CORP"})),
            "EntityAlreadyExists: Provider with name CORP already exists.");
  auto got = world.call(&IamService::get_saml_provider, {.saml_provider_arn = kSamlArn});
  EXPECT_EQ(*got->saml_metadata_document, document);
  EXPECT_EQ(got->saml_provider_uuid->size(), 32u);
  EXPECT_GT(*got->valid_until, *got->create_date + std::chrono::years(99));
  const auto facts = *world.loop.run(world.iam.find_saml_provider(kSamlArn));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->entity_id, "https://idp.example.com/saml");
  EXPECT_EQ(facts->certificates.size(), 1u);

  EXPECT_TRUE(world.call(&IamService::update_saml_provider,
                         {.saml_metadata_document =
                              metadata(some_certificate(), R"( validUntil="2030-01-01T00:00:00Z")"),
                          .saml_provider_arn = kSamlArn}));
  const auto list = world.call(&IamService::list_saml_providers, {});
  ASSERT_EQ(list->saml_provider_list->size(), 1u);
  EXPECT_EQ(list->saml_provider_list->front().valid_until, parse_iso8601("2030-01-01T00:00:00Z"));
  EXPECT_EQ(
      error_of(world.call(&IamService::update_saml_provider, {.saml_provider_arn = kSamlArn})),
      "InvalidInput: Unable to update identity provider. No updates are defined for metadata "
      "or encryption assertion.");
  EXPECT_TRUE(world.call(&IamService::delete_saml_provider, {.saml_provider_arn = kSamlArn}));
  EXPECT_EQ(
      error_of(world.call(&IamService::delete_saml_provider, {.saml_provider_arn = kSamlArn})),
      "NoSuchEntity: Manifest not found for arn " + kSamlArn);
}

TEST(Providers, Metadata_that_describe_no_identity_provider_are_refused) {
  const std::string good = metadata(some_certificate());
  EXPECT_TRUE(parse_saml_metadata(good));
  for (const std::string& bad : {std::string("<a"), std::string("<a/>"), metadata("AAAA"),
                                 metadata("###"), replace_all(good, "entityID", "id"),
                                 replace_all(good, "IDPSSODescriptor", "SPSSODescriptor"),
                                 replace_all(good, "signing", "encryption"),
                                 metadata(some_certificate(), R"( validUntil="x")")}) {
    const auto parsed = parse_saml_metadata(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_TRUE(parsed.error().message().starts_with("Could not parse metadata")) << bad;
  }
}

}  // namespace
}  // namespace pileus::services::iam
