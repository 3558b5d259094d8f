// Workers: the threads of the lambda room for work that blocks (unpacking zips, removing folders,
// asking an interpreter for its version). Jobs run in order of arrival; at most kQueue wait.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/completion.h"

namespace pileus::services::lambda {

class Workers {
 public:
  static constexpr std::size_t kQueue = 4096;

  explicit Workers(std::size_t threads);
  ~Workers() { stop(); }
  void stop();  // finishes what is queued

  // Runs `work` on a worker; its value arrives at the awaiting loop.
  template <class T>
  [[clang::coro_wrapper]] Task<Result<T>> run(std::move_only_function<Result<T>()> work) {
    Completion<T> done;
    if (!push([work = std::move(work), completer = done.completer()]() mutable {
          completer.complete(work());
        }))
      return refuse<T>();
    return wait<T>(std::move(done));
  }
  bool push(Callback job);  // false: the queue is full

 private:
  template <class T>
  static Task<Result<T>> wait(Completion<T> done) {
    co_return co_await std::move(done);
  }
  template <class T>
  static Task<Result<T>> refuse() {
    co_return fail(std::string(errc::kLimit), "too much background work is waiting; try again",
                   503);
  }
  void loop();
  std::mutex mutex_;  // guards queue_ and ending_
  std::condition_variable changed_;
  std::deque<Callback> queue_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace pileus::services::lambda
