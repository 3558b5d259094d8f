// `pileus runtimes add`: hands over to tools/add_runtime.sh, which knows packages.
#include <unistd.h>

#include <filesystem>

#include "app/commands.h"
#include "app/terminal.h"
#include "base/text.h"

namespace pileus::app {

int add_runtime(const std::string& runtimes, const std::string& name) {
  std::error_code failed;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failed).parent_path();
  for (const auto& candidate :
       {program / "../share/pileus/tools/add_runtime.sh", program / "../../tools/add_runtime.sh"}) {
    if (!std::filesystem::exists(candidate, failed)) continue;
    const std::string script = std::filesystem::canonical(candidate, failed).string();
    execl(script.c_str(), script.c_str(), name.c_str(),
          runtimes.empty() ? nullptr : runtimes.c_str(), nullptr);
    return complain(str("cannot run ", script), "");
  }
  return complain("the script add_runtime.sh is not installed beside this program",
                  "Install Pileus whole, or run it from its source tree.");
}

}  // namespace pileus::app
