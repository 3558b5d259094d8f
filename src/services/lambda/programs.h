// What is to be executed in an environment, found in the folders that are mounted there.
#pragma once

#include <string>
#include <vector>

#include "sandbox/sandbox.h"

namespace pileus::services::lambda {

// File names in /opt/extensions, in order. Reads a folder or two; no layers, no reading.
std::vector<std::string> extension_programs(const std::vector<sandbox::Mount>& mounts);
// Where the bootstrap of a provided runtime is: /var/task, else /opt, as AWS looks for it.
std::string bootstrap_program(const std::vector<sandbox::Mount>& mounts);

}  // namespace pileus::services::lambda
