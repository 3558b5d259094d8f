// TaskGroup: the owner of spawned tasks. Whoever spawns keeps a group and closes it before what the
// tasks use goes away. Belongs to one loop. An exception that leaves a spawned task is a bug: it is
// logged once and ends that task only.
#pragma once

#include <list>

#include "base/completion.h"

namespace pileus {

class TaskGroup {
 public:
  explicit TaskGroup(Loop& loop) : loop_(loop) {}
  ~TaskGroup();  // asserts that nothing runs any more
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts `task` on the group's loop, now if called there, else posted. Ignored once closing.
  void spawn(Task<void> task);
  // Stops every task and waits until all have ended. Awaited on the group's loop.
  Task<void> close();
  // Asks every task to stop; does not wait.
  void stop() { stop_.stop(); }
  // Waits until all tasks have ended by themselves.
  Task<void> drain();
  std::size_t running() const { return running_; }
  Loop& loop() { return loop_; }

 private:
  struct Root;
  static Root run(TaskGroup* group, Task<void> task);
  void ended();
  Loop& loop_;
  StopSource stop_;
  std::size_t running_ = 0;
  bool closing_ = false;
  std::vector<Completer<Unit>> waiting_;
};

// Waits `delay` of machine time (kCancelled when stopped).
Task<Result<Unit>> sleep_for(Duration delay);

// Runs `task` with a stop source of its own. When `deadline` (machine time from now) passes, the
// task is stopped, has ended, and the answer is errc::kDeadline.
template <class T>
Task<Result<T>> with_deadline(Duration deadline, Task<Result<T>> task) {
  Loop* loop = co_await current_loop();
  StopSource source(co_await current_stop());
  bool expired = false;
  const auto timer = loop->call_after(deadline, [&] {
    expired = true;
    source.stop();
  });
  task.set_stop(&source);
  auto result = co_await std::move(task);
  if (!expired) loop->cancel(timer);
  if (expired && !result && result.error().is(errc::kCancelled))
    co_return fail(std::string(errc::kDeadline), "the deadline passed", 504);
  co_return result;
}

}  // namespace pileus
