// The Runtime API (2018-06-01) that runtimes speak at 127.0.0.1:9001 of their sandbox.
#pragma once

#include <memory>

#include "net/http.h"

namespace pileus::services::lambda {

class Environment;

// `environment` may be gone already: 410. On the environment's loop.
Task<net::Response> serve_runtime_api(std::shared_ptr<Environment> environment,
                                      net::Request& request);

}  // namespace pileus::services::lambda
