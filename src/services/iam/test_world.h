// An IamService over memory with clocks, chance and an authorizer of the test's own.
#pragma once

#include <gtest/gtest.h>

#include "base/manual_loop.h"
#include "base/text.h"
#include "services/iam/service.h"
#include "store/memory_records.h"

namespace pileus::services::iam {

class TestTime final : public RealTime {
 public:
  Time now() const override { return Time(std::chrono::seconds(1'700'000'000)) + passed_; }
  std::chrono::nanoseconds monotonic() const override { return passed_; }
  void pass(Duration by) { passed_ += by; }

 private:
  Duration passed_{0};
};

// Notes what it is asked; allows all but what `denied` names.
class NotingAuthorizer final : public aws::Authorizer {
 public:
  Task<Result<Unit>> authorize(const aws::Context&, aws::Authorization request) override {
    const bool refuse = denied.contains(request.action);
    asked.push_back(std::move(request));
    if (refuse) co_return fail("AccessDenied", "denied by the test", 403);
    co_return Unit{};
  }
  std::vector<aws::Authorization> asked;
  std::set<std::string> denied;
};

inline constexpr std::string_view kTestAccount = "123456789012";
inline constexpr std::string_view kAllowAll =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})";
inline constexpr std::string_view kTrustLambda =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":)"
    R"("lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]})";

inline std::string user_arn(std::string_view name) {
  return str("arn:aws:iam::", kTestAccount, ":user/", name);
}
inline std::string role_arn(std::string_view name) {
  return str("arn:aws:iam::", kTestAccount, ":role/", name);
}
inline std::string policy_arn(std::string_view name) {
  return str("arn:aws:iam::", kTestAccount, ":policy/", name);
}

class World {
 public:
  explicit World(IamOptions options = {}, std::unique_ptr<store::Records> given = nullptr)
      : records(given ? std::move(given) : store::make_memory_records()),
        iam(*records, time, random, master(), options) {
    root.type = aws::Identity::Type::kRoot;
    root.account = kTestAccount;
    root.arn = str("arn:aws:iam::", kTestAccount, ":root");
    root.user_id = kTestAccount;
  }

  aws::Context context() { return context(root, authorizer); }
  aws::Context context(const aws::Identity& as, aws::Authorizer& decider) {
    return aws::Context(decider, std::make_shared<aws::Identity>(as), std::string(kTestAccount),
                        "us-east-1", "request", Time(std::chrono::seconds(1'600'000'000)));
  }

  // Calls an operation as root, or as `caller`: call(&IamService::create_user, {.user_name =
  // "ann"}).
  template <class In, class Out>
  Result<Out> call(Task<Result<Out>> (IamService::*operation)(aws::Context&, In),
                   std::type_identity_t<In> in) {
    return call_as(root, operation, std::move(in));
  }
  template <class In, class Out>
  Result<Out> call_as(const aws::Identity& caller,
                      Task<Result<Out>> (IamService::*operation)(aws::Context&, In),
                      std::type_identity_t<In> in) {
    aws::Context as = context(caller, authorizer);
    auto result = loop.run((iam.*operation)(as, std::move(in)));
    EXPECT_TRUE(!result || as.decided()) << "answered without a decision";
    return result;
  }

  static aws::MasterKey master() {
    aws::MasterKey key;
    key.fill(7);
    return key;
  }

  ManualLoop loop;
  TestTime time;
  SeededRandom random{1};
  NotingAuthorizer authorizer;
  std::unique_ptr<store::Records> records;
  IamService iam;
  aws::Identity root;
};

// The error's code and message, or "" for success.
template <class T>
std::string error_of(const Result<T>& result) {
  return result ? std::string() : result.error().code() + ": " + result.error().message();
}

}  // namespace pileus::services::iam
