// Environment: one sandbox and the runtime in it, from held (prewarmed, no function yet) to its
// end. It speaks for the runtime API (runtime_api.h) on one side and its dispatcher on the other,
// one event at a time. Belongs to its shard's loop. Shared by the dispatcher (or pool) that lists
// it and by the tasks that wait for its sandbox.
//
//   kStarting → kHeld → kInit → kIdle ⇄ kBusy → kAnswered (→ kIdle at the next poll)   any → kDead
#pragma once

#include "aws/credentials.h"
#include "services/lambda/invocation.h"
#include "services/lambda/machinery.h"
#include "services/lambda/report.h"

namespace pileus::services::lambda {

class Dispatcher;
class Shard;

inline constexpr Nanoseconds kInitLimit = std::chrono::seconds(10);

class Environment : public std::enable_shared_from_this<Environment> {
 public:
  enum class State { kStarting, kHeld, kInit, kIdle, kBusy, kAnswered, kDead };

  Environment(Shard& shard, std::shared_ptr<const Runtime> runtime);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // Makes the sandbox; afterwards it is held. With the account that it is for, it may be the fork
  // of a process of that account's.
  Task<Result<Unit>> start(std::string account = {});

  // What it is to become.
  struct Launch {
    std::shared_ptr<Dispatcher> dispatcher;
    std::shared_ptr<const aws::Session> session;  // shared by the function's environments
    std::string code_folder;
    std::shared_ptr<LogStream> log;  // of the attempt before, or null
    Phase phase = Phase::kInit;
    std::unique_ptr<Invocation> claimed;  // kInvoke: the event that waits for just this one
  };
  Task<Result<Unit>> assign(Launch launch);

  // Takes the next event. Only when idle.
  void run(std::unique_ptr<Invocation> invocation);
  // Looks at the time: time-outs, output, freezing. `drain` is asked for every few ticks.
  void tick(Nanoseconds now, bool drain);
  // Ends it, now or, while it works, once it has answered.
  void retire();
  void kill();

  State state() const { return state_; }
  bool at_rest() const {
    return state_ == State::kHeld || (state_ == State::kIdle && (frozen_ || !freezable_));
  }
  Nanoseconds idle_since() const { return idle_since_; }
  const Runtime& runtime() const { return *runtime_; }
  std::shared_ptr<LogStream> log() const { return log_; }
  Phase phase() const { return phase_; }
  bool init_just_ended() { return std::exchange(init_ended_, false); }  // asked by ready(), once
  std::unique_ptr<Invocation> take_claimed() { return std::move(claimed_); }
  Shard& shard() { return shard_; }

  // From the runtime API.
  bool may_poll() const;
  std::uint64_t poll(Completer<Unit> completer);  // its number
  void poll_lost(std::uint64_t number);
  Invocation* hand_over();  // the event, once; nullptr when there is none now
  Time deadline() const { return deadline_wall_; }
  bool expects(std::string_view request_id) const;
  void answer(Answer answer, std::string error_type);
  void init_error(Failure failure);

 private:
  static Task<void> watch(std::shared_ptr<Environment> self);
  static Task<void> freeze(std::shared_ptr<Environment> self);
  static Task<void> thaw(std::shared_ptr<Environment> self);
  sandbox::Spec spec(const std::string& account) const;
  sandbox::Assignment assignment(const Launch& launch, const std::string& stream) const;
  Result<Unit> listen();
  std::string stream_name() const;
  void wake_runtime();
  void exited(const sandbox::Exit& exit);
  void init_failed(Failure failure);
  void fail_current(Failure failure);
  void finish();
  void drain();
  void drain_rest();
  void print(std::string line);
  void print_output();
  void platform(std::string line);
  std::uint64_t memory_peak();
  void meter(const Report& report, std::size_t request_bytes, std::size_t response_bytes);
  void die();

  Shard& shard_;
  Machinery& with_;
  std::shared_ptr<const Runtime> runtime_;  // shared with the list of runtimes
  std::string id_;
  State state_ = State::kStarting;
  std::unique_ptr<sandbox::Sandbox> sandbox_;
  std::vector<net::HttpServer::ListenerId> listeners_;
  int output_ = -1;
  std::string partial_;  // output after the last line end

  std::shared_ptr<Dispatcher> dispatcher_;  // shared: it outlives its environments
  std::shared_ptr<LogStream> log_;
  std::optional<PlatformLines> lines_;
  Phase phase_ = Phase::kInit;
  std::unique_ptr<Invocation> claimed_;
  Time credentials_until_{};

  std::unique_ptr<Invocation> current_;
  bool init_ended_ = false, woken_ = false, handed_over_ = false, retiring_ = false;
  bool frozen_ = false, freezing_ = false, freezable_ = true;
  Completer<Unit> poll_;
  std::uint64_t poll_number_ = 0;
  Nanoseconds init_started_{0}, init_took_{0}, started_{0}, deadline_{0}, idle_since_{0};
  Time deadline_wall_{};
  bool cold_ = true;      // its first event has not been reported
  bool tailing_ = false;  // current event's log is asked for with its answer
  std::string tail_;
  std::size_t request_bytes_ = 0;
  std::uint64_t memory_peak_ = 0;
  Nanoseconds memory_peak_at_{0};
  struct Finished {
    std::string request_id, error_type;
    Nanoseconds took{0};
    bool timed_out = false;
    std::size_t response_bytes = 0;
  };
  std::optional<Finished> finished_;  // answered, its END and REPORT not yet written
};

}  // namespace pileus::services::lambda
