// IssuerKeys: the keys that OpenID Connect issuers sign with, as their discovery documents name
// them. Kept for kBelieved; a key nobody knows yet (a rotation) is looked for at once, but no
// issuer is asked more than kFetches times in kWindow. Calls that need the same keys wait for one
// fetch. Any loop. Owned by StsState.
#pragma once

#include <deque>

#include "aws/credentials.h"
#include "services/sts/jwt.h"
#include "services/sts/web_source.h"

namespace pileus::services::sts {

using KeySet = std::shared_ptr<const std::vector<Jwk>>;  // shared by the calls that verify with it

class IssuerKeys {
 public:
  static constexpr std::chrono::nanoseconds kBelieved = std::chrono::minutes(10);
  static constexpr std::chrono::nanoseconds kWindow = std::chrono::minutes(1);
  static constexpr std::size_t kFetches = 5;
  static constexpr std::size_t kMaxIssuers = 1000;  // whose keys are kept

  IssuerKeys(WebSource& web, const RealTime& real) : web_(web), real_(real) {}

  // Fresh keys; those of that id are among them if the issuer has one. IDPCommunicationError where
  // it cannot be reached, InvalidIdentityToken where what it publishes is of no use.
  Task<Result<KeySet>> find(aws::OidcProviderFacts issuer, std::string key_id);
  void clear();

 private:
  struct Known {
    KeySet keys;
    std::chrono::nanoseconds fetched{};
    std::uint64_t rounds = 0;
    std::deque<std::chrono::nanoseconds> fetches;  // of the last kWindow
    bool fetching = false;
    std::vector<Completer<Unit>> waiting;
  };
  class Turn;
  Task<Result<std::vector<Jwk>>> fetch(aws::OidcProviderFacts issuer);
  Known& known(const std::string& name);
  void finish(const std::string& name, KeySet keys);

  WebSource& web_;
  const RealTime& real_;
  std::mutex mutex_;  // guards known_; never held while waiting
  std::map<std::string, Known> known_;
};

}  // namespace pileus::services::sts
