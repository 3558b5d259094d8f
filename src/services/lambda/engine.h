// Engine: functions at work. A shard per event loop holds the functions at home there, the
// environments they run in, and the prewarmed ones; one ticker per shard sees to time-outs, output,
// freezing and retiring. Nothing of a shard is touched off its loop.
#pragma once

#include "services/lambda/function_home.h"
#include "services/lambda/usage.h"

namespace pileus::services::lambda {

inline constexpr auto kFastTick = std::chrono::milliseconds(5);
inline constexpr auto kSlowTick = std::chrono::seconds(1);
inline constexpr int kDrainEvery = 4;  // fast ticks
inline constexpr Nanoseconds kPoolMemory =
    std::chrono::minutes(10);  // a pool not used so long is emptied
inline constexpr Nanoseconds kPoolWindow =
    std::chrono::seconds(10);  // starts in it decide its size

struct EngineStats {
  std::size_t functions = 0, environments = 0, frozen = 0, busy = 0, prewarmed = 0, waiting = 0;
  std::uint64_t invocations = 0, cold_starts = 0, errors = 0, timeouts = 0, throttles = 0;
};

class Engine;

class Shard {
 public:
  Shard(Engine& engine, Machinery& machinery, Loop& loop);
  ~Shard();

  FunctionHome& home(const FunctionRef& ref);
  void forget_if_empty(const std::string& arn);

  Machinery& machinery() { return machinery_; }
  Engine& engine() { return engine_; }
  Loop& loop() { return loop_; }
  TaskGroup& tasks() { return tasks_; }            // stopped when the engine stops
  TaskGroup& deliveries() { return deliveries_; }  // logs and meter: let finish
  UsageMeter& meter() { return meter_; }
  EngineStats& stats() { return stats_; }
  Nanoseconds now() const { return machinery_.real.monotonic(); }

  // A held environment of the runtime: a prewarmed one, or one started now, for that account.
  static Task<Result<std::shared_ptr<Environment>>> obtain(Shard* self,
                                                           std::shared_ptr<const Runtime> runtime,
                                                           std::string account);
  void expect(const std::shared_ptr<const Runtime>& runtime);  // the runtime will be used: prewarm

  bool may_start() const { return starting_ < machinery_.options.starts_at_once && !stopping_; }
  bool stopping() const { return stopping_; }
  bool quiescing() const { return quiescing_; }  // what has nothing to do ends
  static Task<void> quiesce(Shard* self);
  void start_began() { ++starting_; }
  void start_ended() { --starting_; }
  bool evict_one();  // makes room: ends the environment idle for longest

  void joined(Environment& environment) { environments_.insert(&environment); }
  void left(Environment& environment) { environments_.erase(&environment); }
  void pool_lost(Environment& environment);
  // Something began: the ticker must look often.
  void wake();

  static Task<void> stop(Shard* self);
  static Task<void> reset(Shard* self);
  EngineStats collect() const;

 private:
  struct Pool {
    std::shared_ptr<const Runtime> runtime;
    std::vector<std::shared_ptr<Environment>> held;
    std::deque<Nanoseconds> uses;             // within kPoolWindow
    Nanoseconds last_use = -2 * kPoolMemory;  // never
    bool filling = false;
  };
  static Task<void> fill(Shard* self, std::string name);
  std::size_t wanted(Pool& pool);
  void tend_pools();
  void tick();
  void arm();
  void kill_all();

  Engine& engine_;
  Machinery& machinery_;
  Loop& loop_;
  TaskGroup tasks_, deliveries_;
  UsageMeter meter_;
  std::unordered_map<std::string, std::unique_ptr<FunctionHome>> homes_;  // by ARN
  std::unordered_set<Environment*> environments_;
  std::map<std::string, Pool> pools_;
  EngineStats stats_;
  std::size_t starting_ = 0;
  std::uint64_t ticks_ = 0;
  Loop::TimerId timer_ = 0;
  bool fast_ = false, stopping_ = false, quiescing_ = false;
};

class Engine {
 public:
  explicit Engine(Machinery& machinery);
  ~Engine();

  Shard& shard_of(const FunctionRef& ref);
  // Runs the event; the answer arrives at the loop that awaits it. It runs on when nobody waits.
  [[clang::coro_wrapper]] Task<Result<Answer>> invoke(const FunctionRef& ref,
                                                      std::unique_ptr<Invocation> invocation);
  Task<Result<Unit>> check(FunctionRef ref);
  // Told after the records of a function changed and before that is answered.
  Task<Result<Unit>> changed(FunctionRef ref);
  void expect(const FunctionRef& ref, std::shared_ptr<const Runtime> runtime);
  std::atomic<int>& account_in_flight(const std::string& account);

  Task<Result<Unit>> quiesce();  // ends what is idle, and the rest once it has answered
  Task<Result<Unit>> stop();     // ends every environment; logs and meter are delivered first
  Task<Result<Unit>> reset();
  Task<Result<EngineStats>> stats();

 private:
  Machinery& machinery_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unordered_map<Loop*, Shard*> by_loop_;
  std::mutex mutex_;  // guards accounts_
  std::map<std::string, std::atomic<int>> accounts_;
};

}  // namespace pileus::services::lambda
