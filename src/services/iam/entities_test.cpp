#include "gen/iam/AddRoleToInstanceProfile.h"
#include "gen/iam/AddUserToGroup.h"
#include "gen/iam/AttachGroupPolicy.h"
#include "gen/iam/AttachUserPolicy.h"
#include "gen/iam/CreateAccessKey.h"
#include "gen/iam/CreateGroup.h"
#include "gen/iam/CreateInstanceProfile.h"
#include "gen/iam/CreatePolicy.h"
#include "gen/iam/CreateRole.h"
#include "gen/iam/CreateUser.h"
#include "gen/iam/DeleteAccessKey.h"
#include "gen/iam/DeleteGroup.h"
#include "gen/iam/DeleteInstanceProfile.h"
#include "gen/iam/DeleteRole.h"
#include "gen/iam/DeleteUser.h"
#include "gen/iam/GetAccessKeyLastUsed.h"
#include "gen/iam/GetAccountSummary.h"
#include "gen/iam/GetGroup.h"
#include "gen/iam/GetInstanceProfile.h"
#include "gen/iam/GetRole.h"
#include "gen/iam/GetUser.h"
#include "gen/iam/ListAccessKeys.h"
#include "gen/iam/ListEntitiesForPolicy.h"
#include "gen/iam/ListGroups.h"
#include "gen/iam/ListGroupsForUser.h"
#include "gen/iam/ListInstanceProfileTags.h"
#include "gen/iam/ListInstanceProfiles.h"
#include "gen/iam/ListInstanceProfilesForRole.h"
#include "gen/iam/ListRoleTags.h"
#include "gen/iam/ListRoles.h"
#include "gen/iam/ListUserTags.h"
#include "gen/iam/ListUsers.h"
#include "gen/iam/RemoveRoleFromInstanceProfile.h"
#include "gen/iam/RemoveUserFromGroup.h"
#include "gen/iam/TagInstanceProfile.h"
#include "gen/iam/TagRole.h"
#include "gen/iam/TagUser.h"
#include "gen/iam/UntagInstanceProfile.h"
#include "gen/iam/UntagRole.h"
#include "gen/iam/UntagUser.h"
#include "gen/iam/UpdateAccessKey.h"
#include "gen/iam/UpdateAssumeRolePolicy.h"
#include "gen/iam/UpdateGroup.h"
#include "gen/iam/UpdateRole.h"
#include "gen/iam/UpdateRoleDescription.h"
#include "gen/iam/UpdateUser.h"
#include "services/iam/test_world.h"

namespace pileus::services::iam {
namespace {

using gen::iam::Tag;

void make_user(World& world, const std::string& name, const std::string& path = "/") {
  const auto made = world.call(&IamService::create_user, {.path = path, .user_name = name});
  ASSERT_TRUE(made) << error_of(made);
}
void make_role(World& world, const std::string& name, const std::string& path = "/") {
  const auto made = world.call(
      &IamService::create_role,
      {.path = path, .role_name = name, .assume_role_policy_document = std::string(kTrustLambda)});
  ASSERT_TRUE(made) << error_of(made);
}

TEST(Users, A_created_user_is_found_with_all_it_was_given) {
  World world;
  const auto made = world.call(
      &IamService::create_user,
      {.path = "/team/", .user_name = "Ann", .tags = std::vector<Tag>{{"Team", "blue"}}});
  ASSERT_TRUE(made) << error_of(made);
  EXPECT_EQ(made->user->arn, user_arn("team/Ann"));
  EXPECT_TRUE(made->user->user_id.starts_with("AIDA"));
  EXPECT_EQ(made->user->user_id.size(), 21u);
  EXPECT_EQ(world.authorizer.asked.back().action, "iam:CreateUser");
  EXPECT_EQ(world.authorizer.asked.back().resource, user_arn("team/Ann"));
  EXPECT_EQ(world.authorizer.asked.back().conditions.at("aws:RequestTag/Team").front(), "blue");

  const auto got =
      world.call(&IamService::get_user, {.user_name = "ann"});  // without regard to case
  ASSERT_TRUE(got) << error_of(got);
  EXPECT_EQ(got->user.user_name, "Ann");
  EXPECT_EQ(got->user.path, "/team/");
  EXPECT_EQ(got->user.create_date, Time(std::chrono::seconds(1'600'000'000)));
  EXPECT_EQ(got->user.tags->front().value, "blue");
  EXPECT_EQ(world.authorizer.asked.back().conditions.at("aws:ResourceTag/Team").front(), "blue");
}

TEST(Users, Names_are_unique_without_regard_to_case) {
  World world;
  make_user(world, "ann");
  EXPECT_EQ(error_of(world.call(&IamService::create_user, {.user_name = "ANN"})),
            "EntityAlreadyExists: User with name ANN already exists.");
}

TEST(Users, One_that_is_not_there_is_said_in_the_words_of_AWS) {
  World world;
  EXPECT_EQ(error_of(world.call(&IamService::get_user, {.user_name = "bob"})),
            "NoSuchEntity: The user with name bob cannot be found.");
  EXPECT_EQ(error_of(world.call(&IamService::delete_user, {.user_name = "bob"})),
            "NoSuchEntity: The user with name bob cannot be found.");
}

TEST(Users, A_denied_caller_learns_nothing_and_changes_nothing) {
  World world;
  world.authorizer.denied = {"iam:CreateUser", "iam:GetUser"};
  EXPECT_EQ(error_of(world.call(&IamService::create_user, {.user_name = "ann"})),
            "AccessDenied: denied by the test");
  EXPECT_EQ(error_of(world.call(&IamService::get_user, {.user_name = "ann"})),
            "AccessDenied: denied by the test");
  EXPECT_TRUE(world.call(&IamService::list_users, {})->users.empty());
}

TEST(Users, Without_a_name_the_caller_is_meant) {
  World world;
  make_user(world, "ann");
  aws::Identity ann;
  ann.type = aws::Identity::Type::kUser;
  ann.account = kTestAccount;
  ann.user_name = "ann";
  EXPECT_EQ(world.call_as(ann, &IamService::get_user, {})->user.user_name, "ann");
  EXPECT_EQ(world.call(&IamService::get_user, {})->user.arn, world.root.arn);
  aws::Identity session;
  session.type = aws::Identity::Type::kAssumedRole;
  EXPECT_EQ(error_of(world.call_as(session, &IamService::get_user, {})),
            "ValidationError: Must specify userName when calling with non-User credentials");
}

TEST(Users, Lists_come_in_pages_under_a_path) {
  World world;
  for (const auto* name : {"e", "a", "C", "b", "d"}) make_user(world, name, "/in/");
  make_user(world, "c2", "/out/");
  std::string names;
  std::optional<std::string> marker;
  int pages = 0;
  do {
    const auto page = world.call(&IamService::list_users,
                                 {.path_prefix = "/in/", .marker = marker, .max_items = 2});
    ASSERT_TRUE(page) << error_of(page);
    for (const auto& user : page->users) names += user.user_name;
    EXPECT_EQ(*page->is_truncated, page->marker.has_value());
    marker = page->marker;
    ++pages;
  } while (marker);
  EXPECT_EQ(names, "abCde");
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(error_of(world.call(&IamService::list_users, {.marker = "not base64!"})),
            "ValidationError: Invalid Marker.");
}

TEST(Users, A_renamed_user_keeps_keys_groups_and_policies) {
  World world;
  make_user(world, "ann");
  ASSERT_TRUE(world.call(&IamService::create_group, {.group_name = "staff"}));
  ASSERT_TRUE(
      world.call(&IamService::add_user_to_group, {.group_name = "staff", .user_name = "ann"}));
  ASSERT_TRUE(world.call(&IamService::create_policy,
                         {.policy_name = "p", .policy_document = std::string(kAllowAll)}));
  ASSERT_TRUE(world.call(&IamService::attach_user_policy,
                         {.user_name = "ann", .policy_arn = policy_arn("p")}));
  const auto key = world.call(&IamService::create_access_key, {.user_name = "ann"});
  const auto found = world.loop.run(world.iam.find(key->access_key.access_key_id, ""));
  EXPECT_EQ((*found)->identity->user_name, "ann");

  ASSERT_TRUE(world.call(&IamService::update_user,
                         {.user_name = "ann", .new_path = "/x/", .new_user_name = "anna"}));
  EXPECT_FALSE(world.call(&IamService::get_user, {.user_name = "ann"}));
  EXPECT_EQ(world.call(&IamService::get_user, {.user_name = "anna"})->user.arn, user_arn("x/anna"));
  EXPECT_EQ(world.call(&IamService::get_group, {.group_name = "staff"})->users.front().user_name,
            "anna");
  const auto users =
      world.call(&IamService::list_entities_for_policy, {.policy_arn = policy_arn("p")});
  ASSERT_EQ(users->policy_users->size(), 1u);
  EXPECT_EQ(users->policy_users->front().user_name, "anna");
  const auto again = world.loop.run(world.iam.find(key->access_key.access_key_id, ""));
  ASSERT_TRUE(*again);
  EXPECT_EQ((*again)->identity->user_name, "anna");
  EXPECT_EQ((*again)->identity->arn, user_arn("x/anna"));

  make_user(world, "ben");
  EXPECT_EQ(
      error_of(world.call(&IamService::update_user, {.user_name = "ben", .new_user_name = "ANNA"})),
      "EntityAlreadyExists: User with name ANNA already exists.");
}

TEST(Users, One_in_use_is_not_deleted) {
  World world;
  make_user(world, "ann");
  const auto key = world.call(&IamService::create_access_key, {.user_name = "ann"});
  EXPECT_EQ(error_of(world.call(&IamService::delete_user, {.user_name = "ann"})),
            "DeleteConflict: Cannot delete entity, must delete access keys first.");
  ASSERT_TRUE(
      world.call(&IamService::attach_user_policy,
                 {.user_name = "ann", .policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"}));
  EXPECT_EQ(error_of(world.call(&IamService::delete_user, {.user_name = "ann"})),
            "DeleteConflict: Cannot delete entity, must detach all policies first.");
}

TEST(Access_keys, A_key_has_the_form_of_AWS_and_is_shown_once) {
  World world;
  make_user(world, "ann");
  const auto made = world.call(&IamService::create_access_key, {.user_name = "ann"});
  ASSERT_TRUE(made) << error_of(made);
  EXPECT_EQ(made->access_key.access_key_id.size(), 20u);
  EXPECT_TRUE(made->access_key.access_key_id.starts_with("AKIA"));
  EXPECT_EQ(made->access_key.secret_access_key.size(), 40u);
  const auto listed = world.call(&IamService::list_access_keys, {.user_name = "ann"});
  EXPECT_EQ(listed->access_key_metadata.front().access_key_id, made->access_key.access_key_id);
  // At rest it is sealed: no record holds the secret.
  const auto rows = world.loop.run(world.records->scan(str(kTestAccount, "/global"), "", {}));
  for (const auto& row : *rows)
    EXPECT_EQ(row.value.find(made->access_key.secret_access_key), std::string::npos) << row.key;
}

TEST(Access_keys, A_user_has_two_at_most) {
  World world;
  make_user(world, "ann");
  ASSERT_TRUE(world.call(&IamService::create_access_key, {.user_name = "ann"}));
  ASSERT_TRUE(world.call(&IamService::create_access_key, {.user_name = "ann"}));
  EXPECT_EQ(error_of(world.call(&IamService::create_access_key, {.user_name = "ann"})),
            "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2");
}

TEST(Access_keys, One_that_is_not_there_cannot_be_changed) {
  World world;
  make_user(world, "ann");
  const std::string text =
      "NoSuchEntity: The Access Key with id AKIAQAAAAAAAAAAAAAAA cannot be found.";
  EXPECT_EQ(error_of(world.call(
                &IamService::update_access_key,
                {.user_name = "ann", .access_key_id = "AKIAQAAAAAAAAAAAAAAA", .status = "Active"})),
            text);
  EXPECT_EQ(error_of(world.call(&IamService::delete_access_key,
                                {.user_name = "ann", .access_key_id = "AKIAQAAAAAAAAAAAAAAA"})),
            text);
  EXPECT_EQ(error_of(world.call(&IamService::get_access_key_last_used,
                                {.access_key_id = "AKIAQAAAAAAAAAAAAAAA"})),
            text);
}

TEST(Access_keys, The_last_use_is_known_at_once_and_survives_once_saved) {
  World world;
  make_user(world, "ann");
  const std::string id =
      world.call(&IamService::create_access_key, {.user_name = "ann"})->access_key.access_key_id;
  const auto before = world.call(&IamService::get_access_key_last_used, {.access_key_id = id});
  EXPECT_EQ(before->access_key_last_used->service_name, "N/A");
  EXPECT_FALSE(before->access_key_last_used->last_used_date);
  world.iam.used(id, "s3", "eu-west-1", Time(std::chrono::seconds(5)));
  EXPECT_EQ(world.call(&IamService::get_access_key_last_used, {.access_key_id = id})
                ->access_key_last_used->region,
            "eu-west-1");
  ASSERT_TRUE(world.loop.run(world.iam.save_last_uses()));
  IamService later(*world.records, world.time, world.random, World::master(), {});
  aws::Context context = world.context();
  const auto after = world.loop.run(later.get_access_key_last_used(context, {.access_key_id = id}));
  EXPECT_EQ(after->access_key_last_used->service_name, "s3");
  EXPECT_EQ(after->access_key_last_used->last_used_date, Time(std::chrono::seconds(5)));
  EXPECT_EQ(after->user_name, "ann");
}

TEST(Groups, Members_come_and_go_on_both_sides) {
  World world;
  make_user(world, "ann");
  ASSERT_TRUE(world.call(&IamService::create_group, {.group_name = "Staff"}));
  ASSERT_TRUE(
      world.call(&IamService::add_user_to_group, {.group_name = "staff", .user_name = "ann"}));
  EXPECT_EQ(world.call(&IamService::get_group, {.group_name = "Staff"})->users.size(), 1u);
  EXPECT_EQ(world.call(&IamService::list_groups_for_user, {.user_name = "ann"})
                ->groups.front()
                .group_name,
            "Staff");
  EXPECT_EQ(error_of(world.call(&IamService::delete_group, {.group_name = "staff"})),
            "DeleteConflict: Cannot delete entity, must remove users from group first.");
  EXPECT_FALSE(world.call(&IamService::delete_user, {.user_name = "ann"}));
  ASSERT_TRUE(
      world.call(&IamService::update_group, {.group_name = "staff", .new_group_name = "crew"}));
  EXPECT_EQ(world.call(&IamService::list_groups_for_user, {.user_name = "ann"})
                ->groups.front()
                .group_name,
            "crew");
  ASSERT_TRUE(
      world.call(&IamService::remove_user_from_group, {.group_name = "crew", .user_name = "ann"}));
  ASSERT_TRUE(world.call(&IamService::delete_group, {.group_name = "crew"}));
  EXPECT_TRUE(world.call(&IamService::list_groups, {})->groups.empty());
  ASSERT_TRUE(world.call(&IamService::delete_user, {.user_name = "ann"}));
  const auto rows = world.loop.run(world.records->scan(str(kTestAccount, "/global"), "", {}));
  EXPECT_TRUE(rows->empty()) << rows->front().key;
}

TEST(Groups, Wrong_names_are_refused) {
  World world;
  make_user(world, "ann");
  EXPECT_EQ(error_of(world.call(&IamService::get_group, {.group_name = "g"})),
            "NoSuchEntity: The group with name g cannot be found.");
  ASSERT_TRUE(world.call(&IamService::create_group, {.group_name = "g"}));
  EXPECT_EQ(error_of(world.call(&IamService::create_group, {.group_name = "G"})),
            "EntityAlreadyExists: Group with name G already exists.");
  EXPECT_EQ(
      error_of(world.call(&IamService::add_user_to_group, {.group_name = "g", .user_name = "x"})),
      "NoSuchEntity: The user with name x cannot be found.");
}

TEST(Groups, Quotas_hold_where_they_are_asked_for) {
  World world({.quotas = Quotas::kAws});
  make_user(world, "ann");
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(world.call(&IamService::create_group, {.group_name = str('g', i)}));
    ASSERT_TRUE(world.call(&IamService::add_user_to_group,
                           {.group_name = str('g', i), .user_name = "ann"}));
  }
  ASSERT_TRUE(world.call(&IamService::create_group, {.group_name = "more"}));
  EXPECT_EQ(error_of(world.call(&IamService::add_user_to_group,
                                {.group_name = "more", .user_name = "ann"})),
            "LimitExceeded: Cannot exceed quota for GroupsPerUser: 10");
}

TEST(Roles, A_role_answers_its_trust_policy_percent_encoded) {
  World world;
  const auto made = world.call(&IamService::create_role,
                               {.path = "/service-role/",
                                .role_name = "fn",
                                .assume_role_policy_document = std::string(kTrustLambda),
                                .description = "runs",
                                .max_session_duration = 7200});
  ASSERT_TRUE(made) << error_of(made);
  EXPECT_EQ(made->role.arn, role_arn("service-role/fn"));
  EXPECT_TRUE(made->role.role_id.starts_with("AROA"));
  const auto got = world.call(&IamService::get_role, {.role_name = "FN"});
  EXPECT_EQ(*got->role.assume_role_policy_document, percent_encode(kTrustLambda));
  EXPECT_EQ(*got->role.max_session_duration, 7200);
  EXPECT_EQ(*got->role.description, "runs");
  EXPECT_FALSE(got->role.role_last_used->last_used_date);
  EXPECT_EQ(error_of(world.call(&IamService::get_role, {.role_name = "x"})),
            "NoSuchEntity: The role with name x cannot be found.");
}

TEST(Roles, A_trust_policy_must_be_one) {
  World world;
  const auto made =
      world.call(&IamService::create_role,
                 {.role_name = "fn", .assume_role_policy_document = std::string(kAllowAll)});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), "MalformedPolicyDocument");
  make_role(world, "fn");
  EXPECT_EQ(
      world
          .call(&IamService::update_assume_role_policy, {.role_name = "fn", .policy_document = "{"})
          .error()
          .code(),
      "MalformedPolicyDocument");
  World strict({.quotas = Quotas::kAws});
  std::string large(kTrustLambda);
  large.insert(large.find("lambda"), std::string(2100, 'x'));
  EXPECT_EQ(error_of(strict.call(&IamService::create_role,
                                 {.role_name = "fn", .assume_role_policy_document = large})),
            "LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048");
}

TEST(Roles, Updates_act_and_a_free_role_is_deleted) {
  World world;
  make_role(world, "fn");
  ASSERT_TRUE(world.call(&IamService::update_role,
                         {.role_name = "fn", .description = "new", .max_session_duration = 10000}));
  EXPECT_EQ(
      *world
           .call(&IamService::update_role_description, {.role_name = "fn", .description = "newer"})
           ->role->description,
      "newer");
  std::string trust(kTrustLambda);
  trust.replace(trust.find("lambda"), 6, "ecs-tasks");
  ASSERT_TRUE(world.call(&IamService::update_assume_role_policy,
                         {.role_name = "fn", .policy_document = trust}));
  const auto got = world.call(&IamService::get_role, {.role_name = "fn"});
  EXPECT_EQ(*got->role.description, "newer");
  EXPECT_EQ(*got->role.max_session_duration, 10000);
  EXPECT_EQ(*got->role.assume_role_policy_document, percent_encode(trust));
  EXPECT_EQ(world.call(&IamService::list_roles, {})->roles.size(), 1u);
  ASSERT_TRUE(world.call(&IamService::delete_role, {.role_name = "fn"}));
  EXPECT_TRUE(world.call(&IamService::list_roles, {})->roles.empty());
}

TEST(Instance_profiles, A_profile_holds_one_role_and_keeps_it_from_being_deleted) {
  World world;
  make_role(world, "web");
  const auto made = world.call(&IamService::create_instance_profile,
                               {.instance_profile_name = "p", .path = "/x/"});
  ASSERT_TRUE(made) << error_of(made);
  EXPECT_EQ(made->instance_profile.arn,
            str("arn:aws:iam::", kTestAccount, ":instance-profile/x/p"));
  ASSERT_TRUE(world.call(&IamService::add_role_to_instance_profile,
                         {.instance_profile_name = "p", .role_name = "web"}));
  EXPECT_EQ(world.authorizer.asked.back().action, "iam:PassRole");
  EXPECT_EQ(error_of(world.call(&IamService::add_role_to_instance_profile,
                                {.instance_profile_name = "p", .role_name = "web"})),
            "LimitExceeded: Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
  EXPECT_EQ(world.call(&IamService::get_instance_profile, {.instance_profile_name = "p"})
                ->instance_profile.roles.front()
                .role_name,
            "web");
  EXPECT_EQ(
      world.call(&IamService::list_instance_profiles, {})->instance_profiles.front().roles.size(),
      1u);
  EXPECT_EQ(world.call(&IamService::list_instance_profiles_for_role, {.role_name = "web"})
                ->instance_profiles.size(),
            1u);
  const std::string busy =
      "DeleteConflict: Cannot delete entity, must remove roles from instance profile first.";
  EXPECT_EQ(error_of(world.call(&IamService::delete_role, {.role_name = "web"})), busy);
  EXPECT_EQ(
      error_of(world.call(&IamService::delete_instance_profile, {.instance_profile_name = "p"})),
      busy);
  ASSERT_TRUE(world.call(&IamService::remove_role_from_instance_profile,
                         {.instance_profile_name = "p", .role_name = "web"}));
  ASSERT_TRUE(world.call(&IamService::delete_instance_profile, {.instance_profile_name = "p"}));
  ASSERT_TRUE(world.call(&IamService::delete_role, {.role_name = "web"}));
  EXPECT_EQ(error_of(world.call(&IamService::get_instance_profile, {.instance_profile_name = "p"})),
            "NoSuchEntity: Instance Profile p cannot be found.");
}

TEST(Tags, They_are_laid_over_listed_and_taken_away_without_regard_to_case) {
  World world;
  make_user(world, "ann");
  make_role(world, "fn");
  ASSERT_TRUE(world.call(&IamService::create_instance_profile, {.instance_profile_name = "p"}));
  const std::vector<Tag> tags = {{"A", "1"}, {"B", "2"}};
  ASSERT_TRUE(world.call(&IamService::tag_user, {.user_name = "ann", .tags = tags}));
  ASSERT_TRUE(world.call(&IamService::tag_user, {.user_name = "ann", .tags = {{"a", "3"}}}));
  const auto listed = world.call(&IamService::list_user_tags, {.user_name = "ann"});
  ASSERT_EQ(listed->tags.size(), 2u);
  EXPECT_EQ(listed->tags[1].key, "a");
  EXPECT_EQ(listed->tags[1].value, "3");
  ASSERT_TRUE(world.call(&IamService::untag_user, {.user_name = "ann", .tag_keys = {"b"}}));
  EXPECT_EQ(world.call(&IamService::list_user_tags, {.user_name = "ann"})->tags.size(), 1u);
  ASSERT_TRUE(world.call(&IamService::tag_role, {.role_name = "fn", .tags = tags}));
  ASSERT_TRUE(world.call(&IamService::untag_role, {.role_name = "fn", .tag_keys = {"A"}}));
  EXPECT_EQ(world.call(&IamService::list_role_tags, {.role_name = "fn"})->tags.front().key, "B");
  ASSERT_TRUE(
      world.call(&IamService::tag_instance_profile, {.instance_profile_name = "p", .tags = tags}));
  ASSERT_TRUE(world.call(&IamService::untag_instance_profile,
                         {.instance_profile_name = "p", .tag_keys = {"A"}}));
  EXPECT_EQ(world.call(&IamService::list_instance_profile_tags, {.instance_profile_name = "p"})
                ->tags.size(),
            1u);
}

TEST(Tags, Bad_ones_are_refused) {
  World world;
  make_user(world, "ann");
  EXPECT_EQ(
      error_of(world.call(&IamService::tag_user,
                          {.user_name = "ann", .tags = {{"A", "1"}, {"a", "2"}}})),
      "InvalidInput: Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  EXPECT_EQ(world.call(&IamService::tag_user, {.user_name = "ann", .tags = {{"aws:x", "1"}}})
                .error()
                .code(),
            "InvalidInput");
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(
        world.call(&IamService::tag_user, {.user_name = "ann", .tags = {{str('k', i), ""}}}));
  EXPECT_EQ(
      error_of(world.call(&IamService::tag_user, {.user_name = "ann", .tags = {{"more", ""}}})),
      "LimitExceeded: The number of tags has reached the maximum limit.");
}

TEST(Account, The_summary_counts) {
  World world;
  make_user(world, "ann");
  make_role(world, "fn");
  make_role(world, "fn2");
  auto summary = *world.call(&IamService::get_account_summary, {})->summary_map;
  EXPECT_EQ(summary["Users"], 1);
  EXPECT_EQ(summary["Roles"], 2);
  EXPECT_EQ(summary["Policies"], 0);
  EXPECT_EQ(summary["AccessKeysPerUserQuota"], 2);
}

}  // namespace
}  // namespace pileus::services::iam
