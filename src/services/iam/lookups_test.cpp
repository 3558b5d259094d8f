#include "aws/authorizer.h"
#include "gen/iam/AddUserToGroup.h"
#include "gen/iam/AttachUserPolicy.h"
#include "gen/iam/CreateAccessKey.h"
#include "gen/iam/CreateGroup.h"
#include "gen/iam/CreatePolicy.h"
#include "gen/iam/CreatePolicyVersion.h"
#include "gen/iam/CreateRole.h"
#include "gen/iam/CreateUser.h"
#include "gen/iam/DeleteAccessKey.h"
#include "gen/iam/DeletePolicy.h"
#include "gen/iam/DeleteRole.h"
#include "gen/iam/DeleteUserPolicy.h"
#include "gen/iam/DetachUserPolicy.h"
#include "gen/iam/GetPolicy.h"
#include "gen/iam/GetRole.h"
#include "gen/iam/ListAccessKeys.h"
#include "gen/iam/ListEntitiesForPolicy.h"
#include "gen/iam/PutGroupPolicy.h"
#include "gen/iam/PutUserPermissionsBoundary.h"
#include "gen/iam/PutUserPolicy.h"
#include "gen/iam/TagRole.h"
#include "gen/iam/TagUser.h"
#include "gen/iam/UpdateAccessKey.h"
#include "services/iam/test_world.h"
#include "store/hostile_records.h"

namespace pileus::services::iam {
namespace {

// Counts what reaches the engine.
class CountingRecords final : public store::Records {
 public:
  explicit CountingRecords(std::unique_ptr<store::Records> engine) : engine_(std::move(engine)) {}
  Task<Result<std::optional<store::Entry>>> get(std::string partition, std::string key) override {
    ++reads;
    co_return co_await engine_->get(std::move(partition), std::move(key));
  }
  Task<Result<std::vector<store::Entry>>> scan(std::string partition, std::string prefix,
                                               store::ScanOptions options) override {
    ++reads;
    co_return co_await engine_->scan(std::move(partition), std::move(prefix), std::move(options));
  }
  Task<Result<store::Revision>> commit(std::string partition,
                                       store::Transaction transaction) override {
    co_return co_await engine_->commit(std::move(partition), std::move(transaction));
  }
  Task<Result<store::ChangeBatch>> watch(std::string partition, std::string prefix,
                                         std::string cursor) override {
    co_return co_await engine_->watch(std::move(partition), std::move(prefix), std::move(cursor));
  }
  Task<Result<std::vector<std::string>>> partitions() override {
    co_return co_await engine_->partitions();
  }
  Task<Result<Unit>> reset() override { co_return co_await engine_->reset(); }
  int reads = 0;

 private:
  std::unique_ptr<store::Records> engine_;
};

class Lookups : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world.call(&IamService::create_user, {.user_name = "ann"}));
    const auto made = world.call(&IamService::create_access_key, {.user_name = "ann"});
    ASSERT_TRUE(made) << error_of(made);
    key = made->access_key.access_key_id;
    secret = made->access_key.secret_access_key;
  }
  std::shared_ptr<const aws::Credential> find(const std::string& id,
                                              const std::string& token = "") {
    auto found = world.loop.run(world.iam.find(id, token));
    EXPECT_TRUE(found) << error_of(found);
    return found ? *found : nullptr;
  }
  aws::Identity ann() { return *find(key)->identity; }
  // What the user may do, by the real authorizer over the real policies.
  std::string decide(const std::string& action, const std::string& resource = "arn:aws:s3:::b/k") {
    aws::Context context = world.context(ann(), authorizer);
    return error_of(world.loop.run(context.authorize(action, resource)));
  }
  void put_policy(const std::string& statement) {
    ASSERT_TRUE(world.call(
        &IamService::put_user_policy,
        {.user_name = "ann",
         .policy_name = "p",
         .policy_document = R"({"Version":"2012-10-17","Statement":)" + statement + "}"}));
  }
  int& reads() { return static_cast<CountingRecords&>(*world.records).reads; }

  World world{{}, std::make_unique<CountingRecords>(store::make_memory_records())};
  aws::PolicyAuthorizer authorizer{world.iam};
  std::string key, secret;
};

TEST_F(Lookups, A_key_is_found_with_its_secret_and_its_user) {
  const auto found = find(key);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->secret, secret);
  EXPECT_TRUE(found->active);
  EXPECT_FALSE(found->expires);
  EXPECT_EQ(found->identity->arn, user_arn("ann"));
  EXPECT_EQ(found->identity->account, kTestAccount);
  EXPECT_EQ(found->identity->access_key_id, key);
}

TEST_F(Lookups, A_warm_key_touches_no_store) {
  const auto found = find(key);
  reads() = 0;
  EXPECT_EQ(find(key), found);
  EXPECT_EQ(reads(), 0);
}

TEST_F(Lookups, Keys_that_cannot_be_ours_touch_no_store) {
  reads() = 0;
  EXPECT_FALSE(find("test"));
  EXPECT_FALSE(find("123456789012"));
  EXPECT_FALSE(find("AKIAIOSFODNN7EXAMPL!"));
  EXPECT_EQ(reads(), 0);
  EXPECT_FALSE(find("AKIAQAAAAAAAAAAAAAAA"));
  EXPECT_EQ(reads(), 1);
  EXPECT_FALSE(find("AKIAQAAAAAAAAAAAAAAA"));
  EXPECT_EQ(reads(), 1);
}

TEST_F(Lookups, A_key_of_ours_with_a_session_token_is_refused) {
  ASSERT_TRUE(find(key, "a session token"));
  EXPECT_FALSE(find(key, "a session token")->active);
  EXPECT_FALSE(find("AKIAQAAAAAAAAAAAAAAA", "a session token"));
}

TEST_F(Lookups, A_changed_key_shows_at_once) {
  find(key);
  ASSERT_TRUE(world.call(&IamService::update_access_key,
                         {.user_name = "ann", .access_key_id = key, .status = "Inactive"}));
  EXPECT_FALSE(find(key)->active);
  ASSERT_TRUE(world.call(&IamService::tag_user, {.user_name = "ann", .tags = {{"Team", "red"}}}));
  EXPECT_EQ(find(key)->identity->tags.at("Team"), "red");
  ASSERT_TRUE(
      world.call(&IamService::delete_access_key, {.user_name = "ann", .access_key_id = key}));
  ASSERT_TRUE(find(key)) << "one that was ours is no stranger's";
  EXPECT_FALSE(find(key)->active);
}

TEST_F(Lookups, Another_nodes_change_shows_when_the_cached_answer_is_old) {
  find(key);
  IamService other(*world.records, world.time, world.random, World::master(), {});
  aws::Context context = world.context();
  ASSERT_TRUE(world.loop.run(other.update_access_key(
      context, {.user_name = "ann", .access_key_id = key, .status = "Inactive"})));
  EXPECT_TRUE(find(key)->active);
  world.time.pass(std::chrono::seconds(31));
  EXPECT_FALSE(find(key)->active);
}

TEST_F(Lookups, Another_master_key_opens_no_secret) {
  aws::MasterKey wrong = World::master();
  wrong[0] ^= 1;
  IamService other(*world.records, world.time, world.random, wrong, {});
  const auto found = world.loop.run(other.find(key, ""));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), "ServiceFailure");
}

TEST_F(Lookups, Keys_survive_a_restart) {
  IamService later(*world.records, world.time, world.random, World::master(), {});
  const auto found = world.loop.run(later.find(key, ""));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->secret, secret);
}

TEST_F(Lookups, Policies_keep_their_pointer_until_something_changes) {
  put_policy(R"([{"Effect":"Allow","Action":"s3:*","Resource":"*"}])");
  const aws::Identity who = ann();
  const auto first = *world.loop.run(world.iam.of(who));
  EXPECT_EQ(*world.loop.run(world.iam.of(who)), first);
  world.time.pass(std::chrono::minutes(5));
  EXPECT_EQ(*world.loop.run(world.iam.of(who)), first) << "read again, but nothing is new";
  put_policy(R"([{"Effect":"Allow","Action":"sqs:*","Resource":"*"}])");
  const auto second = *world.loop.run(world.iam.of(who));
  EXPECT_NE(second, first);
  EXPECT_GT(second->version, first->version);
}

TEST_F(Lookups, A_decision_follows_every_kind_of_change_at_once) {
  const std::string none =
      "AccessDenied: User: " + user_arn("ann") +
      " is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k because no "
      "identity-based policy allows the s3:GetObject action";
  EXPECT_EQ(decide("s3:GetObject"), none);
  put_policy(R"([{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}])");
  EXPECT_EQ(decide("s3:GetObject"), "");
  ASSERT_TRUE(
      world.call(&IamService::delete_user_policy, {.user_name = "ann", .policy_name = "p"}));
  EXPECT_EQ(decide("s3:GetObject"), none);

  ASSERT_TRUE(world.call(&IamService::create_policy,
                         {.policy_name = "m", .policy_document = std::string(kAllowAll)}));
  ASSERT_TRUE(world.call(&IamService::attach_user_policy,
                         {.user_name = "ann", .policy_arn = policy_arn("m")}));
  EXPECT_EQ(decide("s3:GetObject"), "");
  ASSERT_TRUE(world.call(
      &IamService::create_policy_version,
      {.policy_arn = policy_arn("m"),
       .policy_document =
           R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}})",
       .set_as_default = true}));
  EXPECT_NE(decide("s3:GetObject")
                .find("with an explicit deny in an identity-based policy: " + policy_arn("m")),
            std::string::npos)
      << decide("s3:GetObject");
  ASSERT_TRUE(world.call(&IamService::detach_user_policy,
                         {.user_name = "ann", .policy_arn = policy_arn("m")}));
  EXPECT_EQ(decide("s3:GetObject"), none);

  ASSERT_TRUE(world.call(&IamService::create_group, {.group_name = "g"}));
  ASSERT_TRUE(world.call(
      &IamService::put_group_policy,
      {.group_name = "g", .policy_name = "i", .policy_document = std::string(kAllowAll)}));
  EXPECT_EQ(decide("s3:GetObject"), none);
  ASSERT_TRUE(world.call(&IamService::add_user_to_group, {.group_name = "g", .user_name = "ann"}));
  EXPECT_EQ(decide("s3:GetObject"), "");
  ASSERT_TRUE(world.call(
      &IamService::put_user_permissions_boundary,
      {.user_name = "ann", .permissions_boundary = "arn:aws:iam::aws:policy/AmazonSQSFullAccess"}));
  EXPECT_NE(
      decide("s3:GetObject").find("because no permissions boundary allows the s3:GetObject action"),
      std::string::npos)
      << decide("s3:GetObject");
  EXPECT_EQ(decide("sqs:SendMessage"), "");
}

TEST_F(Lookups, A_warm_decision_touches_no_store) {
  put_policy(R"([{"Effect":"Allow","Action":"s3:*","Resource":"*"}])");
  decide("s3:GetObject");
  reads() = 0;
  EXPECT_EQ(decide("s3:GetObject"), "");
  EXPECT_EQ(reads(), 0);
}

TEST_F(Lookups, Roles_are_found_and_their_changes_count_up_the_generation) {
  ASSERT_TRUE(world.call(&IamService::create_role,
                         {.path = "/p/",
                          .role_name = "fn",
                          .assume_role_policy_document = std::string(kTrustLambda),
                          .max_session_duration = 7200}));
  const auto generation = world.iam.generation();
  const auto facts = *world.loop.run(world.iam.find_role(role_arn("p/fn")));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->trust_policy, kTrustLambda);
  EXPECT_EQ(facts->max_session_seconds, 7200);
  EXPECT_FALSE(*world.loop.run(world.iam.find_role(role_arn("fn"))))
      << "another path is another role";
  EXPECT_FALSE(*world.loop.run(world.iam.find_role(role_arn("other"))));
  EXPECT_EQ(world.iam.generation(), generation);
  world.iam.role_used(role_arn("p/fn"), "lambda", "us-west-2", Time(std::chrono::seconds(9)));
  EXPECT_EQ(*world.call(&IamService::get_role, {.role_name = "fn"})->role.role_last_used->region,
            "us-west-2");
  ASSERT_TRUE(world.call(&IamService::tag_role, {.role_name = "fn", .tags = {{"a", "b"}}}));
  EXPECT_GT(world.iam.generation(), generation);
  EXPECT_EQ((*world.loop.run(world.iam.find_role(role_arn("p/fn"))))->tags.at("a"), "b");
  ASSERT_TRUE(world.call(&IamService::delete_role, {.role_name = "fn"}));
  EXPECT_FALSE(*world.loop.run(world.iam.find_role(role_arn("p/fn"))));
}

TEST_F(Lookups, Session_policies_come_as_documents) {
  ASSERT_TRUE(
      world.call(&IamService::create_role,
                 {.role_name = "fn", .assume_role_policy_document = std::string(kTrustLambda)}));
  ASSERT_TRUE(world.call(&IamService::create_policy,
                         {.policy_name = "m", .policy_document = std::string(kAllowAll)}));
  const auto role = *world.loop.run(world.iam.find_role(role_arn("fn")));
  aws::Identity session;
  session.type = aws::Identity::Type::kAssumedRole;
  session.account = kTestAccount;
  session.role_arn = role->arn;
  session.user_id = role->id + ":s";
  session.session_policy_arns = {policy_arn("m")};
  EXPECT_EQ((*world.loop.run(world.iam.of(session)))->session_managed.front().document, kAllowAll);
  ASSERT_TRUE(world.call(&IamService::delete_policy, {.policy_arn = policy_arn("m")}));
  EXPECT_NE((*world.loop.run(world.iam.of(session)))->session_managed.front().document, kAllowAll);
  session.user_id = "AROAANOTHERROLEOFTHATNAME:s";
  session.session_policy_arns.clear();
  EXPECT_TRUE((*world.loop.run(world.iam.of(session)))->identity.empty());
}

// Everything that may go wrong below goes wrong; indexes and counts still agree in the end.
TEST(Hostile_store, Concurrent_changes_leave_indexes_consistent) {
  SeededRandom chance(5);
  // Failures after the commit would make "did it happen" unknown to the test, so only conflicts.
  World world({},
              store::make_hostile_records(store::make_memory_records(), chance,
                                          {.conflict = 0.3, .fail_before = 0, .fail_after = 0}));
  ASSERT_TRUE(world.call(&IamService::create_policy,
                         {.policy_name = "p", .policy_document = std::string(kAllowAll)}));
  constexpr int kUsers = 12;
  struct Worker {
    static Task<void> run(World* world, int number, int* failures) {
      const std::string name = str("user", number % kUsers);
      aws::Context context = world->context();
      (void)co_await world->iam.create_user(context, {.user_name = name});
      if (!co_await world->iam.attach_user_policy(
              context, {.user_name = name, .policy_arn = policy_arn("p")}))
        ++*failures;
      for (int i = 0; i < 2; ++i) {
        auto made = co_await world->iam.create_access_key(context, {.user_name = name});
        if (!made && made.error().code() != "LimitExceeded") ++*failures;
      }
      if (number % 3 == 0)
        (void)co_await world->iam.detach_user_policy(
            context, {.user_name = name, .policy_arn = policy_arn("p")});
    }
  };
  int failures = 0;
  TaskGroup group(world.loop);
  for (int i = 0; i < 3 * kUsers; ++i) group.spawn(Worker::run(&world, i, &failures));
  world.loop.run_until([&] { return group.running() == 0; });
  EXPECT_EQ(failures, 0);
  const auto policy = world.call(&IamService::get_policy, {.policy_arn = policy_arn("p")});
  const auto entities = world.call(&IamService::list_entities_for_policy,
                                   {.policy_arn = policy_arn("p"), .max_items = 1000});
  EXPECT_EQ(*policy->policy->attachment_count, static_cast<int>(entities->policy_users->size()));
  for (int i = 0; i < kUsers; ++i) {
    const auto keys = world.call(&IamService::list_access_keys, {.user_name = str("user", i)});
    EXPECT_EQ(keys->access_key_metadata.size(), 2u);
    for (const auto& each : keys->access_key_metadata)
      EXPECT_TRUE(*world.loop.run(world.iam.find(*each.access_key_id, "")));
  }
}

TEST(Hostile_store, A_store_that_never_commits_ends_in_ConcurrentModification) {
  SeededRandom chance(5);
  World world({}, store::make_hostile_records(store::make_memory_records(), chance,
                                              {.conflict = 1, .fail_before = 0, .fail_after = 0}));
  const auto made = world.call(&IamService::create_user, {.user_name = "ann"});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), "ConcurrentModification");
}

}  // namespace
}  // namespace pileus::services::iam
