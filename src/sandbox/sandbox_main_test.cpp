// The room's own main: the launcher has to be forked before anything starts a thread. With
// "--hold FOLDER v1|auto" it is a server for the tests that kill one: it starts two sandboxes, one
// of them frozen, and waits.
#include <gtest/gtest.h>
#include <unistd.h>

#include "sandbox/test_support.h"

namespace {

int hold(const std::string& folder, bool v1) {
  using namespace pileus::sandbox;
  auto driver = make_process_driver(*test_launcher(),
                                    {.state_dir = folder,
                                     .pool = 1,
                                     .cgroups = v1 ? CgroupChoice::kV1Only : CgroupChoice::kAuto});
  std::vector<std::unique_ptr<Sandbox>> sandboxes;
  for (int i = 0; i < 2; ++i) {
    auto sandbox =
        test_loop().run(driver->start(python("import time\nprint('up')\ntime.sleep(600)")));
    if (!sandbox) return 1;
    read_some((*sandbox)->output_fd(), "up\n");
    sandboxes.push_back(std::move(*sandbox));
  }
  if (driver->capabilities().freezer && !test_loop().run(sandboxes[0]->freeze())) return 1;
  std::printf("up %d\n", test_launcher()->pid());
  std::fflush(stdout);
  for (;;) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
  auto launcher = pileus::sandbox::Launcher::start();
  if (!launcher) return 1;
  pileus::sandbox::test_launcher() = launcher->get();
  if (argc == 4 && std::string_view(argv[1]) == "--hold")
    return hold(argv[2], std::string_view(argv[3]) == "v1");
  testing::InitGoogleTest(&argc, argv);
  const int status = RUN_ALL_TESTS();
  pileus::sandbox::drop_test_driver();
  return status;
}
