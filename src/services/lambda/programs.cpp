#include "services/lambda/programs.h"

#include <unistd.h>

#include <filesystem>
#include <set>

namespace pileus::services::lambda {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kTask = "/var/task", kOpt = "/opt";

// The folders that make up what is at `target`, uppermost first.
std::vector<std::string> folders_of(const std::vector<sandbox::Mount>& mounts,
                                    std::string_view target) {
  std::vector<std::string> out;
  for (const auto& mount : mounts) {
    if (mount.target != target) continue;
    out.push_back(mount.source);
    out.insert(out.end(), mount.below.begin(), mount.below.end());
  }
  return out;
}

}  // namespace

std::vector<std::string> extension_programs(const std::vector<sandbox::Mount>& mounts) {
  std::set<std::string> names;
  for (const auto& folder : folders_of(mounts, kOpt)) {
    std::error_code why;
    for (const auto& entry : fs::directory_iterator(folder + "/extensions", why))
      if (!entry.is_directory(why)) names.insert(entry.path().filename().string());
  }
  return {names.begin(), names.end()};
}

std::string bootstrap_program(const std::vector<sandbox::Mount>& mounts) {
  for (const auto target : {kTask, kOpt})
    for (const auto& folder : folders_of(mounts, target))
      if (::access((folder + "/bootstrap").c_str(), F_OK) == 0)
        return std::string(target) + "/bootstrap";
  return std::string(kTask) + "/bootstrap";
}

}  // namespace pileus::services::lambda
