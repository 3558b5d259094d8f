#include <gtest/gtest.h>

#include <latch>

#include "net/test_support.h"
#include "net/timer_queue.h"

namespace pileus::net {
namespace {

TEST(Loops, Work_is_posted_from_any_thread_and_runs_in_order) {
  Loops loops(2);
  std::vector<int> seen;
  std::latch done(1);
  for (int i = 0; i < 1000; ++i) loops.at(1).post([&seen, i] { seen.push_back(i); });
  loops.at(1).post([&] {
    EXPECT_TRUE(loops.at(1).is_current());
    EXPECT_FALSE(loops.at(0).is_current());
    EXPECT_EQ(Loop::current(), &loops.at(1));
    done.count_down();
  });
  done.wait();
  ASSERT_EQ(seen.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST(Loops, Timers_fire_in_order_of_their_time) {
  Loops loops(1);
  std::vector<int> seen;
  std::latch done(1);
  loops.at(0).post([&] {
    Loop& loop = loops.at(0);
    using std::chrono::milliseconds;
    loop.call_after(milliseconds(20), [&] {
      seen.push_back(3);
      done.count_down();
    });
    loop.call_after(milliseconds(10), [&] { seen.push_back(2); });
    const auto never = loop.call_after(milliseconds(1), [&] { seen.push_back(99); });
    loop.call_after(Duration(0), [&] { seen.push_back(1); });
    loop.cancel(never);
    loop.cancel(123456);
  });
  done.wait();
  EXPECT_EQ(seen, (std::vector<int>{1, 2, 3}));
}

TEST(Loops, A_key_keeps_its_loop) {
  Loops loops(4);
  std::set<Loop*> used;
  for (int i = 0; i < 100; ++i) {
    const std::string key = "function-" + std::to_string(i);
    EXPECT_EQ(&loops.home(key), &loops.home(key));
    used.insert(&loops.home(key));
  }
  EXPECT_EQ(used.size(), 4u);
}

TEST(Loops, An_exception_does_not_end_a_loop) {
  Loops loops(1);
  std::latch done(1);
  loops.at(0).post([] { throw std::runtime_error("a bug of a test"); });
  loops.at(0).post([&] { done.count_down(); });
  done.wait();
}

Task<int> add(int a, int b) {
  (void)co_await sleep_for(Duration(100));
  co_return a + b;
}

TEST(Loops, Tasks_sleep_and_go_on) {
  Loops loops(1);
  EXPECT_EQ(test::run_on(loops.at(0), add(1, 2)), 3);
}

TEST(Loops, What_is_queued_when_they_end_is_forgotten) {
  auto kept = std::make_shared<int>(1);
  {
    Loops loops(2);
    loops.stop();
    for (std::size_t i = 0; i < 2; ++i) {
      loops.at(i).post([kept] {});
      // What is forgotten may post to another loop that is going away, too.
      struct Poster {
        Loop* other;
        std::shared_ptr<int> kept;
        ~Poster() {
          if (kept) other->post([keep = kept] {});
        }
        Poster(Loop* loop, std::shared_ptr<int> shared) : other(loop), kept(std::move(shared)) {}
        Poster(Poster&&) = default;
      };
      loops.at(i).post([poster = Poster(&loops.at(1 - i), kept)] {});
    }
  }
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(TimerQueue, Forgotten_timers_do_not_pile_up) {
  TimerQueue queue;
  const auto start = TimerQueue::Clock::time_point();
  for (int i = 0; i < 100'000; ++i) queue.remove(queue.add(start + std::chrono::hours(1), [] {}));
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_LE(queue.slots(), 65u);
  EXPECT_EQ(queue.next(), TimerQueue::Clock::time_point::max());
}

TEST(TimerQueue, Gives_what_is_due_only) {
  TimerQueue queue;
  const auto start = TimerQueue::Clock::time_point();
  int fired = 0;
  queue.add(start + std::chrono::seconds(2), [&] { fired = 2; });
  queue.add(start + std::chrono::seconds(1), [&] { fired = 1; });
  EXPECT_FALSE(queue.take(start));
  EXPECT_EQ(queue.next(), start + std::chrono::seconds(1));
  queue.take(start + std::chrono::seconds(1))();
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(queue.take(start + std::chrono::seconds(1)));
  EXPECT_EQ(queue.size(), 1u);
}

}  // namespace
}  // namespace pileus::net
