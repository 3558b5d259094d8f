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
    driver = make_process_driver(
        *test_launcher(), {.state_dir = folder, .pool_most = 4, .cgroups = wanted_cgroups()});
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

Spec forked_python() {
  Spec spec = python(
      "import os, sys\n"
      "if sys.argv[-1] == '--zygote':\n"
      "  import ctypes\n"
      "  ctypes.PyDLL('/run/pileus/enter.so').pileus_serve_forks(3, -1)\n"
      "data = b''\n"
      "while True:\n"
      "  part = os.read(3, 65536)\n"
      "  if not part: break\n"
      "  data += part\n"
      "os.close(3)\n"
      "if os.getppid() != 0 and b'ANY=' not in data: print('BROKE: not a fork'); sys.exit(99)\n"
      "exec(data.split(b'CODE=', 1)[1].rstrip(b'\\0').decode())");
  spec.hold = Hold::kProgram;
  spec.zygote = "test";
  return spec;
}

namespace {
Result<std::unique_ptr<Sandbox>> start_held(std::string code, Spec spec, bool any) {
  TRY_ASSIGN(auto sandbox, start(std::move(spec)));
  Assignment assignment;
  assignment.working_directory = "/";
  if (any) assignment.environment.emplace_back("ANY", "1");
  assignment.environment.emplace_back("CODE", std::move(code));
  TRY(test_loop().run(sandbox->assign(std::move(assignment))));
  return sandbox;
}
}  // namespace

// Two starts that come close together make the launcher begin a zygote; the third finds it.
Result<std::unique_ptr<Sandbox>> start_forked(std::string code, Spec spec) {
  for (int i = 0; i < 2; ++i) {
    TRY_ASSIGN(auto sandbox, start_held("pass", spec, true));
    TRY(test_loop().run(sandbox->wait()));
  }
  return start_held(std::move(code), std::move(spec), false);
}

namespace {
Ran finish(Result<std::unique_ptr<Sandbox>> sandbox);
}

Ran run(Spec spec) { return finish(start(std::move(spec))); }

Ran run(Way way, Spec spec) {
  if (way == Way::kExecuted) return run(std::move(spec));
  Spec forked = forked_python();
  std::string code = spec.argv.back();
  spec.argv = std::move(forked.argv);
  spec.hold = forked.hold;
  spec.zygote = forked.zygote;
  return finish(start_forked(std::move(code), std::move(spec)));
}

namespace {

Ran finish(Result<std::unique_ptr<Sandbox>> sandbox) {
  Ran ran;
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

}  // namespace

}  // namespace pileus::sandbox
