// Which service a request means: by the name in its credential scope, the X-Amz-Target prefix, the
// Smithy path, the query API's Version, or the first label of its Host. Pure; any thread.
#pragma once

#include <span>

#include "aws/protocol/codec.h"

namespace pileus::aws {

// `scope_service` is the service of the credential scope, "" when the request is not signed.
// nullptr when no service of the list is meant.
const Service* find_service(std::span<const Service* const> services,
                            std::string_view scope_service, const protocol::WireRequest& request);

// The form in which to refuse a request that no service was found for.
Protocol likely_protocol(std::string_view scope_service, const protocol::WireRequest& request);

}  // namespace pileus::aws
