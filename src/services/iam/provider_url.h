// Which URLs an OIDC provider may have. Pure.
#pragma once

#include <string>

#include "base/error.h"

namespace pileus::services::iam {

// The provider's name ("host/path", as in its ARN) from its URL: https, or http where the host is
// this machine's loopback, so that an issuer can be tried without certificates. No query, no
// fragment, no user. A port is allowed, which AWS does not (its issuers are on 443).
Result<std::string> provider_name_of_url(const std::string& url);

}  // namespace pileus::services::iam
