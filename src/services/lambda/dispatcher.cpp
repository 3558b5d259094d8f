#include "services/lambda/dispatcher.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "services/lambda/engine.h"

namespace pileus::services::lambda {
namespace {
constexpr auto kMeterProvisionedEvery = std::chrono::minutes(1);  // of the cloud's time
}

Dispatcher::Dispatcher(FunctionHome& home, std::shared_ptr<const Configuration> configuration,
                       std::string tenant)
    : home_(home),
      shard_(home.shard()),
      configuration_(std::move(configuration)),
      tenant_(std::move(tenant)) {
  ++home_.busy;
}

Dispatcher::~Dispatcher() {
  --home_.busy;
  shard_.forget_if_empty(home_.ref().arn());
}

void Dispatcher::refuse(std::unique_ptr<Invocation> invocation, Throttle reason) {
  ++shard_.stats().throttles;
  invocation->permit = {};
  invocation->done.complete(fail(throttled(reason)));
}

void Dispatcher::dispatch(std::unique_ptr<Invocation> invocation) {
  if (const auto refused = home_.admit(*invocation, in_flight, target_))
    return refuse(std::move(invocation), *refused);
  for (auto* idle : {&idle_provisioned_, &idle_}) {
    if (!queue_.empty() || idle->empty()) continue;
    auto environment = std::move(idle->back());
    idle->pop_back();
    return environment->run(std::move(invocation));
  }
  const bool grows = queue_.size() >= starting_ + returning_;
  if (queue_.size() >= kMaxQueue || (grows && !home_.may_grow()))
    return refuse(std::move(invocation), Throttle::kConcurrency);
  invocation->queued = shard_.now();
  queue_.push_back(std::move(invocation));
  scale();
}

std::unique_ptr<Invocation> Dispatcher::pop() {
  auto invocation = std::move(queue_.front());
  queue_.pop_front();
  return invocation;
}

void Dispatcher::put_back(std::unique_ptr<Invocation> invocation) {
  queue_.push_front(std::move(invocation));
  scale();
}

// --- scaling -------------------------------------------------------------------------------------

bool Dispatcher::short_of(Patience patience) const {
  const std::size_t returning = patience == Patience::kWait ? returning_ : 0;
  return !retired_ && starting_ + returning < queue_.size();
}

bool Dispatcher::short_of_provisioned() const {
  return !retired_ && !shard_.quiescing() && provided_ + providing_ < target_ &&
         failures_ < kProvisionAttempts;
}

bool Dispatcher::make_room() {
  auto& machinery = shard_.machinery();
  return machinery.environments < machinery.options.max_environments || shard_.evict_one();
}

// One environment on its way for each event that waits, as far as the machine's bounds let. Who
// finds no free place among those that start at a time gets one in turn (start_one).
void Dispatcher::scale(Patience patience) {
  shard_.wake();
  patience_ = patience;
  if (short_of(patience) || short_of_provisioned()) shard_.want_start(*this);
}

bool Dispatcher::start_one() {
  const bool event = short_of(patience_);
  if ((!event && !short_of_provisioned()) || !home_.may_start(environments_.size() + starting_))
    return false;
  if (!make_room()) return false;
  Claim claim;
  claim.provisioned = !event;
  start(std::move(claim));
  return short_of(patience_) || short_of_provisioned();
}

void Dispatcher::start(Claim claim) {
  if (claim.provisioned)
    ++providing_;
  else
    ++starting_;
  shard_.start_began();
  shard_.tasks().spawn(launch(shared_from_this(), std::move(claim)));
}

void Dispatcher::start_over(bool provisioned) {
  if (provisioned)
    --providing_;
  else
    --starting_;
  shard_.start_ended();
}

// --- provisioned concurrency ---------------------------------------------------------------------

void Dispatcher::provide(int target, bool afresh) {
  if (retired_) return;
  if (afresh) failures_ = 0;
  target_ = target;
  while (provided_ > target_ && !idle_provisioned_.empty())
    idle_provisioned_.front()->retire();  // takes itself off the list
  if (short_of_provisioned()) scale();
}

ProvisionedState Dispatcher::provisioned() const {
  return {target_, std::min(provided_, target_),
          std::min(static_cast<int>(idle_provisioned_.size()), target_),
          failures_ >= kProvisionAttempts};
}

bool Dispatcher::tend() {
  if (provided_ > 0 && shard_.machinery().clock.now() - metered_until_ >= kMeterProvisionedEvery)
    meter_provisioned();
  if (short_of_provisioned()) scale();
  return short_of_provisioned();
}

// What stood ready since it was last asked; before each change of provided_.
void Dispatcher::meter_provisioned() {
  const Time now = shard_.machinery().clock.now();
  const auto stood = std::chrono::floor<std::chrono::milliseconds>(now - metered_until_);
  if (provided_ == 0 || stood.count() <= 0) {
    if (provided_ == 0) metered_until_ = now;
    return;
  }
  metered_until_ += stood;
  Usage usage;
  usage.function = home_.ref().arn();
  usage.version = configuration_->version;
  usage.provisioned_ms = stood.count() * provided_;
  usage.memory_mb = configuration_->memory_mb;
  usage.tmp_mb = configuration_->tmp_mb;
  usage.architecture = configuration_->architecture;
  shard_.meter().add(home_.ref().partition(), now, usage);
}

// --- starting ------------------------------------------------------------------------------------

void Dispatcher::fail_one(Claim& claim, Error error) {
  auto invocation = claim.invocation ? std::move(claim.invocation)
                    : queue_.empty() ? nullptr
                                     : pop();
  if (!invocation) return;
  invocation->permit = {};
  invocation->done.complete(fail(std::move(error)));
}

Task<Result<Unit>> Dispatcher::try_launch(std::shared_ptr<Dispatcher> self, Claim& claim,
                                          std::shared_ptr<Environment>& environment) {
  auto& machinery = self->shard_.machinery();
  const Configuration& configuration = self->configuration();
  Environment::Launch launch;
  CO_TRY_ASSIGN(launch.session, co_await self->home_.session(configuration.role));
  CO_TRY_ASSIGN(launch.code_folder, co_await self->home_.code_folder(configuration));
  CO_TRY_ASSIGN(auto runtime, co_await machinery.runtimes.find(configuration.runtime));
  CO_TRY_ASSIGN(environment, co_await self->home_.obtain(std::move(runtime)));
  launch.dispatcher = self;
  launch.log = std::move(claim.log);
  launch.phase = claim.phase;
  launch.provisioned = claim.provisioned;
  launch.claimed = std::move(claim.invocation);
  self->environments_.emplace(environment.get(), environment);
  co_return co_await environment->assign(std::move(launch));
}

Task<void> Dispatcher::launch(std::shared_ptr<Dispatcher> self, Claim claim) {
  std::shared_ptr<Environment> environment;
  auto done = co_await try_launch(self, claim, environment);
  if (done) co_return;
  if (!environment) self->start_over(claim.provisioned);  // else its end was counted already
  Error error = done.error();
  log::warn("an environment did not start",
            {{"function", self->home_.ref().arn()}, {"why", error.message()}});
  if (!error.is("AccessDeniedException") && !error.is("InvalidParameterValueException"))
    error = Error("ServiceException", "The environment did not start: " + error.message(), 500);
  if (claim.provisioned)
    ++self->failures_;
  else
    self->fail_one(claim, std::move(error));
  self->shard_.loop().post(
      [self] { self->scale(); });  // posted: a start can fail at once, again and again
}

// --- from the environments -----------------------------------------------------------------------

void Dispatcher::ready(Environment& environment) {
  const bool provisioned = environment.provisioned();
  if (environment.init_just_ended()) {
    if (provisioned) {
      meter_provisioned();
      ++provided_;
      failures_ = 0;
    }
    start_over(provisioned);
  }
  if (auto claimed = environment.take_claimed()) return environment.run(std::move(claimed));
  if (!queue_.empty()) return environment.run(pop());
  if (retired_ || shard_.quiescing() || (provisioned && provided_ > target_))
    return environment.retire();
  const auto found = environments_.find(&environment);
  if (found != environments_.end())
    (provisioned ? idle_provisioned_ : idle_).push_back(found->second);
}

void Dispatcher::init_failed(Environment& environment, const Failure&) {
  if (environment.provisioned()) {
    ++failures_;
    return scale();
  }
  // AWS tries once more, within the event that waits and under its time-out.
  if (environment.phase() == Phase::kInit && !queue_.empty() && !shard_.stopping())
    return start({Phase::kInvoke, pop(), environment.log(), false});
  scale();
}

void Dispatcher::ended(Environment& environment, Environment::State was) {
  const bool provisioned = environment.provisioned();
  if (was == Environment::State::kAnswered) --returning_;
  for (auto* idle : {&idle_provisioned_, &idle_})
    std::erase_if(*idle, [&](const auto& other) { return other.get() == &environment; });
  environments_.erase(&environment);
  if (was == Environment::State::kInit) return start_over(provisioned);
  if (provisioned) {
    meter_provisioned();
    --provided_;
  }
  if (!shard_.stopping() && (!queue_.empty() || short_of_provisioned())) scale();
}

bool Dispatcher::evict() {
  if (idle_.empty()) return false;
  idle_.front()->kill();
  return true;
}

std::optional<Nanoseconds> Dispatcher::oldest_idle() const {
  if (idle_.empty()) return std::nullopt;
  return idle_.front()->idle_since();
}

void Dispatcher::tick(Nanoseconds now) {
  tend();
  while (!queue_.empty() && !home_.debugging() && now - queue_.front()->queued > kMaxQueueWait)
    refuse(pop(), Throttle::kConcurrency);
  if (!queue_.empty())
    scale(now - queue_.front()->queued > kReturnPatience ? Patience::kNone : Patience::kWait);
}

void Dispatcher::retire(std::optional<Error> why) {
  retired_ = true;
  target_ = 0;
  auto keep = shared_from_this();
  std::vector<std::shared_ptr<Environment>> all;
  for (const auto& [key, environment] : environments_) all.push_back(environment);
  for (const auto& environment : all) environment->retire();
  auto waiting = std::move(queue_);
  queue_.clear();
  for (auto& invocation : waiting) {
    invocation->permit = {};
    if (why)
      invocation->done.complete(fail(*why));
    else
      home_.submit(std::move(invocation));
  }
}

void Dispatcher::kill() {
  retired_ = true;
  target_ = 0;
  auto keep = shared_from_this();
  queue_.clear();
  std::vector<std::shared_ptr<Environment>> all;
  for (const auto& [key, environment] : environments_) all.push_back(environment);
  for (const auto& environment : all) environment->kill();
}

}  // namespace pileus::services::lambda
