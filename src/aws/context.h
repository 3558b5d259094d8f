// Context: one call as a handler sees it. The Door's frame owns it and outlives the handler. It
// carries who asks, where, and the way to an authorization decision; an answer without a decision
// is a bug that the Door turns into a 500.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/identity.h"
#include "aws/service.h"

namespace pileus::aws {

// Values of condition keys that the request itself gives: "lambda:FunctionArn" → {…}. The global
// keys (aws:SourceIp, aws:PrincipalArn, aws:CurrentTime …) are the authorizer's.
using ConditionValues = std::map<std::string, std::vector<std::string>>;

struct Authorization {
  std::string action;            // "lambda:InvokeFunction"
  std::string resource = "*";    // ARN
  std::string resource_account;  // "": the ARN's, else the context's
  std::string resource_policy;   // JSON of the resource's own policy, "" if it has none
  // kRequired: nothing is allowed that it does not allow (key policies). kTrust: a role's trust
  // policy.
  enum class ResourcePolicy {
    kOrdinary,
    kRequired,
    kTrust
  } resource_policy_kind = ResourcePolicy::kOrdinary;
  ConditionValues conditions;
};

// Decides; implemented over the policies that the iam room keeps. Any loop.
class Context;
class Authorizer {
 public:
  virtual ~Authorizer() = default;
  // Success, or AccessDenied(Exception) that names why, in the words of AWS.
  virtual Task<Result<Unit>> authorize(const Context& context, Authorization request) = 0;
};

class Context {
 public:
  Context(Authorizer& authorizer, std::shared_ptr<const Identity> identity, std::string account,
          std::string region, std::string request_id, Time now);

  const Identity& identity() const { return *identity_; }
  std::shared_ptr<const Identity> shared_identity() const {
    return identity_;
  }  // shared: cached by key
  const std::string& account() const { return account_; }  // whose resources: the caller's account
  const std::string& region() const { return region_; }
  std::string_view partition() const;  // "aws", "aws-cn", "aws-us-gov"
  const std::string& request_id() const { return request_id_; }
  Time now() const { return now_; }  // cloud time at arrival
  // "<account>/<region>" for records; "<account>/global" for global services.
  std::string partition_key() const { return account_ + "/" + region_; }
  std::string global_key() const { return account_ + "/global"; }
  // arn:<partition>:<service>:<region>:<account>:<resource>
  std::string arn(std::string_view service, std::string_view resource) const;

  // Asks for a decision. Every handler asks at least once before it answers.
  [[clang::coro_wrapper]] Task<Result<Unit>> authorize(std::string action, std::string resource,
                                                       ConditionValues conditions = {});
  [[clang::coro_wrapper]] Task<Result<Unit>> authorize(Authorization request);
  // For the few operations that AWS lets anyone make (GetCallerIdentity); the reason is for
  // readers.
  void needs_no_authorization(std::string_view reason);
  bool decided() const { return decided_; }

  // Set by the Door for calls from outside; empty for internal ones.
  std::string source_ip;
  std::string user_agent;
  std::string trace_header;  // X-Amzn-Trace-Id as received
  bool secure_transport = false;
  bool internal = false;  // made by a service of this program
  // Internal calls: the resource in whose name a service calls (aws:SourceArn, aws:SourceAccount),
  // and the services that pass on the caller's own identity (aws:CalledVia), first one first.
  std::string source_arn;
  std::string source_account;
  std::vector<std::string> called_via;
  std::string action_id;  // of the saved action that makes this internal call; "" otherwise
  const Service* service = nullptr;
  const Operation* operation = nullptr;
  const std::vector<std::pair<std::string, std::string>>* headers = nullptr;  // of the HTTP request

 private:
  Authorizer* authorizer_;
  std::shared_ptr<const Identity> identity_;
  std::string account_;
  std::string region_;
  std::string request_id_;
  Time now_;
  bool decided_ = false;
};

}  // namespace pileus::aws
