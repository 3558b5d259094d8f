// Two clocks, both given, made only by app/.
//  Clock: the cloud's time. Schedules, retries, retention, bake times. It may be real or moved by
//  hand (`pileus clock advance 5m`), is persisted by app/ and never goes back.
//  RealTime: the machine's time. Sockets, signatures, credentials, time-outs of running code.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "base/completion.h"

namespace pileus {

using Time = std::chrono::sys_time<std::chrono::microseconds>;

class RealTime {
 public:
  virtual ~RealTime() = default;
  virtual Time now() const = 0;                            // wall time
  virtual std::chrono::nanoseconds monotonic() const = 0;  // for measuring
};

class Clock {
 public:
  using TimerId = std::uint64_t;  // 0 is never a timer

  virtual ~Clock() = default;
  virtual Time now() const = 0;
  // Runs `work` on `loop` once the cloud's time is `due` or later. Any thread. A timer that is due
  // already runs as soon as the loop comes to it.
  virtual TimerId call_at(Time due, Loop& loop, Callback work) = 0;
  virtual void cancel(TimerId timer) = 0;

  // Work that a fired timer set going and that is not done yet: while any token lives, a manual
  // clock's advance() waits before it fires what is due next. Hold one across background steps.
  class Busy {
   public:
    Busy() = default;
    explicit Busy(Clock* clock) : clock_(clock) {
      if (clock_) clock_->busy(+1);
    }
    Busy(Busy&& other) noexcept : clock_(std::exchange(other.clock_, nullptr)) {}
    Busy& operator=(Busy&& other) noexcept {
      if (this != &other) {
        release();
        clock_ = std::exchange(other.clock_, nullptr);
      }
      return *this;
    }
    ~Busy() { release(); }

   private:
    void release() {
      if (auto* clock = std::exchange(clock_, nullptr)) clock->busy(-1);
    }
    Clock* clock_ = nullptr;
  };
  [[nodiscard]] Busy hold() { return Busy(this); }

 protected:
  virtual void busy(int change) = 0;
};

// Waits until the cloud's time is `due` (kCancelled when stopped).
Task<Result<Unit>> sleep_until(Clock& clock, Time due);

// A clock moved by hand. Time starts at `start` and moves only in advance().
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start) : now_(start) {}
  Time now() const override;
  TimerId call_at(Time due, Loop& loop, Callback work) override;
  void cancel(TimerId timer) override;

  // Fires everything due up to now + by, in order of due time, each once what the one before set
  // going has settled; then now is now + by.
  Task<void> advance(Duration by);
  std::size_t pending() const;

 protected:
  void busy(int change) override;

 private:
  struct Timer {
    TimerId id;
    Loop* loop;
    Callback work;
  };
  Task<void> settle();
  mutable std::mutex mutex_;  // any thread asks for the time
  Time now_;
  TimerId next_ = 1;
  int busy_ = 0;
  std::multimap<Time, Timer> timers_;
  std::vector<Completer<Unit>> settling_;
};

// Cloud time that runs with the machine's, shifted by `offset` (how far it was moved by hand).
class RealClock final : public Clock {
 public:
  explicit RealClock(const RealTime& real, Duration offset = Duration(0))
      : real_(real), offset_(offset) {}
  Time now() const override { return real_.now() + offset_; }
  TimerId call_at(Time due, Loop& loop, Callback work) override;
  void cancel(TimerId timer) override;

 protected:
  void busy(int) override {}

 private:
  struct Armed;
  void arm(std::shared_ptr<Armed> armed);
  const RealTime& real_;
  const Duration offset_;
  std::mutex mutex_;
  TimerId next_ = 1;
  std::map<TimerId, std::shared_ptr<Armed>> timers_;  // shared with the loop's own timer
};

// The machine's clocks.
class SystemTime final : public RealTime {
 public:
  Time now() const override;
  std::chrono::nanoseconds monotonic() const override;
};

}  // namespace pileus
