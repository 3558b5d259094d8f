// Labels, query strings, headers, status and payload of the rest protocols: everything of a
// structure that is not in the body. Internal to aws/protocol.
#pragma once

#include "aws/protocol/values.h"

namespace pileus::aws::protocol {

// A request's bound members; the body is read by the caller.
Result<Unit> read_rest_request(const Reading& reading, const Shape& shape,
                               const WireRequest& request, const UriLabels& labels, void* out,
                               Seen& seen);
// An answer's headers and status, also of an error's structure.
Result<Unit> read_rest_response(const Reading& reading, const Shape& shape,
                                const WireResponse& response, void* out, Seen& seen);

// Fills path, query and headers.
Result<Unit> write_rest_request(const Operation& operation, const void* input,
                                WireRequest& request);
// Fills headers, and the status where a member chooses it.
void write_rest_response(const Shape& shape, const void* output, WireResponse& response);

}  // namespace pileus::aws::protocol
