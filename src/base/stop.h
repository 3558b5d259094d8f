// StopSource: cancellation of a tree of tasks. It belongs to one loop and is touched on that loop
// only, so it needs no atomics. A child source stops with its parent.
#pragma once

#include <functional>

namespace pileus {

class StopSource;

// A registration for "stopped"; runs at most once, on the loop; unregisters when destroyed.
class StopCallback {
 public:
  StopCallback() = default;
  StopCallback(StopSource* source, std::move_only_function<void()> run);
  ~StopCallback() { detach(); }
  StopCallback(const StopCallback&) = delete;
  StopCallback& operator=(const StopCallback&) = delete;
  void attach(StopSource* source, std::move_only_function<void()> run);
  void detach();

 private:
  friend class StopSource;
  StopSource* source_ = nullptr;
  StopCallback* prev_ = nullptr;
  StopCallback* next_ = nullptr;
  std::move_only_function<void()> run_;
};

class StopSource {
 public:
  explicit StopSource(StopSource* parent = nullptr);
  ~StopSource();
  StopSource(const StopSource&) = delete;
  StopSource& operator=(const StopSource&) = delete;

  bool stopped() const { return stopped_; }
  void stop();

 private:
  friend class StopCallback;
  bool stopped_ = false;
  StopCallback* first_ = nullptr;
  StopCallback parent_link_;
};

inline StopCallback::StopCallback(StopSource* source, std::move_only_function<void()> run) {
  attach(source, std::move(run));
}
inline void StopCallback::attach(StopSource* source, std::move_only_function<void()> run) {
  detach();
  if (!source) return;
  source_ = source;
  run_ = std::move(run);
  next_ = source->first_;
  if (next_) next_->prev_ = this;
  source->first_ = this;
}
inline void StopCallback::detach() {
  if (!source_) return;
  (prev_ ? prev_->next_ : source_->first_) = next_;
  if (next_) next_->prev_ = prev_;
  source_ = nullptr;
  prev_ = next_ = nullptr;
}
inline StopSource::StopSource(StopSource* parent) {
  if (!parent) return;
  stopped_ = parent->stopped();
  if (!stopped_) parent_link_.attach(parent, [this] { stop(); });
}
inline StopSource::~StopSource() {
  while (first_) first_->detach();
}
inline void StopSource::stop() {
  if (stopped_) return;
  stopped_ = true;
  while (StopCallback* callback = first_) {
    auto run = std::move(callback->run_);
    callback->detach();
    run();  // may destroy callback
  }
}

}  // namespace pileus
