#include "aws/policy/policy.h"
#include "gen/iam/AttachGroupPolicy.h"
#include "gen/iam/AttachRolePolicy.h"
#include "gen/iam/AttachUserPolicy.h"
#include "gen/iam/CreateGroup.h"
#include "gen/iam/CreatePolicy.h"
#include "gen/iam/CreatePolicyVersion.h"
#include "gen/iam/CreateRole.h"
#include "gen/iam/CreateUser.h"
#include "gen/iam/DeleteGroup.h"
#include "gen/iam/DeleteGroupPolicy.h"
#include "gen/iam/DeletePolicy.h"
#include "gen/iam/DeletePolicyVersion.h"
#include "gen/iam/DeleteRolePermissionsBoundary.h"
#include "gen/iam/DeleteRolePolicy.h"
#include "gen/iam/DeleteUser.h"
#include "gen/iam/DeleteUserPermissionsBoundary.h"
#include "gen/iam/DeleteUserPolicy.h"
#include "gen/iam/DetachGroupPolicy.h"
#include "gen/iam/DetachRolePolicy.h"
#include "gen/iam/DetachUserPolicy.h"
#include "gen/iam/GetGroupPolicy.h"
#include "gen/iam/GetPolicy.h"
#include "gen/iam/GetPolicyVersion.h"
#include "gen/iam/GetRole.h"
#include "gen/iam/GetRolePolicy.h"
#include "gen/iam/GetUser.h"
#include "gen/iam/GetUserPolicy.h"
#include "gen/iam/ListAttachedGroupPolicies.h"
#include "gen/iam/ListAttachedRolePolicies.h"
#include "gen/iam/ListAttachedUserPolicies.h"
#include "gen/iam/ListEntitiesForPolicy.h"
#include "gen/iam/ListGroupPolicies.h"
#include "gen/iam/ListPolicies.h"
#include "gen/iam/ListPolicyTags.h"
#include "gen/iam/ListPolicyVersions.h"
#include "gen/iam/ListRolePolicies.h"
#include "gen/iam/ListUserPolicies.h"
#include "gen/iam/PutGroupPolicy.h"
#include "gen/iam/PutRolePermissionsBoundary.h"
#include "gen/iam/PutRolePolicy.h"
#include "gen/iam/PutUserPermissionsBoundary.h"
#include "gen/iam/PutUserPolicy.h"
#include "gen/iam/SetDefaultPolicyVersion.h"
#include "gen/iam/TagPolicy.h"
#include "gen/iam/UntagPolicy.h"
#include "services/iam/aws_policies.h"
#include "services/iam/test_world.h"

namespace pileus::services::iam {
namespace {

const std::string kDocument(kAllowAll);
const std::string kReadOnly = "arn:aws:iam::aws:policy/ReadOnlyAccess";

class Policies : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world.call(&IamService::create_user, {.user_name = "ann"}));
    ASSERT_TRUE(world.call(&IamService::create_group, {.group_name = "staff"}));
    ASSERT_TRUE(
        world.call(&IamService::create_role,
                   {.role_name = "fn", .assume_role_policy_document = std::string(kTrustLambda)}));
    ASSERT_TRUE(
        world.call(&IamService::create_policy,
                   {.policy_name = "p", .policy_document = kDocument, .description = "all"}));
  }
  gen::iam::Policy policy(const std::string& arn) {
    return *world.call(&IamService::get_policy, {.policy_arn = arn})->policy;
  }

  World world;
};

TEST_F(Policies, A_created_policy_answers_what_it_was_given) {
  const auto got = policy(policy_arn("p"));
  EXPECT_TRUE(got.policy_id->starts_with("ANPA"));
  EXPECT_EQ(*got.default_version_id, "v1");
  EXPECT_EQ(*got.description, "all");
  EXPECT_EQ(*got.attachment_count, 0);
  EXPECT_TRUE(*got.is_attachable);
  EXPECT_EQ(
      error_of(world.call(&IamService::create_policy,
                          {.policy_name = "P", .path = "/other/", .policy_document = kDocument})),
      "EntityAlreadyExists: A policy called P already exists. Duplicate names are not allowed.");
  EXPECT_EQ(error_of(world.call(&IamService::get_policy, {.policy_arn = policy_arn("x")})),
            "NoSuchEntity: Policy " + policy_arn("x") + " was not found.");
  EXPECT_EQ(
      error_of(world.call(&IamService::get_policy, {.policy_arn = "arn:aws:s3:::not-a-policy"})),
      "InvalidInput: ARN arn:aws:s3:::not-a-policy is not valid.");
}

TEST_F(Policies, Documents_are_checked) {
  for (
      const std::string document :
      {"not json", "{}",
       R"({"Version":"2012-10-17","Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]})"}) {
    EXPECT_EQ(
        world.call(&IamService::create_policy, {.policy_name = "q", .policy_document = document})
            .error()
            .code(),
        "MalformedPolicyDocument")
        << document;
    EXPECT_EQ(world
                  .call(&IamService::put_user_policy,
                        {.user_name = "ann", .policy_name = "q", .policy_document = document})
                  .error()
                  .code(),
              "MalformedPolicyDocument");
    EXPECT_EQ(world
                  .call(&IamService::create_policy_version,
                        {.policy_arn = policy_arn("p"), .policy_document = document})
                  .error()
                  .code(),
              "MalformedPolicyDocument");
  }
  std::string large = kDocument;
  large.replace(large.find("\"Resource\":\"*\""), 14,
                "\"Resource\":\"" + std::string(6200, 'x') + "*\"");
  EXPECT_EQ(
      world.call(&IamService::create_policy, {.policy_name = "q", .policy_document = large})
              .error()
              .code()
              .starts_with("M") ||
          world.call(&IamService::create_policy, {.policy_name = "q", .policy_document = large})
                  .error()
                  .code() == "LimitExceeded",
      true);
}

TEST_F(Policies, Versions_number_on_and_five_are_the_most) {
  for (int i = 2; i <= 5; ++i) {
    const auto made = world.call(
        &IamService::create_policy_version,
        {.policy_arn = policy_arn("p"), .policy_document = kDocument, .set_as_default = i == 3});
    ASSERT_TRUE(made) << error_of(made);
    EXPECT_EQ(*made->policy_version->version_id, str('v', i));
    EXPECT_EQ(*made->policy_version->is_default_version, i == 3);
  }
  EXPECT_EQ(*policy(policy_arn("p")).default_version_id, "v3");
  EXPECT_EQ(
      error_of(world.call(&IamService::create_policy_version,
                          {.policy_arn = policy_arn("p"), .policy_document = kDocument})),
      "LimitExceeded: A managed policy can have up to 5 versions. Before you create a new version, "
      "you must delete an existing version.");
  EXPECT_EQ(error_of(world.call(&IamService::delete_policy_version,
                                {.policy_arn = policy_arn("p"), .version_id = "v3"})),
            "DeleteConflict: Cannot delete the default version of a policy.");
  ASSERT_TRUE(world.call(&IamService::delete_policy_version,
                         {.policy_arn = policy_arn("p"), .version_id = "v5"}));
  EXPECT_EQ(*world
                 .call(&IamService::create_policy_version,
                       {.policy_arn = policy_arn("p"), .policy_document = kDocument})
                 ->policy_version->version_id,
            "v6");
  const auto first = world.call(&IamService::list_policy_versions,
                                {.policy_arn = policy_arn("p"), .max_items = 3});
  EXPECT_EQ(*first->versions->front().version_id, "v6");
  EXPECT_TRUE(*first->is_truncated);
  const auto rest =
      world.call(&IamService::list_policy_versions,
                 {.policy_arn = policy_arn("p"), .marker = first->marker, .max_items = 3});
  EXPECT_EQ(rest->versions->size(), 2u);
  EXPECT_EQ(*rest->versions->back().version_id, "v1");
  ASSERT_TRUE(world.call(&IamService::set_default_policy_version,
                         {.policy_arn = policy_arn("p"), .version_id = "v6"}));
  const auto got = world.call(&IamService::get_policy_version,
                              {.policy_arn = policy_arn("p"), .version_id = "v6"});
  EXPECT_TRUE(*got->policy_version->is_default_version);
  EXPECT_EQ(*got->policy_version->document, percent_encode(kDocument));
  EXPECT_EQ(world
                .call(&IamService::get_policy_version,
                      {.policy_arn = policy_arn("p"), .version_id = "v5"})
                .error()
                .code(),
            "NoSuchEntity");
  EXPECT_EQ(world.call(&IamService::delete_policy, {.policy_arn = policy_arn("p")}).error().code(),
            "DeleteConflict");
}

TEST_F(Policies, Attachments_are_counted_and_listed_from_both_sides) {
  const std::string arn = policy_arn("p");
  ASSERT_TRUE(world.call(&IamService::attach_user_policy, {.user_name = "ann", .policy_arn = arn}));
  EXPECT_EQ(world.authorizer.asked.back().conditions.at("iam:PolicyARN").front(), arn);
  ASSERT_TRUE(world.call(&IamService::attach_user_policy,
                         {.user_name = "ann", .policy_arn = arn}));  // again: no change
  ASSERT_TRUE(
      world.call(&IamService::attach_group_policy, {.group_name = "staff", .policy_arn = arn}));
  ASSERT_TRUE(world.call(&IamService::attach_role_policy, {.role_name = "fn", .policy_arn = arn}));
  ASSERT_TRUE(world.call(&IamService::put_role_permissions_boundary,
                         {.role_name = "fn", .permissions_boundary = arn}));
  EXPECT_EQ(*policy(arn).attachment_count, 3);
  EXPECT_EQ(*policy(arn).permissions_boundary_usage_count, 1);
  EXPECT_EQ(error_of(world.call(&IamService::delete_policy, {.policy_arn = arn})),
            "DeleteConflict: Cannot delete a policy attached to entities.");

  EXPECT_EQ(*world.call(&IamService::list_attached_user_policies, {.user_name = "ann"})
                 ->attached_policies->front()
                 .policy_name,
            "p");
  EXPECT_EQ(world.call(&IamService::list_attached_group_policies, {.group_name = "staff"})
                ->attached_policies->size(),
            1u);
  EXPECT_EQ(
      world
          .call(&IamService::list_attached_role_policies, {.role_name = "fn", .path_prefix = "/x/"})
          ->attached_policies->size(),
      0u);

  const auto all = world.call(&IamService::list_entities_for_policy, {.policy_arn = arn});
  EXPECT_EQ(*all->policy_users->front().user_name, "ann");
  EXPECT_EQ(*all->policy_groups->front().group_name, "staff");
  ASSERT_EQ(all->policy_roles->size(), 1u);  // once, though it is policy and boundary
  EXPECT_TRUE(all->policy_roles->front().role_id->starts_with("AROA"));
  const auto bounded =
      world.call(&IamService::list_entities_for_policy,
                 {.policy_arn = arn, .policy_usage_filter = "PermissionsBoundary"});
  EXPECT_TRUE(bounded->policy_users->empty());
  EXPECT_EQ(bounded->policy_roles->size(), 1u);
  const auto users = world.call(&IamService::list_entities_for_policy,
                                {.policy_arn = arn, .entity_filter = "User"});
  EXPECT_TRUE(users->policy_roles->empty());
  const auto page =
      world.call(&IamService::list_entities_for_policy, {.policy_arn = arn, .max_items = 2});
  EXPECT_TRUE(*page->is_truncated);
  const auto rest = world.call(&IamService::list_entities_for_policy,
                               {.policy_arn = arn, .marker = page->marker});
  EXPECT_EQ(rest->policy_users->size(), 1u);
  EXPECT_FALSE(*rest->is_truncated);

  ASSERT_TRUE(world.call(&IamService::detach_user_policy, {.user_name = "ann", .policy_arn = arn}));
  EXPECT_EQ(error_of(world.call(&IamService::detach_user_policy,
                                {.user_name = "ann", .policy_arn = arn})),
            "NoSuchEntity: Policy " + arn + " was not found.");
  ASSERT_TRUE(
      world.call(&IamService::detach_group_policy, {.group_name = "staff", .policy_arn = arn}));
  ASSERT_TRUE(world.call(&IamService::detach_role_policy, {.role_name = "fn", .policy_arn = arn}));
  ASSERT_TRUE(world.call(&IamService::delete_role_permissions_boundary, {.role_name = "fn"}));
  EXPECT_EQ(*policy(arn).attachment_count, 0);
  ASSERT_TRUE(world.call(&IamService::delete_policy, {.policy_arn = arn}));
}

TEST_F(Policies, What_does_not_exist_is_not_attached) {
  EXPECT_EQ(error_of(world.call(&IamService::attach_role_policy,
                                {.role_name = "fn", .policy_arn = policy_arn("x")})),
            "NoSuchEntity: Policy " + policy_arn("x") + " does not exist or is not attachable.");
  EXPECT_EQ(error_of(world.call(
                &IamService::attach_role_policy,
                {.role_name = "fn", .policy_arn = "arn:aws:iam::aws:policy/NoSuchThing"})),
            "NoSuchEntity: Policy arn:aws:iam::aws:policy/NoSuchThing does not exist or is not "
            "attachable.");
  EXPECT_EQ(
      error_of(world.call(&IamService::put_user_permissions_boundary,
                          {.user_name = "ann", .permissions_boundary = policy_arn("x")})),
      "NoSuchEntity: Scope ARN: " + policy_arn("x") + " does not exist or is not attachable.");
  EXPECT_EQ(world
                .call(&IamService::attach_role_policy,
                      {.role_name = "fn", .policy_arn = "arn:aws:iam::999999999999:policy/p"})
                .error()
                .code(),
            "NoSuchEntity");
  EXPECT_EQ(
      world.call(&IamService::attach_role_policy, {.role_name = "fn", .policy_arn = "nonsense"})
          .error()
          .code(),
      "InvalidInput");
}

TEST_F(Policies, A_boundary_is_shown_and_taken_away) {
  ASSERT_TRUE(world.call(&IamService::put_user_permissions_boundary,
                         {.user_name = "ann", .permissions_boundary = policy_arn("p")}));
  EXPECT_EQ(*world.call(&IamService::get_user, {.user_name = "ann"})
                 ->user.permissions_boundary->permissions_boundary_arn,
            policy_arn("p"));
  ASSERT_TRUE(world.call(&IamService::put_user_permissions_boundary,
                         {.user_name = "ann", .permissions_boundary = kReadOnly}));
  EXPECT_EQ(*policy(policy_arn("p")).permissions_boundary_usage_count, 0);
  EXPECT_EQ(*policy(kReadOnly).permissions_boundary_usage_count, 1);
  ASSERT_TRUE(world.call(&IamService::delete_user_permissions_boundary, {.user_name = "ann"}));
  EXPECT_FALSE(world.call(&IamService::get_user, {.user_name = "ann"})->user.permissions_boundary);
  EXPECT_EQ(
      world
          .call(&IamService::create_role, {.role_name = "b",
                                           .assume_role_policy_document = std::string(kTrustLambda),
                                           .permissions_boundary = policy_arn("x")})
          .error()
          .code(),
      "NoSuchEntity");
}

TEST_F(Policies, Inline_policies_of_all_three_kinds) {
  ASSERT_TRUE(world.call(&IamService::put_user_policy,
                         {.user_name = "ann", .policy_name = "i", .policy_document = kDocument}));
  ASSERT_TRUE(
      world.call(&IamService::put_group_policy,
                 {.group_name = "staff", .policy_name = "i", .policy_document = kDocument}));
  ASSERT_TRUE(world.call(&IamService::put_role_policy,
                         {.role_name = "fn", .policy_name = "i", .policy_document = kDocument}));
  EXPECT_EQ(world.call(&IamService::get_user_policy, {.user_name = "ann", .policy_name = "i"})
                ->policy_document,
            percent_encode(kDocument));
  EXPECT_EQ(world.call(&IamService::get_group_policy, {.group_name = "staff", .policy_name = "i"})
                ->group_name,
            "staff");
  EXPECT_EQ(
      world.call(&IamService::get_role_policy, {.role_name = "FN", .policy_name = "i"})->role_name,
      "fn");
  EXPECT_EQ(world.call(&IamService::list_user_policies, {.user_name = "ann"})->policy_names.front(),
            "i");
  EXPECT_EQ(
      world.call(&IamService::list_group_policies, {.group_name = "staff"})->policy_names.size(),
      1u);
  EXPECT_EQ(world.call(&IamService::list_role_policies, {.role_name = "fn"})->policy_names.size(),
            1u);
  EXPECT_EQ(error_of(world.call(&IamService::delete_user, {.user_name = "ann"})),
            "DeleteConflict: Cannot delete entity, must delete policies first.");
  EXPECT_EQ(error_of(world.call(&IamService::delete_group, {.group_name = "staff"})),
            "DeleteConflict: Cannot delete entity, must delete policies first.");
  ASSERT_TRUE(
      world.call(&IamService::delete_user_policy, {.user_name = "ann", .policy_name = "i"}));
  ASSERT_TRUE(
      world.call(&IamService::delete_group_policy, {.group_name = "staff", .policy_name = "i"}));
  ASSERT_TRUE(world.call(&IamService::delete_role_policy, {.role_name = "fn", .policy_name = "i"}));
  EXPECT_EQ(
      error_of(world.call(&IamService::get_user_policy, {.user_name = "ann", .policy_name = "i"})),
      "NoSuchEntity: The user policy with name i cannot be found.");
  EXPECT_EQ(error_of(world.call(&IamService::delete_role_policy,
                                {.role_name = "fn", .policy_name = "i"})),
            "NoSuchEntity: The role policy with name i cannot be found.");
}

TEST_F(Policies, Inline_policies_share_a_size_that_white_space_does_not_count_in) {
  const auto with = [](std::size_t filling, std::size_t spaces) {
    return R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::)" +
           std::string(filling, 'x') + "\"}]" + std::string(spaces, ' ') + "}";
  };
  ASSERT_TRUE(
      world.call(&IamService::put_user_policy,
                 {.user_name = "ann", .policy_name = "a", .policy_document = with(900, 3000)}));
  EXPECT_EQ(error_of(world.call(
                &IamService::put_user_policy,
                {.user_name = "ann", .policy_name = "b", .policy_document = with(1200, 0)})),
            "LimitExceeded: Maximum policy size of 2048 bytes exceeded for user ann");
}

TEST_F(Policies, The_policies_of_AWS_are_there_for_everyone) {
  const std::string basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
  ASSERT_TRUE(
      world.call(&IamService::attach_role_policy, {.role_name = "fn", .policy_arn = basic}));
  EXPECT_EQ(*policy(basic).attachment_count, 1);
  const auto version =
      world.call(&IamService::get_policy_version, {.policy_arn = basic, .version_id = "v1"});
  EXPECT_NE(percent_decode(*version->policy_version->document)->find("logs:PutLogEvents"),
            std::string::npos);
  EXPECT_EQ(world.call(&IamService::list_policy_versions, {.policy_arn = basic})->versions->size(),
            1u);
  EXPECT_EQ(world.call(&IamService::list_entities_for_policy, {.policy_arn = basic})
                ->policy_roles->size(),
            1u);
  EXPECT_EQ(error_of(world.call(&IamService::delete_policy, {.policy_arn = basic})),
            "AccessDenied: Cannot perform operation on AWS managed policies.");
}

TEST_F(Policies, Every_document_of_AWS_parses) {
  for (const auto& each : aws_policies()) {
    const auto parsed = aws::policy::parse_policy(each.document, aws::policy::Use::kIdentity);
    EXPECT_TRUE(parsed) << each.name << ": " << error_of(parsed);
    EXPECT_EQ(find_aws_policy(each.arn("aws")), &each) << each.name;
  }
}

TEST_F(Policies, Lists_have_scopes_filters_and_pages) {
  EXPECT_EQ(world.call(&IamService::list_policies, {.scope = "Local"})->policies->size(), 1u);
  ASSERT_TRUE(
      world.call(&IamService::attach_user_policy, {.user_name = "ann", .policy_arn = kReadOnly}));
  const auto attached = world.call(&IamService::list_policies, {.only_attached = true});
  ASSERT_EQ(attached->policies->size(), 1u);
  EXPECT_EQ(*attached->policies->front().arn, kReadOnly);
  std::set<std::string> names;
  std::optional<std::string> marker;
  do {
    const auto page = world.call(&IamService::list_policies, {.marker = marker, .max_items = 7});
    ASSERT_TRUE(page) << error_of(page);
    for (const auto& each : *page->policies)
      EXPECT_TRUE(names.insert(*each.policy_name).second) << *each.policy_name;
    marker = page->marker;
  } while (marker);
  EXPECT_EQ(names.size(), aws_policies().size() + 1);
  const auto roles =
      world.call(&IamService::list_policies,
                 {.scope = "AWS", .path_prefix = "/service-role/", .max_items = 1000});
  for (const auto& each : *roles->policies) EXPECT_EQ(*each.path, "/service-role/");
}

TEST_F(Policies, Quotas_of_attachments_hold_where_they_are_asked_for) {
  World strict({.quotas = Quotas::kAws});
  ASSERT_TRUE(strict.call(&IamService::create_user, {.user_name = "ann"}));
  int attached = 0;
  std::string error;
  for (const auto& each : aws_policies()) {
    if (each.path == "/aws-service-role/") continue;
    error = error_of(strict.call(&IamService::attach_user_policy,
                                 {.user_name = "ann", .policy_arn = each.arn("aws")}));
    if (!error.empty()) break;
    ++attached;
  }
  EXPECT_EQ(attached, 10);
  EXPECT_EQ(error, "LimitExceeded: Cannot exceed quota for PoliciesPerUser: 10");
}

TEST_F(Policies, Policies_have_tags) {
  ASSERT_TRUE(
      world.call(&IamService::tag_policy, {.policy_arn = policy_arn("p"), .tags = {{"A", "1"}}}));
  EXPECT_EQ(world.call(&IamService::list_policy_tags, {.policy_arn = policy_arn("p")})
                ->tags.front()
                .value,
            "1");
  ASSERT_TRUE(
      world.call(&IamService::untag_policy, {.policy_arn = policy_arn("p"), .tag_keys = {"a"}}));
  EXPECT_TRUE(
      world.call(&IamService::list_policy_tags, {.policy_arn = policy_arn("p")})->tags.empty());
}

}  // namespace
}  // namespace pileus::services::iam
