#include "sandbox/fake_driver.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "base/manual_loop.h"

namespace pileus::sandbox {
namespace {

Spec spec_with_listener() {
  Spec spec;
  spec.id = "one";
  spec.hold = Hold::kProgram;
  spec.listeners = {{"runtime", "127.0.0.1", 9001}};
  return spec;
}

TEST(FakeDriver, What_is_asked_is_recorded) {
  ManualLoop loop;
  FakeDriver driver;
  auto sandbox = loop.run(driver.start(spec_with_listener()));
  ASSERT_TRUE(sandbox.has_value());
  const auto workload = driver.last();
  EXPECT_EQ(workload->spec.id, "one");
  Assignment assignment;
  assignment.environment = {{"A", "b"}};
  ASSERT_TRUE(loop.run((*sandbox)->assign(assignment)).has_value());
  EXPECT_EQ(workload->assignment()->environment.at(0).second, "b");
  EXPECT_FALSE(loop.run((*sandbox)->assign(assignment)).has_value())
      << "once only, as the real one";
  ASSERT_TRUE(loop.run((*sandbox)->freeze()).has_value());
  EXPECT_TRUE(workload->frozen());
  ASSERT_TRUE(loop.run((*sandbox)->thaw()).has_value());
  EXPECT_FALSE(workload->frozen());
  (*sandbox)->signal(15);
  EXPECT_EQ(workload->signals(), std::vector<int>{15});
  EXPECT_EQ(driver.alive(), 1u);
  sandbox->reset();
  EXPECT_TRUE(workload->destroyed());
  EXPECT_TRUE(workload->killed());
  EXPECT_EQ(driver.alive(), 0u);
}

TEST(FakeDriver, A_test_plays_the_runtime_over_a_real_socket) {
  ManualLoop loop;
  FakeDriver driver;
  auto sandbox = loop.run(driver.start(spec_with_listener()));
  const UniqueFd listener((*sandbox)->listener_fd("runtime"));
  ASSERT_GE(listener.get(), 0);
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  where.sin_port = htons(driver.last()->port("runtime"));
  EXPECT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
  EXPECT_EQ(driver.last()->port("other"), 0);
}

TEST(FakeDriver, Output_and_exit_are_the_tests_to_give) {
  ManualLoop loop;
  FakeDriver driver;
  auto sandbox = loop.run(driver.start(spec_with_listener()));
  const UniqueFd output((*sandbox)->output_fd());
  driver.last()->say("hello");
  char text[16] = {};
  EXPECT_EQ(::read(output.get(), text, sizeof text), 5);
  driver.last()->exit({.code = 3});
  EXPECT_EQ(::read(output.get(), text, sizeof text), 0) << "the output has ended";
  EXPECT_EQ(loop.run((*sandbox)->wait())->code, 3);
}

TEST(FakeDriver, Scripts_and_refusals) {
  ManualLoop loop;
  FakeDriver driver;
  driver.refuse_next_start(Error(std::string(errc::kIo), "no"));
  EXPECT_FALSE(loop.run(driver.start(spec_with_listener())).has_value());
  driver.on_start([](std::shared_ptr<FakeWorkload> workload) {
    workload->refuse_assignment(Error("X", "no"));
  });
  driver.on_assign([](std::shared_ptr<FakeWorkload> workload) { workload->exit({.code = 1}); });
  auto sandbox = loop.run(driver.start(spec_with_listener()));
  EXPECT_EQ(loop.run((*sandbox)->assign({})).error().code(), "X");
  EXPECT_TRUE(loop.run((*sandbox)->assign({})).has_value());
  EXPECT_EQ(loop.run((*sandbox)->wait())->code, 1);
}

}  // namespace
}  // namespace pileus::sandbox
