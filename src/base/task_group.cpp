#include "base/task_group.h"

#include <cassert>

#include "base/log.h"

namespace pileus {

// The outermost frame of a spawned task: destroys itself at the end.
struct TaskGroup::Root {
  struct promise_type : PromiseBase {
    Root get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }  // run() catches everything
  };
  std::coroutine_handle<promise_type> handle;
};

TaskGroup::Root TaskGroup::run(TaskGroup* group, Task<void> task) {
  try {
    co_await std::move(task);
  } catch (const std::exception& error) {
    log::error("a background task ended with an exception", {{"what", error.what()}});
  }
  group->ended();
}

TaskGroup::~TaskGroup() { assert(running_ == 0 && "close the group before it goes away"); }

void TaskGroup::spawn(Task<void> task) {
  if (!loop_.is_current()) {
    loop_.post([this, task = std::move(task)]() mutable { spawn(std::move(task)); });
    return;
  }
  if (closing_) return;
  ++running_;
  Root root = run(this, std::move(task));
  root.handle.promise().loop = &loop_;
  root.handle.promise().stop = &stop_;
  root.handle.resume();
}

void TaskGroup::ended() {
  if (--running_ > 0) return;
  auto waiting = std::move(waiting_);
  waiting_.clear();
  for (auto& waiter : waiting) waiter.complete(Unit{});
}

Task<void> TaskGroup::drain() {
  // Waits through its own stop, too: the owner's frames must outlive the tasks.
  while (running_ > 0) {
    Completion<Unit> all_ended;
    waiting_.push_back(all_ended.completer());
    StopSource never;
    auto wait = [](Completion<Unit> ended) -> Task<void> {
      (void)co_await ended;
    }(std::move(all_ended));
    wait.set_stop(&never);
    co_await std::move(wait);
  }
}

Task<void> TaskGroup::close() {
  closing_ = true;
  stop_.stop();
  co_await drain();
}

Task<Result<Unit>> sleep_for(Duration delay) {
  Loop* loop = co_await current_loop();
  Completion<Unit> done;
  auto completer = std::make_shared<Completer<Unit>>(done.completer());  // the timer's and ours
  const auto timer = loop->call_after(delay, [completer] { completer->complete(Unit{}); });
  auto result = co_await done;
  if (!result) loop->cancel(timer);
  co_return result;
}

}  // namespace pileus
