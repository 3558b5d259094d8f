#include <gtest/gtest.h>

#include "aws/access_key_id.h"
#include "aws/authorizer.h"
#include "base/json.h"
#include "base/manual_loop.h"
#include "base/text.h"
#include "gen/sts/AssumeRole.h"
#include "gen/sts/DecodeAuthorizationMessage.h"
#include "gen/sts/GetAccessKeyInfo.h"
#include "gen/sts/GetCallerIdentity.h"
#include "gen/sts/GetFederationToken.h"
#include "gen/sts/GetSessionToken.h"
#include "services/sts/service.h"

namespace pileus::services::sts {
namespace {

using gen::sts::AssumeRoleInput;
using gen::sts::Tag;
using Type = aws::Identity::Type;

constexpr std::string_view kAccount = "123456789012";
constexpr std::string_view kOther = "999999999999";

class TestTime final : public RealTime {
 public:
  Time now() const override { return Time(std::chrono::seconds(1'700'000'000)) + passed; }
  std::chrono::nanoseconds monotonic() const override { return passed; }
  Duration passed{0};
};

// Users and roles as the test has them.
class FakeIam final : public aws::Credentials,
                      public aws::Policies,
                      public aws::Principals,
                      public aws::IdentityProviders {
 public:
  Task<Result<std::optional<aws::OidcProviderFacts>>> find_oidc_provider(std::string,
                                                                         std::string) override {
    co_return std::nullopt;
  }
  Task<Result<std::optional<aws::SamlProviderFacts>>> find_saml_provider(std::string) override {
    co_return std::nullopt;
  }
  Task<Result<std::shared_ptr<const aws::Credential>>> find(std::string id, std::string) override {
    long_lived.push_back(id);
    co_return std::shared_ptr<const aws::Credential>();
  }
  void used(const std::string& id, const std::string&, const std::string&, Time) override {
    used_keys.push_back(id);
  }
  Task<Result<std::shared_ptr<const aws::PrincipalPolicies>>> of(const aws::Identity&) override {
    co_return policies;
  }
  Task<Result<std::shared_ptr<const aws::RoleFacts>>> find_role(std::string arn) override {
    ++lookups;
    const auto found = roles.find(arn);
    co_return found == roles.end() ? nullptr : found->second;
  }
  Task<Result<std::shared_ptr<const aws::UserFacts>>> find_user(std::string arn) override {
    const auto found = users.find(arn);
    co_return found == users.end() ? nullptr : found->second;
  }
  Task<Result<std::optional<std::string>>> managed_policy(std::string arn) override {
    if (arn != "arn:aws:iam::aws:policy/ReadOnlyAccess") co_return std::optional<std::string>();
    co_return std::optional<std::string>("{}");
  }
  std::uint64_t generation() const override { return now; }
  Task<Result<bool>> verify_mfa(std::string user, std::string serial, std::string code) override {
    co_return user.ends_with(":user/ann") && serial.ends_with(":mfa/ann") && code == "123456";
  }
  Task<Result<std::optional<std::string>>> outbound_issuer(std::string) override {
    co_return std::optional<std::string>();
  }
  void user_used(const std::string&, const std::string&, const std::string&, Time) override {}
  void role_used(const std::string& arn, const std::string&, const std::string&, Time) override {
    used_roles.push_back(arn);
  }

  void add_role(aws::RoleFacts role) {
    ++now;
    std::string arn = role.arn;
    roles[arn] = std::make_shared<aws::RoleFacts>(std::move(role));
  }
  void allow(const std::string& action) {
    auto made = std::make_shared<aws::PrincipalPolicies>();
    made->identity.push_back(
        {"p", R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":")" + action +
                  R"(","Resource":"*"}})"});
    policies = made;
  }

  std::map<std::string, std::shared_ptr<const aws::RoleFacts>> roles;
  std::map<std::string, std::shared_ptr<const aws::UserFacts>> users;
  std::shared_ptr<const aws::PrincipalPolicies> policies =
      std::make_shared<aws::PrincipalPolicies>();
  std::uint64_t now = 1;
  int lookups = 0;
  std::vector<std::string> long_lived, used_keys, used_roles;
};

class NoWeb final : public WebSource {
 public:
  Task<Result<std::string>> get(std::string url, std::vector<std::string>) override {
    co_return fail(std::string(errc::kIo), url + ": no network");
  }
};

std::string role_arn(std::string_view name, std::string_view account = kAccount) {
  return str("arn:aws:iam::", account, ":role/", name);
}
std::string user_arn(std::string_view name, std::string_view account = kAccount) {
  return str("arn:aws:iam::", account, ":user/", name);
}
std::string trusting(const std::string& principal, const std::string& more = "",
                     const std::string& actions = R"(["sts:AssumeRole"])") {
  return R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":)" + principal +
         R"(,"Action":)" + actions + more + "}]}";
}
std::string aws_principal(const std::string& arn) { return R"({"AWS":")" + arn + "\"}"; }
template <class T>
std::string error_of(const Result<T>& result) {
  return result ? std::string() : result.error().code() + ": " + result.error().message();
}

class Sts : public testing::Test {
 protected:
  Sts() {
    ann.type = Type::kUser;
    ann.account = kAccount;
    ann.arn = user_arn("ann");
    ann.user_id = "AIDAANN";
    ann.user_name = "ann";
    iam.users[ann.arn] = std::make_shared<aws::UserFacts>(
        aws::UserFacts{ann.arn, "AIDAANN", "ann", "/", std::string(kAccount), {{"Team", "red"}}});
    add_role("fn", trusting(aws_principal(ann.arn)));
  }
  void add_role(const std::string& name, const std::string& trust,
                std::string_view account = kAccount, const std::string& id = "AROAFN") {
    iam.add_role({role_arn(name, account),
                  id,
                  name,
                  "/",
                  std::string(account),
                  trust,
                  7200,
                  {{"Env", "test"}}});
  }
  aws::Context context(const aws::Identity& caller) {
    return aws::Context(authorizer, std::make_shared<aws::Identity>(caller), caller.account,
                        "us-east-1", "r", clock.now());
  }
  Result<gen::sts::AssumeRoleOutput> assume(const aws::Identity& caller, AssumeRoleInput in) {
    aws::Context as = context(caller);
    auto result = loop.run(sts.assume_role(as, std::move(in)));
    EXPECT_TRUE(!result || as.decided());
    return result;
  }
  AssumeRoleInput request(const std::string& name = "fn") {
    return {.role_arn = role_arn(name), .role_session_name = "work"};
  }
  std::shared_ptr<const aws::Credential> find(const std::string& id, const std::string& token) {
    auto found = loop.run(sts.find(id, token));
    EXPECT_TRUE(found) << error_of(found);
    return found ? *found : nullptr;
  }
  template <class Output>
  std::shared_ptr<const aws::Credential> find(const Output& output) {
    return find(output->credentials->access_key_id, output->credentials->session_token);
  }
  static aws::MasterKey master() {
    aws::MasterKey key;
    key.fill(9);
    return key;
  }

  ManualLoop loop;
  TestTime time;
  ManualClock clock{Time(std::chrono::seconds(1'600'000'000))};
  SeededRandom random{3};
  FakeIam iam;
  NoWeb web;
  aws::AuthorizationMessages messages{master(), random};
  aws::PolicyAuthorizer authorizer{iam, &messages};
  StsService sts{iam, iam, iam, web, messages, clock, time, random, master()};
  aws::Identity ann;
};

TEST_F(Sts, A_trusted_user_gets_a_session_that_the_Door_finds) {
  const auto made = assume(ann, request());
  ASSERT_TRUE(made) << error_of(made);
  EXPECT_TRUE(made->credentials->access_key_id.starts_with("ASIA"));
  EXPECT_EQ(made->credentials->secret_access_key.size(), 40u);
  EXPECT_EQ(made->credentials->expiration, time.now() + std::chrono::hours(1));
  EXPECT_EQ(made->assumed_role_user->arn, str("arn:aws:sts::", kAccount, ":assumed-role/fn/work"));
  EXPECT_EQ(made->assumed_role_user->assumed_role_id, "AROAFN:work");
  EXPECT_FALSE(made->packed_policy_size);

  const auto found = find(made);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->secret, made->credentials->secret_access_key);
  EXPECT_EQ(found->expires, made->credentials->expiration);
  const aws::Identity& who = *found->identity;
  EXPECT_EQ(who.type, Type::kAssumedRole);
  EXPECT_EQ(who.arn, made->assumed_role_user->arn);
  EXPECT_EQ(who.role_arn, role_arn("fn"));
  EXPECT_EQ(who.user_id, "AROAFN:work");
  EXPECT_EQ(who.account, kAccount);
  EXPECT_EQ(who.issued_at, clock.now());
  EXPECT_EQ(who.tags.at("Env"), "test");
}

TEST_F(Sts, A_session_survives_a_restart_and_needs_the_same_master_key) {
  const auto made = assume(ann, request());
  StsService later(iam, iam, iam, web, messages, clock, time, random, master());
  const auto found =
      *loop.run(later.find(made->credentials->access_key_id, made->credentials->session_token));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->secret, made->credentials->secret_access_key);
  aws::MasterKey other = master();
  other[31] ^= 1;
  StsService foreign(iam, iam, iam, web, messages, clock, time, random, other);
  EXPECT_FALSE(
      *loop.run(foreign.find(made->credentials->access_key_id, made->credentials->session_token)));
}

TEST_F(Sts, A_token_that_was_touched_anywhere_is_nobodys) {
  const auto made = assume(ann, request());
  const std::string id = made->credentials->access_key_id;
  const std::string token = made->credentials->session_token;
  ASSERT_TRUE(find(id, token));
  const std::string bytes = *from_base64(token);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] ^= 0x10;
    ASSERT_FALSE(find(id, to_base64(changed))) << "byte " << i;
  }
  EXPECT_FALSE(find(id, token.substr(0, token.size() - 4)));
  EXPECT_FALSE(find(id, ""));
  EXPECT_FALSE(find(id, "AAAA"));
  EXPECT_FALSE(find(id, "not base64 %%"));
  EXPECT_FALSE(find(aws::make_access_key_id("ASIA", kAccount, random), token))
      << "bound to its key";
  EXPECT_TRUE(find(id, token));
}

TEST_F(Sts, A_warm_session_asks_nobody) {
  const auto made = assume(ann, request());
  const auto found = find(made);
  iam.lookups = 0;
  EXPECT_EQ(find(made), found);
  EXPECT_EQ(iam.lookups, 0);
  time.passed = std::chrono::seconds(31);
  EXPECT_EQ(find(made), found);
  EXPECT_EQ(iam.lookups, 1) << "another node may have deleted the role";
}

TEST_F(Sts, A_session_ends_with_its_role) {
  const auto made = assume(ann, request());
  ASSERT_TRUE(find(made));
  add_role("fn", trusting(aws_principal(ann.arn)), kAccount, "AROANEW");
  EXPECT_FALSE(find(made)->active) << "a role of the same name is another role";
  add_role("fn", trusting(aws_principal(ann.arn)));
  EXPECT_TRUE(find(made)->active);
  iam.roles.clear();
  ++iam.now;
  EXPECT_FALSE(find(made)->active);
}

TEST_F(Sts, A_changed_tag_of_the_role_shows_in_its_sessions) {
  const auto made = assume(ann, request());
  EXPECT_EQ(find(made)->identity->tags.at("Env"), "test");
  iam.add_role(
      {role_arn("fn"), "AROAFN", "fn", "/", std::string(kAccount), "{}", 3600, {{"Env", "prod"}}});
  EXPECT_EQ(find(made)->identity->tags.at("Env"), "prod");
}

TEST_F(Sts, An_expired_session_is_still_named_so_that_the_Door_can_say_so) {
  const auto made = assume(ann, request());
  time.passed = std::chrono::hours(2);
  EXPECT_LT(*find(made)->expires, time.now());
}

TEST_F(Sts, Who_is_not_trusted_is_told_in_the_words_of_AWS) {
  aws::Identity ben = ann;
  ben.arn = user_arn("ben");
  const std::string text = "AccessDenied: User: " + user_arn("ben") +
                           " is not authorized to perform: sts:AssumeRole on resource: ";
  EXPECT_EQ(error_of(assume(ben, request())), text + role_arn("fn"));
  EXPECT_EQ(error_of(assume(ben, request("no-such-role"))), text + role_arn("no-such-role"));
  EXPECT_EQ(error_of(assume(ben, {.role_arn = "arn:aws:iam::123456789012:user/ann",
                                  .role_session_name = "work"})),
            "ValidationError: arn:aws:iam::123456789012:user/ann is invalid");
}

TEST_F(Sts, A_trusted_account_still_needs_identity_policies) {
  add_role("open", trusting(aws_principal(str("arn:aws:iam::", kAccount, ":root"))));
  EXPECT_FALSE(assume(ann, request("open")));
  iam.allow("sts:AssumeRole");
  EXPECT_TRUE(assume(ann, request("open")));
}

TEST_F(Sts, Across_accounts_both_sides_must_allow) {
  add_role("far", trusting(aws_principal(ann.arn)), kOther);
  AssumeRoleInput in = {.role_arn = role_arn("far", kOther), .role_session_name = "work"};
  EXPECT_FALSE(assume(ann, in));
  iam.allow("sts:AssumeRole");
  const auto made = assume(ann, in);
  ASSERT_TRUE(made) << error_of(made);
  EXPECT_EQ(find(made)->identity->account, kOther);
  add_role("far", trusting(aws_principal(user_arn("ben"))), kOther);
  EXPECT_FALSE(assume(ann, in));
}

TEST_F(Sts, An_external_id_is_needed_where_the_role_asks_for_it) {
  add_role("fn", trusting(aws_principal(ann.arn),
                          R"(,"Condition":{"StringEquals":{"sts:ExternalId":"secret"}})"));
  AssumeRoleInput in = request();
  EXPECT_EQ(assume(ann, in).error().code(), "AccessDenied");
  in.external_id = "wrong";
  EXPECT_EQ(assume(ann, in).error().code(), "AccessDenied");
  in.external_id = "secret";
  EXPECT_TRUE(assume(ann, in));
}

TEST_F(Sts, Durations_keep_to_the_roles_maximum_and_to_an_hour_in_a_chain) {
  AssumeRoleInput in = request();
  in.duration_seconds = 7200;
  EXPECT_EQ(assume(ann, in)->credentials->expiration, time.now() + std::chrono::hours(2));
  in.duration_seconds = 7201;
  EXPECT_EQ(error_of(assume(ann, in)),
            "ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for "
            "this role.");
  aws::Identity session = *find(assume(ann, request()))->identity;
  add_role("next", trusting(aws_principal(role_arn("fn"))), kAccount, "AROANEXT");
  iam.allow("sts:*");
  in = request("next");
  in.duration_seconds = 3601;
  EXPECT_EQ(error_of(assume(session, in)),
            "ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for "
            "roles assumed by role chaining.");
  in.duration_seconds = 3600;
  EXPECT_TRUE(assume(session, in));
}

TEST_F(Sts, Session_policies_ride_in_the_token) {
  AssumeRoleInput in = request();
  in.policy =
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}})";
  in.policy_arns = std::vector<gen::sts::PolicyDescriptorType>{
      {.arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"}};
  const auto made = assume(ann, in);
  ASSERT_TRUE(made) << error_of(made);
  EXPECT_GT(*made->packed_policy_size, 0);
  EXPECT_LT(*made->packed_policy_size, 20);
  EXPECT_EQ(find(made)->identity->session_policies.front(), *in.policy);
  EXPECT_EQ(find(made)->identity->session_policy_arns.front(),
            "arn:aws:iam::aws:policy/ReadOnlyAccess");
  in.policy_arns =
      std::vector<gen::sts::PolicyDescriptorType>{{.arn = "arn:aws:iam::aws:policy/NoSuchThing"}};
  EXPECT_EQ(assume(ann, in).error().code(), "MalformedPolicyDocument");
  in = request();
  in.policy = "{";
  EXPECT_EQ(assume(ann, in).error().code(), "MalformedPolicyDocument");
  in.policy = std::string(2049, ' ');
  EXPECT_EQ(assume(ann, in).error().code(), "ValidationError");
}

TEST_F(Sts, Policies_and_tags_that_do_not_pack_are_too_large) {
  add_role("fn", trusting(aws_principal(ann.arn), "", R"(["sts:AssumeRole","sts:TagSession"])"));
  AssumeRoleInput in = request();
  in.tags.emplace();
  for (int i = 0; i < 50; ++i) in.tags->push_back({str("key", i), hex_id(random, 200)});
  const auto made = assume(ann, in);
  EXPECT_EQ(made.error().code(), "PackedPolicyTooLarge");
  EXPECT_NE(made.error().message().find("% of allotted space"), std::string::npos);
}

TEST_F(Sts, Tags_need_TagSession_lie_over_the_roles_and_pass_on_where_asked) {
  AssumeRoleInput in = request();
  in.tags = std::vector<Tag>{{"env", "mine"}, {"Project", "x"}};
  in.transitive_tag_keys = std::vector<std::string>{"Project"};
  EXPECT_EQ(assume(ann, in).error().code(), "AccessDenied");
  add_role("fn", trusting(aws_principal(ann.arn), "", R"(["sts:AssumeRole","sts:TagSession"])"));
  const auto made = assume(ann, in);
  ASSERT_TRUE(made) << error_of(made);
  const aws::Identity session = *find(made)->identity;
  EXPECT_EQ(session.tags, (std::map<std::string, std::string>{{"env", "mine"}, {"Project", "x"}}));

  add_role("next",
           trusting(aws_principal(role_arn("fn")), "", R"(["sts:AssumeRole","sts:TagSession"])"),
           kAccount, "AROANEXT");
  iam.allow("sts:*");
  const aws::Identity next = *find(assume(session, request("next")))->identity;
  EXPECT_EQ(next.tags, (std::map<std::string, std::string>{{"Env", "test"}, {"Project", "x"}}));
  in = request("next");
  in.tags = std::vector<Tag>{{"project", "other"}};
  EXPECT_EQ(assume(session, in).error().code(), "InvalidParameterValue");
  in = request();
  in.tags = std::vector<Tag>{{"a", "1"}, {"A", "2"}};
  EXPECT_EQ(assume(ann, in).error().code(), "InvalidParameterValue");
  in.tags = std::vector<Tag>{{"a", "1"}};
  in.transitive_tag_keys = std::vector<std::string>{"b"};
  EXPECT_EQ(assume(ann, in).error().code(), "InvalidParameterValue");
}

TEST_F(Sts, A_source_identity_needs_its_permission_and_stays) {
  AssumeRoleInput in = request();
  in.source_identity = "ann-herself";
  EXPECT_EQ(assume(ann, in).error().code(), "AccessDenied");
  add_role("fn",
           trusting(aws_principal(ann.arn), "", R"(["sts:AssumeRole","sts:SetSourceIdentity"])"));
  const auto made = assume(ann, in);
  ASSERT_TRUE(made) << error_of(made);
  EXPECT_EQ(*made->source_identity, "ann-herself");
  const aws::Identity session = *find(made)->identity;
  EXPECT_EQ(session.source_identity, "ann-herself");
  add_role(
      "next",
      trusting(aws_principal(role_arn("fn")), "", R"(["sts:AssumeRole","sts:SetSourceIdentity"])"),
      kAccount, "AROANEXT");
  iam.allow("sts:*");
  EXPECT_EQ(find(assume(session, request("next")))->identity->source_identity, "ann-herself");
  in = request("next");
  in.source_identity = "someone";
  EXPECT_EQ(assume(session, in).error().code(), "AccessDenied");
}

TEST_F(Sts, What_cannot_be_honoured_is_refused) {
  AssumeRoleInput in = request();
  in.serial_number = "arn:aws:iam::123456789012:mfa/ann";
  in.token_code = "654321";
  EXPECT_EQ(error_of(assume(ann, in)),
            "AccessDenied: MultiFactorAuthentication failed with invalid MFA one time pass code.");
  in = request();
  in.provided_contexts.emplace(1);
  EXPECT_EQ(assume(ann, in).error().code(), "InvalidParameterValue");
}

TEST_F(Sts, A_code_makes_a_session_with_a_second_factor) {
  AssumeRoleInput in = request();
  in.serial_number = "arn:aws:iam::123456789012:mfa/ann";
  in.token_code = "123456";
  EXPECT_TRUE(find(assume(ann, in))->identity->mfa);
  EXPECT_FALSE(find(assume(ann, request()))->identity->mfa);
}

TEST_F(Sts, A_token_is_padded_to_the_size_asked_for) {
  AssumeRoleInput in = request();
  in.minimum_session_token_size = 3000;
  const auto made = assume(ann, in);
  EXPECT_GE(made->credentials->session_token.size(), 3000u);
  EXPECT_EQ(*made->session_token_size, static_cast<int>(made->credentials->session_token.size()));
  EXPECT_EQ(*made->session_token_utilization, 74);
  EXPECT_TRUE(find(made));
}

TEST_F(Sts, Everyone_is_told_who_they_are) {
  aws::Context as = context(ann);
  const auto told = loop.run(sts.get_caller_identity(as, {}));
  EXPECT_EQ(*told->arn, ann.arn);
  EXPECT_EQ(*told->user_id, "AIDAANN");
  EXPECT_EQ(*told->account, kAccount);
  EXPECT_TRUE(as.decided());
}

TEST_F(Sts, A_session_token_of_a_user_is_the_user) {
  aws::Context as = context(ann);
  const auto made = loop.run(sts.get_session_token(as, {}));
  ASSERT_TRUE(made) << error_of(made);
  EXPECT_EQ(made->credentials->expiration, time.now() + std::chrono::hours(12));
  const auto found = find(made);
  EXPECT_EQ(found->identity->arn, ann.arn);
  EXPECT_EQ(found->identity->type, Type::kUser);
  EXPECT_EQ(found->identity->tags.at("Team"), "red");
  EXPECT_TRUE(found->identity->issued_at);
  aws::Context again = context(*found->identity);
  EXPECT_EQ(error_of(loop.run(sts.get_session_token(again, {}))),
            "AccessDenied: Cannot call GetSessionToken with session credentials");
  EXPECT_EQ(loop.run(again.authorize("iam:ListUsers", "*")).error().code(), "InvalidClientTokenId")
      << "no MFA, no IAM";
  iam.users.clear();
  ++iam.now;
  EXPECT_FALSE(find(made)->active);
}

TEST_F(Sts, A_session_token_of_the_root_lasts_an_hour) {
  aws::Identity root;
  root.type = Type::kRoot;
  root.account = kAccount;
  root.arn = str("arn:aws:iam::", kAccount, ":root");
  root.user_id = kAccount;
  aws::Context as = context(root);
  const auto made = loop.run(sts.get_session_token(as, {.duration_seconds = 7200}));
  EXPECT_EQ(made->credentials->expiration, time.now() + std::chrono::hours(1));
  EXPECT_EQ(find(made)->identity->type, Type::kRoot);
  EXPECT_EQ(find(made)->identity->arn, root.arn);
}

TEST_F(Sts, A_key_id_tells_its_account) {
  iam.allow("sts:GetAccessKeyInfo");
  aws::Context as = context(ann);
  const std::string id = aws::make_access_key_id("AKIA", kOther, random);
  EXPECT_EQ(*loop.run(sts.get_access_key_info(as, {.access_key_id = id}))->account, kOther);
  EXPECT_EQ(
      loop.run(sts.get_access_key_info(as, {.access_key_id = "AKIANONSENSE0000"})).error().code(),
      "ValidationError");
}

TEST_F(Sts, A_federated_user_is_the_session_of_a_user) {
  iam.allow("*");
  aws::Context as = context(ann);
  gen::sts::GetFederationTokenInput in = {.name = "bob"};
  in.policy = R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*",)"
              R"("Resource":"*"}})";
  in.tags = std::vector<Tag>{{"team", "blue"}};
  const auto made = loop.run(sts.get_federation_token(as, in));
  ASSERT_TRUE(made) << error_of(made);
  EXPECT_EQ(made->credentials->expiration, time.now() + std::chrono::hours(12));
  EXPECT_EQ(made->federated_user->arn, str("arn:aws:sts::", kAccount, ":federated-user/bob"));
  EXPECT_EQ(made->federated_user->federated_user_id, str(kAccount, ":bob"));
  EXPECT_GT(*made->packed_policy_size, 0);

  const auto found = find(made);
  ASSERT_TRUE(found);
  const aws::Identity who = *found->identity;
  EXPECT_EQ(who.type, Type::kFederatedUser);
  EXPECT_EQ(who.issuer_arn, ann.arn);
  EXPECT_EQ(who.issuer_id, "AIDAANN");
  EXPECT_EQ(who.tags, (std::map<std::string, std::string>{{"team", "blue"}})) << "over Team";
  aws::Context bob = context(who);
  EXPECT_TRUE(loop.run(bob.authorize("s3:GetObject", "*")));
  EXPECT_FALSE(loop.run(bob.authorize("sqs:SendMessage", "*"))) << "cut by the session policy";
  EXPECT_EQ(loop.run(bob.authorize("iam:ListUsers", "*")).error().code(), "InvalidClientTokenId");
  EXPECT_FALSE(loop.run(bob.authorize("sts:AssumeRole", "*")));
  aws::Context again = context(who);
  EXPECT_EQ(error_of(loop.run(sts.get_federation_token(again, in))),
            "AccessDenied: Cannot call GetFederationToken with session credentials");
  iam.users.clear();
  ++iam.now;
  EXPECT_FALSE(find(made)->active) << "it ends with the user behind it";
}

TEST_F(Sts, The_roots_federated_user_lasts_an_hour) {
  aws::Identity root;
  root.type = Type::kRoot;
  root.account = root.user_id = kAccount;
  root.arn = str("arn:aws:iam::", kAccount, ":root");
  aws::Context as = context(root);
  const auto made =
      loop.run(sts.get_federation_token(as, {.name = "bob", .duration_seconds = 129600}));
  ASSERT_TRUE(made) << error_of(made);
  EXPECT_EQ(made->credentials->expiration, time.now() + std::chrono::hours(1));
  aws::Context bob = context(*find(made)->identity);
  EXPECT_FALSE(loop.run(bob.authorize("s3:GetObject", "*"))) << "no session policy, no rights";
}

TEST_F(Sts, A_denial_is_decoded_for_its_account_and_a_day) {
  aws::Authorization denied;
  denied.action = "s3:GetObject";
  denied.resource = "arn:aws:s3:::b/k";
  denied.encoded = aws::Authorization::Encoded::kAlways;
  aws::Context as = context(ann);
  const auto refusal = loop.run(as.authorize(denied));
  const std::string_view message = refusal.error().message();
  const auto at = message.rfind(' ');
  EXPECT_TRUE(message.substr(0, at).ends_with("Encoded authorization failure message:"));
  const std::string encoded(message.substr(at + 1));
  iam.allow("sts:*");
  const auto decode = [&](const aws::Identity& who, const std::string& text) {
    aws::Context asking = context(who);
    return loop.run(sts.decode_authorization_message(asking, {.encoded_message = text}));
  };
  const auto decoded = decode(ann, encoded);
  ASSERT_TRUE(decoded) << error_of(decoded);
  const auto document = *parse_json(*decoded->decoded_message);
  EXPECT_EQ(document.at("allowed"), Json(false));
  EXPECT_EQ(document.at("context").at("action"), Json("s3:GetObject"));
  EXPECT_EQ(document.at("context").at("principal").at("name"), Json("ann"));
  aws::Identity stranger = ann;
  stranger.account = kOther;
  EXPECT_EQ(decode(stranger, encoded).error().code(), "InvalidAuthorizationMessageException");
  EXPECT_FALSE(decode(ann, encoded.substr(1)));
  loop.run(clock.advance(std::chrono::hours(25)));
  EXPECT_FALSE(decode(ann, encoded));
}

TEST_F(Sts, Long_lived_keys_are_passed_on) {
  EXPECT_FALSE(find("AKIAQAAAAAAAAAAAAAAA", ""));
  EXPECT_EQ(iam.long_lived.back(), "AKIAQAAAAAAAAAAAAAAA");
  sts.used("AKIAQAAAAAAAAAAAAAAA", "s3", "us-east-1", time.now());
  EXPECT_EQ(iam.used_keys.size(), 1u);
  const auto made = assume(ann, request());
  find(made);
  sts.used(made->credentials->access_key_id, "s3", "us-east-1", time.now());
  EXPECT_EQ(iam.used_roles, std::vector<std::string>{role_arn("fn")});
}

TEST_F(Sts, A_service_gets_sessions_of_roles_that_trust_it) {
  add_role("exec", trusting(R"({"Service":"lambda.amazonaws.com"})"), kAccount, "AROAEXEC");
  const auto session = loop.run(sts.assume({.role_arn = role_arn("exec"),
                                            .session_name = "my-function",
                                            .service = "lambda.amazonaws.com",
                                            .lifetime = std::chrono::hours(36)}));
  ASSERT_TRUE(session) << error_of(session);
  EXPECT_EQ(session->identity->arn,
            str("arn:aws:sts::", kAccount, ":assumed-role/exec/my-function"));
  EXPECT_EQ(session->expires, time.now() + std::chrono::hours(36));
  const auto found = find(session->access_key_id, session->session_token);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->secret, session->secret_access_key);

  EXPECT_EQ(error_of(loop.run(sts.assume({.role_arn = role_arn("exec"),
                                          .session_name = "t",
                                          .service = "ecs-tasks.amazonaws.com"}))),
            "AccessDenied: User: ecs-tasks.amazonaws.com is not authorized to perform: "
            "sts:AssumeRole on resource: " +
                role_arn("exec"));
  EXPECT_EQ(loop.run(sts.assume({.role_arn = role_arn("none"),
                                 .session_name = "t",
                                 .service = "lambda.amazonaws.com"}))
                .error()
                .code(),
            "NoSuchEntity");
}

TEST_F(Sts, A_role_may_trust_a_service_for_one_source_only) {
  add_role(
      "exec",
      trusting(R"({"Service":"lambda.amazonaws.com"})",
               R"(,"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:lambda:*:*:function:mine"}})"));
  aws::SessionRequest request = {
      .role_arn = role_arn("exec"), .session_name = "f", .service = "lambda.amazonaws.com"};
  EXPECT_FALSE(loop.run(sts.assume(request)));
  request.source_arn = "arn:aws:lambda:us-east-1:123456789012:function:mine";
  EXPECT_TRUE(loop.run(sts.assume(request)));
  request.source_arn = "arn:aws:lambda:us-east-1:123456789012:function:other";
  EXPECT_FALSE(loop.run(sts.assume(request)));
}

}  // namespace
}  // namespace pileus::services::sts
