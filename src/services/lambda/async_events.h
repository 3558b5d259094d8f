// AsyncEvents: invocations of type Event. One is a record before its 202 is sent and until it is
// done with; attempts are made from the function's home loop, at least once, by the rules of
// async_step.h and the cloud's clock. After a restart all of them are taken up again.
#pragma once

#include "services/lambda/async_step.h"
#include "services/lambda/engine.h"

namespace pileus::services::lambda {

inline constexpr std::size_t kAttemptsAtOnce = 512;     // per loop
inline constexpr std::size_t kAttemptsOfOne = 256;      // of these, per function
inline constexpr std::size_t kInlineEvent = 64 * 1024;  // larger payloads are blobs

struct AsyncStats {
  std::size_t waiting = 0, running = 0;
  std::uint64_t accepted = 0, succeeded = 0, dropped = 0, retried = 0;
  std::string last_drop;  // "<function arn>: <reason>"
};

class AsyncEvents {
 public:
  AsyncEvents(Machinery& machinery, Engine& engine);
  ~AsyncEvents();

  // Stores the event, then sees to it. When this returns it will not be lost.
  Task<Result<Unit>> accept(FunctionRef ref, AsyncEvent event);
  // Takes up what a partition's records hold.
  Task<Result<std::size_t>> resume(std::string partition);
  Task<Result<Unit>> stop();  // attempts under way are left to the next start
  Task<Result<Unit>> reset();
  AsyncStats stats() const;

 private:
  struct Pending {
    FunctionRef ref;
    std::string id;
    std::optional<AsyncEvent> event;  // nothing: in the records only
    Clock::TimerId timer = 0;
    Clock::Busy busy;  // from due to done, so that a clock moved by hand waits
    bool running = false;
  };
  struct Lane {  // one function's events that are due: functions take turns
    std::deque<std::shared_ptr<Pending>> ready;
    std::size_t running = 0;
    bool has_turn = false;
  };
  struct Part {  // of one loop
    explicit Part(Loop& on) : loop(on), tasks(on) {}
    Loop& loop;
    TaskGroup tasks;
    std::unordered_map<std::string, std::shared_ptr<Pending>> all;  // shared with its attempt
    std::map<std::string, Lane> lanes;  // by function
    std::deque<std::string> turns;
    std::size_t running = 0;
  };
  void give_turn(Part& part, const std::string& function);
  Part& part_of(const FunctionRef& ref);
  void add(Part& part, std::shared_ptr<Pending> pending, Time due);
  void schedule(Part& part, const std::shared_ptr<Pending>& pending, Time due);
  void make_ready(Part& part, std::shared_ptr<Pending> pending);
  void pump(Part& part);
  static Task<void> attempt(AsyncEvents* self, Part* part, std::shared_ptr<Pending> pending);
  Task<Result<Unit>> run(Part* part, std::shared_ptr<Pending> pending);
  Task<Result<Unit>> carry_out(Part* part, std::shared_ptr<Pending> pending, Step step);
  Task<Result<AsyncEvent>> load(std::shared_ptr<Pending> pending);
  void clear(Part& part);
  void count(const std::function<void(AsyncStats&)>& change);

  Machinery& machinery_;
  Engine& engine_;
  std::vector<std::unique_ptr<Part>> parts_;
  std::unordered_map<Loop*, Part*> by_loop_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;  // guards stats_
  AsyncStats stats_;
};

}  // namespace pileus::services::lambda
