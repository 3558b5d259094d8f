#include "store/worker.h"

#include <pthread.h>

namespace pileus::store {

void name_thread(const char* name) { pthread_setname_np(pthread_self(), name); }

Worker::Worker(const char* name)
    : thread_([this, name] {
        name_thread(name);
        work();
      }) {}

void Worker::post(Callback job) {
  std::lock_guard lock(mutex_);
  if (stopping_) return;
  queue_.push_back(std::move(job));
  posted_.notify_one();
}

void Worker::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    posted_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Worker::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    posted_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

}  // namespace pileus::store
