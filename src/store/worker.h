// Worker: one thread that runs blocking jobs in order, so that loops never block. Owned by the
// engine that uses it; its destructor runs what is queued and joins.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/completion.h"

namespace pileus::store {

class Worker {
 public:
  explicit Worker(const char* name);  // at most 15 characters
  ~Worker() { stop(); }
  void post(Callback job);  // any thread
  void stop();              // runs what is queued, joins; jobs posted later are dropped

  // Runs `job` there and gives what it returns to the coroutine that awaits this.
  template <class T, class Job>
  Task<Result<T>> run(Job job) {
    Completion<T> done;
    post([job = std::move(job), completer = done.completer()]() mutable {
      completer.complete(job());
    });
    co_return co_await done;
  }

 private:
  void work();
  std::mutex mutex_;  // guards queue_ and stopping_
  std::condition_variable posted_;
  std::deque<Callback> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

// Names the calling thread for people who look at the process.
void name_thread(const char* name);

}  // namespace pileus::store
