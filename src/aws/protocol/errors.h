// Errors on the wire, both directions. Internal to aws/protocol.
#pragma once

#include "aws/protocol/codec.h"

namespace pileus::aws::protocol {

// The error that a failed answer holds.
Error read_error(const Service& service, Protocol protocol, const Operation& operation,
                 const WireResponse& response);
std::string_view content_type(Protocol protocol);

}  // namespace pileus::aws::protocol
