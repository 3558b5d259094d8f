#include "base/clock.h"

#include <gtest/gtest.h>

#include "base/manual_loop.h"

namespace pileus {
namespace {

using namespace std::chrono_literals;
constexpr Time kStart{std::chrono::hours(24 * 365 * 50)};

TEST(ManualClock, Advance_fires_in_order_of_due_time) {
  ManualLoop loop;
  ManualClock clock(kStart);
  std::vector<std::pair<int, Time>> fired;
  clock.call_at(kStart + 3min, loop, [&] { fired.emplace_back(3, clock.now()); });
  clock.call_at(kStart + 1min, loop, [&] {
    fired.emplace_back(1, clock.now());
    clock.call_at(kStart + 2min, loop, [&] { fired.emplace_back(2, clock.now()); });
  });
  clock.call_at(kStart + 10min, loop, [&] { fired.emplace_back(10, clock.now()); });
  loop.run(clock.advance(5min));
  ASSERT_EQ(fired.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(fired[static_cast<std::size_t>(i)].first, i + 1);
    EXPECT_EQ(fired[static_cast<std::size_t>(i)].second, kStart + std::chrono::minutes(i + 1));
  }
  EXPECT_EQ(clock.now(), kStart + 5min);
  EXPECT_EQ(clock.pending(), 1u);
}

TEST(ManualClock, Advance_waits_for_work_that_is_held) {
  ManualLoop loop;
  ManualClock clock(kStart);
  bool done = false;
  Clock::Busy busy;
  clock.call_at(kStart + 1min, loop, [&] {
    busy = clock.hold();
    loop.call_after(10ms, [&] {
      done = true;
      busy = {};
    });
  });
  loop.run(clock.advance(1min));
  EXPECT_TRUE(done);
}

TEST(ManualClock, A_cancelled_timer_never_fires) {
  ManualLoop loop;
  ManualClock clock(kStart);
  const auto timer = clock.call_at(kStart + 1min, loop, [] { FAIL(); });
  clock.cancel(timer);
  loop.run(clock.advance(5min));
}

class SetTime final : public RealTime {
 public:
  Time now() const override { return now_; }
  std::chrono::nanoseconds monotonic() const override { return now_.time_since_epoch(); }
  Time now_ = kStart;
};

TEST(RealClock, Waits_across_hours_and_notices_a_corrected_clock) {
  ManualLoop loop;
  SetTime real;
  RealClock clock(real);
  bool fired = false;
  clock.call_at(kStart + 3h, loop, [&] { fired = true; });
  real.now_ = kStart + 4h;  // the wall clock was set forward
  loop.run_until([&] { return fired; });
  EXPECT_LE(loop.elapsed(), 1h);
}

}  // namespace
}  // namespace pileus
