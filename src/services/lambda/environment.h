// Environment: one sandbox and the runtime in it, from held (prewarmed, no function yet) to its
// end. It speaks for the runtime and extension APIs on one side and its dispatcher on the other,
// one event at a time. Belongs to its shard's loop. Shared by the dispatcher (or pool) that lists
// it and by the tasks that wait for its sandbox.
//
//   kStarting → kHeld → kInit → kIdle ⇄ kBusy → kAnswered (→ kIdle when the runtime and every
//   extension wait again)                                                        any → kDead
//   A failed init, a crash, a time-out: → kReset → kIdle, where the next event begins with an init
//   of its own in the same sandbox. With extensions it ends by kShutdown.
// environment.cpp has the events, phases.cpp what begins and ends them.
#pragma once

#include "aws/credentials.h"
#include "services/lambda/console.h"
#include "services/lambda/extensions.h"
#include "services/lambda/invocation.h"
#include "services/lambda/machinery.h"
#include "services/lambda/platform_events.h"
#include "services/lambda/telemetry.h"
#include "services/lambda/variables.h"

namespace pileus::services::lambda {

class Dispatcher;
class Shard;

inline constexpr Nanoseconds kInitLimit = std::chrono::seconds(10);
inline constexpr Nanoseconds kShutdownLimit = std::chrono::seconds(2);  // with external extensions
inline constexpr Nanoseconds kInternalShutdownLimit = std::chrono::milliseconds(500);
inline constexpr int kRuntimeShare = 30;  // per cent of the limit that the runtime has to end

// An event that the runtime has answered and that is not reported yet.
struct Finished {
  Report report;
  std::size_t response_bytes = 0;
  bool with_extensions = false;  // they were still at work when the runtime was done
  bool told = false;             // its runtimeDone
  Completer<Answer> done;        // held back: the answer wants the whole log
  Answer answer;
};

class Environment : public std::enable_shared_from_this<Environment> {
 public:
  enum class State { kStarting, kHeld, kInit, kIdle, kBusy, kAnswered, kReset, kShutdown, kDead };

  Environment(Shard& shard, std::shared_ptr<const Runtime> runtime);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // Makes the sandbox; afterwards it is held.
  Task<Result<Unit>> start();

  // What it is to become.
  struct Launch {
    std::shared_ptr<Dispatcher> dispatcher;
    std::shared_ptr<const aws::Session> session;  // shared by the function's environments
    std::string code_folder;
    std::vector<std::string> layer_folders;  // earlier ones first; for /opt
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
    return state_ == State::kHeld ||
           (state_ == State::kIdle && (frozen_ || !freezable_ || broken_));
  }
  Nanoseconds idle_since() const { return idle_since_; }
  const Runtime& runtime() const { return *runtime_; }
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
  // From the extension and telemetry APIs.
  Extensions& extensions() { return extensions_; }
  const Configuration& configuration() const;
  const std::string& account() const;
  void enrolled();         // one more extension has registered
  void extension_waits();  // one is back at next
  void extension_failed(const Extension& extension);
  std::string event_id() { return uuid(with_.random); }
  bool subscribable() const { return telemetry_.open_for_subscriptions(); }
  void subscribe(Subscription subscription);

 private:
  // environment.cpp
  static Task<void> freeze(std::shared_ptr<Environment> self);
  static Task<void> thaw(std::shared_ptr<Environment> self);
  sandbox::Spec spec() const;
  sandbox::Assignment assignment(const Launch& launch) const;
  Variables variables() const;
  Result<Unit> listen();
  std::string stream_name() const;
  void event_begins(const Invocation& event);
  void wake_runtime();
  void settle();
  void event_ended();
  void runtime_done();
  void finish();
  std::uint64_t memory_peak();
  void meter(const Report& report, std::size_t request_bytes, std::size_t response_bytes);
  void make_socket(std::function<void(Result<int>)> done);

  // phases.cpp
  static Task<void> watch(std::shared_ptr<Environment> self, int process);
  static Task<void> watch_extension(std::shared_ptr<Environment> self, int process);
  static Task<void> reinit(std::shared_ptr<Environment> self);
  static Task<void> reset(std::shared_ptr<Environment> self, ShutdownReason reason);
  static Task<void> shut_down(std::shared_ptr<Environment> self);
  static Task<void> end_processes(std::shared_ptr<Environment> self, ShutdownReason reason);
  static Task<Result<Unit>> start_extensions(std::shared_ptr<Environment> self);
  void begin_init(Phase phase);
  void init_ended();
  void init_failed(Failure failure);
  void fail_current(const Failure& failure);
  void exited(const sandbox::Exit& exit);
  void begin_reset(ShutdownReason reason);
  void runtime_or_extension_failed(const Failure& failure);
  void timed_out();
  Task<Result<Unit>> until(Nanoseconds limit);  // something has ended, or the limit
  void something_ended();
  void signal_runtime(int number);
  void end();  // at rest: now, or by a shutdown where there are extensions
  void leave(State was);
  void die();

  Shard& shard_;
  Machinery& with_;
  std::shared_ptr<const Runtime> runtime_;  // shared with the list of runtimes
  std::string id_;
  State state_ = State::kStarting;
  std::unique_ptr<sandbox::Sandbox> sandbox_;
  std::vector<net::HttpServer::ListenerId> listeners_;
  Telemetry telemetry_;
  Console console_;
  Extensions extensions_;

  std::shared_ptr<Dispatcher> dispatcher_;  // shared: it outlives its environments
  std::shared_ptr<const aws::Session> session_;
  std::string log_stream_;
  std::vector<std::string> programs_;  // names of the external extensions
  std::string bootstrap_;              // of a provided runtime
  Time credentials_until_{};

  // Of the init phase under way, or the last one.
  Phase phase_ = Phase::kInit;
  std::unique_ptr<Invocation> claimed_;  // the event that this init is part of
  int runtime_process_ = sandbox::kMainProcess;
  std::uint64_t generation_ = 0;  // of its processes: grows with every reset
  bool runtime_alive_ = false, runtime_back_ = false, broken_ = false;
  bool counted_ = false;  // its first init counts as a start with the dispatcher
  Completer<Unit> enrolled_, ended_;

  std::unique_ptr<Invocation> current_;
  bool init_ended_ = false, woken_ = false, handed_over_ = false, retiring_ = false, left_ = false;
  bool frozen_ = false, freezing_ = false, freezable_ = true;
  Completer<Unit> poll_;
  std::uint64_t poll_number_ = 0;
  Nanoseconds init_started_{0}, init_took_{0}, started_{0}, deadline_{0}, idle_since_{0};
  Time deadline_wall_{}, began_{};  // machine's; the cloud's
  bool cold_ = true;                // its first event has not been reported
  bool tailing_ = false;            // current event's log is asked for with its answer
  std::size_t request_bytes_ = 0;
  std::uint64_t memory_peak_ = 0;
  Nanoseconds memory_peak_at_{0};
  std::optional<Finished> finished_;  // answered, its END and REPORT not yet written
};

}  // namespace pileus::services::lambda
