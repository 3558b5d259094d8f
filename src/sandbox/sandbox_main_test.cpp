// The room's own main: the launcher has to be forked before anything starts a thread.
#include <gtest/gtest.h>

#include "sandbox/test_support.h"

int main(int argc, char** argv) {
  auto launcher = pileus::sandbox::Launcher::start();
  if (!launcher) return 1;
  pileus::sandbox::test_launcher() = launcher->get();
  testing::InitGoogleTest(&argc, argv);
  const int status = RUN_ALL_TESTS();
  pileus::sandbox::drop_test_driver();
  return status;
}
