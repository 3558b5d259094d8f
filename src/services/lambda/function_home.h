// FunctionHome: one function on its home loop: what is cached of its records, its role's session,
// and a dispatcher per version in use. The records are read once; whoever changes them says so.
#pragma once

#include "services/lambda/dispatcher.h"
#include "services/lambda/names.h"

namespace pileus::services::lambda {

// What decides about calls to a function, version or alias beside the caller's own policies.
struct Access {
  std::string policy;         // the resource policy; "" none
  aws::ConditionValues tags;  // aws:ResourceTag/<key>
};

class FunctionHome {
 public:
  FunctionHome(Shard& shard, FunctionRef ref);

  void submit(std::unique_ptr<Invocation> invocation);
  // Whether the qualifier names something; ResourceNotFoundException.
  Task<Result<Unit>> check(std::string qualifier);
  std::shared_ptr<const Access> known_access(const std::string& qualifier) const;
  Task<Result<std::shared_ptr<const Access>>> access(std::string qualifier);
  // The records changed: forgets what was cached; environments of old code end.
  Task<Result<Unit>> changed();
  // A session of the function's role, cached while it lasts.
  Task<Result<std::shared_ptr<const aws::Session>>> session(std::string role);

  const FunctionRef& ref() const { return ref_; }
  Shard& shard() { return shard_; }
  std::unordered_map<std::string, std::shared_ptr<Dispatcher>>& dispatchers() {
    return dispatchers_;
  }
  std::atomic<int>& account_in_flight() { return account_in_flight_; }
  void kill();
  bool empty() const { return dispatchers_.empty(); }
  int busy = 0;  // tasks and dispatchers that use this home: it must stay

 private:
  static Task<void> load_and_submit(FunctionHome* self, std::unique_ptr<Invocation> invocation);
  Task<Result<std::shared_ptr<Dispatcher>>> load(std::string qualifier);
  Task<Result<std::shared_ptr<Dispatcher>>> load_version(std::string version);
  std::shared_ptr<Dispatcher> find(const std::string& qualifier);
  std::string version_of(const Alias& alias);
  std::shared_ptr<Dispatcher> adopt(std::shared_ptr<const Configuration> configuration);
  Error missing(const std::string& qualifier) const;

  Shard& shard_;
  FunctionRef ref_;
  std::atomic<int>& account_in_flight_;
  std::uint64_t generation_ = 0;                    // grows with every change
  std::unordered_map<std::string, Alias> aliases_;  // cached
  // Cached by qualifier; shared with calls under way.
  std::unordered_map<std::string, std::shared_ptr<const Access>> access_;
  // By version; valid_ tells which of them were checked since the last change.
  std::unordered_map<std::string, std::shared_ptr<Dispatcher>> dispatchers_;
  std::unordered_set<std::string> valid_;
  std::string session_role_;
  std::shared_ptr<const aws::Session> session_;  // shared with launches under way
};

}  // namespace pileus::services::lambda
