// EventStream: the member of an answer that is a stream of events, made while they are read. A
// handler gives a source; the Door sends what it gives as application/vnd.amazon.eventstream (see
// protocol/event_stream.h), an in-process caller reads it itself. One reader, on one loop.
#pragma once

#include <memory>
#include <optional>

#include "aws/shape.h"
#include "base/completion.h"

namespace pileus::aws {

// Where events come from. It lives longer than its handler: it must not refer to the Context. A
// reader that leaves destroys it.
template <class Event>
class EventSource {
 public:
  virtual ~EventSource() = default;
  // The next event, as soon as there is one; nothing at the end. An error ends the stream and
  // reaches the reader: as one of the modelled exceptions where its code is one.
  virtual Task<Result<std::optional<Event>>> next() = 0;
};

template <class Event>
class EventStream {
 public:
  EventStream() = default;
  EventStream(std::unique_ptr<EventSource<Event>> source) : source_(std::move(source)) {}
  explicit operator bool() const { return source_ != nullptr; }

  [[clang::coro_wrapper]] Task<Result<std::optional<Event>>> next() {
    return source_ ? source_->next() : none();
  }

 private:
  static Task<Result<std::optional<Event>>> none() { co_return std::optional<Event>(); }
  std::unique_ptr<EventSource<Event>> source_;
};

// How the Door reads a stream whatever its events are.
struct StreamOps {
  bool (*has)(const void* stream);
  void* (*new_event)();
  void (*delete_event)(void* event);
  // Fills a new event; false at the end.
  Task<Result<bool>> (*next)(void* stream, void* event);
};

template <class Event>
Task<Result<bool>> next_of(void* stream, void* event) {
  CO_TRY_ASSIGN(auto next, co_await static_cast<EventStream<Event>*>(stream)->next());
  if (!next) co_return false;
  *static_cast<Event*>(event) = std::move(*next);
  co_return true;
}

template <class Event>
inline constexpr StreamOps stream_ops = {
    [](const void* stream) { return bool(*static_cast<const EventStream<Event>*>(stream)); },
    []() -> void* { return new Event(); }, [](void* event) { delete static_cast<Event*>(event); },
    &next_of<Event>};

}  // namespace pileus::aws
