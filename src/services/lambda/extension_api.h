// The Extensions API (2020-01-01), the Telemetry API (2022-07-01) and the Logs API (2020-08-15),
// beside the Runtime API at 127.0.0.1:9001 of a sandbox. Source: AWS's API references.
#pragma once

#include <memory>

#include "net/http.h"

namespace pileus::services::lambda {

class Environment;

bool is_extension_path(std::string_view path);
// `environment` may be gone already: 410. On the environment's loop.
Task<net::Response> serve_extension_api(std::shared_ptr<Environment> environment,
                                        net::Request& request);

}  // namespace pileus::services::lambda
