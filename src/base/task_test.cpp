#include <gtest/gtest.h>

#include <thread>

#include "base/manual_loop.h"

namespace pileus {
namespace {

using namespace std::chrono_literals;

Task<int> plain(int value) { co_return value; }
Task<int> add(int a, int b) { co_return co_await plain(a) + co_await plain(b); }
Task<int> throwing() {
  throw std::runtime_error("bug");
  co_return 0;
}

TEST(Task, Awaiting_gives_the_value) {
  ManualLoop loop;
  EXPECT_EQ(loop.run(add(2, 3)), 5);
}

TEST(Task, An_exception_reaches_the_awaiter) {
  ManualLoop loop;
  EXPECT_THROW((void)loop.run(throwing()), std::runtime_error);
}

Task<Result<std::thread::id>> completed_elsewhere() {
  Completion<int> completion;
  std::thread other([completer = completion.completer()]() mutable { completer.complete(7); });
  auto value = co_await completion;
  other.join();
  if (!value || *value != 7) co_return fail("Wrong", "no value");
  co_return std::this_thread::get_id();
}

TEST(Completion, A_value_from_another_thread_resumes_at_home) {
  ManualLoop loop;
  auto where = loop.run(completed_elsewhere());
  ASSERT_TRUE(where.has_value());
  EXPECT_EQ(*where, std::this_thread::get_id());
}

Task<Result<int>> waits(Completion<int> completion) { co_return co_await completion; }

TEST(Completion, A_dropped_completer_cancels) {
  ManualLoop loop;
  Completion<int> completion;
  {
    auto dropped = completion.completer();
  }
  auto result = loop.run(waits(std::move(completion)));
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().is(errc::kCancelled));
}

TEST(Completion, The_first_value_stands) {
  ManualLoop loop;
  Completion<int> completion;
  auto completer = completion.completer();
  completer.complete(1);
  completer.complete(2);
  EXPECT_EQ(*loop.run(waits(std::move(completion))), 1);
}

TEST(Deadline, Ends_a_wait_that_has_no_value) {
  ManualLoop loop;
  Completion<int> completion;
  auto completer = completion.completer();
  auto result = loop.run(with_deadline<int>(50ms, waits(std::move(completion))));
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().is(errc::kDeadline));
  EXPECT_EQ(loop.elapsed(), 50ms);
  completer.complete(1);  // too late, dropped
}

TEST(Deadline, Does_not_touch_a_result_in_time) {
  ManualLoop loop;
  Completion<int> completion;
  completion.completer().complete(4);
  auto result = loop.run(with_deadline<int>(50ms, waits(std::move(completion))));
  EXPECT_EQ(result.value(), 4);
}

Task<void> sleeper(int& ended) {
  (void)co_await sleep_for(1h);
  ++ended;
}
Task<void> spawn_and_close(int& ended) {
  TaskGroup group(*co_await current_loop());
  group.spawn(sleeper(ended));
  group.spawn(sleeper(ended));
  co_await group.close();
}

TEST(TaskGroup, Close_stops_all_and_waits) {
  ManualLoop loop;
  int ended = 0;
  loop.run(spawn_and_close(ended));
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(loop.elapsed(), 0us);
}

Task<void> boom() {
  throw std::runtime_error("bug");
  co_return;
}
Task<void> spawn_boom() {
  TaskGroup group(*co_await current_loop());
  group.spawn(boom());
  co_await group.drain();
}
TEST(TaskGroup, An_exception_ends_only_its_task) {
  ManualLoop loop;
  loop.run(spawn_boom());
}

TEST(StopSource, A_child_stops_with_its_parent) {
  StopSource parent;
  StopSource child(&parent);
  int called = 0;
  StopCallback callback(&child, [&] { ++called; });
  parent.stop();
  parent.stop();
  EXPECT_TRUE(child.stopped());
  EXPECT_EQ(called, 1);
}

}  // namespace
}  // namespace pileus
