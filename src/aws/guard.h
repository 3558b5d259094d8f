// What protects the public loopback listener from web pages open in a browser on the same machine:
// the Host must be a name of this machine (else DNS rebinding), and a foreign Origin is refused.
// Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/http.h"

namespace pileus::aws {

// Loopback names and addresses (localhost, *.localhost, 127.0.0.0/8, [::1]), with or without a
// port, and `allowed_hosts` (exact, or ".suffix").
bool host_is_ours(std::string_view host, const std::vector<std::string>& allowed_hosts);

// The refusal, or nothing when the request may go on.
std::optional<Error> refuse_foreign(const net::Headers& headers,
                                    const std::vector<std::string>& allowed_hosts,
                                    const std::vector<std::string>& allowed_origins);

}  // namespace pileus::aws
