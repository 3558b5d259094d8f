// Names to addresses without blocking a loop. Only net/ includes this.
#pragma once

#include "base/completion.h"
#include "net/address.h"
#include "net/loops_impl.h"

namespace pileus::net {

// Addresses to try in order, at least one. Numeric hosts, "localhost" and names under it are known
// at once (RFC 6761); others are asked of the system on a thread of Asio's.
Task<Result<std::vector<Address>>> resolve(EventLoop& loop, std::string host, std::uint16_t port);

}  // namespace pileus::net
