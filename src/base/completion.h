// Completion<T>: one value that arrives later, from any thread. The Completer half is kept by
// whoever makes the value; the coroutine awaits the Completion half and goes on at its home loop
// with Result<T>. When its task is stopped it goes on at once with errc::kCancelled, and the value,
// should it still come, is dropped. A Completer that is destroyed without a value gives kCancelled.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "base/task.h"

namespace pileus {

namespace detail {
template <class T>
struct CompletionState {
  std::mutex mutex;  // guards value, waiting and loop: the two halves may be on two threads
  std::optional<Result<T>> value;
  Loop* loop = nullptr;
  std::coroutine_handle<> waiter;
  bool resumed = false;  // home loop only
};
}  // namespace detail

template <class T>
class Completer {
 public:
  Completer() = default;
  explicit Completer(std::shared_ptr<detail::CompletionState<T>> state)
      : state_(std::move(state)) {}
  Completer(Completer&&) noexcept = default;
  Completer& operator=(Completer&& other) noexcept {
    if (this != &other) {
      abandon();
      state_ = std::move(other.state_);
    }
    return *this;
  }
  ~Completer() { abandon(); }

  // Gives the value, once; later calls are ignored. Any thread.
  void complete(Result<T> value) {
    auto state = std::move(state_);
    if (!state) return;
    Loop* loop = nullptr;
    {
      std::lock_guard lock(state->mutex);
      state->value.emplace(std::move(value));
      loop = state->waiter ? state->loop : nullptr;
    }
    if (loop) {
      loop->post([state = std::move(state)] {
        if (std::exchange(state->resumed, true)) return;
        state->waiter.resume();
      });
    }
  }
  explicit operator bool() const { return state_ != nullptr; }

 private:
  void abandon() {
    if (state_) complete(fail(cancelled_error()));
  }
  std::shared_ptr<detail::CompletionState<T>> state_;  // shared by the two halves
};

template <class T>
class [[nodiscard]] Completion {
 public:
  Completion() : state_(std::make_shared<detail::CompletionState<T>>()) {}
  // The other half; ask once.
  Completer<T> completer() { return Completer<T>(state_); }

  struct Awaiter {
    std::shared_ptr<detail::CompletionState<T>> state;
    StopCallback on_stop;
    bool stopped = false;
    bool waiting = false;

    ~Awaiter() {  // of a frame that is destroyed while it waits
      if (waiting) forget();
    }
    explicit Awaiter(std::shared_ptr<detail::CompletionState<T>> s) : state(std::move(s)) {}
    bool await_ready() {
      std::lock_guard lock(state->mutex);
      return state->value.has_value();
    }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> self) {
      Loop* loop = self.promise().loop;
      StopSource* stop = self.promise().stop;
      if (stop && stop->stopped()) {
        stopped = true;
        return false;
      }
      std::unique_lock lock(state->mutex);
      if (state->value) return false;
      state->waiter = self;
      state->loop = loop;
      waiting = true;
      lock.unlock();
      // From here on the value may be posted, but only this thread runs what is posted.
      if (stop) {
        on_stop.attach(stop, [this, loop] {
          loop->post([this, keep = state] {
            if (std::exchange(keep->resumed, true)) return;
            stopped = true;
            keep->waiter.resume();
          });
        });
      }
      return true;
    }
    Result<T> await_resume() {
      on_stop.detach();
      if (stopped) {
        forget();
        return fail(cancelled_error());
      }
      waiting = false;
      std::lock_guard lock(state->mutex);
      return std::move(*state->value);
    }

   private:
    // A value that comes later finds nobody to resume, and no loop (which may be gone by then).
    void forget() {
      waiting = false;
      std::lock_guard lock(state->mutex);
      state->waiter = nullptr;
      state->resumed = true;
    }
  };
  Awaiter operator co_await() && { return Awaiter(state_); }
  Awaiter operator co_await() & { return Awaiter(state_); }

 private:
  std::shared_ptr<detail::CompletionState<T>> state_;  // shared by the two halves
};

struct Unit {};  // the value of a Completion that carries none

}  // namespace pileus
