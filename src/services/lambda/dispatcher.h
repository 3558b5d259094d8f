// Dispatcher: all environments of one function version (of one tenant, where the function isolates
// its tenants) and the events that wait for one. One event per environment; the most recently used
// first, provisioned ones before others; one more environment for each event that would wait,
// within the bounds. Belongs to its function's home loop. Shared with its environments.
#pragma once

#include <deque>

#include "services/lambda/environment.h"

namespace pileus::services::lambda {

class FunctionHome;

inline constexpr std::size_t kMaxQueue = 10'000;  // events waiting per version
inline constexpr Nanoseconds kReturnPatience = std::chrono::milliseconds(5);
inline constexpr Nanoseconds kMaxQueueWait = std::chrono::seconds(60);  // for an environment at all
inline constexpr int kProvisionAttempts = 3;  // failed inits in a row, then it is given up

// What a version has of the environments that it is to keep initialised.
struct ProvisionedState {
  int target = 0, allocated = 0, available = 0;  // available: allocated and without an event
  bool failed = false;                           // given up until something changes
};
using ProvisionedStates = std::map<std::string, ProvisionedState>;  // by version

class Dispatcher : public std::enable_shared_from_this<Dispatcher> {
 public:
  Dispatcher(FunctionHome& home, std::shared_ptr<const Configuration> configuration,
             std::string tenant = {});
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  const Configuration& configuration() const { return *configuration_; }
  std::shared_ptr<const Configuration> shared_configuration() const { return configuration_; }
  FunctionHome& home() { return home_; }

  void dispatch(std::unique_ptr<Invocation> invocation);
  // Its version was changed or removed: ends what is idle, the rest after its answer; events that
  // still wait are answered with `why`, or go on to the new version (nullopt) through the home.
  void retire(std::optional<Error> why);
  void kill();  // everything, now
  void tick(Nanoseconds now);
  // Looked at now and then: whether it still wants provisioned environments.
  bool tend();
  // Keeps so many environments initialised, whether there are events or not. `afresh` forgets
  // earlier failures.
  void provide(int target, bool afresh);
  ProvisionedState provisioned() const;

  // From its environments.
  void ready(Environment& environment);
  void init_failed(Environment& environment, const Failure& failure);
  void ended(Environment& environment, Environment::State was);
  void answered() { ++returning_; }  // one that has answered will ask for its next event soon
  void returned() { --returning_; }
  void put_back(std::unique_ptr<Invocation> invocation);
  // From its shard: one place among those that start at a time is free. False: nothing to start.
  bool start_one();

  bool active() const { return !queue_.empty() || starting_ > 0 || providing_ > 0; }
  bool unused() const { return !active() && environments_.empty(); }
  std::size_t environments() const { return environments_.size(); }
  std::size_t waiting() const { return queue_.size(); }
  bool queued_for_start = false;  // the shard's
  std::int64_t in_flight = 0;
  // Ends the environment idle for longest; false when none is idle. Provisioned ones stay.
  bool evict();
  std::optional<Nanoseconds> oldest_idle() const;

 private:
  struct Claim {
    Phase phase = Phase::kInit;
    std::unique_ptr<Invocation> invocation;
    std::shared_ptr<LogStream> log;
    bool provisioned = false;
  };
  static Task<void> launch(std::shared_ptr<Dispatcher> self, Claim claim);
  static Task<Result<Unit>> try_launch(std::shared_ptr<Dispatcher> self, Claim& claim,
                                       std::shared_ptr<Environment>& environment);
  enum class Patience { kWait, kNone };  // kWait: those that have just answered count as there
  void scale(Patience patience = Patience::kWait);
  bool short_of(Patience patience) const;
  bool short_of_provisioned() const;
  bool make_room();
  void start(Claim claim);
  void start_over(bool provisioned);  // one start ended, well or not
  void fail_one(Claim& claim, Error error);
  void refuse(std::unique_ptr<Invocation> invocation, Throttle reason);
  std::unique_ptr<Invocation> pop();
  void meter_provisioned();

  FunctionHome& home_;
  Shard& shard_;
  std::shared_ptr<const Configuration> configuration_;  // shared with the home's cache
  const std::string tenant_;
  std::vector<std::shared_ptr<Environment>> idle_, idle_provisioned_;  // most recently used last
  std::unordered_map<Environment*, std::shared_ptr<Environment>> environments_;
  std::deque<std::unique_ptr<Invocation>> queue_;
  std::size_t starting_ = 0, returning_ = 0;
  Patience patience_ = Patience::kWait;
  int target_ = 0, provided_ = 0, providing_ = 0, failures_ = 0;  // provisioned ones
  Time metered_until_{};
  bool retired_ = false;
};

}  // namespace pileus::services::lambda
