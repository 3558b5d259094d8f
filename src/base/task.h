// Task<T>: a lazy coroutine with a home loop and a stop source, both inherited from whoever awaits
// it. It runs on its home loop only: a completion that arrives on another thread is posted there.
// Parameters by value (but for the Context& that the Door owns); no capturing lambda as a
// coroutine. Every leaf wait ends at once, with errc::kCancelled, when the stop source stops: so
// cancellation and deadlines are structured (a task that was cancelled has ended when its awaiter
// goes on).
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/loop.h"
#include "base/stop.h"

#if defined(__clang__)
#define PILEUS_CORO_TASK clang::coro_return_type, clang::coro_lifetimebound
#else
#define PILEUS_CORO_TASK
#endif

namespace pileus {

struct PromiseBase {
  Loop* loop = nullptr;
  StopSource* stop = nullptr;
  std::coroutine_handle<> continuation;
  std::exception_ptr exception;

  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) noexcept {
      auto next = self.promise().continuation;
      return next ? next : std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  std::suspend_always initial_suspend() noexcept { return {}; }
  FinalAwaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { exception = std::current_exception(); }
};

template <class T>
class [[nodiscard, PILEUS_CORO_TASK]] Task {
 public:
  struct promise_type : PromiseBase {
    std::optional<T> value;
    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    template <class U>
    void return_value(U&& result) {
      value.emplace(std::forward<U>(result));
    }
  };
  using Handle = std::coroutine_handle<promise_type>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  struct Awaiter {
    Handle handle;
    bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> parent) noexcept {
      auto& promise = handle.promise();
      promise.loop = parent.promise().loop;
      if (!promise.stop) promise.stop = parent.promise().stop;
      promise.continuation = parent;
      return handle;
    }
    T await_resume() {
      auto& promise = handle.promise();
      if (promise.exception) std::rethrow_exception(promise.exception);
      return std::move(*promise.value);
    }
  };
  Awaiter operator co_await() && noexcept { return Awaiter{handle_}; }
  Awaiter operator co_await() & noexcept { return Awaiter{handle_}; }

  // Used by with_deadline: a source of the task's own instead of its awaiter's.
  void set_stop(StopSource* stop) { handle_.promise().stop = stop; }

 private:
  explicit Task(Handle handle) : handle_(handle) {}
  Handle handle_;
};

template <>
class [[nodiscard, PILEUS_CORO_TASK]] Task<void> {
 public:
  struct promise_type : PromiseBase {
    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    void return_void() noexcept {}
  };
  using Handle = std::coroutine_handle<promise_type>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  struct Awaiter {
    Handle handle;
    bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> parent) noexcept {
      auto& promise = handle.promise();
      promise.loop = parent.promise().loop;
      if (!promise.stop) promise.stop = parent.promise().stop;
      promise.continuation = parent;
      return handle;
    }
    void await_resume() {
      if (handle.promise().exception) std::rethrow_exception(handle.promise().exception);
    }
  };
  Awaiter operator co_await() && noexcept { return Awaiter{handle_}; }
  Awaiter operator co_await() & noexcept { return Awaiter{handle_}; }
  void set_stop(StopSource* stop) { handle_.promise().stop = stop; }

 private:
  explicit Task(Handle handle) : handle_(handle) {}
  Handle handle_;
};

// What a coroutine can ask about itself: `Loop* loop = co_await current_loop();`
struct current_loop {
  Loop* loop = nullptr;
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) noexcept {
    loop = self.promise().loop;
    return false;
  }
  Loop* await_resume() const noexcept { return loop; }
};
struct current_stop {
  StopSource* stop = nullptr;
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) noexcept {
    stop = self.promise().stop;
    return false;
  }
  StopSource* await_resume() const noexcept { return stop; }
};

inline Error cancelled_error() { return Error(std::string(errc::kCancelled), "cancelled", 503); }

}  // namespace pileus
