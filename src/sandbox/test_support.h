// What the tests of this room share: one launcher and one driver for the process, short words for
// "run this in a sandbox and give me what it said".
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/manual_loop.h"
#include "sandbox/process_driver.h"

namespace pileus::sandbox {

Launcher*& test_launcher();
// The driver of this process, made at first use. Its state is a temporary folder.
ProcessDriver& test_driver();
ManualLoop& test_loop();
void drop_test_driver();

struct Ran {
  Exit exit;
  std::string output;
  Usage usage;
};
std::string read_all(int fd);                           // until the end, then closes
std::string read_some(int fd, std::string_view until);  // until it has said `until`, at most 60 s
Spec python(std::string code);                          // python3 -c code, outbound none
// The same code as a fork of a zygote: a held program that takes its code with its assignment. Not
// forked when the launcher found no zygote: `forked` waits until there is one.
Spec forked_python();
Result<std::unique_ptr<Sandbox>> start_forked(std::string code, Spec spec = forked_python());
enum class Way { kExecuted, kForked };
Result<std::unique_ptr<Sandbox>> start(Spec spec);
Ran run(Spec spec);
Ran run(Way way, Spec spec);  // of python()
std::string temporary_folder();

}  // namespace pileus::sandbox

// In a test body: not on a machine that gives no sandboxes.
#define NEEDS_ISOLATION()                                         \
  if (!::pileus::sandbox::test_driver().capabilities().isolation) \
  GTEST_SKIP() << "no namespaces here: "                          \
               << ::pileus::sandbox::test_driver().capabilities().missing.back()
