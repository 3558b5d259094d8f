// Runtimes: what this machine can run. provided.al2 and provided.al2023 always; a managed one is a
// folder <runtimes>/<name>/manifest.json (runtimes/README.md says what is in it), made by
// tools/build_runtimes.sh or `pileus runtimes add`. Immutable once found; any loop.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sandbox/sandbox.h"
#include "services/lambda/options.h"
#include "services/lambda/workers.h"

namespace pileus::services::lambda {

enum class RuntimeKind { kPython, kNode, kProvided, kOther };

struct Runtime {
  std::string name;  // "python3.11"
  RuntimeKind kind = RuntimeKind::kProvided;
  std::string root;               // "": the host's
  std::vector<std::string> argv;  // starts it held; empty for provided
  std::vector<sandbox::Mount> mounts;
  std::vector<std::pair<std::string, std::string>> environment;
  bool forks = false;      // argv with "--zygote" forks into sandboxes
  std::string version_id;  // 64 hex digits: changes with what it is made of
};

class Runtimes {
 public:
  Runtimes(Workers& workers, const Options& options) : workers_(workers), options_(options) {}
  // Looks at the machine, on a worker. Again after `pileus runtimes add`.
  Task<Result<Unit>> discover();
  // What runs the AWS identifier `name`; InvalidParameterValueException with the remedy when there
  // is nothing. Discovers first where that has not been done.
  Task<Result<std::shared_ptr<const Runtime>>> find(std::string name);
  std::vector<std::string> names() const;  // what is here, in order

 private:
  using Map = std::map<std::string, std::shared_ptr<const Runtime>>;  // shared with environments
  Map look() const;
  Result<std::shared_ptr<const Runtime>> choose(const Map& map, const std::string& name) const;
  std::shared_ptr<const Map> map() const;

  Workers& workers_;
  const Options& options_;
  mutable std::mutex mutex_;        // guards map_
  std::shared_ptr<const Map> map_;  // shared: replaced whole
};

}  // namespace pileus::services::lambda
