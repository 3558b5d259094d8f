#include "services/lambda/engine.h"

#include "base/log.h"
#include "base/text.h"

namespace pileus::services::lambda {
namespace {
constexpr Nanoseconds kLongAgo = -2 * kPoolMemory;
constexpr auto kDeliveryPatience = std::chrono::seconds(5);  // for logs and meter when stopping
}  // namespace

// --- Shard ---------------------------------------------------------------------------------------

Shard::Shard(Engine& engine, Machinery& machinery, Loop& loop)
    : engine_(engine),
      machinery_(machinery),
      loop_(loop),
      tasks_(loop),
      deliveries_(loop),
      meter_(machinery.journals, deliveries_) {}

Shard::~Shard() = default;

FunctionHome& Shard::home(const FunctionRef& ref) {
  auto& place = homes_[ref.arn()];
  if (!place) place = std::make_unique<FunctionHome>(*this, ref);
  return *place;
}

void Shard::forget_if_empty(const std::string& arn) {
  const auto found = homes_.find(arn);
  if (found == homes_.end() || found->second->busy > 0 || !found->second->empty()) return;
  // Not from within the home's own task.
  loop_.post([this, arn] {
    const auto again = homes_.find(arn);
    if (again != homes_.end() && again->second->busy == 0 && again->second->empty())
      homes_.erase(again);
  });
}

void Shard::wake() {
  if (fast_ || stopping_) return;
  if (timer_ != 0) loop_.cancel(timer_);
  fast_ = true;
  timer_ = loop_.call_after(kFastTick, [this] { tick(); });
}

void Shard::tick() {
  timer_ = 0;
  ++ticks_;
  const auto now_is = now();
  const bool drain = ticks_ % kDrainEvery == 0;
  bool rest = true;
  std::vector<std::shared_ptr<Environment>> all;
  all.reserve(environments_.size());
  for (auto* environment : environments_) all.push_back(environment->shared_from_this());
  for (const auto& environment : all) {
    environment->tick(now_is, drain);
    rest = rest && (environment->at_rest() || environment->state() == Environment::State::kDead);
  }
  std::vector<std::shared_ptr<Dispatcher>> dispatchers;
  for (const auto& [arn, home] : homes_)
    for (const auto& [version, dispatcher] : home->dispatchers()) dispatchers.push_back(dispatcher);
  for (const auto& dispatcher : dispatchers) {
    if (!dispatcher->active()) continue;
    dispatcher->tick(now_is);
    rest = false;
  }
  tend_pools();
  fast_ = !rest;
  arm();
}

void Shard::arm() {
  if (stopping_ || timer_ != 0) return;
  if (!fast_ && environments_.empty()) return;
  const Duration delay = fast_ ? Duration(kFastTick) : Duration(kSlowTick);
  timer_ = loop_.call_after(delay, [this] { tick(); });
}

bool Shard::evict_one() {
  Dispatcher* oldest = nullptr;
  std::optional<Nanoseconds> since;
  for (const auto& [arn, home] : homes_) {
    for (const auto& [version, dispatcher] : home->dispatchers()) {
      const auto idle = dispatcher->oldest_idle();
      if (!idle || (since && *idle >= *since)) continue;
      since = idle;
      oldest = dispatcher.get();
    }
  }
  return oldest && oldest->evict();
}

// --- prewarmed environments ----------------------------------------------------------------------

// As many as were used within the window, at least one while the runtime is in use at all.
std::size_t Shard::wanted(Pool& pool) {
  const auto now_is = now();
  while (!pool.uses.empty() && now_is - pool.uses.front() > kPoolWindow) pool.uses.pop_front();
  if (stopping_ || quiescing_ || now_is - pool.last_use > kPoolMemory) return 0;
  return std::min(machinery_.options.prewarm, std::max<std::size_t>(1, pool.uses.size()));
}

void Shard::tend_pools() {
  for (auto& [name, pool] : pools_) {
    const auto want = wanted(pool);
    while (pool.held.size() > want) pool.held.back()->kill();  // takes itself off the list
    // Starting one more must not slow down one that an event waits for.
    if (pool.held.size() < want && !pool.filling && starting_ == 0) {
      pool.filling = true;
      tasks_.spawn(fill(this, name));
    }
  }
}

Task<void> Shard::fill(Shard* self, std::string name) {
  Pool& pool = self->pools_.at(name);
  auto environment = std::make_shared<Environment>(*self, pool.runtime);
  auto done = co_await environment->start();
  pool.filling = false;
  if (!done) {
    log::warn("a runtime was not prewarmed", {{"runtime", name}, {"why", done.error().message()}});
    pool.last_use = kLongAgo;  // not again until it is used
    pool.uses.clear();
  } else if (self->stopping_ || self->quiescing_) {
    environment->kill();
  } else if (environment->state() == Environment::State::kHeld) {
    pool.held.push_back(std::move(environment));
    self->wake();
  }
}

void Shard::expect(const std::shared_ptr<const Runtime>& runtime) {
  if (machinery_.options.prewarm == 0) return;
  Pool& pool = pools_[runtime->name];
  if (pool.runtime && pool.runtime->version_id != runtime->version_id)
    while (!pool.held.empty()) pool.held.back()->kill();
  pool.runtime = runtime;
  pool.last_use = now();
  wake();
}

Task<Result<std::shared_ptr<Environment>>> Shard::obtain(Shard* self,
                                                         std::shared_ptr<const Runtime> runtime,
                                                         std::string account) {
  self->expect(runtime);
  if (const auto found = self->pools_.find(runtime->name); found != self->pools_.end()) {
    Pool& pool = found->second;
    pool.uses.push_back(self->now());
    if (pool.uses.size() > 4 * self->machinery_.options.prewarm) pool.uses.pop_front();
    if (!pool.held.empty()) {
      auto environment = std::move(pool.held.front());
      pool.held.erase(pool.held.begin());
      co_return environment;
    }
  }
  auto environment = std::make_shared<Environment>(*self, std::move(runtime));
  // Whoever wants nothing held ready wants no zygote either.
  if (self->machinery_.options.prewarm == 0) account.clear();
  CO_TRY(co_await environment->start(std::move(account)));
  co_return environment;
}

void Shard::pool_lost(Environment& environment) {
  const auto pool = pools_.find(environment.runtime().name);
  if (pool != pools_.end())
    std::erase_if(pool->second.held, [&](const auto& held) { return held.get() == &environment; });
}

// --- end -----------------------------------------------------------------------------------------

void Shard::kill_all() {
  for (const auto& [arn, home] : homes_) home->kill();
  std::vector<std::shared_ptr<Environment>> all;
  for (auto* environment : environments_) all.push_back(environment->shared_from_this());
  for (const auto& environment : all) environment->kill();
}

Task<void> Shard::quiesce(Shard* self) {
  self->quiescing_ = true;
  std::vector<std::shared_ptr<Environment>> all;
  for (auto* environment : self->environments_) all.push_back(environment->shared_from_this());
  for (const auto& environment : all)
    if (environment->state() == Environment::State::kHeld ||
        environment->state() == Environment::State::kIdle)
      environment->kill();
  co_return;
}

Task<void> Shard::stop(Shard* self) {
  self->stopping_ = true;
  if (self->timer_ != 0) self->loop_.cancel(std::exchange(self->timer_, 0));
  self->kill_all();
  co_await self->tasks_.close();
  const auto timer = self->loop_.call_after(kDeliveryPatience, [self] {
    log::warn("some logs of functions were not delivered before the end", {});
    self->deliveries_.stop();
  });
  co_await self->deliveries_.drain();
  self->loop_.cancel(timer);
  co_await self->deliveries_.close();
  self->homes_.clear();
  self->pools_.clear();
}

Task<void> Shard::reset(Shard* self) {
  self->kill_all();
  self->meter_.forget();
  for (auto& [name, pool] : self->pools_) pool.last_use = kLongAgo;
  for (const auto& [arn, home] : self->homes_) self->forget_if_empty(arn);
  self->stats_ = {};
  co_return;
}

EngineStats Shard::collect() const {
  EngineStats out = stats_;
  for (const auto& [arn, home] : homes_) {
    ++out.functions;
    for (const auto& [version, dispatcher] : home->dispatchers()) {
      out.environments += dispatcher->environments();
      out.waiting += dispatcher->waiting();
    }
  }
  for (const auto* environment : environments_) {
    if (environment->state() == Environment::State::kHeld) ++out.prewarmed;
    if (environment->state() == Environment::State::kBusy) ++out.busy;
    if (environment->state() == Environment::State::kIdle && environment->at_rest()) ++out.frozen;
  }
  return out;
}

// --- Engine --------------------------------------------------------------------------------------

namespace {

// Carries a task to another loop and its value back.
template <class T>
Task<void> carry(Task<Result<T>> task, Completer<T> done) {
  done.complete(co_await std::move(task));
}

template <class T>
Task<Result<T>> on_shard(Shard* shard, Task<Result<T>> task) {
  if (shard->loop().is_current()) co_return co_await std::move(task);
  Completion<T> done;
  shard->deliveries().spawn(carry<T>(std::move(task), done.completer()));
  co_return co_await std::move(done);
}

Task<Result<Unit>> stop_shard(Shard* shard) {
  co_await Shard::stop(shard);
  co_return Unit{};
}
Task<Result<Unit>> reset_shard(Shard* shard) {
  co_await Shard::reset(shard);
  co_return Unit{};
}
Task<Result<Unit>> quiesce_shard(Shard* shard) {
  co_await Shard::quiesce(shard);
  co_return Unit{};
}
Task<Result<EngineStats>> stats_of(Shard* shard) { co_return shard->collect(); }
Task<Result<Unit>> check_at(Shard* shard, FunctionRef ref) {
  FunctionHome& home = shard->home(ref);
  co_return co_await home.check(ref.qualifier);
}
Task<Result<Unit>> changed_at(Shard* shard, FunctionRef ref) {
  FunctionHome& home = shard->home(ref);
  co_return co_await home.changed();
}
Task<Result<Answer>> wait_for(Completion<Answer> done) { co_return co_await std::move(done); }

}  // namespace

Engine::Engine(Machinery& machinery) : machinery_(machinery) {
  for (std::size_t i = 0; i < machinery.loops.size(); ++i) {
    Loop& loop = machinery.loops.at(i);
    shards_.push_back(std::make_unique<Shard>(*this, machinery, loop));
    by_loop_.emplace(&loop, shards_.back().get());
  }
}

Engine::~Engine() = default;

Shard& Engine::shard_of(const FunctionRef& ref) {
  return *by_loop_.at(&machinery_.loops.home(ref.name));
}

std::atomic<int>& Engine::account_in_flight(const std::string& account) {
  std::lock_guard lock(mutex_);
  return accounts_[account];
}

Task<Result<Answer>> Engine::invoke(const FunctionRef& ref,
                                    std::unique_ptr<Invocation> invocation) {
  Completion<Answer> done;
  invocation->done = done.completer();
  Shard& shard = shard_of(ref);
  if (shard.loop().is_current()) {
    shard.home(ref).submit(std::move(invocation));
  } else {
    shard.loop().post([&shard, ref, invocation = std::move(invocation)]() mutable {
      if (!shard.stopping()) shard.home(ref).submit(std::move(invocation));
    });
  }
  return wait_for(std::move(done));
}

Task<Result<Unit>> Engine::check(FunctionRef ref) {
  Shard* shard = &shard_of(ref);
  co_return co_await on_shard<Unit>(shard, check_at(shard, std::move(ref)));
}

Task<Result<Unit>> Engine::changed(FunctionRef ref) {
  Shard* shard = &shard_of(ref);
  co_return co_await on_shard<Unit>(shard, changed_at(shard, std::move(ref)));
}

void Engine::expect(const FunctionRef& ref, std::shared_ptr<const Runtime> runtime) {
  Shard& shard = shard_of(ref);
  shard.loop().post([&shard, runtime = std::move(runtime)] { shard.expect(runtime); });
}

Task<Result<Unit>> Engine::stop() {
  for (const auto& shard : shards_) {
    // Not within the shard's own groups: they are what stops.
    Completion<Unit> done;
    auto group = std::make_shared<TaskGroup>(shard->loop());  // shared with the work posted
    shard->loop().post([group, shard = shard.get(), completer = done.completer()]() mutable {
      group->spawn(carry<Unit>(stop_shard(shard), std::move(completer)));
    });
    CO_TRY(co_await std::move(done));
    shard->loop().post([group] {});  // its last holder, after the task has ended
  }
  co_return Unit{};
}

Task<Result<Unit>> Engine::quiesce() {
  for (const auto& shard : shards_)
    CO_TRY(co_await on_shard<Unit>(shard.get(), quiesce_shard(shard.get())));
  co_return Unit{};
}

Task<Result<Unit>> Engine::reset() {
  for (const auto& shard : shards_)
    CO_TRY(co_await on_shard<Unit>(shard.get(), reset_shard(shard.get())));
  co_return Unit{};
}

Task<Result<EngineStats>> Engine::stats() {
  EngineStats all;
  for (const auto& shard : shards_) {
    CO_TRY_ASSIGN(const auto some,
                  co_await on_shard<EngineStats>(shard.get(), stats_of(shard.get())));
    all.functions += some.functions;
    all.environments += some.environments;
    all.frozen += some.frozen;
    all.busy += some.busy;
    all.prewarmed += some.prewarmed;
    all.waiting += some.waiting;
    all.invocations += some.invocations;
    all.cold_starts += some.cold_starts;
    all.errors += some.errors;
    all.timeouts += some.timeouts;
    all.throttles += some.throttles;
  }
  co_return all;
}

}  // namespace pileus::services::lambda
