#include "services/lambda/dispatcher.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "services/lambda/engine.h"

namespace pileus::services::lambda {

Dispatcher::Dispatcher(FunctionHome& home, std::shared_ptr<const Configuration> configuration)
    : home_(home), shard_(home.shard()), configuration_(std::move(configuration)) {
  ++home_.busy;
}

Dispatcher::~Dispatcher() {
  --home_.busy;
  shard_.forget_if_empty(home_.ref().arn());
}

void Dispatcher::dispatch(std::unique_ptr<Invocation> invocation) {
  auto& account = home_.account_in_flight();
  if (shard_.machinery().options.quotas == Quotas::kAws && account >= kAccountConcurrency) {
    ++shard_.stats().throttles;
    return invocation->done.complete(fail(throttled(Throttle::kConcurrency)));
  }
  invocation->in_flight = InFlight(account);
  if (queue_.empty() && !idle_.empty()) {
    auto environment = std::move(idle_.back());
    idle_.pop_back();
    return environment->run(std::move(invocation));
  }
  if (queue_.size() >= kMaxQueue) {
    ++shard_.stats().throttles;
    return invocation->done.complete(fail(throttled(Throttle::kConcurrency)));
  }
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

// One environment on its way for each event that waits, as far as the machine's bounds let.
void Dispatcher::scale(Patience patience) {
  shard_.wake();
  auto& machinery = shard_.machinery();
  const std::size_t returning = patience == Patience::kWait ? returning_ : 0;
  while (!retired_ && starting_ + returning < queue_.size() && shard_.may_start()) {
    if (machinery.environments >= machinery.options.max_environments && !shard_.evict_one()) return;
    start({});
  }
}

void Dispatcher::start(Claim claim) {
  ++starting_;
  shard_.start_began();
  shard_.tasks().spawn(launch(shared_from_this(), std::move(claim)));
}

void Dispatcher::fail_one(Claim& claim, Error error) {
  auto invocation = claim.invocation ? std::move(claim.invocation)
                    : queue_.empty() ? nullptr
                                     : pop();
  if (invocation) invocation->done.complete(fail(std::move(error)));
}

Task<Result<Unit>> Dispatcher::try_launch(std::shared_ptr<Dispatcher> self, Claim& claim,
                                          std::shared_ptr<Environment>& environment) {
  auto& machinery = self->shard_.machinery();
  const Configuration& configuration = self->configuration();
  Environment::Launch launch;
  CO_TRY_ASSIGN(launch.session, co_await self->home_.session(configuration.role));
  CO_TRY_ASSIGN(launch.code_folder, co_await machinery.code.folder(configuration.code_id));
  CO_TRY_ASSIGN(auto runtime, co_await machinery.runtimes.find(configuration.runtime));
  CO_TRY_ASSIGN(environment, co_await Shard::obtain(&self->shard_, std::move(runtime),
                                                    self->home_.ref().account));
  launch.dispatcher = self;
  launch.log = std::move(claim.log);
  launch.phase = claim.phase;
  launch.claimed = std::move(claim.invocation);
  self->environments_.emplace(environment.get(), environment);
  co_return co_await environment->assign(std::move(launch));
}

Task<void> Dispatcher::launch(std::shared_ptr<Dispatcher> self, Claim claim) {
  std::shared_ptr<Environment> environment;
  auto done = co_await try_launch(self, claim, environment);
  if (done) co_return;
  if (!environment) {  // else its end was counted already
    --self->starting_;
    self->shard_.start_ended();
  }
  Error error = done.error();
  log::warn("an environment did not start",
            {{"function", self->home_.ref().arn()}, {"why", error.message()}});
  if (!error.is("AccessDeniedException") && !error.is("InvalidParameterValueException"))
    error = Error("ServiceException", "The environment did not start: " + error.message(), 500);
  self->fail_one(claim, std::move(error));
  self->shard_.loop().post(
      [self] { self->scale(); });  // posted: a start can fail at once, again and again
}

void Dispatcher::ready(Environment& environment) {
  if (environment.init_just_ended()) {
    --starting_;
    shard_.start_ended();
  }
  if (auto claimed = environment.take_claimed()) return environment.run(std::move(claimed));
  if (!queue_.empty()) return environment.run(pop());
  if (retired_ || shard_.quiescing()) return environment.retire();
  const auto found = environments_.find(&environment);
  if (found != environments_.end()) idle_.push_back(found->second);
}

void Dispatcher::init_failed(Environment& environment, const Failure&) {
  // AWS tries once more, within the event that waits and under its time-out.
  if (environment.phase() == Phase::kInit && !queue_.empty() && !shard_.stopping())
    return start({Phase::kInvoke, pop(), environment.log()});
  scale();
}

void Dispatcher::ended(Environment& environment, Environment::State was) {
  if (was == Environment::State::kInit) {
    --starting_;
    shard_.start_ended();
  }
  if (was == Environment::State::kAnswered) --returning_;
  std::erase_if(idle_, [&](const auto& other) { return other.get() == &environment; });
  environments_.erase(&environment);
  if (!queue_.empty() && !shard_.stopping() && was != Environment::State::kInit) scale();
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
  while (!queue_.empty() && now - queue_.front()->queued > kMaxQueueWait) {
    ++shard_.stats().throttles;
    pop()->done.complete(fail(throttled(Throttle::kConcurrency)));
  }
  if (!queue_.empty())
    scale(now - queue_.front()->queued > kReturnPatience ? Patience::kNone : Patience::kWait);
}

void Dispatcher::retire(std::optional<Error> why) {
  retired_ = true;
  auto keep = shared_from_this();
  std::vector<std::shared_ptr<Environment>> all;
  for (const auto& [key, environment] : environments_) all.push_back(environment);
  for (const auto& environment : all) environment->retire();
  auto waiting = std::move(queue_);
  queue_.clear();
  for (auto& invocation : waiting) {
    invocation->in_flight = {};
    if (why)
      invocation->done.complete(fail(*why));
    else
      home_.submit(std::move(invocation));
  }
}

void Dispatcher::kill() {
  retired_ = true;
  auto keep = shared_from_this();
  queue_.clear();
  std::vector<std::shared_ptr<Environment>> all;
  for (const auto& [key, environment] : environments_) all.push_back(environment);
  for (const auto& environment : all) environment->kill();
}

}  // namespace pileus::services::lambda
