// How an environment's phases begin and end: INIT with its extensions, failures, the reset after
// one, SHUTDOWN. Source: AWS's "Lambda execution environment lifecycle".
#include <algorithm>
#include <csignal>

#include "base/log.h"
#include "base/text.h"
#include "services/lambda/engine.h"
#include "services/lambda/environment.h"

namespace pileus::services::lambda {
namespace {

Task<Result<Unit>> wait_for(Completion<Unit> completion) { co_return co_await completion; }

constexpr auto kFreezePause = std::chrono::milliseconds(1);

}  // namespace

// --- INIT ----------------------------------------------------------------------------------------

void Environment::begin_init(Phase phase) {
  phase_ = phase;
  state_ = State::kInit;
  cold_ = true;
  runtime_back_ = false;
  init_took_ = Nanoseconds(0);
  init_started_ = shard_.now();
  const Nanoseconds limit = phase == Phase::kInit
                                ? kInitLimit
                                : Nanoseconds(std::chrono::seconds(configuration().timeout_s));
  deadline_ = init_started_ + limit;
  deadline_wall_ = with_.real.now() + std::chrono::duration_cast<Duration>(limit);
  telemetry_.open();
  console_.events().want_records(true);
  if (claimed_) event_begins(*claimed_);
  console_.platform(console_.events().init_start(phase));
  shard_.wake();
}

// Starts what is in /opt/extensions, and waits until each has registered.
Task<Result<Unit>> Environment::start_extensions(std::shared_ptr<Environment> self) {
  const auto generation = self->generation_;
  const auto cancelled = [&] {
    return self->generation_ != generation || self->state_ != State::kInit;
  };
  const Variables variables = extension_variables(self->variables());
  if (self->programs_.size() > kMaxExtensions) {
    self->init_failed({.type = "Extension.TooManyExtensions",
                       .message = str("Extension limit (", kMaxExtensions, ") reached")});
    co_return fail(cancelled_error());
  }
  for (const auto& name : self->programs_) {
    auto spawned =
        co_await self->sandbox_->spawn({{"/opt/extensions/" + name}, variables, "/", false});
    sandbox::UniqueFd output(spawned ? spawned->output_fd : -1);
    if (cancelled()) co_return fail(cancelled_error());
    if (!spawned) {
      self->init_failed({.type = "Extension.LaunchError", .message = spawned.error().message()});
      co_return fail(std::move(spawned).error());
    }
    self->extensions_.started(name, spawned->id);
    self->console_.attach_extension(std::move(output));
    self->shard_.tasks().spawn(watch_extension(self, spawned->id));
  }
  if (!self->extensions_.enrolled()) {
    Completion<Unit> all;
    self->enrolled_ = all.completer();
    CO_TRY(co_await std::move(all));
  }
  if (cancelled()) co_return fail(cancelled_error());
  co_return Unit{};
}

void Environment::enrolled() {
  if (enrolled_ && extensions_.enrolled()) std::exchange(enrolled_, {}).complete(Unit{});
}

// Once more in a sandbox that was reset, as part of the event that waits.
Task<void> Environment::reinit(std::shared_ptr<Environment> self) {
  const auto generation = self->generation_;
  if (!self->programs_.empty() && !co_await start_extensions(self)) co_return;
  sandbox::Process process;
  process.argv = self->runtime_->argv.empty() ? std::vector<std::string>{self->bootstrap_}
                                              : self->runtime_->argv_now;
  process.environment = self->variables();
  if (const auto wrapper = wrapper_of(*self->runtime_, process.environment); !wrapper.empty())
    process.argv.insert(process.argv.begin(), wrapper);
  process.working_directory = "/var/task";
  process.log = true;
  auto spawned = co_await self->sandbox_->spawn(std::move(process));
  sandbox::UniqueFd output(spawned ? spawned->output_fd : -1);
  sandbox::UniqueFd log(spawned ? spawned->log_fd : -1);
  if (self->generation_ != generation || self->state_ != State::kInit) co_return;
  if (!spawned)
    co_return self->init_failed({.type = "Runtime.Unknown", .message = spawned.error().message()});
  self->runtime_process_ = spawned->id;
  self->runtime_alive_ = true;
  self->console_.attach(std::move(output), std::move(log));
  self->shard_.tasks().spawn(watch(self, spawned->id));
}

void Environment::init_ended() {
  init_took_ = shard_.now() - init_started_;
  for (const auto& extension : extensions_.all())
    console_.platform(console_.events().extension(extension.name, "Ready", extension.events()));
  console_.platform(console_.events().init_report(init_took_, phase_, {}));
  telemetry_.close();
  console_.events().want_records(telemetry_.wanted());
  state_ = State::kIdle;
  idle_since_ = shard_.now();
  init_ended_ = std::exchange(counted_, false);
  dispatcher_->ready(*this);
}

void Environment::init_error(Failure failure) { init_failed(std::move(failure)); }

void Environment::init_failed(Failure failure) {
  if (state_ != State::kInit) return;
  auto keep = shared_from_this();
  console_.drain_rest();
  const auto& say = console_.events();
  if (!runtime_back_) console_.platform(say.init_runtime_done(phase_, failure));
  console_.platform(say.init_report(shard_.now() - init_started_, phase_, failure));
  if (claimed_) {
    current_ = std::move(claimed_);
    request_bytes_ = current_->payload.size();
    started_ = init_started_;
    fail_current(failure);
  }
  begin_reset(failure.timed_out ? ShutdownReason::kTimeout : ShutdownReason::kFailure);
}

// --- extensions ----------------------------------------------------------------------------------

void Environment::extension_waits() { settle(); }

void Environment::subscribe(Subscription subscription) {
  const auto api = subscription.api == TelemetryApi::kTelemetry ? PlatformEvent::Apis::kTelemetry
                                                                : PlatformEvent::Apis::kLogs;
  const auto event =
      console_.events().subscription(api, subscription.extension, subscription.types);
  telemetry_.subscribe(std::move(subscription), shard_.now());
  console_.platform(event);
}

void Environment::extension_failed(const Extension& extension) {
  const bool in_init = state_ == State::kInit;
  console_.platform(console_.events().extension(extension.name, in_init ? "InitError" : "ExitError",
                                                extension.events(), extension.error_type));
  runtime_or_extension_failed({.type = in_init ? "Extension.InitError" : "Extension.ExitError",
                               .message = extension.error_type});
}

Task<void> Environment::watch_extension(std::shared_ptr<Environment> self, int process) {
  const auto generation = self->generation_;
  auto exit = co_await self->sandbox_->wait_for(process);
  Extension* extension = self->extensions_.of_process(process);
  if (self->generation_ != generation || self->state_ == State::kDead || !extension) co_return;
  const bool told = extension->state == Extension::State::kFailed;
  extension->state = Extension::State::kEnded;
  extension->poll = {};
  self->something_ended();
  if (self->state_ == State::kReset || self->state_ == State::kShutdown || told) co_return;
  const Failure failure =
      extension_failure(extension->name, exit ? *exit : sandbox::Exit{.signal = SIGKILL});
  const bool launch = failure.type == "Extension.LaunchError";
  self->console_.platform(self->console_.events().extension(
      extension->name, launch ? "LaunchError" : "Exited", extension->events(), failure.type));
  self->runtime_or_extension_failed(failure);
}

// --- failures ------------------------------------------------------------------------------------

// The event has its answer; the environment is the caller's to reset.
void Environment::fail_current(const Failure& failure) {
  auto invocation = std::move(current_);
  const int limit = configuration().timeout_s;
  console_.drain_rest();
  console_.platform(failure.timed_out
                        ? console_.events().timed_out(invocation->id, limit, with_.clock.now())
                        : console_.events().exited(invocation->id, failure));
  Answer answer;
  answer.payload = failure.text(invocation->id);
  answer.failed = true;
  answer.version = configuration().version;
  Finished& done = finished_.emplace();
  done.report.request_id = invocation->id;
  done.report.trace = invocation->trace;
  done.report.timed_out = failure.timed_out;
  done.report.error_type = failure.reported_type();
  done.report.duration = done.report.runtime_took =
      failure.timed_out ? Nanoseconds(std::chrono::seconds(limit)) : shard_.now() - started_;
  done.response_bytes = answer.payload.size();
  finish();
  answer.log_tail = console_.take_tail();
  invocation->done.complete(std::move(answer));
}

void Environment::runtime_or_extension_failed(const Failure& failure) {
  auto keep = shared_from_this();
  switch (state_) {
    case State::kInit:
      return init_failed(failure);
    case State::kBusy:
      fail_current(failure);
      return begin_reset(ShutdownReason::kFailure);
    case State::kAnswered:
      if (!runtime_back_) dispatcher_->returned();
      finish();
      return begin_reset(ShutdownReason::kFailure);
    case State::kIdle:
      return end();
    default:
      return;
  }
}

void Environment::timed_out() {
  auto keep = shared_from_this();
  const Failure failure = timeout_failure(configuration().timeout_s);
  if (state_ == State::kInit) return init_failed(failure);
  if (state_ == State::kBusy) {
    fail_current(failure);
  } else {  // it has answered, but then the runtime or an extension does not come back
    if (!runtime_back_) dispatcher_->returned();
    if (finished_ && finished_->with_extensions) {
      runtime_done();
      finished_->report.timed_out = true;
      finished_->report.duration = std::chrono::seconds(configuration().timeout_s);
    }
    finish();
  }
  begin_reset(ShutdownReason::kTimeout);
}

Task<void> Environment::watch(std::shared_ptr<Environment> self, int process) {
  const auto generation = self->generation_;
  auto exit = process == sandbox::kMainProcess ? co_await self->sandbox_->wait()
                                               : co_await self->sandbox_->wait_for(process);
  if (self->generation_ != generation || self->state_ == State::kDead) co_return;
  if (!exit && exit.error().is(errc::kCancelled)) co_return self->die();
  self->runtime_alive_ = false;
  self->something_ended();
  // Without an answer the launcher has lost it, and with it the process.
  self->exited(exit ? *exit : sandbox::Exit{.signal = SIGKILL});
}

void Environment::exited(const sandbox::Exit& exit) {
  if (state_ == State::kHeld) return die();
  runtime_or_extension_failed(exit_failure(exit));
}

// --- RESET ---------------------------------------------------------------------------------------

void Environment::begin_reset(ShutdownReason reason) {
  state_ = State::kReset;
  poll_ = {};
  enrolled_ = {};
  shard_.wake();
  shard_.tasks().spawn(reset(shared_from_this(), reason));
}

// As a shutdown, but the sandbox stays, with its /tmp: the next event begins with an init.
Task<void> Environment::reset(std::shared_ptr<Environment> self, ShutdownReason reason) {
  co_await end_processes(self, reason);
  if (self->state_ != State::kReset) co_return;
  ++self->generation_;
  auto cleared = co_await self->sandbox_->clear();
  if (self->state_ != State::kReset) co_return;
  if (!cleared || self->retiring_) co_return self->die();
  self->console_.detach_all();
  self->extensions_.clear();
  self->telemetry_.clear();
  self->runtime_alive_ = false;
  self->memory_peak_ = 0;
  self->sandbox_->reset_peak();
  self->broken_ = true;
  self->state_ = State::kIdle;
  self->idle_since_ = self->shard_.now();
  self->init_ended_ = std::exchange(self->counted_, false);
  self->dispatcher_->ready(*self);
}

// --- SHUTDOWN ------------------------------------------------------------------------------------

void Environment::signal_runtime(int number) {
  if (runtime_process_ == sandbox::kMainProcess)
    sandbox_->signal(number);
  else
    sandbox_->signal_process(runtime_process_, number);
}

void Environment::something_ended() {
  if (ended_) std::exchange(ended_, {}).complete(Unit{});
}

Task<Result<Unit>> Environment::until(Nanoseconds limit) {
  Completion<Unit> something;
  ended_ = something.completer();
  co_return co_await with_deadline(std::chrono::duration_cast<Duration>(limit),
                                   wait_for(std::move(something)));
}

// First the runtime (SIGTERM when there is time for it, then SIGKILL), then the extensions: a
// SHUTDOWN event for those that asked, and what is left of the limit. What is alive then is the
// caller's to kill. Nothing of this without a registered extension.
Task<void> Environment::end_processes(std::shared_ptr<Environment> self, ShutdownReason reason) {
  Environment& it = *self;
  const State state = it.state_;
  if (!it.extensions_.any()) co_return;
  while (it.freezing_) (void)co_await sleep_for(kFreezePause);
  if (it.frozen_ && co_await it.sandbox_->thaw()) it.frozen_ = false;
  const bool external = it.extensions_.any_external();
  const Nanoseconds limit = external ? kShutdownLimit : kInternalShutdownLimit;
  const Nanoseconds begun = it.shard_.now();
  const Time deadline = it.with_.real.now() + std::chrono::duration_cast<Duration>(limit);
  const auto wait_while = [&it, state](const bool& alive, Nanoseconds end) {
    return it.state_ == state && alive && it.shard_.now() < end;
  };
  if (it.runtime_alive_ && reason == ShutdownReason::kSpindown) {
    it.signal_runtime(SIGTERM);
    const Nanoseconds end = begun + (external ? limit * kRuntimeShare / 100 : limit);
    while (wait_while(it.runtime_alive_, end)) (void)co_await it.until(end - it.shard_.now());
  }
  if (it.state_ != state) co_return;
  if (it.runtime_alive_) it.signal_runtime(SIGKILL);
  if (!external) co_return;
  for (const int process : it.extensions_.shutdown(shutdown_event(reason, deadline)))
    it.sandbox_->signal_process(process, SIGKILL);
  while (wait_while(!it.extensions_.ended(), begun + limit))
    (void)co_await it.until(begun + limit - it.shard_.now());
}

Task<void> Environment::shut_down(std::shared_ptr<Environment> self) {
  co_await end_processes(self, ShutdownReason::kSpindown);
  self->console_.drain_rest();
  self->die();
}

// --- end -----------------------------------------------------------------------------------------

void Environment::retire() {
  retiring_ = true;
  if (state_ == State::kIdle || state_ == State::kHeld) end();
}

void Environment::kill() { die(); }

void Environment::end() {
  if (state_ != State::kIdle || broken_ || !extensions_.any()) return die();
  auto keep = shared_from_this();
  leave(std::exchange(state_, State::kShutdown));
  shard_.wake();
  shard_.tasks().spawn(shut_down(keep));
}

// Off its dispatcher's list, once.
void Environment::leave(State was) {
  if (std::exchange(left_, true)) return;
  if (!dispatcher_) return shard_.pool_lost(*this);
  --with_.environments;
  const bool returning = was == State::kAnswered && !runtime_back_;
  dispatcher_->ended(*this, counted_ ? State::kInit : returning ? was : State::kBusy);
}

void Environment::die() {
  if (state_ == State::kDead) return;
  auto keep = shared_from_this();
  const State was = std::exchange(state_, State::kDead);
  poll_ = {};
  enrolled_ = {};
  ended_ = {};
  extensions_.clear();
  telemetry_.clear();
  for (const auto id : listeners_) with_.server.close(id);
  listeners_.clear();
  if (sandbox_) sandbox_->kill();
  current_.reset();
  claimed_.reset();
  shard_.left(*this);
  leave(was);
}

}  // namespace pileus::services::lambda
