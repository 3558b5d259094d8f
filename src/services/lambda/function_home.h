// FunctionHome: one function on its home loop: what is cached of its records, its role's session,
// how many events it may run, and a dispatcher per version in use. The records are read once;
// whoever changes them says so.
#pragma once

#include "services/lambda/debug_port.h"
#include "services/lambda/dispatcher.h"
#include "services/lambda/hot_folder.h"
#include "services/lambda/names.h"

namespace pileus::services::lambda {

inline constexpr std::size_t kMaxTenants = 10'000;  // with environments, per function

class FunctionHome {
 public:
  FunctionHome(Shard& shard, FunctionRef ref);

  void submit(std::unique_ptr<Invocation> invocation);
  // Whether the qualifier names something and the tenant fits; AWS's errors.
  Task<Result<Unit>> check(std::string qualifier, std::string tenant);
  // The records changed: forgets what was cached; environments of old code end, provisioned ones
  // are made.
  Task<Result<Unit>> changed();
  Task<Result<Unit>> provide();
  ProvisionedStates provisioned() const;
  // A session of the function's role, cached while it lasts.
  Task<Result<std::shared_ptr<const aws::Session>>> session(std::string role);
  // What is mounted at /var/task.
  Task<Result<std::string>> code_folder(const Configuration& configuration);
  // A held environment; while the function is debugged, one that a debugger can reach.
  Task<Result<std::shared_ptr<Environment>>> obtain(std::shared_ptr<const Runtime> runtime);

  // Takes a place for the event, or says why there is none. `version` counts its version's events,
  // of which the first `provisioned` have places of their own.
  std::optional<Throttle> admit(Invocation& invocation, std::int64_t& version, int provisioned);
  bool may_grow();  // one more environment for one more event
  bool may_start(std::size_t environments) const { return !debug_ || environments == 0; }

  // Ends what runs of $LATEST; the next environment waits for a debugger at the port. nullptr ends
  // that. `port` is shared with the environment that uses it.
  void debug(std::shared_ptr<DebugPort> port);
  bool debugging() const { return debug_ != nullptr; }

  const FunctionRef& ref() const { return ref_; }
  Shard& shard() { return shard_; }
  // By version, or version '\n' tenant.
  std::unordered_map<std::string, std::shared_ptr<Dispatcher>>& dispatchers() {
    return dispatchers_;
  }
  void forget_unused_tenants();
  void kill();
  bool empty() const { return dispatchers_.empty() && !debug_; }
  int busy = 0;  // tasks and dispatchers that use this home: it must stay

 private:
  using DispatcherPtr = std::shared_ptr<Dispatcher>;  // shared with its environments
  static Task<void> load_and_submit(FunctionHome* self, std::unique_ptr<Invocation> invocation);
  Task<Result<DispatcherPtr>> load(std::string qualifier);
  Task<Result<DispatcherPtr>> load_version(std::string version);
  Task<Result<Unit>> watch(std::string folder);
  void deliver(DispatcherPtr dispatcher, std::unique_ptr<Invocation> invocation);
  DispatcherPtr of_tenant(const DispatcherPtr& base, const std::string& tenant);
  DispatcherPtr find(const std::string& qualifier);
  std::string version_of(const Alias& alias);
  DispatcherPtr adopt(std::shared_ptr<const Configuration> configuration);
  // Takes a version and its tenants off the list; they are retired by whoever asked.
  std::vector<DispatcherPtr> take(const std::string& version);
  void replace(const std::string& version);
  Error missing(const std::string& qualifier) const;

  Shard& shard_;
  FunctionRef ref_;
  Account& account_;
  std::uint64_t generation_ = 0;                    // grows with every change
  std::unordered_map<std::string, Alias> aliases_;  // cached
  Concurrency concurrency_;                         // as last read
  std::int64_t in_flight_ = 0;
  RateWindow rate_;
  ScalingAllowance growth_;
  // valid_ tells which versions were checked since the last change.
  std::unordered_map<std::string, DispatcherPtr> dispatchers_;
  std::unordered_set<std::string> valid_;
  std::unique_ptr<HotFolder> hot_;
  std::shared_ptr<DebugPort> debug_;
  std::string session_role_;
  std::shared_ptr<const aws::Session> session_;  // shared with launches under way
};

}  // namespace pileus::services::lambda
