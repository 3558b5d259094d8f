#include "services/lambda/async_events.h"

#include "base/log.h"
#include "base/text.h"
#include "store/typed.h"

namespace pileus::services::lambda {
namespace {

constexpr auto kSaveAgainAfter = std::chrono::seconds(1);
constexpr int kSaveAttempts = 5;

Outcome outcome_of(const Result<Answer>& answer) {
  if (answer) return answer->failed ? Outcome::kFunctionFailed : Outcome::kSucceeded;
  return answer.error().is("ResourceNotFoundException") ? Outcome::kGone : Outcome::kNotReached;
}

template <class T>
Task<void> carry(Task<Result<T>> task, Completer<T> done) {
  done.complete(co_await std::move(task));
}

}  // namespace

AsyncEvents::AsyncEvents(Machinery& machinery, Engine& engine)
    : machinery_(machinery), engine_(engine) {
  for (std::size_t i = 0; i < machinery.loops.size(); ++i) {
    Loop& loop = machinery.loops.at(i);
    parts_.push_back(std::make_unique<Part>(loop));
    by_loop_.emplace(&loop, parts_.back().get());
  }
}

AsyncEvents::~AsyncEvents() = default;

AsyncEvents::Part& AsyncEvents::part_of(const FunctionRef& ref) {
  return *by_loop_.at(&machinery_.loops.home(ref.name));
}

void AsyncEvents::count(const std::function<void(AsyncStats&)>& change) {
  std::lock_guard lock(mutex_);
  change(stats_);
}

AsyncStats AsyncEvents::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

Task<Result<Unit>> AsyncEvents::accept(FunctionRef ref, AsyncEvent event) {
  if (event.payload.size() > kInlineEvent) {
    // The id in front makes the blob this event's alone, whatever others carry.
    CO_TRY_ASSIGN(event.blob, co_await machinery_.blobs.put(str(event.id, "\n", event.payload)));
    event.payload.clear();
  }
  store::Transaction transaction;
  transaction.expect(event_key(event.id), 0).put(event_key(event.id), store::encode(event));
  CO_TRY(co_await machinery_.records.commit(ref.partition(), std::move(transaction)));
  count([](AsyncStats& stats) { ++stats.accepted, ++stats.waiting; });
  auto pending = std::make_shared<Pending>();
  pending->ref = std::move(ref);
  pending->id = event.id;
  const Time due = event.due;
  pending->event = std::move(event);
  pending->busy = machinery_.clock.hold();
  Part& part = part_of(pending->ref);
  part.loop.post([this, &part, pending, due] { add(part, pending, due); });
  co_return Unit{};
}

Task<Result<std::size_t>> AsyncEvents::resume(std::string partition) {
  const auto slash = partition.find('/');
  if (slash == std::string::npos) co_return std::size_t{0};
  std::size_t found = 0;
  store::ScanOptions options;
  for (;;) {
    CO_TRY_ASSIGN(auto page,
                  co_await store::load_page<AsyncEvent>(machinery_.records, partition,
                                                        std::string(kEventPrefix), options));
    if (page.empty()) co_return found;
    options.after = page.back().key;
    for (auto& entry : page) {
      auto pending = std::make_shared<Pending>();
      pending->ref = {"aws", partition.substr(0, slash), partition.substr(slash + 1),
                      entry.value.function, ""};
      pending->id = entry.value.id;
      const Time due = entry.value.due;
      Part& part = part_of(pending->ref);
      part.loop.post([this, &part, pending, due] { add(part, pending, due); });
    }
    found += page.size();
    count([&](AsyncStats& stats) { stats.waiting += page.size(); });
  }
}

void AsyncEvents::add(Part& part, std::shared_ptr<Pending> pending, Time due) {
  if (stopping_ || !part.all.emplace(pending->id, pending).second) return;
  schedule(part, pending, due);
}

void AsyncEvents::schedule(Part& part, const std::shared_ptr<Pending>& pending, Time due) {
  if (due <= machinery_.clock.now()) return make_ready(part, pending);
  pending->timer =
      machinery_.clock.call_at(due, part.loop, [this, &part, weak = std::weak_ptr(pending)] {
        const auto again = weak.lock();
        if (!again || stopping_) return;
        again->timer = 0;
        make_ready(part, again);
      });
  pending->busy = {};  // only now: a clock moved by hand must find the timer
}

void AsyncEvents::make_ready(Part& part, std::shared_ptr<Pending> pending) {
  pending->busy = machinery_.clock.hold();
  const std::string function = pending->ref.arn();
  part.lanes[function].ready.push_back(std::move(pending));
  give_turn(part, function);
  pump(part);
}

// A function with nothing to run any more is forgotten.
void AsyncEvents::give_turn(Part& part, const std::string& function) {
  const auto lane = part.lanes.find(function);
  if (lane == part.lanes.end() || lane->second.has_turn) return;
  if (lane->second.ready.empty()) {
    if (lane->second.running == 0) part.lanes.erase(lane);
    return;
  }
  if (lane->second.running >= kAttemptsOfOne) return;
  lane->second.has_turn = true;
  part.turns.push_back(function);
}

void AsyncEvents::pump(Part& part) {
  while (part.running < kAttemptsAtOnce && !part.turns.empty() && !stopping_) {
    const std::string function = std::move(part.turns.front());
    part.turns.pop_front();
    Lane& lane = part.lanes[function];
    lane.has_turn = false;
    if (lane.ready.empty()) {
      give_turn(part, function);  // forgets it
      continue;
    }
    auto pending = std::move(lane.ready.front());
    lane.ready.pop_front();
    ++lane.running;
    ++part.running;
    give_turn(part, function);
    part.tasks.spawn(attempt(this, &part, std::move(pending)));
  }
}

Task<void> AsyncEvents::attempt(AsyncEvents* self, Part* part, std::shared_ptr<Pending> pending) {
  self->count([](AsyncStats& stats) { ++stats.running; });
  auto done = co_await self->run(part, pending);
  self->count([](AsyncStats& stats) { --stats.running; });
  if (!done && !done.error().is(errc::kCancelled))
    log::error("an event's state was not saved; it is tried again after a restart",
               {{"function", pending->ref.arn()},
                {"event", pending->id},
                {"why", done.error().message()}});
  --part->running;
  const std::string function = pending->ref.arn();
  --part->lanes[function].running;
  self->give_turn(*part, function);
  if (!self->stopping_) part->loop.post([self, part] { self->pump(*part); });
}

Task<Result<AsyncEvent>> AsyncEvents::load(std::shared_ptr<Pending> pending) {
  AsyncEvent event;
  if (pending->event) {
    event = std::move(*pending->event);
    pending->event.reset();
  } else {
    CO_TRY_ASSIGN(auto stored,
                  co_await store::load<AsyncEvent>(machinery_.records, pending->ref.partition(),
                                                   event_key(pending->id)));
    if (!stored) co_return fail(std::string(errc::kNotFound), "the event is gone");
    event = std::move(stored->value);
  }
  co_return event;
}

Task<Result<Unit>> AsyncEvents::run(Part* part, std::shared_ptr<Pending> pending) {
  auto loaded = co_await load(pending);
  if (!loaded) {
    part->all.erase(pending->id);
    if (loaded.error().is(errc::kNotFound)) co_return Unit{};
    co_return fail(std::move(loaded).error());
  }
  AsyncEvent event = std::move(*loaded);
  auto invocation = std::make_unique<Invocation>();
  invocation->id = event.id;
  invocation->qualifier = event.qualifier;
  FunctionRef named = pending->ref;
  named.qualifier = event.qualifier;
  invocation->invoked_arn = named.qualified_arn();
  invocation->trace = event.trace;
  invocation->tenant = event.tenant;
  invocation->later = true;
  invocation->payload = event.payload;
  if (!event.blob.empty()) {
    CO_TRY_ASSIGN(std::string bytes, co_await machinery_.blobs.read(event.blob));
    invocation->payload = bytes.substr(event.id.size() + 1);
  }
  auto answer = co_await engine_.invoke(named, std::move(invocation));
  if (!part->all.contains(pending->id)) co_return Unit{};  // everything was reset meanwhile
  if (!answer && answer.error().is(errc::kCancelled) && stopping_) co_return fail(answer.error());
  co_return co_await carry_out(
      part, pending, step(std::move(event), outcome_of(answer), {}, machinery_.clock.now()));
}

Task<Result<Unit>> AsyncEvents::carry_out(Part* part, std::shared_ptr<Pending> pending,
                                          Step decided) {
  const bool retry = decided.action == Step::Action::kRetry;
  if (decided.action == Step::Action::kDrop)
    log::warn(
        "an event was dropped",
        {{"function", pending->ref.arn()}, {"event", pending->id}, {"reason", decided.reason}});
  count([&](AsyncStats& stats) {
    if (retry) return void(++stats.retried);
    --stats.waiting;
    if (decided.action == Step::Action::kDone) return void(++stats.succeeded);
    ++stats.dropped;
    stats.last_drop = str(pending->ref.arn(), ": ", decided.reason);
  });
  Result<store::Revision> saved = fail(cancelled_error());
  for (int attempts = 0; attempts < kSaveAttempts && !saved; ++attempts) {
    if (attempts > 0) CO_TRY(co_await sleep_for(kSaveAgainAfter));
    store::Transaction transaction;
    if (retry)
      transaction.put(event_key(pending->id), store::encode(decided.event));
    else
      transaction.remove(event_key(pending->id));
    saved = co_await machinery_.records.commit(pending->ref.partition(), std::move(transaction));
  }
  if (retry) {
    schedule(*part, pending, decided.event.due);
  } else {
    part->all.erase(pending->id);
    if (saved && !decided.event.blob.empty())
      CO_TRY(co_await machinery_.blobs.remove(decided.event.blob));
  }
  if (!saved) co_return fail(std::move(saved).error());
  co_return Unit{};
}

void AsyncEvents::clear(Part& part) {
  for (const auto& [id, pending] : part.all)
    if (pending->timer != 0) machinery_.clock.cancel(pending->timer);
  part.all.clear();
  for (auto& [function, lane] : part.lanes) lane.ready.clear();
}

namespace {
Task<Result<Unit>> closed(TaskGroup* group) {
  co_await group->close();
  co_return Unit{};
}
}  // namespace

Task<Result<Unit>> AsyncEvents::stop() {
  stopping_ = true;
  for (const auto& part : parts_) {
    Completion<Unit> done;
    auto group = std::make_shared<TaskGroup>(part->loop);  // shared with the work posted
    part->loop.post([this, group, part = part.get(), completer = done.completer()]() mutable {
      clear(*part);
      group->spawn(carry<Unit>(closed(&part->tasks), std::move(completer)));
    });
    CO_TRY(co_await std::move(done));
    part->loop.post([group] {});
  }
  co_return Unit{};
}

Task<Result<Unit>> AsyncEvents::reset() {
  for (const auto& part : parts_) {
    Completion<Unit> done;
    part->loop.post([this, part = part.get(), completer = done.completer()]() mutable {
      clear(*part);
      completer.complete(Unit{});
    });
    CO_TRY(co_await std::move(done));
  }
  count([](AsyncStats& stats) { stats = {}; });
  co_return Unit{};
}

}  // namespace pileus::services::lambda
