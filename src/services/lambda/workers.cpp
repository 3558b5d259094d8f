#include "services/lambda/workers.h"

namespace pileus::services::lambda {

Workers::Workers(std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { loop(); });
}

void Workers::stop() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

bool Workers::push(Callback job) {
  {
    std::lock_guard lock(mutex_);
    if (ending_ || queue_.size() >= kQueue) return false;
    queue_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

void Workers::loop() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Callback job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    job();
  }
}

}  // namespace pileus::services::lambda
