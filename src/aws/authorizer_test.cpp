#include "aws/authorizer.h"

#include <gtest/gtest.h>

#include "aws/access_key_id.h"
#include "aws/seal.h"
#include "base/json.h"
#include "base/manual_loop.h"
#include "base/text.h"

namespace pileus::aws {
namespace {

using Type = Identity::Type;
constexpr const char* kAccount = "123456789012";
constexpr const char* kOther = "999999999999";

class FakePolicies final : public Policies {
 public:
  Task<Result<std::shared_ptr<const PrincipalPolicies>>> of(const Identity&) override {
    ++asked;
    co_return current;
  }
  void set(PrincipalPolicies policies) {
    current = std::make_shared<PrincipalPolicies>(std::move(policies));
  }
  std::shared_ptr<const PrincipalPolicies> current = std::make_shared<PrincipalPolicies>();
  int asked = 0;
};

std::string allow(const std::string& action, const std::string& more = "",
                  const std::string& effect = "Allow") {
  return R"({"Version":"2012-10-17","Statement":[{"Effect":")" + effect + R"(","Action":")" +
         action + R"(","Resource":"*")" + more + "}]}";
}
std::string principal(const std::string& who) { return R"(,"Principal":)" + who; }
std::string condition(const std::string& text) { return R"(,"Condition":)" + text; }

class Decisions : public testing::Test {
 protected:
  Decisions() {
    user.type = Type::kUser;
    user.account = kAccount;
    user.arn = "arn:aws:iam::123456789012:user/ann";
    user.user_id = "AIDAANN";
    user.user_name = "ann";
    root.type = Type::kRoot;
    root.account = kAccount;
    root.arn = "arn:aws:iam::123456789012:root";
    root.user_id = kAccount;
    lambda.type = Type::kService;
    lambda.service = lambda.arn = "lambda.amazonaws.com";
  }
  Context context(const Identity& who) {
    return Context(authorizer, std::make_shared<Identity>(who), kAccount, "eu-west-1", "r",
                   Time(std::chrono::seconds(1'600'000'000)));
  }
  Result<Unit> decide(const Identity& who, Authorization request) {
    Context as = context(who);
    as.source_ip = "10.1.2.3";
    return loop.run(as.authorize(std::move(request)));
  }
  bool allowed(const Identity& who, Authorization request) {
    return decide(who, std::move(request)).has_value();
  }
  static Authorization get(std::string resource_policy = "", std::string account = kAccount) {
    Authorization request;
    request.action = "s3:GetObject";
    request.resource = "arn:aws:s3:::b/k";
    request.resource_account = std::move(account);
    request.resource_policy = std::move(resource_policy);
    return request;
  }

  ManualLoop loop;
  FakePolicies policies;
  PolicyAuthorizer authorizer{policies};
  Identity user, root, lambda, anonymous;
};

TEST_F(Decisions, Identity_policies_allow_and_boundaries_cut) {
  EXPECT_FALSE(allowed(user, get()));
  policies.set({.identity = {{"p", allow("s3:*")}}});
  EXPECT_TRUE(allowed(user, get()));
  policies.set({.identity = {{"p", allow("s3:*")}}, .boundary = NamedPolicy{"b", allow("sqs:*")}});
  EXPECT_FALSE(allowed(user, get()));
  policies.set({.identity = {{"p", allow("s3:*")}, {"d", allow("s3:Get*", "", "Deny")}}});
  EXPECT_FALSE(allowed(user, get()));
}

TEST_F(Decisions, Session_policies_cut_a_session) {
  Identity session = user;
  session.type = Type::kAssumedRole;
  session.arn = "arn:aws:sts::123456789012:assumed-role/fn/s";
  session.role_arn = "arn:aws:iam::123456789012:role/fn";
  policies.set({.identity = {{"p", allow("*")}}});
  EXPECT_TRUE(allowed(session, get()));
  session.session_policies = {allow("sqs:*")};
  EXPECT_FALSE(allowed(session, get()));
  policies.set({.identity = {{"p", allow("*")}},
                .session_managed = {{"arn:aws:iam::aws:policy/x", allow("s3:*")}}});
  EXPECT_TRUE(allowed(session, get())) << "session policies are one set";
  session.session_policies = {allow("s3:*", "", "Deny")};
  EXPECT_FALSE(allowed(session, get()));
}

TEST_F(Decisions, Across_accounts_both_sides_must_allow) {
  const std::string by_user =
      allow("s3:GetObject", principal(R"({"AWS":"arn:aws:iam::123456789012:user/ann"})"));
  EXPECT_TRUE(allowed(user, get(by_user))) << "in one account the resource's word is enough";
  EXPECT_FALSE(allowed(user, get(by_user, kOther)));
  policies.set({.identity = {{"p", allow("s3:*")}}});
  EXPECT_TRUE(allowed(user, get(by_user, kOther)));
  EXPECT_FALSE(allowed(user, get("", kOther)));
}

TEST_F(Decisions, The_root_may_everything_at_home_unless_a_resource_policy_denies) {
  EXPECT_TRUE(allowed(root, get()));
  EXPECT_FALSE(allowed(root, get(allow("s3:*", principal(R"("*")"), "Deny"))));
  EXPECT_FALSE(allowed(root, get("", kOther)));
  EXPECT_TRUE(allowed(root, get(allow("s3:*", principal(R"({"AWS":"123456789012"})")), kOther)));
  EXPECT_EQ(policies.asked, 0);
}

TEST_F(Decisions, A_service_has_its_own_actions_and_what_resources_grant_it) {
  Authorization invoke;
  invoke.action = "lambda:InvokeFunction";
  invoke.resource = "arn:aws:lambda:eu-west-1:123456789012:function:f";
  EXPECT_TRUE(allowed(lambda, invoke));
  Identity s3 = lambda;
  s3.service = s3.arn = "s3.amazonaws.com";
  EXPECT_FALSE(allowed(s3, invoke));
  invoke.resource_policy =
      allow("lambda:InvokeFunction",
            principal(R"({"Service":"s3.amazonaws.com"})") +
                condition(R"({"ArnLike":{"aws:SourceArn":"arn:aws:s3:::mine"}})"));
  EXPECT_FALSE(allowed(s3, invoke));
  Context as = context(s3);
  as.internal = true;
  as.source_arn = "arn:aws:s3:::mine";
  EXPECT_TRUE(loop.run(as.authorize(invoke)));
  invoke.resource_policy = allow("lambda:*", principal(R"("*")"), "Deny");
  EXPECT_FALSE(allowed(lambda, invoke)) << "a denial holds for the service itself";
  EXPECT_FALSE(allowed(lambda, get()));
}

TEST_F(Decisions, Anonymous_callers_have_resource_policies_only) {
  EXPECT_FALSE(allowed(anonymous, get()));
  EXPECT_TRUE(allowed(anonymous, get(allow("s3:GetObject", principal(R"("*")")))));
  EXPECT_FALSE(
      allowed(anonymous, get(allow("s3:GetObject", principal(R"({"AWS":"123456789012"})")))));
}

TEST_F(Decisions, Conditions_see_the_call) {
  const auto with = [&](const std::string& text) {
    policies.set({.identity = {{"p", allow("s3:*", condition(text))}}});
    return allowed(user, get());
  };
  EXPECT_TRUE(with(R"({"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}})"));
  EXPECT_FALSE(with(R"({"IpAddress":{"aws:SourceIp":"192.168.0.0/16"}})"));
  EXPECT_TRUE(with(
      R"({"StringEquals":{"aws:RequestedRegion":"eu-west-1","aws:username":"ann","aws:PrincipalType":"User"}})"));
  EXPECT_FALSE(with(R"({"Bool":{"aws:SecureTransport":"true"}})"));
  EXPECT_TRUE(with(R"({"DateGreaterThan":{"aws:CurrentTime":"2020-09-01T00:00:00Z"}})"));
  EXPECT_FALSE(with(R"({"DateGreaterThan":{"aws:CurrentTime":"2021-01-01T00:00:00Z"}})"));
  EXPECT_FALSE(with(R"({"Bool":{"aws:ViaAWSService":"true"}})"));
}

TEST_F(Decisions, A_service_that_passes_on_a_callers_identity_is_named) {
  policies.set(
      {.identity = {
           {"p",
            allow(
                "s3:*",
                condition(
                    R"({"ForAnyValue:StringEquals":{"aws:CalledVia":"cloudformation.amazonaws.com"}})"))}}});
  Context as = context(user);
  EXPECT_FALSE(loop.run(as.authorize(get())));
  as.internal = true;
  as.called_via = {"cloudformation.amazonaws.com"};
  EXPECT_TRUE(loop.run(as.authorize(get())));
}

TEST_F(Decisions, Denials_speak_the_services_protocol) {
  EXPECT_EQ(decide(user, get()).error().code(), "AccessDenied");
  EXPECT_EQ(decide(user, get()).error().status(), 403);
  EXPECT_EQ(decide(user, get()).error().message(),
            "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: s3:GetObject "
            "on resource: "
            "arn:aws:s3:::b/k because no identity-based policy allows the s3:GetObject action");
  for (const auto& [protocol, code] :
       std::vector<std::pair<Protocol, std::string>>{{Protocol::kJson11, "AccessDeniedException"},
                                                     {Protocol::kRestJson, "AccessDeniedException"},
                                                     {Protocol::kRestXml, "AccessDenied"},
                                                     {Protocol::kEc2, "UnauthorizedOperation"}}) {
    const Protocol protocols[] = {protocol};
    Service service = {};
    service.protocols = protocols;
    Context as = context(user);
    as.service = &service;
    EXPECT_EQ(loop.run(as.authorize(get())).error().code(), code);
  }
}

TEST_F(Decisions, A_provider_vouches_for_who_is_nobody_yet) {
  Authorization request;
  request.action = "sts:AssumeRoleWithWebIdentity";
  request.resource = "arn:aws:iam::123456789012:role/r";
  request.resource_policy_kind = Authorization::ResourcePolicy::kTrust;
  request.resource_policy =
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":)"
      R"("arn:aws:iam::123456789012:oidc-provider/idp"},)"
      R"("Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"idp:sub":"ann"}}}})";
  request.federated_provider = "arn:aws:iam::123456789012:oidc-provider/idp";
  request.conditions = {{"idp:sub", {"ann"}}};
  EXPECT_TRUE(allowed({}, request));
  request.conditions = {{"idp:sub", {"eve"}}};
  EXPECT_EQ(decide({}, request).error().message(),
            "Not authorized to perform sts:AssumeRoleWithWebIdentity");
  request.conditions = {{"idp:sub", {"ann"}}};
  request.federated_provider += "2";
  EXPECT_FALSE(allowed({}, request));
}

TEST_F(Decisions, Keys_of_the_provider_stay_with_the_session) {
  user.federated_provider = "arn:aws:iam::123456789012:saml-provider/p";
  user.federation_keys = {{"saml:sub", {"ann"}}};
  policies.set({.identity = {{"p", allow("s3:*", condition(R"({"StringEquals":{"saml:sub":"ann",)"
                                                           R"("aws:FederatedProvider":)"
                                                           R"("arn:aws:iam::123456789012:)"
                                                           R"(saml-provider/p"}})"))}}});
  EXPECT_TRUE(allowed(user, get()));
  user.federation_keys = {{"saml:sub", {"eve"}}};
  EXPECT_FALSE(allowed(user, get()));
}

TEST_F(Decisions, Federated_users_need_session_policies_or_a_resource_that_names_them) {
  Identity bob;
  bob.type = Type::kFederatedUser;
  bob.account = kAccount;
  bob.arn = "arn:aws:sts::123456789012:federated-user/bob";
  bob.user_id = "123456789012:bob";
  bob.issuer_arn = user.arn;
  policies.set({.identity = {{"p", allow("s3:*")}}});
  EXPECT_FALSE(allowed(bob, get()));
  Authorization named = get();
  named.resource_policy = allow("s3:*", principal("{\"AWS\":\"" + bob.arn + "\"}"));
  EXPECT_TRUE(allowed(bob, named)) << "the session itself is named";
  named.resource_policy = allow("s3:*", principal("{\"AWS\":\"" + user.arn + "\"}"));
  EXPECT_FALSE(allowed(bob, named)) << "the user behind it is named: the session's policies cut";
  bob.session_policies = {allow("s3:*")};
  EXPECT_TRUE(allowed(bob, named));
  EXPECT_TRUE(allowed(bob, get()));
  policies.set({});
  EXPECT_FALSE(allowed(bob, get())) << "nor more than the user";
  bob.issuer_arn = root.arn;
  EXPECT_TRUE(allowed(bob, get())) << "the root may everything";
  bob.session_policies = {allow("*")};
  Authorization other;
  other.action = "iam:ListUsers";
  EXPECT_EQ(decide(bob, other).error().code(), "InvalidClientTokenId");
  other.action = "sts:AssumeRole";
  EXPECT_FALSE(allowed(bob, other));
}

TEST_F(Decisions, Denials_of_EC2_can_be_decoded_by_the_account) {
  SeededRandom random{1};
  MasterKey key{};
  const AuthorizationMessages messages(key, random);
  PolicyAuthorizer telling(policies, &messages);
  const Protocol protocols[] = {Protocol::kEc2};
  Service service = {};
  service.protocols = protocols;
  policies.set({.identity = {{"p", allow("s3:*", "", "Deny")}}});
  Context as(telling, std::make_shared<Identity>(user), kAccount, "eu-west-1", "r",
             Time(std::chrono::seconds(1'600'000'000)));
  as.service = &service;
  Authorization request = get();
  request.conditions["s3:prefix"] = {"a", "b"};
  for (int i = 0; i < 1000; ++i) request.conditions[str("zz:", i)] = {"long enough to be too much"};
  const auto refusal = loop.run(as.authorize(request));
  const std::string words = refusal.error().message();
  EXPECT_TRUE(words.starts_with("You are not authorized to perform this operation. User: "));
  const std::string encoded = words.substr(words.rfind(' ') + 1);
  EXPECT_LE(encoded.size(), AuthorizationMessages::kMaxCharacters);
  const auto text = messages.decode(encoded, kAccount, as.now());
  ASSERT_TRUE(text);
  const auto document = *parse_json(*text);
  EXPECT_EQ(document.at("explicitDeny"), Json(true));
  EXPECT_EQ(document.at("matchedStatements").at("items").at(0).at("effect"), Json("DENY"));
  EXPECT_EQ(document.at("context").at("principal").at("id"), Json("AIDAANN"));
  EXPECT_NE(text->find(R"({"key":"s3:prefix","values":{"items":[{"value":"a"},{"value":"b"}]}})"),
            std::string::npos);
  EXPECT_FALSE(messages.decode(encoded, kOther, as.now()));
}

TEST_F(Decisions, A_changed_policy_decides_at_once_and_a_broken_one_never_allows) {
  policies.set({.identity = {{"p", allow("s3:*")}}});
  EXPECT_TRUE(allowed(user, get()));
  policies.set({.identity = {{"p", allow("sqs:*")}}});
  EXPECT_FALSE(allowed(user, get()));
  policies.set({.identity = {{"p", allow("*")}, {"broken", "{"}}});
  EXPECT_EQ(decide(user, get()).error().code(), "InternalFailure");
}

TEST_F(Decisions, A_trust_policy_must_allow_the_root_too) {
  Authorization assume;
  assume.action = "sts:AssumeRole";
  assume.resource = "arn:aws:iam::123456789012:role/r";
  assume.resource_policy_kind = Authorization::ResourcePolicy::kTrust;
  assume.resource_policy =
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",
          "Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}})";
  EXPECT_EQ(decide(root, assume).error().message(),
            "User: arn:aws:iam::123456789012:root is not authorized to perform: sts:AssumeRole on "
            "resource: arn:aws:iam::123456789012:role/r");
  EXPECT_TRUE(allowed(lambda, assume));
}

TEST(Access_key_ids, They_carry_their_account) {
  SeededRandom random(1);
  for (const char* account : {"000000000000", "123456789012", "999999999999"}) {
    const std::string id = make_access_key_id("AKIA", account, random);
    EXPECT_EQ(id.size(), 20u);
    EXPECT_EQ(account_of_access_key(id), account);
    EXPECT_NE(id, make_access_key_id("AKIA", account, random));
  }
  for (const char* other :
       {"", "test", "AKIAIOSFODNN7EXAMPLE", "AKIA0000000000000000", "XXXXQAAAAAAAAAAAAAAA"})
    EXPECT_FALSE(account_of_access_key(other)) << other;
}

TEST(Sealer, What_one_purpose_seals_no_other_opens) {
  SeededRandom random(1);
  MasterKey key{};
  const Sealer one(key, "one", random), two(key, "two", random);
  const std::string sealed = one.seal("secret", "id");
  EXPECT_EQ(one.open(sealed, "id"), "secret");
  EXPECT_FALSE(one.open(sealed, "other id"));
  EXPECT_FALSE(two.open(sealed, "id"));
  EXPECT_FALSE(one.open(sealed.substr(1), "id"));
  EXPECT_FALSE(one.open("", "id"));
  EXPECT_NE(one.seal("secret", "id"), sealed) << "a nonce is used once";
  EXPECT_EQ(one.open(one.seal("", ""), ""), "");
}

}  // namespace
}  // namespace pileus::aws
