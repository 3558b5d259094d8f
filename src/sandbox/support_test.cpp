#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "sandbox/sys.h"
#include "sandbox/test_support.h"

namespace pileus::sandbox {
namespace {
std::unique_ptr<ProcessDriver> driver;

CgroupChoice wanted_cgroups() {
  const char* wanted = ::getenv("PILEUS_TEST_CGROUPS");
  if (!wanted) return CgroupChoice::kAuto;
  return std::string_view(wanted) == "v1" ? CgroupChoice::kV1Only : CgroupChoice::kNone;
}
}  // namespace

Launcher*& test_launcher() {
  static Launcher* launcher = nullptr;
  return launcher;
}

std::string temporary_folder() {
  char name[] = "/tmp/pileus-sandbox-XXXXXX";
  return ::mkdtemp(name);
}

ManualLoop& test_loop() {
  static ManualLoop* loop = [] {
    auto* made = new ManualLoop;
    made->use_real_time();
    return made;
  }();
  return *loop;
}

ProcessDriver& test_driver() {
  static const std::string folder = [] {
    std::string made = temporary_folder();
    ::chmod(made.c_str(), 0755);
    static const struct Cleaner {
      std::string path;
      ~Cleaner() { remove_tree(path); }
    } cleaner{made};
    return made;
  }();
  if (!driver)
    driver =
        make_process_driver(*test_launcher(), {.state_dir = folder, .cgroups = wanted_cgroups()});
  return *driver;
}

void drop_test_driver() { driver.reset(); }

std::string read_all(int fd) {
  std::string out;
  char buffer[4096];
  for (;;) {
    pollfd watched{fd, POLLIN, 0};
    if (::poll(&watched, 1, 120'000) <= 0) break;
    const ssize_t size = ::read(fd, buffer, sizeof buffer);
    if (size < 0 && errno == EAGAIN) continue;
    if (size <= 0) break;
    out.append(buffer, static_cast<std::size_t>(size));
  }
  ::close(fd);
  return out;
}

std::string read_some(int fd, std::string_view until) {
  std::string out;
  char byte;
  while (out.find(until) == std::string::npos) {
    pollfd watched{fd, POLLIN, 0};
    if (::poll(&watched, 1, 60'000) <= 0 || ::read(fd, &byte, 1) != 1) break;
    out.push_back(byte);
  }
  return out;
}

Spec python(std::string code) {
  Spec spec;
  spec.id = "test";
  spec.outbound = Outbound::kNone;
  spec.argv = {"/usr/bin/python3", "-I", "-S", "-u", "-c", std::move(code)};
  spec.environment = {{"PATH", "/usr/bin:/bin"}};
  return spec;
}

Result<std::unique_ptr<Sandbox>> start(Spec spec) {
  return test_loop().run(test_driver().start(std::move(spec)));
}

Ran run(Spec spec) {
  Ran ran;
  auto sandbox = start(std::move(spec));
  if (!sandbox) {
    ADD_FAILURE() << sandbox.error().message();
    return ran;
  }
  ran.output = read_all((*sandbox)->output_fd());
  auto exit = test_loop().run((*sandbox)->wait());
  if (exit)
    ran.exit = *exit;
  else
    ADD_FAILURE() << exit.error().message();
  ran.usage = (*sandbox)->usage();
  return ran;
}

}  // namespace pileus::sandbox
