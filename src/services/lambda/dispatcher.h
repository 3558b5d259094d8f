// Dispatcher: all environments of one function version and the events that wait for one. One event
// per environment; the most recently used first; one more environment for each event that would
// wait, within the bounds. Belongs to its function's home loop. Shared with its environments.
#pragma once

#include <deque>

#include "services/lambda/environment.h"

namespace pileus::services::lambda {

class FunctionHome;

inline constexpr std::size_t kMaxQueue = 10'000;  // events waiting per version
inline constexpr Nanoseconds kReturnPatience = std::chrono::milliseconds(5);
inline constexpr Nanoseconds kMaxQueueWait = std::chrono::seconds(60);  // for an environment at all

class Dispatcher : public std::enable_shared_from_this<Dispatcher> {
 public:
  Dispatcher(FunctionHome& home, std::shared_ptr<const Configuration> configuration);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  const Configuration& configuration() const { return *configuration_; }
  FunctionHome& home() { return home_; }

  void dispatch(std::unique_ptr<Invocation> invocation);
  // Its version was changed or removed: ends what is idle, the rest after its answer; events that
  // still wait are answered with `why`, or go on to the new version (nullopt) through the home.
  void retire(std::optional<Error> why);
  void kill();  // everything, now
  void tick(Nanoseconds now);

  // From its environments.
  void ready(Environment& environment);
  void ended(Environment& environment, Environment::State was);
  void answered() { ++returning_; }  // one that has answered will ask for its next event soon
  void returned() { --returning_; }
  void put_back(std::unique_ptr<Invocation> invocation);

  bool active() const { return !queue_.empty() || starting_ > 0; }
  std::size_t environments() const { return environments_.size(); }
  std::size_t waiting() const { return queue_.size(); }
  // Ends the environment idle for longest; false when none is idle.
  bool evict();
  std::optional<Nanoseconds> oldest_idle() const;

 private:
  static Task<void> launch(std::shared_ptr<Dispatcher> self);
  static Task<Result<Unit>> try_launch(std::shared_ptr<Dispatcher> self,
                                       std::shared_ptr<Environment>& environment);
  enum class Patience { kWait, kNone };  // kWait: those that have just answered count as there
  void scale(Patience patience = Patience::kWait);
  void start();
  std::unique_ptr<Invocation> pop();

  FunctionHome& home_;
  Shard& shard_;
  std::shared_ptr<const Configuration> configuration_;  // shared with the home's cache
  std::vector<std::shared_ptr<Environment>> idle_;      // most recently used last
  std::unordered_map<Environment*, std::shared_ptr<Environment>> environments_;
  std::deque<std::unique_ptr<Invocation>> queue_;
  std::size_t starting_ = 0, returning_ = 0;
  bool retired_ = false;
};

}  // namespace pileus::services::lambda
