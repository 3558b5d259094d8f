// PolicyAuthorizer: decides every call over what `Policies` says applies to the caller and the
// resource's own policy. Compiled policies are kept by the pointer that Policies gives (the newest
// kMaxPrincipals principals) and by the text of resource policies (kMaxResourcePolicies), so a warm
// decision parses nothing and touches no store. Any loop.
//
// Rules beyond the evaluator's:
//  - The account's root may do everything in its own account, unless a resource policy denies it.
//  - A service in its own name (kService) may do what a resource's policy lets it do, and the
//    actions of its own service ("lambda.amazonaws.com" → lambda:*); nothing else. What it does for
//    a function, a task or a user it does with their sessions.
//  - Sessions from GetSessionToken without MFA may not call IAM; those from GetFederationToken
//    never, and of STS only GetCallerIdentity.
//  - Anonymous callers have resource policies only.
#pragma once

#include <memory>

#include "aws/authorization_messages.h"
#include "aws/context.h"
#include "aws/credentials.h"

namespace pileus::aws {

class PolicyAuthorizer final : public Authorizer {
 public:
  static constexpr std::size_t kMaxPrincipals = 2048;
  static constexpr std::size_t kMaxResourcePolicies = 1024;

  // Without `messages` denials carry no encoded message.
  explicit PolicyAuthorizer(Policies& policies, const AuthorizationMessages* messages = nullptr);
  ~PolicyAuthorizer() override;

  Task<Result<Unit>> authorize(const Context& context, Authorization request) override;
  void forget();  // drops everything compiled (reset)

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pileus::aws
