#include <gtest/gtest.h>

#include "base/manual_loop.h"
#include "base/task_group.h"
#include "services/sts/issuer_keys.h"
#include "services/sts/saml_assertion.h"
#include "services/sts/test_tokens.h"
#include "services/sts/xml_signature.h"

namespace pileus::services::sts {
namespace {

using test::Key;
constexpr std::int64_t kNow = 1'700'000'000;
const Time kTime{std::chrono::seconds(kNow)};

template <class T>
std::string error_of(const Result<T>& result) {
  return result ? std::string() : result.error().code() + ": " + result.error().message();
}

aws::OidcProviderFacts provider() {
  aws::OidcProviderFacts facts;
  facts.arn = "arn:aws:iam::123456789012:oidc-provider/idp.example.com";
  facts.account = "123456789012";
  facts.url = "https://idp.example.com";
  facts.name = "idp.example.com";
  facts.client_ids = {"app", "sts"};
  return facts;
}
JsonObject claims() {
  return {{"iss", "https://idp.example.com"},
          {"sub", "alice"},
          {"aud", "app"},
          {"iat", kNow - 10},
          {"exp", kNow + 600}};
}

TEST(Tokens, A_token_is_verified_by_its_key_only) {
  const Key key("a"), other("a");
  const auto token = parse_jwt(key.token(claims()));
  ASSERT_TRUE(token);
  EXPECT_EQ(token->key_id, "a");
  const auto keys = parse_jwks(test::key_set({&key}));
  ASSERT_EQ(keys->size(), 1u);
  EXPECT_TRUE(verify(*token, keys->front()));
  EXPECT_FALSE(verify(*token, parse_jwks(test::key_set({&other}))->front()));
  for (const auto at : {0u, 31u, 63u}) {
    auto touched = *token;
    touched.signature[at] ^= 1;
    EXPECT_FALSE(verify(touched, keys->front()));
  }
  auto touched = *token;
  touched.signature += '\0';
  EXPECT_FALSE(verify(touched, keys->front()));
  for (const char* algorithm : {"none", "HS256", "RS256", "ES384", "PS256"}) {
    touched = *token;
    touched.algorithm = algorithm;
    EXPECT_FALSE(verify(touched, keys->front())) << algorithm;
  }
  Jwk bound = keys->front();
  bound.algorithm = "ES384";
  EXPECT_FALSE(verify(*token, bound));
}

TEST(Tokens, What_is_no_token_is_nothing) {
  const Key key("a");
  const std::string good = key.token(claims());
  EXPECT_TRUE(parse_jwt(good));
  for (const std::string& bad :
       {std::string(), std::string("a.b.c"), good + ".x", good + "=",
        good.substr(0, good.rfind('.')), good.substr(0, good.rfind('.') + 1),
        key.token(Json("text")), key.token(claims(), {{"crit", JsonArray{"exp"}}}),
        key.token(claims(), {{"alg", ""}})})
    EXPECT_FALSE(parse_jwt(bad)) << bad;
}

TEST(Tokens, Keys_that_cannot_verify_are_left_out) {
  const Key key("a");
  Json off_curve = key.jwk(), encrypting = key.jwk();
  off_curve.as_object()["y"] = off_curve.at("x");
  encrypting.as_object()["use"] = "enc";
  const Json small = {
      {"kty", "RSA"}, {"n", test::base64url(std::string(128, '\xff'))}, {"e", "AQAB"}};
  const Json set = {
      {"keys", {off_curve, encrypting, small, {{"kty", "oct"}, {"k", "AAAA"}}, key.jwk()}}};
  EXPECT_EQ(parse_jwks(to_text(set))->size(), 1u);
  EXPECT_FALSE(parse_jwks("{}"));
  EXPECT_FALSE(parse_jwks("nonsense"));
  EXPECT_FALSE(parse_jwks(test::key_set(std::vector<const Key*>(101, &key))));
}

Result<WebIdentity> check(const JsonObject& with) {
  Jwt token;
  token.claims = with;
  return check_claims(token, provider(), kTime);
}
JsonObject with(std::string_view name, Json value) {
  JsonObject out = claims();
  out[name] = std::move(value);
  return out;
}
JsonObject without(std::string_view name) {
  JsonObject out = claims();
  out.erase(name);
  return out;
}

TEST(Claims, Times_and_audiences_are_checked) {
  struct Case {
    JsonObject claims;
    std::string error;
  };
  const std::string kMissing = "InvalidIdentityToken: Missing a required claim: ";
  const Case cases[] = {
      {claims(), ""},
      {without("sub"), kMissing + "sub"},
      {without("aud"), kMissing + "aud"},
      {without("exp"), kMissing + "exp"},
      {without("iat"), kMissing + "iat"},
      {with("aud", "other"), "InvalidIdentityToken: Incorrect token audience"},
      {with("aud", {"other", "sts"}), ""},
      {with("azp", "other"), "InvalidIdentityToken: Incorrect token audience"},
      {with("exp", kNow),
       "ExpiredTokenException: Token expired: current date/time 1700000000 must "
       "be before the expiration date/time1700000000"},
      {with("exp", kNow + 1), ""},
      {with("exp", 1.7e9),
       "InvalidIdentityToken: The claim exp must be a whole number of seconds."},
      {with("exp", -1), "InvalidIdentityToken: The claim exp must be a whole number of seconds."},
      {with("iat", kNow + 300), ""},
      {with("iat", kNow + 301), "InvalidIdentityToken: The token was issued in the future."},
      {with("iat", kNow - 86401), "ExpiredTokenException: Token too old: 86401"},
      {with("nbf", kNow + 301), "InvalidIdentityToken: The token is not valid yet."},
  };
  for (const auto& one : cases) EXPECT_EQ(error_of(check(one.claims)), one.error);
  EXPECT_EQ(check(with("azp", "sts"))->audience, "sts");
  EXPECT_EQ(check(with("aud", {"other", "sts"}))->audiences.size(), 2u);
}

TEST(Claims, Tags_are_nested_or_flat) {
  const auto nested =
      check(with("https://aws.amazon.com/tags",
                 {{"principal_tags", {{"Team", {"red"}}}}, {"transitive_tag_keys", {"Team"}}}));
  ASSERT_TRUE(nested) << error_of(nested);
  EXPECT_EQ(nested->tags, (std::vector<TagPair>{{"Team", "red"}}));
  EXPECT_EQ(nested->transitive, std::vector<std::string>{"Team"});
  const auto flat = check(with("https://aws.amazon.com/tags/principal_tags/Team", "red"));
  EXPECT_EQ(flat->tags, (std::vector<TagPair>{{"Team", "red"}}));
  for (const Json& bad :
       {Json("x"), Json{{"principal_tags", "x"}}, Json{{"principal_tags", {{"a", {"1", "2"}}}}},
        Json{{"transitive_tag_keys", 1}},
        Json{{"principal_tags", {{"a", {std::string(257, 'v')}}}}}})
    EXPECT_EQ(check(with("https://aws.amazon.com/tags", bad)).error().code(),
              "InvalidIdentityToken");
  EXPECT_EQ(check(with("https://aws.amazon.com/source_identity", "alice"))->source_identity,
            "alice");
  for (const char* bad : {"a", "a b", "aws:x"})
    EXPECT_FALSE(check(with("https://aws.amazon.com/source_identity", bad))) << bad;
}

class TestTime final : public RealTime {
 public:
  Time now() const override { return kTime; }
  std::chrono::nanoseconds monotonic() const override { return passed; }
  std::chrono::nanoseconds passed{0};
};

// Answers at once, or when the test says so.
class FakeWeb final : public WebSource {
 public:
  Task<Result<std::string>> get(std::string url, std::vector<std::string> pins) override {
    asked.push_back(url);
    thumbprints = std::move(pins);
    if (hold) {
      Completion<Unit> released;
      held.push_back(released.completer());
      CO_TRY(co_await released);
    }
    if (failure) co_return fail(*failure);
    co_return url.ends_with("openid-configuration") ? discovery : keys;
  }
  std::string discovery =
      R"({"issuer":"https://idp.example.com","jwks_uri":"https://keys.example.com/k"})";
  std::string keys;
  std::optional<Error> failure;
  std::vector<std::string> asked, thumbprints;
  bool hold = false;
  std::vector<Completer<Unit>> held;
};

class Issuers : public testing::Test {
 protected:
  Result<KeySet> find(std::string key_id) { return loop.run(keys.find(provider(), key_id)); }

  ManualLoop loop;
  TestTime time;
  FakeWeb web;
  Key a{"a"}, b{"b"};
  IssuerKeys keys{web, time};
};

TEST_F(Issuers, Keys_are_fetched_once_and_again_when_they_rotate) {
  web.keys = test::key_set({&a});
  EXPECT_EQ((*find("a"))->size(), 1u);
  EXPECT_EQ(web.asked,
            (std::vector<std::string>{"https://idp.example.com/.well-known/openid-configuration",
                                      "https://keys.example.com/k"}));
  find("a");
  EXPECT_EQ(web.asked.size(), 2u);
  web.keys = test::key_set({&a, &b});
  EXPECT_EQ((*find("b"))->size(), 2u);
  EXPECT_EQ(web.asked.size(), 4u);
  time.passed += IssuerKeys::kBelieved;
  web.keys = test::key_set({&b});
  EXPECT_EQ((*find("a"))->size(), 1u) << "a key that was withdrawn is believed no longer";
}

TEST_F(Issuers, An_issuer_is_not_asked_too_often) {
  web.keys = test::key_set({&a});
  for (std::size_t i = 0; i < IssuerKeys::kFetches; ++i) EXPECT_TRUE(find(str("no", i)));
  EXPECT_EQ(find("no").error().code(), "InvalidIdentityToken");
  EXPECT_EQ(web.asked.size(), 2 * IssuerKeys::kFetches);
  EXPECT_TRUE(find("a")) << "what is known still serves";
  time.passed += IssuerKeys::kWindow;
  EXPECT_TRUE(find("no"));
}

TEST_F(Issuers, Calls_that_need_the_same_keys_wait_for_one_fetch) {
  web.keys = test::key_set({&a});
  web.hold = true;
  int found = 0;
  TaskGroup group(loop);
  const auto look = [](IssuerKeys& in, std::string id, int& count) -> Task<void> {
    const auto set = co_await in.find(provider(), std::move(id));
    if (set) ++count;
  };
  for (int i = 0; i < 20; ++i) group.spawn(look(keys, i % 2 ? "a" : "unknown", found));
  loop.run_ready();
  EXPECT_EQ(web.asked.size(), 1u);
  web.hold = false;
  for (auto& one : web.held) one.complete(Unit{});
  loop.run_ready();
  EXPECT_EQ(found, 20);
  EXPECT_EQ(web.asked.size(), 2u);
}

TEST_F(Issuers, Failures_are_told_apart_and_not_kept) {
  web.failure = Error(std::string(errc::kIo), "https://idp: cannot connect");
  EXPECT_EQ(find("a").error().code(), "IDPCommunicationError");
  web.failure = Error(std::string(errc::kIo), "https://idp: TLS failed: self-signed certificate");
  EXPECT_EQ(error_of(find("a")),
            "InvalidIdentityToken: OpenIDConnect provider's HTTPS certificate doesn't match "
            "configured thumbprint");
  web.failure.reset();
  web.keys = test::key_set({&a});
  EXPECT_TRUE(find("a"));
}

TEST_F(Issuers, What_an_issuer_publishes_must_be_its_own_and_safe) {
  for (const char* bad :
       {"nonsense", "{}", R"({"issuer":"https://other","jwks_uri":"https://k"})",
        R"({"issuer":"https://idp.example.com","jwks_uri":"http://127.0.0.1/k"})",
        R"({"issuer":"https://idp.example.com","jwks_uri":"unix:/run/socket"})"}) {
    keys.clear();
    web.discovery = bad;
    EXPECT_EQ(find("a").error().code(), "InvalidIdentityToken") << bad;
    EXPECT_TRUE(web.asked.back().ends_with("openid-configuration")) << bad;
  }
}

constexpr std::string_view kAws = "https://aws.amazon.com/SAML/Attributes/";
const std::string kRole = "arn:aws:iam::123456789012:role/r";

aws::SamlProviderFacts idp() {
  aws::SamlProviderFacts facts;
  facts.arn = "arn:aws:iam::123456789012:saml-provider/corp";
  facts.account = "123456789012";
  facts.name = "corp";
  facts.entity_id = "https://idp.example.com/saml";
  facts.valid_until = kTime + std::chrono::hours(1);
  return facts;
}
SamlAssertion assertion() {
  SamlAssertion out;
  out.issuer = idp().entity_id;
  out.subject = "alice";
  out.subject_format = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
  out.recipient = "https://eu-west-1.signin.aws.amazon.com/saml/acs/X";
  out.audiences = {"urn:amazon:webservices"};
  out.issued = kTime - std::chrono::minutes(1);
  out.confirmed_until = kTime + std::chrono::minutes(1);
  out.attributes[str(kAws, "Role")] = {str(idp().arn, " , ", kRole)};
  out.attributes[str(kAws, "RoleSessionName")] = {"alice"};
  return out;
}
std::string judged(const SamlAssertion& what, const aws::SamlProviderFacts& by = idp()) {
  return error_of(check_assertion(what, by, kRole, kTime));
}

TEST(Assertions, A_good_one_says_who_it_is) {
  const auto who = check_assertion(assertion(), idp(), kRole, kTime);
  ASSERT_TRUE(who) << error_of(who);
  EXPECT_EQ(who->session_name, "alice");
  EXPECT_EQ(who->subject_type, "transient");
  EXPECT_EQ(trust_keys(assertion(), *who, idp()).at("saml:doc"),
            std::vector<std::string>{"123456789012/corp"});
  // BASE64(SHA1(issuer + account + "/" + provider)), by openssl.
  EXPECT_EQ(who->name_qualifier, "HahBW48oNiXLlr28VT6/xduH27c=");
}

TEST(Assertions, Each_bound_is_held) {
  auto bad = assertion();
  bad.issuer = "x";
  EXPECT_EQ(judged(bad), "InvalidIdentityToken: Issuer not present in specified provider");
  auto old = idp();
  old.valid_until = kTime;
  EXPECT_NE(judged(assertion(), old), "");
  for (const char* recipient :
       {"", "https://signin.aws.amazon.com.evil.com/saml", "http://signin.aws.amazon.com/saml",
        "https://evilsignin.aws.amazon.com/saml", "https://a/.signin.aws.amazon.com/saml",
        "https://signin.aws.amazon.com/samlx"}) {
    bad = assertion();
    bad.recipient = recipient;
    EXPECT_EQ(judged(bad), "InvalidIdentityToken: Response does not contain the required audience.")
        << recipient;
  }
  bad = assertion();
  bad.audiences.clear();
  EXPECT_NE(judged(bad), "");
  bad = assertion();
  bad.issued = kTime - kRedeemWithin;
  EXPECT_EQ(judged(bad),
            "ExpiredTokenException: Token must be redeemed within 5 minutes of issuance");
  for (auto member : {&SamlAssertion::confirmed_until, &SamlAssertion::not_on_or_after,
                      &SamlAssertion::session_until}) {
    bad = assertion();
    bad.*member = kTime;
    EXPECT_EQ(judged(bad), "ExpiredTokenException: The assertion has expired.");
  }
  bad = assertion();
  bad.not_before = kTime + kClockSkew + std::chrono::seconds(1);
  EXPECT_EQ(judged(bad), "InvalidIdentityToken: The assertion is not valid yet.");
  bad = assertion();
  bad.confirmed_until.reset();
  EXPECT_NE(judged(bad), "");
  bad = assertion();
  bad.attributes.erase(str(kAws, "Role"));
  EXPECT_EQ(judged(bad), "InvalidIdentityToken: Your request included an invalid SAML response.");
  bad.attributes[str(kAws, "Role")] = {kRole, str(kRole, ",", kRole)};
  EXPECT_EQ(judged(bad), "AccessDenied: Not authorized to perform sts:AssumeRoleWithSAML");
  for (const auto& [name, value] : std::map<std::string, std::string>{
           {"SessionDuration", "899"}, {"SessionDuration", "x"}, {"SourceIdentity", "aws:x"}}) {
    bad = assertion();
    bad.attributes[str(kAws, name)] = {value};
    EXPECT_NE(judged(bad), "") << name;
  }
  bad = assertion();
  bad.attributes[str(kAws, "PrincipalTag:a")] = {"1", "2"};
  EXPECT_NE(judged(bad), "");
}

TEST(Assertions, They_are_read_from_a_response_or_alone) {
  const std::string alone =
      R"(<a:Assertion IssueInstant="2030-01-01T00:00:00Z"><a:Issuer> i </a:Issuer><a:Subject>)"
      R"(<a:NameID Format="f">al<!-- -->ice</a:NameID><a:SubjectConfirmation )"
      R"(Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"/><a:SubjectConfirmation )"
      R"(Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><a:SubjectConfirmationData Recipient="r")"
      R"(/></a:SubjectConfirmation></a:Subject><a:AttributeStatement><a:Attribute Name="n">)"
      R"(<a:AttributeValue>1</a:AttributeValue><a:AttributeValue>2</a:AttributeValue>)"
      R"(</a:Attribute></a:AttributeStatement></a:Assertion>)";
  for (const auto& text : {alone, "<p:Response>" + alone + "</p:Response>"}) {
    const auto read = read_assertion(text);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->issuer, "i");
    EXPECT_EQ(read->subject, "alice");
    EXPECT_EQ(read->recipient, "r");
    EXPECT_EQ(read->attributes.at("n"), (std::vector<std::string>{"1", "2"}));
  }
  for (const char* bad : {"", "<", "<x/>", "<Response/>"}) EXPECT_FALSE(read_assertion(bad)) << bad;
}

TEST(Assertions, Nothing_unsigned_is_given_out) {
  for (const std::string& text :
       {std::string(), std::string("<a"), std::string("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
        std::string("\xff\xfe<\0a\0", 6),
        std::string(R"(<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="a">)"
                    R"(<s:Assertion xmlns:s="urn:oasis:names:tc:SAML:2.0:assertion" ID="b"/>)"
                    R"(</p:Response>)")})
    EXPECT_EQ(error_of(signed_part(text, {"not a certificate"})),
              "InvalidIdentityToken: Response signature invalid");
}

}  // namespace
}  // namespace pileus::services::sts
