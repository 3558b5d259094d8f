// TimerQueue: the timers of one loop. Most timers are forgotten before they fire, so forgetting is
// a hash erase; the heap entry dies with the next sweep (never more than half of it is dead).
#pragma once

#include <algorithm>
#include <unordered_map>

#include "base/loop.h"

namespace pileus::net {

class TimerQueue {
 public:
  using Clock = std::chrono::steady_clock;

  Loop::TimerId add(Clock::time_point due, Callback work) {
    const Loop::TimerId id = next_++;
    live_.emplace(id, std::move(work));
    heap_.push_back({due, id});
    std::push_heap(heap_.begin(), heap_.end(), later);
    return id;
  }
  void remove(Loop::TimerId id) {
    if (live_.erase(id) > 0 && heap_.size() > 64 && heap_.size() > 2 * live_.size()) sweep();
  }
  // When the first live timer is due.
  Clock::time_point next() {
    while (!heap_.empty() && !live_.contains(heap_.front().id)) pop();
    return heap_.empty() ? Clock::time_point::max() : heap_.front().due;
  }
  // The work of the first timer that is due at `now`, or an empty function.
  Callback take(Clock::time_point now) {
    if (next() > now || heap_.empty()) return {};
    auto found = live_.extract(heap_.front().id);
    pop();
    return std::move(found.mapped());
  }
  std::size_t size() const { return live_.size(); }
  std::size_t slots() const { return heap_.size(); }

 private:
  struct Entry {
    Clock::time_point due;
    Loop::TimerId id;
  };
  static bool later(const Entry& a, const Entry& b) {
    return a.due != b.due ? a.due > b.due : a.id > b.id;
  }
  void pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    heap_.pop_back();
  }
  void sweep() {
    std::erase_if(heap_, [this](const Entry& entry) { return !live_.contains(entry.id); });
    std::make_heap(heap_.begin(), heap_.end(), later);
  }
  Loop::TimerId next_ = 1;
  std::vector<Entry> heap_;
  std::unordered_map<Loop::TimerId, Callback> live_;
};

}  // namespace pileus::net
