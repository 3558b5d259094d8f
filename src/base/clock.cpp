#include "base/clock.h"

#include <algorithm>

namespace pileus {

Task<Result<Unit>> sleep_until(Clock& clock, Time due) {
  Loop* loop = co_await current_loop();
  Completion<Unit> done;
  auto completer = std::make_shared<Completer<Unit>>(done.completer());  // the timer's and ours
  const auto timer = clock.call_at(due, *loop, [completer] { completer->complete(Unit{}); });
  auto result = co_await done;
  if (!result) clock.cancel(timer);
  co_return result;
}

Time ManualClock::now() const {
  std::lock_guard lock(mutex_);
  return now_;
}

std::size_t ManualClock::pending() const {
  std::lock_guard lock(mutex_);
  return timers_.size();
}

Clock::TimerId ManualClock::call_at(Time due, Loop& loop, Callback work) {
  std::unique_lock lock(mutex_);
  const TimerId id = next_++;
  if (due <= now_) {
    ++busy_;
    lock.unlock();
    loop.post([this, work = std::move(work)]() mutable {
      work();
      busy(-1);
    });
    return id;
  }
  timers_.emplace(due, Timer{id, &loop, std::move(work)});
  return id;
}

void ManualClock::cancel(TimerId timer) {
  std::lock_guard lock(mutex_);
  auto found = std::find_if(timers_.begin(), timers_.end(),
                            [timer](const auto& entry) { return entry.second.id == timer; });
  if (found != timers_.end()) timers_.erase(found);
}

void ManualClock::busy(int change) {
  std::vector<Completer<Unit>> settled;
  {
    std::lock_guard lock(mutex_);
    busy_ += change;
    if (busy_ == 0) settled.swap(settling_);
  }
  for (auto& waiter : settled) waiter.complete(Unit{});
}

Task<void> ManualClock::settle() {
  for (;;) {
    Completion<Unit> settled;
    {
      std::lock_guard lock(mutex_);
      if (busy_ == 0) co_return;
      settling_.push_back(settled.completer());
    }
    if (!co_await settled) co_return;  // stopped
  }
}

Task<void> ManualClock::advance(Duration by) {
  Time target;
  {
    std::lock_guard lock(mutex_);
    target = now_ + by;
  }
  co_await settle();
  for (;;) {
    Timer due{};
    {
      std::lock_guard lock(mutex_);
      auto first = timers_.begin();
      if (first == timers_.end() || first->first > target) {
        now_ = std::max(now_, target);
        break;
      }
      now_ = std::max(now_, first->first);
      due = std::move(first->second);
      timers_.erase(first);
      ++busy_;
    }
    due.loop->post([this, work = std::move(due.work)]() mutable {
      work();
      busy(-1);
    });
    co_await settle();
  }
}

struct RealClock::Armed {
  TimerId id;
  Time due;
  Loop* loop;
  Callback work;
};

Clock::TimerId RealClock::call_at(Time due, Loop& loop, Callback work) {
  auto armed = std::make_shared<Armed>();
  {
    std::lock_guard lock(mutex_);
    armed->id = next_++;
    timers_[armed->id] = armed;
  }
  armed->due = due;
  armed->loop = &loop;
  armed->work = std::move(work);
  if (loop.is_current())
    arm(armed);
  else
    loop.post([this, armed] { arm(armed); });
  return armed->id;
}

void RealClock::arm(std::shared_ptr<Armed> armed) {
  // Long waits are cut into hours, so that a correction of the wall clock is noticed.
  const Duration left = armed->due - now();
  if (left > Duration::zero()) {
    const Duration slice = std::min<Duration>(left, std::chrono::hours(1));
    armed->loop->call_after(slice, [this, armed] {
      {
        std::lock_guard lock(mutex_);
        if (!timers_.contains(armed->id)) return;
      }
      arm(armed);
    });
    return;
  }
  {
    std::lock_guard lock(mutex_);
    if (timers_.erase(armed->id) == 0) return;  // cancelled
  }
  armed->work();
}

void RealClock::cancel(TimerId timer) {
  std::lock_guard lock(mutex_);
  timers_.erase(timer);
}

Time SystemTime::now() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}
std::chrono::nanoseconds SystemTime::monotonic() const {
  return std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace pileus
