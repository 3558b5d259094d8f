#include "base/manual_loop.h"

#include <algorithm>
#include <stdexcept>

namespace pileus {

ManualLoop::ManualLoop() : outer_(Loop::current()) { set_current(this); }
ManualLoop::~ManualLoop() {
  run_ready();
  set_current(outer_);
}

void ManualLoop::post(Callback work) {
  std::lock_guard lock(mutex_);
  queue_.push_back(std::move(work));
  posted_.notify_all();
}

Loop::TimerId ManualLoop::call_after(Duration delay, Callback work) {
  const TimerId id = next_++;
  const Duration base =
      real_time_ ? std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - started_)
                 : now_;
  timers_.emplace(std::pair(base + std::max(delay, Duration::zero()), id), std::move(work));
  return id;
}

void ManualLoop::cancel(TimerId timer) {
  std::erase_if(timers_, [timer](const auto& entry) { return entry.first.second == timer; });
}

void ManualLoop::run_ready() {
  for (;;) {
    Callback work;
    {
      std::lock_guard lock(mutex_);
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

void ManualLoop::run_until(const std::function<bool()>& done) {
  const auto give_up = std::chrono::steady_clock::now() + kStuck;
  for (;;) {
    run_ready();
    if (done()) return;
    const auto steady = std::chrono::steady_clock::now();
    if (steady > give_up) throw std::runtime_error("ManualLoop: nothing happens any more");
    if (real_time_) now_ = std::chrono::duration_cast<Duration>(steady - started_);
    if (!timers_.empty() && (!real_time_ || timers_.begin()->first.first <= now_)) {
      // Give other threads' posts precedence over a jump in virtual time.
      if (!real_time_) {
        std::unique_lock lock(mutex_);
        if (posted_.wait_for(lock, std::chrono::milliseconds(1), [&] { return !queue_.empty(); }))
          continue;
      }
      auto first = timers_.extract(timers_.begin());
      now_ = std::max(now_, first.key().first);
      first.mapped()();
      continue;
    }
    std::unique_lock lock(mutex_);
    auto wait = std::chrono::milliseconds(100);
    if (real_time_ && !timers_.empty())
      wait = std::min(wait, std::chrono::duration_cast<std::chrono::milliseconds>(
                                timers_.begin()->first.first - now_) +
                                std::chrono::milliseconds(1));
    posted_.wait_for(lock, wait, [&] { return !queue_.empty(); });
  }
}

}  // namespace pileus
