// What app/ decides about functions.
#pragma once

#include <string>

#include "base/loop.h"

namespace pileus::services::lambda {

enum class Quotas { kNone, kAws };  // kAws: concurrency.h's of an account, CPU by memory
enum class RuntimeChoice {
  kExact,
  kNearest
};  // kNearest: another version stands in for a missing one

struct Options {
  std::string state_directory;     // unpacked code; made if missing
  std::string runtimes_directory;  // <name>/manifest.json each; bootstraps
  Quotas quotas = Quotas::kNone;
  RuntimeChoice runtime_choice = RuntimeChoice::kExact;
  std::size_t prewarm = 4;              // started environments kept per runtime and loop; 0: none
  std::size_t max_environments = 1000;  // on this machine
  std::size_t starts_at_once = 8;       // environments starting at a time, per loop
  Duration freeze_after = std::chrono::milliseconds(5);
  Duration idle_limit = std::chrono::minutes(5);
  std::uint32_t owner_uid = 0;                       // whose directories may be hot-reloaded
  std::string public_url = "http://127.0.0.1:4566";  // for Code.Location where no Host is known
};

}  // namespace pileus::services::lambda
