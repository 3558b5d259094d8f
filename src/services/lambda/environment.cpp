#include "services/lambda/environment.h"

#include <fcntl.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "services/lambda/engine.h"
#include "services/lambda/extension_api.h"
#include "services/lambda/programs.h"
#include "services/lambda/runtime_api.h"

namespace pileus::services::lambda {
namespace {

constexpr Nanoseconds kMemoryFresh = std::chrono::milliseconds(20);
constexpr int kPipeBytes = 256 * 1024;
constexpr auto kCredentialsMargin = std::chrono::minutes(20);  // longer than any invocation

// A sandbox's listener: few connections, which may be quiet for as long as a function may run.
net::HttpServer::ListenOptions listen_options(const std::string& name, Loop& loop) {
  net::HttpServer::ListenOptions options;
  options.info.name = name;
  options.limits.idle_timeout = std::chrono::hours(24);
  options.limits.body_stall_timeout = std::chrono::minutes(20);
  options.limits.connections = 256;
  options.loop = &loop;
  return options;
}

}  // namespace

Environment::Environment(Shard& shard, std::shared_ptr<const Runtime> runtime)
    : shard_(shard),
      with_(shard.machinery()),
      runtime_(std::move(runtime)),
      id_("lambda-" + hex_id(shard.machinery().random, 16)),
      telemetry_([this](auto done) { make_socket(std::move(done)); }),
      console_(with_.clock, with_.real, telemetry_),
      extensions_(with_.random) {}

Environment::~Environment() { shard_.left(*this); }

const Configuration& Environment::configuration() const { return dispatcher_->configuration(); }
const std::string& Environment::account() const { return dispatcher_->home().ref().account; }

// --- beginning -----------------------------------------------------------------------------------

sandbox::Spec Environment::spec() const {
  sandbox::Spec spec;
  spec.id = id_;
  spec.root = runtime_->root;
  spec.listeners = {{"runtime", kRuntimeAddress, kRuntimePort}, {"aws", "127.0.0.1", kAwsPort}};
  spec.hostname = "169.254.100.1";
  spec.environment = runtime_variables(*runtime_);
  spec.tmp_bytes = 512ull << 20;
  spec.memory_bytes = 512ull << 20;  // until the function is known
  spec.mounts = runtime_->mounts;
  spec.argv = runtime_->argv;
  spec.hold = runtime_->argv.empty() ? sandbox::Hold::kInit : sandbox::Hold::kProgram;
  spec.keep = spec.log = true;
  return spec;
}

Task<Result<Unit>> Environment::start() {
  CO_TRY_ASSIGN(sandbox_, co_await with_.driver.start(spec()));
  sandbox::UniqueFd output(sandbox_->output_fd());
  if (output) ::fcntl(output.get(), F_SETPIPE_SZ, kPipeBytes);
  console_.attach(std::move(output), sandbox::UniqueFd(sandbox_->log_fd()));
  CO_TRY(listen());
  state_ = State::kHeld;
  runtime_alive_ = true;
  shard_.joined(*this);
  shard_.tasks().spawn(watch(shared_from_this(), sandbox::kMainProcess));
  co_return Unit{};
}

Result<Unit> Environment::listen() {
  const auto serve = [this](std::string_view name, net::Handler handler) -> Result<Unit> {
    const int fd = sandbox_->listener_fd(name);
    if (fd < 0) return fail(std::string(errc::kIo), str("the sandbox has no listener ", name), 500);
    TRY_ASSIGN(auto id, with_.server.listen_fd(
                            fd, std::move(handler),
                            listen_options(str("sandbox:", id_, ":", name), shard_.loop())));
    listeners_.push_back(id);
    return Unit{};
  };
  const std::weak_ptr<Environment> weak = weak_from_this();
  const auto apis = [weak] [[clang::coro_wrapper]] (net::Request & request) {
    if (is_extension_path(request.path())) return serve_extension_api(weak.lock(), request);
    return serve_runtime_api(weak.lock(), request);
  };
  TRY(serve("runtime", apis));
  if (with_.sandbox_endpoint) TRY(serve("aws", with_.sandbox_endpoint));
  return Unit{};
}

std::string Environment::stream_name() const {
  const std::string date = iso8601(with_.clock.now()).substr(0, 10);
  return str(replace_all(date, "-", "/"), "/[", dispatcher_->configuration().version, "]",
             hex_id(with_.random, 32));
}

Variables Environment::variables() const {
  return function_variables(configuration(), *runtime_, *session_, dispatcher_->home().ref().region,
                            log_stream_);
}

sandbox::Assignment Environment::assignment(const Launch& launch) const {
  const Configuration& what = configuration();
  sandbox::Assignment out;
  out.mounts.push_back({launch.code_folder, "/var/task", true});
  if (!launch.layer_folders.empty()) {
    auto& opt = out.mounts.emplace_back(sandbox::Mount{launch.layer_folders.back(), "/opt", true});
    opt.below.assign(launch.layer_folders.rbegin() + 1, launch.layer_folders.rend());
  }
  out.environment = variables();
  out.memory_bytes = static_cast<std::uint64_t>(what.memory_mb) << 20;
  out.tmp_bytes = static_cast<std::uint64_t>(what.tmp_mb) << 20;
  // AWS gives a core for every 1,769 MB. Below that a developer's machine need not crawl.
  const auto by_memory = static_cast<std::uint32_t>(what.memory_mb * 1000 / 1769);
  out.cpu_millis = with_.options.quotas == Quotas::kAws ? by_memory : std::max(by_memory, 1000u);
  return out;
}

Task<Result<Unit>> Environment::assign(Launch launch) {
  dispatcher_ = launch.dispatcher;
  session_ = launch.session;
  log_stream_ = stream_name();
  const FunctionRef& ref = dispatcher_->home().ref();
  console_.begin(configuration(),
                 PlatformEvents(configuration(), runtime_version_name(configuration().runtime),
                                str("arn:", ref.arn_partition, ":lambda:", ref.region,
                                    "::runtime:", runtime_->version_id)),
                 std::make_shared<LogStream>(
                     with_.logs, shard_.deliveries(),
                     LogStream::Target{ref.account, ref.region, configuration().logging.group,
                                       log_stream_, session_->identity}));
  credentials_until_ = session_->expires - kCredentialsMargin;
  ++with_.environments;
  ++shard_.stats().cold_starts;
  sandbox::Assignment what = assignment(launch);
  programs_ = extension_programs(what.mounts);
  bootstrap_ = bootstrap_program(what.mounts);
  if (runtime_->argv.empty()) what.argv = {bootstrap_};
  what.release = programs_.empty();
  counted_ = true;
  begin_init(Phase::kInit);
  auto done = co_await sandbox_->assign(std::move(what));
  if (done && !programs_.empty()) {
    auto started = co_await start_extensions(shared_from_this());
    if (started) done = co_await sandbox_->release();
    // else it has failed as an init fails
  }
  if (done || state_ != State::kInit) co_return Unit{};
  die();
  co_return done;
}

// --- events --------------------------------------------------------------------------------------

void Environment::run(std::unique_ptr<Invocation> invocation) {
  if (broken_) {
    claimed_ = std::move(invocation);
    broken_ = false;
    begin_init(Phase::kInvoke);
    shard_.tasks().spawn(reinit(shared_from_this()));
    return;
  }
  current_ = std::move(invocation);
  handed_over_ = woken_ = false;
  request_bytes_ = current_->payload.size();
  state_ = State::kBusy;
  if (freezing_) return;  // freeze() sees that there is work
  if (frozen_)
    shard_.tasks().spawn(thaw(shared_from_this()));
  else
    wake_runtime();
}

void Environment::event_begins(const Invocation& event) {
  began_ = with_.clock.now();
  tailing_ = event.tail;
  console_.tail(tailing_);
  console_.platform(console_.events().start(event.id, {event.trace}));
}

void Environment::wake_runtime() {
  const bool counts_from_init = cold_ && phase_ == Phase::kInvoke;
  if (counts_from_init) {
    started_ = init_started_;
  } else {
    const auto limit = std::chrono::seconds(configuration().timeout_s);
    started_ = shard_.now();
    deadline_ = started_ + limit;
    deadline_wall_ = with_.real.now() + limit;
    event_begins(*current_);
  }
  runtime_back_ = false;
  if (extensions_.any())
    extensions_.invoke(
        invoke_event({current_->id, current_->invoked_arn, current_->trace}, deadline_wall_));
  shard_.wake();
  woken_ = true;
  if (poll_) std::exchange(poll_, {}).complete(Unit{});
}

bool Environment::may_poll() const {
  return (state_ == State::kInit && runtime_alive_) || state_ == State::kAnswered ||
         state_ == State::kIdle || (state_ == State::kBusy && !handed_over_);
}

std::uint64_t Environment::poll(Completer<Unit> completer) {
  poll_ = std::move(completer);
  const auto number = ++poll_number_;
  if (state_ == State::kIdle) return number;  // it lost its connection and is back
  if (state_ == State::kBusy) {               // so too, before it got the event
    if (woken_) std::exchange(poll_, {}).complete(Unit{});
    return number;
  }
  if (std::exchange(runtime_back_, true)) return number;
  if (state_ == State::kInit) {
    extensions_.close();
    init_took_ = shard_.now() - init_started_;
    console_.platform(console_.events().init_runtime_done(phase_, {}));
  } else {
    dispatcher_->returned();
  }
  settle();
  return number;
}

void Environment::poll_lost(std::uint64_t number) {
  if (number == poll_number_) poll_ = {};
}

// The phase is over once the runtime and all extensions wait for the next event.
void Environment::settle() {
  if (!runtime_back_ || !extensions_.settled()) return;
  if (state_ == State::kInit)
    init_ended();
  else if (state_ == State::kAnswered)
    event_ended();
}

void Environment::event_ended() {
  finish();
  state_ = State::kIdle;
  idle_since_ = shard_.now();
  auto keep = shared_from_this();
  if (retiring_ || with_.real.now() > credentials_until_) return end();
  dispatcher_->ready(*this);
}

Invocation* Environment::hand_over() {
  if (state_ != State::kBusy || handed_over_) return nullptr;
  handed_over_ = true;
  return current_.get();
}

bool Environment::expects(std::string_view request_id) const {
  return state_ == State::kBusy && handed_over_ && current_ && current_->id == request_id;
}

void Environment::answer(Answer answer, std::string error_type) {
  auto invocation = std::move(current_);
  state_ = State::kAnswered;
  Finished& done = finished_.emplace();
  done.report.request_id = invocation->id;
  done.report.trace = invocation->trace;
  done.report.error_type = std::move(error_type);
  done.report.duration = done.report.runtime_took = shard_.now() - started_;
  done.report.produced_bytes = done.response_bytes = answer.payload.size();
  done.with_extensions = !extensions_.settled();
  answer.version = configuration().version;
  dispatcher_->answered();
  if (tailing_ && done.with_extensions) {  // the log's end is known when they are done
    done.answer = std::move(answer);
    done.done = std::move(invocation->done);
    runtime_done();
    return;
  }
  if (tailing_) {
    finish();
    answer.log_tail = console_.take_tail();
  }
  invocation->done.complete(std::move(answer));
  // The rest is off the caller's path, but before the runtime's next poll.
  if (!finished_) return;
  shard_.loop().post([self = shared_from_this()] {
    if (self->finished_ && self->finished_->with_extensions)
      self->runtime_done();
    else
      self->finish();
  });
}

void Environment::runtime_done() {
  if (!finished_ || std::exchange(finished_->told, true)) return;
  console_.drain_rest();
  console_.platform(console_.events().runtime_done(finished_->report, began_));
}

void Environment::finish() {
  if (!finished_) return;
  runtime_done();
  Finished done = std::move(*finished_);
  finished_.reset();
  console_.drain_rest();
  Report& report = done.report;
  if (done.with_extensions && !report.timed_out) report.duration = shard_.now() - started_;
  if (std::exchange(cold_, false) && phase_ == Phase::kInit && init_took_ > Nanoseconds(0))
    report.init = init_took_;
  report.memory_mb = configuration().memory_mb;
  report.memory_peak_bytes = memory_peak();
  console_.platform(console_.events().end(report.request_id));
  console_.platform(console_.events().report(report, began_));
  meter(report, request_bytes_, done.response_bytes);
  if (!done.done) return;
  done.answer.log_tail = console_.take_tail();
  done.done.complete(std::move(done.answer));
}

// The peak only grows; looking it up costs more than a short event, so a recent answer is good
// enough.
std::uint64_t Environment::memory_peak() {
  const auto now = shard_.now();
  if (memory_peak_ == 0 || now - memory_peak_at_ > kMemoryFresh) {
    memory_peak_ = std::max(memory_peak_, sandbox_->usage().memory_peak_bytes);
    memory_peak_at_ = now;
  }
  return memory_peak_;
}

void Environment::meter(const Report& report, std::size_t request_bytes,
                        std::size_t response_bytes) {
  const FunctionRef& ref = dispatcher_->home().ref();
  auto& stats = shard_.stats();
  ++stats.invocations;
  if (report.timed_out)
    ++stats.timeouts;
  else if (!report.error_type.empty())
    ++stats.errors;
  Usage usage;
  usage.function = ref.arn();
  usage.version = configuration().version;
  usage.request_id = report.request_id;
  usage.billed_ms = report.billed_ms();
  usage.duration_us = report.duration.count() / 1000;
  usage.init_us = report.init.value_or(Nanoseconds(0)).count() / 1000;
  usage.memory_mb = configuration().memory_mb;
  usage.tmp_mb = configuration().tmp_mb;
  usage.gb_seconds =
      static_cast<double>(usage.billed_ms) / 1000.0 * configuration().memory_mb / 1024.0;
  usage.architecture = configuration().architecture;
  usage.request_bytes = request_bytes;
  usage.response_bytes = response_bytes;
  usage.failed = report.timed_out || !report.error_type.empty();
  shard_.meter().add(ref.partition(), with_.clock.now(), usage);
}

// --- time ----------------------------------------------------------------------------------------

void Environment::tick(Nanoseconds now, bool drain_now) {
  const bool working = state_ == State::kInit || state_ == State::kBusy ||
                       state_ == State::kAnswered || state_ == State::kReset ||
                       state_ == State::kShutdown;
  if (working && drain_now) console_.drain();
  if (!frozen_ && telemetry_.wanted()) {
    const bool ending = state_ == State::kReset || state_ == State::kShutdown;
    telemetry_.tick(now, ending ? Telemetry::Due::kAll : Telemetry::Due::kByTime);
  }
  const bool limited =
      state_ == State::kInit || state_ == State::kBusy || state_ == State::kAnswered;
  if (limited && now >= deadline_ && !(state_ == State::kBusy && (frozen_ || freezing_)))
    return timed_out();
  if (state_ != State::kIdle) return;
  if (now - idle_since_ > with_.options.idle_limit) return end();
  const bool may_freeze = !frozen_ && !freezing_ && freezable_ && !broken_;
  // A batch under way is let through: it is soon over, whatever becomes of it.
  if (may_freeze && !telemetry_.delivering() && now - idle_since_ >= with_.options.freeze_after) {
    freezing_ = true;
    shard_.tasks().spawn(freeze(shared_from_this()));
  }
}

Task<void> Environment::freeze(std::shared_ptr<Environment> self) {
  auto done = co_await self->sandbox_->freeze();
  self->freezing_ = false;
  if (done) {
    self->frozen_ = true;
  } else {
    self->freezable_ = false;  // said once at start, among the driver's capabilities
  }
  if (self->state_ != State::kBusy) co_return;
  if (self->frozen_)
    co_await thaw(self);
  else
    self->wake_runtime();
}

Task<void> Environment::thaw(std::shared_ptr<Environment> self) {
  auto done = co_await self->sandbox_->thaw();
  if (self->state_ != State::kBusy) co_return;
  if (!done) {
    log::warn("an environment did not thaw",
              {{"sandbox", self->id_}, {"why", done.error().message()}});
    self->dispatcher_->put_back(std::move(self->current_));
    self->die();
    co_return;
  }
  self->frozen_ = false;
  self->wake_runtime();
}

namespace {

Task<void> bring_socket(std::shared_ptr<Environment> keep, Task<Result<int>> making,
                        std::function<void(Result<int>)> done) {
  auto made = co_await std::move(making);
  done(std::move(made));
}

}  // namespace

void Environment::make_socket(std::function<void(Result<int>)> done) {
  if (state_ == State::kDead) return;
  shard_.tasks().spawn(bring_socket(shared_from_this(), sandbox_->socket(), std::move(done)));
}

}  // namespace pileus::services::lambda
