#include "aws/authorizer.h"
#include "gen/lambda/AddPermission.h"
#include "gen/lambda/RemovePermission.h"
#include "services/lambda/test_support.h"

namespace pileus::services::lambda::testing {
namespace {

constexpr const char* kRule = "arn:aws:events:us-east-1:000000000000:rule/r";

class NoPolicies final : public aws::Policies {
 public:
  Task<Result<std::shared_ptr<const aws::PrincipalPolicies>>> of(const aws::Identity&) override {
    co_return std::make_shared<const aws::PrincipalPolicies>();
  }
};

// A function, and callers whose calls are decided by the real authorizer.
struct World {
  World() { EXPECT_TRUE(bed.create("f")); }

  void add(std::string id, std::function<void(gen::lambda::AddPermissionInput&)> adjust) {
    gen::lambda::AddPermissionInput in;
    in.function_name = "f";
    in.statement_id = std::move(id);
    in.action = "lambda:InvokeFunction";
    in.principal = "events.amazonaws.com";
    adjust(in);
    auto call = bed.context();
    auto added = bed.run(bed.service->add_permission(call, in));
    EXPECT_TRUE(added) << added.error().message();
  }
  // "" when it was allowed, else the code (without a protocol to word it in: AccessDenied).
  std::string invoke(aws::Identity identity, std::string source_arn = "") {
    aws::Context call(authorizer, std::make_shared<const aws::Identity>(std::move(identity)),
                      "000000000000", "us-east-1", "8c2f0000-0000-4000-8000-0000000000ff",
                      bed.clock.now());
    call.internal = true;
    call.source_arn = std::move(source_arn);
    gen::lambda::InvokeInput in;
    in.function_name = "arn:aws:lambda:us-east-1:000000000000:function:f";
    auto out = bed.run(bed.service->invoke(call, std::move(in)));
    return out ? "" : out.error().code();
  }
  static aws::Identity service(std::string name) {
    aws::Identity identity;
    identity.type = aws::Identity::Type::kService;
    identity.service = identity.arn = std::move(name);
    return identity;
  }
  static aws::Identity root_of(std::string account) {
    aws::Identity identity;
    identity.type = aws::Identity::Type::kRoot;
    identity.arn = "arn:aws:iam::" + account + ":root";
    identity.account = std::move(account);
    return identity;
  }

  Bed bed;
  NoPolicies policies;
  aws::PolicyAuthorizer authorizer{policies};
};

TEST(FunctionPolicies, A_service_may_only_what_the_function_lets_it) {
  World world;
  const auto events = World::service("events.amazonaws.com");
  EXPECT_EQ(world.invoke(events, kRule), "AccessDenied");
  world.add("rule", [](auto& in) { in.source_arn = kRule; });
  EXPECT_EQ(world.invoke(events, kRule), "");
  EXPECT_EQ(world.invoke(events, std::string(kRule) + "2"), "AccessDenied");
  EXPECT_EQ(world.invoke(events), "AccessDenied");
  EXPECT_EQ(world.invoke(World::service("s3.amazonaws.com"), kRule), "AccessDenied");
}

TEST(FunctionPolicies, A_change_counts_at_once_for_functions_at_work) {
  World world;
  const auto other = World::root_of("222222222222");
  ASSERT_TRUE(world.bed.invoke("f"));  // its home is warm and knows that there is no policy
  EXPECT_EQ(world.invoke(other), "AccessDenied");
  world.add("other", [](auto& in) { in.principal = "222222222222"; });
  EXPECT_EQ(world.invoke(other), "");
  EXPECT_EQ(world.invoke(World::root_of("333333333333")), "AccessDenied");
  gen::lambda::RemovePermissionInput in;
  in.function_name = "f";
  in.statement_id = "other";
  auto call = world.bed.context();
  ASSERT_TRUE(world.bed.run(world.bed.service->remove_permission(call, in)));
  EXPECT_EQ(world.invoke(other), "AccessDenied");
  EXPECT_EQ(world.invoke(World::root_of("000000000000")), "");
}

}  // namespace
}  // namespace pileus::services::lambda::testing
