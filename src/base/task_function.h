// TaskFunction<Task<T>(Args…)>: std::function for what returns a Task (the standard's wrappers
// cannot be told that they only pass the coroutine on). Copyable; the copies share the callable. A
// lambda that captures must not be a coroutine itself: let it call one, and mark it
//   [&room] [[clang::coro_wrapper]] (Request& request) { return room.handle(request); }
#pragma once

#include <memory>
#include <utility>

#include "base/task.h"

namespace pileus {

template <class Signature>
class TaskFunction;

template <class T, class... Args>
class TaskFunction<Task<T>(Args...)> {
 public:
  TaskFunction() = default;
  TaskFunction(std::nullptr_t) {}
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, TaskFunction> &&
             std::is_invocable_r_v<Task<T>, F&, Args...>)
  TaskFunction(F&& callable)
      : model_(std::make_shared<Model<std::decay_t<F>>>(std::forward<F>(callable))) {}

  // The callable must outlive the task (this object, or a copy of it).
  [[clang::coro_wrapper, clang::coro_disable_lifetimebound]] Task<T> operator()(
      Args... args) const {
    return model_->call(std::forward<Args>(args)...);
  }
  explicit operator bool() const { return model_ != nullptr; }

 private:
  struct Concept {
    virtual ~Concept() = default;
    [[clang::coro_wrapper, clang::coro_disable_lifetimebound]] virtual Task<T> call(
        Args... args) = 0;
  };
  template <class F>
  struct Model final : Concept {
    explicit Model(F its_callable) : callable(std::move(its_callable)) {}
    [[clang::coro_wrapper, clang::coro_disable_lifetimebound]] Task<T> call(Args... args) override {
      return callable(std::forward<Args>(args)...);
    }
    F callable;
  };
  std::shared_ptr<Concept> model_;  // shared by the copies
};

}  // namespace pileus
