// EventLoop: a Loop on an Asio io_context, run by one thread. Only net/ includes this.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>

#include "net/server.h"
#include "net/timer_queue.h"

namespace pileus::net {

namespace asio = boost::asio;
using boost::system::error_code;

class EventLoop final : public Loop {
 public:
  EventLoop();
  void post(Callback work) override;
  TimerId call_after(Duration delay, Callback work) override;
  void cancel(TimerId timer) override;
  bool is_current() const override { return Loop::current() == this; }

  asio::io_context& context() { return *context_; }
  void run();      // until stop(); the loop's thread
  void stop();     // any thread
  void destroy();  // after the thread has ended: forgets what is queued

 private:
  void arm();
  void fire();

  std::unique_ptr<asio::io_context> context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  TimerQueue timers_;
  std::unique_ptr<asio::steady_timer> timer_;
  TimerQueue::Clock::time_point armed_ = TimerQueue::Clock::time_point::max();
  std::atomic<bool> dead_ = false;
};

class Loops::Impl {
 public:
  explicit Impl(std::size_t count);
  ~Impl();
  void stop();
  void join();  // after stop(); nothing when called on a loop
  bool stopped() const { return stopped_; }
  std::vector<std::unique_ptr<EventLoop>> loops;

 private:
  std::vector<std::thread> threads_;
  std::mutex joining_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace pileus::net
