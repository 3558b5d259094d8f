// Loop: an event loop as seen from above net/. One thread runs it; everything that belongs to it
// (its tasks, its timers, the state of its hot keys) is touched on that thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace pileus {

using Callback = std::move_only_function<void()>;
using Duration = std::chrono::microseconds;

class Loop {
 public:
  using TimerId = std::uint64_t;  // 0 is never a timer

  virtual ~Loop() = default;
  // Runs `work` on the loop's thread, after what is queued already. Any thread may call it.
  virtual void post(Callback work) = 0;
  // Runs `work` once, `delay` of machine time from now. Loop thread only.
  virtual TimerId call_after(Duration delay, Callback work) = 0;
  // Forgets a timer that has not fired; an unknown or fired id is ignored. Loop thread only.
  virtual void cancel(TimerId timer) = 0;
  virtual bool is_current() const = 0;

  // The loop that runs on this thread, or nullptr.
  static Loop* current() { return current_; }

 protected:
  static void set_current(Loop* loop) { current_ = loop; }

 private:
  static inline thread_local Loop* current_ = nullptr;
};

}  // namespace pileus
