#include "aws/policy/evaluate.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace pileus::aws::policy {
namespace {

constexpr std::string_view kAccount = "123456789012";
constexpr std::string_view kOther = "999999999999";
const std::string kBucket = "arn:aws:s3:::b/k";

Identity ann() {
  Identity out;
  out.type = Identity::Type::kUser;
  out.account = kAccount;
  out.arn = "arn:aws:iam::123456789012:user/ann";
  out.user_id = "AIDAANNEXAMPLE000000";
  out.user_name = "ann";
  return out;
}
Identity session() {
  Identity out;
  out.type = Identity::Type::kAssumedRole;
  out.account = kAccount;
  out.arn = "arn:aws:sts::123456789012:assumed-role/r/s";
  out.role_arn = "arn:aws:iam::123456789012:role/path/r";
  out.user_id = "AROAROLEEXAMPLE00000:s";
  out.session_name = "s";
  return out;
}
Identity service(std::string name) {
  Identity out;
  out.type = Identity::Type::kService;
  out.service = out.arn = std::move(name);
  return out;
}
Identity root() {
  Identity out;
  out.type = Identity::Type::kRoot;
  out.account = kAccount;
  out.arn = "arn:aws:iam::123456789012:root";
  return out;
}

// Everything that applies to one call, with policies from text.
struct Scene {
  explicit Scene(Identity identity) : who(std::move(identity)) {}
  const AttachedPolicy* policy(std::string_view statements, Use use, std::string name = "p") {
    auto parsed =
        parse_policy(str(R"({"Version":"2012-10-17","Statement":)", statements, "}"), use);
    EXPECT_TRUE(parsed) << statements << ": " << (parsed ? "" : parsed.error().message());
    if (!parsed) return nullptr;
    policies.push_back(*std::move(parsed));
    attached.push_back({&policies.back(), std::move(name), AttachedPolicy::Kind::kManaged});
    return &attached.back();
  }
  Scene& identity(std::string_view s, std::string name = "p") {
    return identities.push_back(*policy(s, Use::kIdentity, name)), *this;
  }
  Scene& resource(std::string_view s) { return set.resource = policy(s, Use::kResource), *this; }
  Scene& trust(std::string_view s) {
    set.resource_role = PolicySet::ResourceRole::kTrust;
    return set.resource = policy(s, Use::kTrust), *this;
  }
  Scene& boundary(std::string_view s, std::string name = "p") {
    return set.boundary = policy(s, Use::kIdentity, name), *this;
  }
  Scene& session_policy(std::string_view s) {
    return sessions.push_back(*policy(s, Use::kIdentity)), *this;
  }
  Scene& organisation(std::string_view s) {
    return levels.push_back({*policy(s, Use::kIdentity)}), *this;
  }
  Decision decide() {
    set.identity = identities;
    set.session = sessions;
    set.organisation = levels;
    return evaluate(request(), set);
  }
  Request request() {
    Request out(who, action, on);
    out.resource_account = account;
    out.conditions = &conditions;
    out.federated_provider = provider;
    return out;
  }
  std::string message() { return denial_message(decide(), request()); }

  Identity who;
  std::string action = "s3:GetObject", on = kBucket, account{kAccount}, provider;
  ConditionValues conditions;
  std::deque<Policy> policies;
  std::deque<AttachedPolicy> attached;
  std::vector<AttachedPolicy> identities, sessions;
  std::vector<std::vector<AttachedPolicy>> levels;
  PolicySet set;
};

const std::string kAllow = R"({"Sid":"Let","Effect":"Allow","Action":"s3:*","Resource":"*"})";
const std::string kDeny =
    R"({"Sid":"Stop","Effect":"Deny","Action":"s3:GetObject","Resource":"*"})";
const std::string kElsewhere = R"({"Effect":"Allow","Action":"sqs:*","Resource":"*"})";
std::string resource_allow(std::string_view principal) {
  return str(R"({"Effect":"Allow","Principal":)", principal,
             R"(,"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"})");
}

TEST(EvaluateTest, Actions_and_resources_match_as_documented) {
  struct Case {
    const char *statement, *action, *resource;
    bool allowed;
  };
  for (const auto& c : std::initializer_list<Case>{
           {R"("Action":"s3:GetObject","Resource":"*")", "s3:GetObject", "arn:aws:s3:::b/k", true},
           {R"("Action":"S3:getobject","Resource":"*")", "s3:GetObject", "arn:aws:s3:::b/k", true},
           {R"("Action":"s3:Get*","Resource":"*")", "s3:PutObject", "arn:aws:s3:::b/k", false},
           {R"("Action":"*","Resource":"*")", "iam:CreateUser", "*", true},
           {R"("Action":["s3:Put*","s3:Get?bject"],"Resource":"arn:aws:s3:::b/*")", "s3:GetObject",
            "arn:aws:s3:::b/k", true},
           {R"("Action":"s3:*","Resource":"arn:aws:s3:::b")", "s3:GetObject", "arn:aws:s3:::b/k",
            false},
           {R"("Action":"s3:*","Resource":"arn:aws:s3:::B/*")", "s3:GetObject", "arn:aws:s3:::b/k",
            false},
           {R"("NotAction":"iam:*","Resource":"*")", "s3:GetObject", "arn:aws:s3:::b/k", true},
           {R"("NotAction":"iam:*","Resource":"*")", "iam:GetUser", "*", false},
           {R"("Action":"s3:*","NotResource":"arn:aws:s3:::secret/*")", "s3:GetObject",
            "arn:aws:s3:::secret/k", false},
           {R"("Action":"s3:*","NotResource":"arn:aws:s3:::secret/*")", "s3:GetObject",
            "arn:aws:s3:::b/k", true},
           {R"("Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:username}/*")", "s3:GetObject",
            "arn:aws:s3:::home/ann/x", true},
           {R"("Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:username}/*")", "s3:GetObject",
            "arn:aws:s3:::home/bob/x", false},
           {R"("Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:PrincipalTag/x}/*")",
            "s3:GetObject", "arn:aws:s3:::home//x", false},
           {R"("Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:PrincipalTag/x, 'all'}/*")",
            "s3:GetObject", "arn:aws:s3:::home/all/x", true},
           {R"("Action":"s3:*","Resource":"arn:aws:s3:::${*}/*")", "s3:GetObject",
            "arn:aws:s3:::b/k", false},
           {R"("Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:*:*:function:f*")",
            "lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:f:1", true},
       }) {
    Scene scene(ann());
    scene.action = c.action;
    scene.on = c.resource;
    scene.identity(str(R"({"Effect":"Allow",)", c.statement, "}"));
    EXPECT_EQ(scene.decide().allowed(), c.allowed)
        << c.statement << " " << c.action << " " << c.resource;
  }
}

TEST(EvaluateTest, Every_way_to_write_an_action_is_found) {
  struct Case {
    const char *pattern, *action;
  };
  for (const auto& c : std::initializer_list<Case>{{"*", "s3:GetObject"},
                                                   {"*:*", "s3:GetObject"},
                                                   {"s3:*", "s3:GetObject"},
                                                   {"s3:G*", "s3:GetObject"},
                                                   {"s3:Ge*", "s3:GetObject"},
                                                   {"s3:Get*", "s3:GetObject"},
                                                   {"s3:?etObject", "s3:GetObject"},
                                                   {"s3:*Object", "s3:GetObject"},
                                                   {"s3:G?tObject", "s3:GetObject"},
                                                   {"s3:GETOBJECT", "s3:GetObject"},
                                                   {"a:b", "a:b"},
                                                   {"a:b*", "a:b"},
                                                   {"a:bc", "a:bc"},
                                                   {"a:bc*", "a:bcd"},
                                                   {"s3-outposts:Get*", "s3-outposts:GetObject"}}) {
    Scene scene(ann());
    scene.action = c.action;
    scene.identity(str(R"({"Effect":"Allow","Resource":"*","Action":")", c.pattern, "\"}"));
    EXPECT_TRUE(scene.decide().allowed()) << c.pattern << " " << c.action;
  }
}

TEST(EvaluateTest, Nothing_allows_by_itself_and_deny_wins) {
  EXPECT_FALSE(Scene(ann()).decide().allowed());
  EXPECT_TRUE(Scene(ann()).identity(kAllow).decide().allowed());
  EXPECT_FALSE(Scene(ann()).identity(kAllow).identity(kDeny).decide().allowed());
  EXPECT_FALSE(Scene(ann()).identity(kDeny).identity(kAllow).decide().allowed());
  EXPECT_FALSE(Scene(ann()).identity(kElsewhere).decide().allowed());
}

TEST(EvaluateTest, The_decision_names_policy_and_statement) {
  Scene scene(ann());
  scene.identity(kElsewhere, "first").identity("[" + kElsewhere + "," + kAllow + "]", "second");
  const auto decision = scene.decide();
  ASSERT_TRUE(decision.allowed());
  EXPECT_EQ(decision.layer, Layer::kIdentity);
  EXPECT_EQ(decision.policy->name, "second");
  EXPECT_EQ(decision.statement, 1);
  EXPECT_EQ(decision.sid(), "Let");
}

TEST(EvaluateTest, In_one_account_a_resource_policy_that_names_the_user_grants) {
  const auto user = resource_allow(R"({"AWS":"arn:aws:iam::123456789012:user/ann"})");
  EXPECT_TRUE(Scene(ann()).resource(user).decide().allowed());
  EXPECT_TRUE(Scene(ann()).resource(user).boundary(kElsewhere).decide().allowed());
  EXPECT_FALSE(Scene(ann()).resource(user).boundary(kDeny).decide().allowed());
  EXPECT_FALSE(Scene(ann())
                   .resource(resource_allow(R"({"AWS":"arn:aws:iam::123456789012:user/bob"})"))
                   .decide()
                   .allowed());
  EXPECT_TRUE(Scene(ann()).resource(resource_allow(R"("*")")).decide().allowed());
  EXPECT_TRUE(Scene(ann())
                  .resource(resource_allow(R"({"AWS":"AIDAANNEXAMPLE000000"})"))
                  .decide()
                  .allowed());
}

TEST(EvaluateTest, Naming_the_account_leaves_it_to_identity_policies) {
  const auto account = resource_allow(R"({"AWS":"arn:aws:iam::123456789012:root"})");
  EXPECT_FALSE(Scene(ann()).resource(account).decide().allowed());
  EXPECT_TRUE(Scene(ann()).resource(account).identity(kAllow).decide().allowed());
  EXPECT_TRUE(Scene(ann())
                  .resource(resource_allow(R"({"AWS":"999999999999"})"))
                  .identity(kAllow)
                  .decide()
                  .allowed());
}

TEST(EvaluateTest, A_resource_policy_that_names_the_session_is_not_cut_one_that_names_the_role_is) {
  const auto by_session = resource_allow(R"({"AWS":"arn:aws:sts::123456789012:assumed-role/r/s"})");
  const auto by_role = resource_allow(R"({"AWS":"arn:aws:iam::123456789012:role/path/r"})");
  const auto everyone = resource_allow(R"({"AWS":"*"})");
  EXPECT_TRUE(Scene(session())
                  .resource(by_session)
                  .boundary(kElsewhere)
                  .session_policy(kElsewhere)
                  .decide()
                  .allowed());
  EXPECT_TRUE(Scene(session()).resource(by_role).decide().allowed());
  // The strongest of several statements counts, in any order.
  EXPECT_TRUE(Scene(session())
                  .resource("[" + by_role + "," + by_session + "]")
                  .boundary(kElsewhere)
                  .decide()
                  .allowed());
  EXPECT_TRUE(Scene(session())
                  .resource("[" + by_session + "," + by_role + "]")
                  .boundary(kElsewhere)
                  .decide()
                  .allowed());
  EXPECT_FALSE(Scene(session()).resource(by_role).boundary(kElsewhere).decide().allowed());
  EXPECT_FALSE(Scene(session()).resource(by_role).session_policy(kElsewhere).decide().allowed());
  EXPECT_TRUE(Scene(session())
                  .resource(by_role)
                  .boundary(kAllow)
                  .session_policy(kAllow)
                  .decide()
                  .allowed());
  EXPECT_TRUE(Scene(session()).resource(everyone).decide().allowed());
  EXPECT_FALSE(Scene(session()).resource(everyone).session_policy(kElsewhere).decide().allowed());
  EXPECT_TRUE(Scene(session())
                  .resource(resource_allow(R"({"AWS":"AROAROLEEXAMPLE00000"})"))
                  .decide()
                  .allowed());
}

TEST(EvaluateTest, Boundary_session_and_organisation_cut_identity_policies) {
  EXPECT_TRUE(Scene(ann()).identity(kAllow).boundary(kAllow).decide().allowed());
  EXPECT_EQ(Scene(ann()).identity(kAllow).boundary(kElsewhere).decide().layer, Layer::kBoundary);
  EXPECT_FALSE(Scene(ann()).boundary(kAllow).decide().allowed());
  EXPECT_EQ(Scene(session()).identity(kAllow).session_policy(kElsewhere).decide().layer,
            Layer::kSession);
  EXPECT_TRUE(Scene(session())
                  .identity(kAllow)
                  .session_policy(kElsewhere)
                  .session_policy(kAllow)
                  .decide()
                  .allowed());
  EXPECT_EQ(Scene(ann()).identity(kAllow).organisation(kElsewhere).decide().layer,
            Layer::kOrganisation);
  EXPECT_TRUE(
      Scene(ann()).identity(kAllow).organisation(kAllow).organisation(kAllow).decide().allowed());
  EXPECT_FALSE(Scene(ann())
                   .identity(kAllow)
                   .organisation(kAllow)
                   .organisation(kElsewhere)
                   .decide()
                   .allowed());
}

TEST(EvaluateTest, Across_accounts_both_sides_must_allow) {
  const auto names_account = resource_allow(R"({"AWS":"123456789012"})");
  const auto names_user = resource_allow(R"({"AWS":"arn:aws:iam::123456789012:user/ann"})");
  const auto decide = [](bool identity, std::string_view resource) {
    Scene scene(ann());
    scene.account = kOther;
    if (identity) scene.identity(kAllow);
    if (!resource.empty()) scene.resource(resource);
    return scene.decide();
  };
  EXPECT_TRUE(decide(true, names_account).allowed());
  EXPECT_TRUE(decide(true, names_user).allowed());
  EXPECT_EQ(decide(false, names_user).layer, Layer::kIdentity);
  EXPECT_EQ(decide(true, "").layer, Layer::kResource);
  EXPECT_EQ(decide(true, resource_allow(R"({"AWS":"999999999999"})")).layer, Layer::kResource);
}

TEST(EvaluateTest, Services_anonymous_callers_and_root) {
  const auto to_s3 =
      R"({"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"s3:GetObject",
      "Resource":"*",
                         "Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::b"},"StringEquals":
      {"aws:SourceAccount":"123456789012"}}})";
  Scene allowed(service("s3.amazonaws.com"));
  allowed.conditions = {{"aws:SourceArn", {"arn:aws:s3:::b"}},
                        {"aws:SourceAccount", {"123456789012"}}};
  EXPECT_TRUE(allowed.resource(to_s3).decide().allowed());
  Scene confused(service("s3.amazonaws.com"));
  confused.conditions = {{"aws:SourceArn", {"arn:aws:s3:::other"}},
                         {"aws:SourceAccount", {"123456789012"}}};
  EXPECT_FALSE(confused.resource(to_s3).decide().allowed());
  EXPECT_FALSE(Scene(service("sns.amazonaws.com")).resource(to_s3).decide().allowed());
  EXPECT_FALSE(Scene(service("sns.amazonaws.com")).identity(kAllow).decide().allowed());
  EXPECT_TRUE(Scene(Identity{}).resource(resource_allow(R"("*")")).decide().allowed());
  EXPECT_FALSE(
      Scene(Identity{}).resource(resource_allow(R"({"AWS":"123456789012"})")).decide().allowed());
  EXPECT_TRUE(Scene(root()).decide().allowed());
  EXPECT_FALSE(Scene(root()).organisation(kDeny).decide().allowed());
  Scene abroad(root());
  abroad.account = kOther;
  EXPECT_FALSE(abroad.decide().allowed());
}

TEST(EvaluateTest, NotPrincipal_leaves_out_who_is_listed) {
  const auto deny =
      R"([{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"},{"Effect":"Deny",
      "NotPrincipal":
      {"AWS":["arn:aws:iam::123456789012:user/ann","arn:aws:iam::123456789012:root"]},"Action":
      "s3:*","Resource":"*"}])";
  EXPECT_TRUE(Scene(ann()).resource(deny).decide().allowed());
  EXPECT_TRUE(Scene(root()).resource(deny).decide().allowed());
  Identity bob = ann();
  bob.arn = "arn:aws:iam::123456789012:user/bob";
  EXPECT_FALSE(Scene(bob).resource(deny).decide().allowed());
  EXPECT_FALSE(Scene(session()).resource(deny).decide().allowed());
}

TEST(EvaluateTest, Federated_users_need_a_session_policy_too) {
  Identity federated = ann();
  federated.type = Identity::Type::kFederatedUser;
  federated.arn = "arn:aws:sts::123456789012:federated-user/ann";
  EXPECT_FALSE(Scene(federated).identity(kAllow).decide().allowed());
  EXPECT_TRUE(Scene(federated).identity(kAllow).session_policy(kAllow).decide().allowed());
  EXPECT_TRUE(
      Scene(federated)
          .resource(resource_allow(R"({"AWS":"arn:aws:sts::123456789012:federated-user/ann"})"))
          .decide()
          .allowed());
}

Scene assume(Identity who, std::string_view trust) {
  Scene scene(std::move(who));
  scene.action = "sts:AssumeRole";
  scene.on = "arn:aws:iam::123456789012:role/r";
  scene.trust(trust);
  return scene;
}

TEST(TrustTest, A_role_is_assumed_by_whom_it_trusts) {
  const auto lambda =
      R"({"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":
      "sts:AssumeRole"})";
  EXPECT_TRUE(assume(service("lambda.amazonaws.com"), lambda).decide().allowed());
  EXPECT_FALSE(assume(service("ec2.amazonaws.com"), lambda).decide().allowed());
  EXPECT_FALSE(assume(root(), lambda).decide().allowed());
  const std::string any = R"({"Effect":"Allow","Action":"*","Resource":"*"})";
  Scene user = assume(ann(), lambda);
  user.identity(any);
  EXPECT_EQ(user.decide().layer, Layer::kRoleTrust);
  // Named itself, in the role's account: no identity policy needed. Named by account: needed.
  EXPECT_TRUE(
      assume(ann(),
             R"({"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/ann"},"Action":
      "sts:AssumeRole"})")
          .decide()
          .allowed());
  const auto account =
      R"({"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":
      "sts:AssumeRole"})";
  EXPECT_FALSE(assume(ann(), account).decide().allowed());
  Scene both = assume(ann(), account);
  both.identity(any);
  EXPECT_TRUE(both.decide().allowed());
}

TEST(TrustTest, External_id_session_name_and_source_are_conditions) {
  const auto trust =
      R"({"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/ann"},"Action":
      "sts:AssumeRole",
      "Condition":{"StringEquals":{"sts:ExternalId":"42","sts:RoleSessionName":
      "${aws:username}"}}})";
  Scene right = assume(ann(), trust);
  right.conditions = {{"sts:ExternalId", {"42"}}, {"sts:RoleSessionName", {"ann"}}};
  EXPECT_TRUE(right.decide().allowed());
  Scene wrong = assume(ann(), trust);
  wrong.conditions = {{"sts:ExternalId", {"43"}}, {"sts:RoleSessionName", {"ann"}}};
  EXPECT_FALSE(wrong.decide().allowed());
  EXPECT_FALSE(assume(ann(), trust).decide().allowed());
  const auto by_function =
      R"({"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole",
      "Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:lambda:*:123456789012:function:f"}}})";
  Scene function = assume(service("lambda.amazonaws.com"), by_function);
  function.conditions = {{"aws:SourceArn", {"arn:aws:lambda:us-east-1:123456789012:function:f"}}};
  EXPECT_TRUE(function.decide().allowed());
}

TEST(TrustTest, Web_identities_come_through_their_provider) {
  const auto trust =
      R"({"Effect":"Allow","Principal":{"Federated":
      "arn:aws:iam::123456789012:oidc-provider/token.example"},
      "Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"token.example:aud":
      "sts.amazonaws.com"},
      "StringLike":{"token.example:sub":"repo:org/*"}}})";
  Scene scene = assume(Identity{}, trust);
  scene.action = "sts:AssumeRoleWithWebIdentity";
  scene.provider = "arn:aws:iam::123456789012:oidc-provider/token.example";
  scene.conditions = {{"token.example:aud", {"sts.amazonaws.com"}},
                      {"token.example:sub", {"repo:org/x:ref"}}};
  EXPECT_TRUE(scene.decide().allowed());
  scene.provider = "arn:aws:iam::123456789012:oidc-provider/other";
  EXPECT_FALSE(scene.decide().allowed());
}

TEST(DenialMessageTest, In_the_words_of_AWS) {
  const std::string start =
      "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: s3:GetObject on "
      "resource: arn:aws:s3:::b/k ";
  const std::string arn = "arn:aws:iam::123456789012:policy/p";
  EXPECT_EQ(Scene(ann()).message(),
            start + "because no identity-based policy allows the s3:GetObject action");
  EXPECT_EQ(Scene(ann()).identity(kDeny).message(),
            start + "with an explicit deny in an identity-based policy");
  EXPECT_EQ(Scene(ann()).identity(kDeny, arn).message(),
            start + "with an explicit deny in an identity-based policy: " + arn);
  EXPECT_EQ(Scene(ann()).identity(kAllow).boundary(kElsewhere).message(),
            start + "because no permissions boundary allows the s3:GetObject action");
  EXPECT_EQ(Scene(ann()).identity(kAllow).boundary(kDeny, arn).message(),
            start + "with an explicit deny in a permissions boundary: " + arn);
  EXPECT_EQ(Scene(ann()).identity(kAllow).session_policy(kElsewhere).message(),
            start + "because no session policy allows the s3:GetObject action");
  EXPECT_EQ(Scene(ann()).identity(kAllow).session_policy(kDeny).message(),
            start + "with an explicit deny in a session policy");
  EXPECT_EQ(Scene(ann()).identity(kAllow).organisation(kElsewhere).message(),
            start + "because no service control policy allows the s3:GetObject action");
  EXPECT_EQ(Scene(ann()).identity(kAllow).organisation(kDeny).message(),
            start + "with an explicit deny in a service control policy");
  const auto deny_all = R"({"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"})";
  EXPECT_EQ(Scene(ann()).identity(kAllow).resource(deny_all).message(),
            start + "with an explicit deny in a resource-based policy");
  Scene abroad(ann());
  abroad.account = kOther;
  EXPECT_EQ(abroad.identity(kAllow).message(),
            start + "because no resource-based policy allows the s3:GetObject action");
  EXPECT_EQ(
      assume(root(),
             R"({"Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":"sts:AssumeRole"})")
          .message(),
      "User: arn:aws:iam::123456789012:root is not authorized to perform: sts:AssumeRole on "
      "resource: "
      "arn:aws:iam::123456789012:role/r because no role trust policy allows the sts:AssumeRole "
      "action");
}

// Random policies over a small world.
class PropertyTest : public testing::Test {
 protected:
  std::mt19937 random{20260504};
  std::string pick(std::initializer_list<const char*> from) {
    return *(from.begin() + std::uniform_int_distribution<std::size_t>(0, from.size() - 1)(random));
  }
  bool flip() { return random() % 2; }
  std::string statement(std::string_view effect, bool with_principal) {
    std::string out =
        str(R"({"Effect":")", effect, R"(","Action":")",
            pick({"s3:*", "s3:GetObject", "s3:Put*", "*", "sqs:*"}), R"(","Resource":")",
            pick({"*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/k", "arn:aws:s3:::c/*"}), '"');
    if (with_principal)
      out += str(R"(,"Principal":)", pick({R"("*")", R"({"AWS":"123456789012"})",
                                           R"({"AWS":"arn:aws:iam::123456789012:user/ann"})",
                                           R"({"AWS":"arn:aws:iam::123456789012:role/path/r"})"}));
    if (flip())
      out +=
          str(R"(,"Condition":)", pick({R"({"Bool":{"a:b":"true"}})", R"({"Bool":{"a:b":"false"}})",
                                        R"({"Null":{"a:b":"true"}})"}));
    return out + "}";
  }
  std::string effect() { return flip() ? "Allow" : "Deny"; }
  void fill(Scene& scene) {
    for (int i = static_cast<int>(random() % 3); i >= 0; --i)
      scene.identity(statement(random() % 4 ? "Allow" : "Deny", false));
    if (flip()) scene.resource(statement(effect(), true));
    if (random() % 4 == 0) scene.boundary(statement("Allow", false));
    if (random() % 4 == 0) scene.session_policy(statement("Allow", false));
    if (random() % 4 == 0) scene.organisation(statement("Allow", false));
    if (random() % 3 == 0) scene.account = kOther;
    if (flip()) scene.conditions = {{"a:b", {flip() ? "true" : "false"}}};
  }
};

TEST_F(PropertyTest, A_matching_deny_anywhere_always_wins) {
  for (int round = 0; round < 500; ++round) {
    Scene scene(flip() ? ann() : session());
    fill(scene);
    switch (random() % 4) {
      case 0:
        scene.identity(kDeny);
        break;
      case 1:
        scene.boundary(kDeny);
        break;
      case 2:
        scene.session_policy(kDeny);
        break;
      case 3:
        scene.resource(R"({"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"})");
        break;
    }
    const auto decision = scene.decide();
    EXPECT_FALSE(decision.allowed());
    EXPECT_EQ(decision.reason, Decision::Reason::kExplicitDeny);
  }
}

TEST_F(PropertyTest,
       One_more_allow_never_takes_a_permission_away_and_one_more_boundary_never_gives_one) {
  for (int round = 0; round < 500; ++round) {
    Scene scene(flip() ? ann() : session());
    fill(scene);
    const bool before = scene.decide().allowed();
    const bool had_boundary = scene.set.boundary;
    scene.identity(statement("Allow", false));
    const bool after = scene.decide().allowed();
    EXPECT_TRUE(!before || after);
    if (!had_boundary) {
      scene.boundary(statement(effect(), false));
      EXPECT_TRUE(after || !scene.decide().allowed());
    }
  }
}

}  // namespace
}  // namespace pileus::aws::policy
