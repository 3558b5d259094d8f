#include <pthread.h>

#include <boost/asio/post.hpp>

#include "base/log.h"
#include "net/loops_impl.h"

namespace pileus::net {

namespace {
constexpr std::size_t kMostLoops = 64;
}

// The hint: sockets and timers are touched on the loop's thread only (no locks there); post() alone
// comes from other threads.
EventLoop::EventLoop()
    : context_(std::make_unique<asio::io_context>(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO)),
      work_(context_->get_executor()),
      timer_(std::make_unique<asio::steady_timer>(*context_)) {}

void EventLoop::post(Callback work) {
  if (dead_) return;
  asio::post(*context_, std::move(work));
}

Loop::TimerId EventLoop::call_after(Duration delay, Callback work) {
  const auto due = TimerQueue::Clock::now() + std::max(delay, Duration::zero());
  const TimerId id = timers_.add(due, std::move(work));
  if (due < armed_) arm();
  return id;
}

// The armed wait stays: waking once for nothing costs less than re-arming at every cancel.
void EventLoop::cancel(TimerId timer) { timers_.remove(timer); }

void EventLoop::arm() {
  armed_ = timers_.next();
  if (armed_ == TimerQueue::Clock::time_point::max()) return;
  timer_->expires_at(armed_);
  timer_->async_wait([this](error_code error) {
    if (!error) fire();
  });
}

void EventLoop::fire() {
  armed_ = TimerQueue::Clock::time_point::min();  // no arming from within
  const auto now = TimerQueue::Clock::now();
  while (Callback work = timers_.take(now)) {
    try {
      work();
    } catch (const std::exception& error) {
      log::error("a timer ended with an exception", {{"what", error.what()}});
    }
  }
  arm();
}

void EventLoop::run() {
  set_current(this);
  while (!context_->stopped()) {
    try {
      context_->run();
    } catch (const std::exception& error) {
      log::error("work on an event loop ended with an exception", {{"what", error.what()}});
    }
  }
  set_current(nullptr);
}

void EventLoop::stop() { context_->stop(); }

void EventLoop::destroy() {
  dead_ = true;
  timer_.reset();
  work_.reset();
  {
    const auto forgotten = std::move(timers_);
  }
  context_.reset();
}

Loops::Impl::Impl(std::size_t count) {
  if (count == 0) count = std::max(1u, std::thread::hardware_concurrency());
  count = std::min(count, kMostLoops);
  for (std::size_t i = 0; i < count; ++i) loops.push_back(std::make_unique<EventLoop>());
  for (std::size_t i = 0; i < count; ++i) {
    threads_.emplace_back([loop = loops[i].get()] { loop->run(); });
    pthread_setname_np(threads_.back().native_handle(), ("loop-" + std::to_string(i)).c_str());
  }
}

Loops::Impl::~Impl() {
  stop();
  join();
  // In two steps: what one loop forgets may still post to another.
  for (auto& loop : loops) loop->destroy();
}

void Loops::Impl::stop() {
  stopped_ = true;
  for (auto& loop : loops) loop->stop();
}

void Loops::Impl::join() {
  if (dynamic_cast<EventLoop*>(Loop::current())) return;
  std::lock_guard lock(joining_);
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

Loops::Loops(std::size_t count) : impl_(std::make_unique<Impl>(count)) {}
Loops::~Loops() = default;
Loop& Loops::at(std::size_t index) { return *impl_->loops.at(index); }
std::size_t Loops::size() const { return impl_->loops.size(); }
Loop& Loops::home(std::string_view key) {
  return *impl_->loops[std::hash<std::string_view>{}(key) % impl_->loops.size()];
}
void Loops::stop() { impl_->stop(); }

}  // namespace pileus::net
