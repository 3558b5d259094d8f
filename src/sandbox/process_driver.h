// The `process` driver: sandboxes made by the launcher out of namespaces, a control group, a system
// call filter and a prepared root. Any loop may call it; a thread of its own hears the launcher.
// Made once per launcher; outlives its sandboxes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "sandbox/launcher.h"

namespace pileus::sandbox {

struct ProcessOptions {
  std::string state_dir;                      // absolute; the folder "sandbox" in it is ours
  std::uint32_t pool = 4;                     // sandboxes prepared ahead …
  std::uint32_t pool_most = 32;               // … and as many as were started lately, up to this
  std::uint64_t zygote_bytes = 128ull << 20;  // memory zygotes may have together; 0: no zygotes
  std::uint64_t tmp_bytes = 512ull << 20;     // the /tmp of prepared ones
  CgroupChoice cgroups = CgroupChoice::kAuto;
  bool outbound = true;    // false: no firewall table, no forwarding
  bool tmp_images = true;  // false: /tmp in memory
  // The launcher died: nothing can be run any more. Unset: says so and ends the server (status 70).
  std::move_only_function<void()> on_launcher_death;
};

class ProcessDriver : public Driver {
 public:
  // Waits until the machine has been tried out: some 30 ms after construction. Any thread.
  const Capabilities& capabilities() const override = 0;
  // Until what is being taken away is gone and the pool is full again.
  virtual Task<Result<Unit>> settle() = 0;
  virtual void end_zygotes() = 0;  // their memory is wanted; what they forked goes on
};

// Returns at once; the launcher prepares in the background, starts wait for it.
std::unique_ptr<ProcessDriver> make_process_driver(Launcher& launcher, ProcessOptions options);

}  // namespace pileus::sandbox
