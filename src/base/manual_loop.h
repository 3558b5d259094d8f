// ManualLoop: a loop run by whoever holds it, for unit tests, the simulator and short programs.
// Its timers follow machine time of its own making: when nothing is queued, time jumps to the next
// timer, so tests with sleeps take no time. Posts from other threads are waited for while `run`
// has not seen its task end (at most `kStuck`, then the test fails with an exception).
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

#include "base/task_group.h"

namespace pileus {

class ManualLoop final : public Loop {
 public:
  static constexpr std::chrono::seconds kStuck{60};

  ManualLoop();
  ~ManualLoop() override;
  void post(Callback work) override;
  TimerId call_after(Duration delay, Callback work) override;
  void cancel(TimerId timer) override;
  bool is_current() const override { return Loop::current() == this; }

  // Virtual machine time since the loop was made.
  Duration elapsed() const { return now_; }
  // Runs what is queued (not timers) until nothing is left.
  void run_ready();
  // Runs until `done` returns true; throws std::runtime_error when stuck.
  void run_until(const std::function<bool()>& done);
  // Real time for timers instead of virtual: for tests that talk to real processes.
  void use_real_time() { real_time_ = true; }

  // Runs a task to its end and gives its value.
  template <class T>
  T run(Task<T> task) {
    std::optional<T> value;
    std::exception_ptr thrown;
    TaskGroup group(*this);
    group.spawn(store(std::move(task), value, thrown));
    run_until([&] { return group.running() == 0; });
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*value);
  }
  void run(Task<void> task) {
    TaskGroup group(*this);
    group.spawn(std::move(task));
    run_until([&] { return group.running() == 0; });
  }

 private:
  template <class T>
  static Task<void> store(Task<T> task, std::optional<T>& value, std::exception_ptr& thrown) {
    try {
      value.emplace(co_await std::move(task));
    } catch (...) {
      thrown = std::current_exception();
    }
  }
  std::mutex mutex_;  // guards queue_
  std::condition_variable posted_;
  std::deque<Callback> queue_;
  Duration now_{0};
  bool real_time_ = false;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  TimerId next_ = 1;
  std::map<std::pair<Duration, TimerId>, Callback> timers_;
  Loop* outer_ = nullptr;
};

}  // namespace pileus
