#include "services/lambda/environment.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include "base/log.h"
#include "base/text.h"
#include "services/lambda/engine.h"
#include "services/lambda/runtime_api.h"
#include "services/lambda/variables.h"

namespace pileus::services::lambda {
namespace {

constexpr std::size_t kReadAtOnce = 64 * 1024;
constexpr std::size_t kReadPerDrain = 4
                                      << 20;  // so that one chatty function does not hold the loop
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
      id_("lambda-" + hex_id(shard.machinery().random, 16)) {}

Environment::~Environment() {
  shard_.left(*this);
  if (output_ >= 0) ::close(output_);
}

// --- beginning -----------------------------------------------------------------------------------

sandbox::Spec Environment::spec(const std::string& account) const {
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
  if (runtime_->forks && !account.empty())
    spec.zygote = str(runtime_->name, '/', runtime_->version_id, '/', account);
  return spec;
}

Task<Result<Unit>> Environment::start(std::string account) {
  CO_TRY_ASSIGN(sandbox_, co_await with_.driver.start(spec(account)));
  output_ = sandbox_->output_fd();
  if (output_ >= 0) ::fcntl(output_, F_SETPIPE_SZ, kPipeBytes);
  CO_TRY(listen());
  state_ = State::kHeld;
  shard_.joined(*this);
  shard_.tasks().spawn(watch(shared_from_this()));
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
  const auto runtime_api = [weak] [[clang::coro_wrapper]] (net::Request & request) {
    return serve_runtime_api(weak.lock(), request);
  };
  TRY(serve("runtime", runtime_api));
  if (with_.sandbox_endpoint) TRY(serve("aws", with_.sandbox_endpoint));
  return Unit{};
}

std::string Environment::stream_name() const {
  const std::string date = iso8601(with_.clock.now()).substr(0, 10);
  return str(replace_all(date, "-", "/"), "/[", dispatcher_->configuration().version, "]",
             hex_id(with_.random, 32));
}

sandbox::Assignment Environment::assignment(const Launch& launch, const std::string& stream) const {
  const Configuration& configuration = dispatcher_->configuration();
  sandbox::Assignment what;
  what.mounts.push_back({launch.code_folder, "/var/task", true});
  what.environment = function_variables(configuration, *runtime_, *launch.session,
                                        dispatcher_->home().ref().region, stream);
  if (runtime_->argv.empty()) what.argv = {"/var/task/bootstrap"};
  what.memory_bytes = static_cast<std::uint64_t>(configuration.memory_mb) << 20;
  what.tmp_bytes = static_cast<std::uint64_t>(configuration.tmp_mb) << 20;
  // AWS gives a core for every 1,769 MB. Below that a developer's machine need not crawl.
  const auto by_memory = static_cast<std::uint32_t>(configuration.memory_mb * 1000 / 1769);
  what.cpu_millis = with_.options.quotas == Quotas::kAws ? by_memory : std::max(by_memory, 1000u);
  return what;
}

Task<Result<Unit>> Environment::assign(Launch launch) {
  dispatcher_ = launch.dispatcher;
  phase_ = launch.phase;
  claimed_ = std::move(launch.claimed);
  const Configuration& configuration = dispatcher_->configuration();
  lines_.emplace(configuration);
  const FunctionRef& ref = dispatcher_->home().ref();
  log_ = launch.log ? launch.log
                    : std::make_shared<LogStream>(
                          with_.logs, shard_.deliveries(),
                          LogStream::Target{ref.account, ref.region, configuration.logging.group,
                                            stream_name(), launch.session->identity});
  credentials_until_ = launch.session->expires - kCredentialsMargin;
  ++with_.environments;
  ++shard_.stats().cold_starts;
  drain();  // what the interpreter said while held belongs to nobody
  partial_.clear();
  state_ = State::kInit;
  init_started_ = shard_.now();
  const Nanoseconds limit =
      phase_ == Phase::kInit ? kInitLimit : std::chrono::seconds(configuration.timeout_s);
  deadline_ = init_started_ + limit;
  deadline_wall_ = with_.real.now() + std::chrono::duration_cast<Duration>(limit);
  shard_.wake();
  auto done = co_await sandbox_->assign(assignment(launch, log_->target().stream));
  if (done || state_ == State::kDead) co_return Unit{};
  die();
  co_return done;
}

// --- events --------------------------------------------------------------------------------------

void Environment::run(std::unique_ptr<Invocation> invocation) {
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

void Environment::wake_runtime() {
  const bool counts_from_init = cold_ && phase_ == Phase::kInvoke;
  if (counts_from_init) {
    started_ = init_started_;
  } else {
    const auto limit = std::chrono::seconds(dispatcher_->configuration().timeout_s);
    started_ = shard_.now();
    deadline_ = started_ + limit;
    deadline_wall_ = with_.real.now() + limit;
  }
  tailing_ = current_->tail;
  tail_.clear();
  platform(lines_->start(current_->id, with_.clock.now()));
  shard_.wake();
  woken_ = true;
  if (poll_) std::exchange(poll_, {}).complete(Unit{});
}

bool Environment::may_poll() const {
  return state_ == State::kInit || state_ == State::kAnswered || state_ == State::kIdle ||
         (state_ == State::kBusy && !handed_over_);
}

std::uint64_t Environment::poll(Completer<Unit> completer) {
  poll_ = std::move(completer);
  const auto number = ++poll_number_;
  if (state_ == State::kIdle) return number;  // it lost its connection and is back
  if (state_ == State::kBusy) {               // so too, before it got the event
    if (woken_) std::exchange(poll_, {}).complete(Unit{});
    return number;
  }
  const bool first = state_ == State::kInit;
  init_ended_ = first;
  if (first)
    init_took_ = shard_.now() - init_started_;
  else
    dispatcher_->returned();
  finish();
  state_ = State::kIdle;
  idle_since_ = shard_.now();
  if (retiring_ || with_.real.now() > credentials_until_) {
    auto keep = shared_from_this();
    if (first)
      dispatcher_->ready(*this);
    else
      die();
    return number;
  }
  dispatcher_->ready(*this);
  return number;
}

void Environment::poll_lost(std::uint64_t number) {
  if (number == poll_number_) poll_ = {};
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
  finished_ = Finished{invocation->id, std::move(error_type), shard_.now() - started_, false,
                       answer.payload.size()};
  answer.version = dispatcher_->configuration().version;
  dispatcher_->answered();
  if (tailing_) {
    finish();
    answer.log_tail = std::move(tail_);
  }
  invocation->done.complete(std::move(answer));
  // The rest is off the caller's path, but before the runtime's next poll.
  if (finished_) shard_.loop().post([self = shared_from_this()] { self->finish(); });
}

void Environment::finish() {
  if (!finished_) return;
  const Finished done = std::move(*finished_);
  finished_.reset();
  drain_rest();
  Report report;
  report.request_id = done.request_id;
  report.duration = done.took;
  if (std::exchange(cold_, false) && phase_ == Phase::kInit && init_took_ > Nanoseconds(0))
    report.init = init_took_;
  report.memory_mb = dispatcher_->configuration().memory_mb;
  report.memory_peak_bytes = memory_peak();
  report.timed_out = done.timed_out;
  report.error_type = done.error_type;
  platform(lines_->end(done.request_id));
  platform(lines_->report(report, with_.clock.now()));
  if (tail_.size() > kLogTail) tail_.erase(0, tail_.size() - kLogTail);
  meter(report, request_bytes_, done.response_bytes);
}

// The peak only grows; looking it up costs more than a short event, so a recent answer is good
// enough.
std::uint64_t Environment::memory_peak() {
  const auto now = shard_.now();
  if (memory_peak_ == 0 || now - memory_peak_at_ > kMemoryFresh) {
    memory_peak_ = sandbox_->usage().memory_peak_bytes;
    memory_peak_at_ = now;
  }
  return memory_peak_;
}

void Environment::meter(const Report& report, std::size_t request_bytes,
                        std::size_t response_bytes) {
  const Configuration& configuration = dispatcher_->configuration();
  const FunctionRef& ref = dispatcher_->home().ref();
  auto& stats = shard_.stats();
  ++stats.invocations;
  if (report.timed_out)
    ++stats.timeouts;
  else if (!report.error_type.empty())
    ++stats.errors;
  Usage usage;
  usage.function = ref.arn();
  usage.version = configuration.version;
  usage.request_id = report.request_id;
  usage.billed_ms = report.billed_ms();
  usage.duration_us = report.duration.count() / 1000;
  usage.init_us = report.init.value_or(Nanoseconds(0)).count() / 1000;
  usage.memory_mb = configuration.memory_mb;
  usage.tmp_mb = configuration.tmp_mb;
  usage.gb_seconds =
      static_cast<double>(usage.billed_ms) / 1000.0 * configuration.memory_mb / 1024.0;
  usage.architecture = configuration.architecture;
  usage.request_bytes = request_bytes;
  usage.response_bytes = response_bytes;
  usage.failed = report.timed_out || !report.error_type.empty();
  shard_.meter().add(ref.partition(), with_.clock.now(), usage);
}

// --- failures ------------------------------------------------------------------------------------

void Environment::fail_current(Failure failure) {
  auto invocation = std::move(current_);
  const auto now = with_.clock.now();
  const int limit = dispatcher_->configuration().timeout_s;
  drain_rest();
  platform(failure.timed_out ? lines_->timed_out(invocation->id, limit, now)
                             : lines_->exited(invocation->id, failure));
  Answer answer;
  answer.payload = failure.text(invocation->id);
  answer.failed = true;
  answer.version = dispatcher_->configuration().version;
  const Nanoseconds took =
      failure.timed_out ? Nanoseconds(std::chrono::seconds(limit)) : shard_.now() - started_;
  finished_ = Finished{invocation->id, failure.timed_out ? "" : failure.type, took,
                       failure.timed_out, answer.payload.size()};
  finish();
  answer.log_tail = std::move(tail_);
  invocation->done.complete(std::move(answer));
}

void Environment::init_error(Failure failure) { init_failed(std::move(failure)); }

void Environment::init_failed(Failure failure) {
  auto keep = shared_from_this();
  drain_rest();
  platform(lines_->init_report(shard_.now() - init_started_, phase_, failure, with_.clock.now()));
  auto dispatcher = dispatcher_;
  if (claimed_) {
    current_ = std::move(claimed_);
    request_bytes_ = current_->payload.size();
    started_ = init_started_;
    tailing_ = current_->tail;
    platform(lines_->start(current_->id, with_.clock.now()));
    fail_current(failure);
  }
  die();
  dispatcher->init_failed(*this, failure);
}

void Environment::exited(const sandbox::Exit& exit) {
  const Failure failure = exit.execute_errno != 0 ? entrypoint_failure(exit.execute_errno)
                                                  : exit_failure(exit.code, exit.signal);
  if (state_ == State::kInit) return init_failed(failure);
  if (state_ == State::kBusy) fail_current(failure);
  finish();
  die();
}

Task<void> Environment::watch(std::shared_ptr<Environment> self) {
  auto exit = co_await self->sandbox_->wait();
  if (exit)
    self->exited(*exit);
  else if (exit.error().is(errc::kCancelled))
    self->die();
  else
    self->exited({.signal = SIGKILL});  // the launcher lost it, and with it the process
}

// --- time ----------------------------------------------------------------------------------------

void Environment::tick(Nanoseconds now, bool drain_now) {
  const bool working =
      state_ == State::kInit || state_ == State::kBusy || state_ == State::kAnswered;
  if (working && drain_now) drain();
  if (working && now >= deadline_ && !(state_ == State::kBusy && (frozen_ || freezing_))) {
    auto keep = shared_from_this();
    const Failure failure = timeout_failure(dispatcher_->configuration().timeout_s);
    if (state_ == State::kInit) return init_failed(failure);
    if (state_ == State::kBusy) fail_current(failure);
    die();  // also one that has answered and then does not come back
  }
  if (state_ != State::kIdle) return;
  if (now - idle_since_ > with_.options.idle_limit) return die();
  if (!frozen_ && !freezing_ && freezable_ && now - idle_since_ >= with_.options.freeze_after) {
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

// --- output --------------------------------------------------------------------------------------

void Environment::platform(std::string line) {
  if (line.empty()) return;
  line += '\n';
  print(std::move(line));
}

void Environment::print(std::string line) {
  if (tailing_) {
    tail_ += line;
    if (tail_.size() > 4 * kLogTail) tail_.erase(0, tail_.size() - 2 * kLogTail);
  }
  if (log_) log_->write(with_.clock.now(), std::move(line));
}

// A runtime's client writes the line ends within one message as carriage returns.
void Environment::print_output() {
  std::replace(partial_.begin(), partial_.end(), '\r', '\n');
  print(std::exchange(partial_, {}));
}

void Environment::drain() {
  if (output_ < 0) return;
  char buffer[kReadAtOnce];
  for (std::size_t total = 0; total < kReadPerDrain;) {
    const ssize_t got = ::read(output_, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    total += static_cast<std::size_t>(got);
    if (state_ == State::kHeld) continue;
    std::string_view rest(buffer, static_cast<std::size_t>(got));
    for (auto at = rest.find('\n'); at != std::string_view::npos; at = rest.find('\n')) {
      partial_ += rest.substr(0, at + 1);
      print_output();
      rest.remove_prefix(at + 1);
    }
    partial_ += rest;
    if (partial_.size() > kMaxLine) print_output();
    if (static_cast<std::size_t>(got) < sizeof buffer) break;
  }
}

// An event is done: what it printed without a line end is a line too.
void Environment::drain_rest() {
  drain();
  if (partial_.empty()) return;
  partial_ += '\n';
  print_output();
}

// --- end -----------------------------------------------------------------------------------------

void Environment::retire() {
  retiring_ = true;
  if (state_ == State::kIdle || state_ == State::kHeld) die();
}

void Environment::kill() { die(); }

void Environment::die() {
  if (state_ == State::kDead) return;
  auto keep = shared_from_this();
  const State was = std::exchange(state_, State::kDead);
  poll_ = {};
  for (const auto id : listeners_) with_.server.close(id);
  listeners_.clear();
  if (sandbox_) sandbox_->kill();
  current_.reset();
  claimed_.reset();
  shard_.left(*this);
  if (dispatcher_) {
    --with_.environments;
    dispatcher_->ended(*this, was);
  } else {
    shard_.pool_lost(*this);
  }
}

}  // namespace pileus::services::lambda
