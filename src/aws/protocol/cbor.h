// CBOR (RFC 8949) bodies of rpc-v2-cbor. Our own small codec: Debian's libraries build a tree of
// nodes first, this reads straight into the structs. Internal to aws/protocol.
#pragma once

#include "aws/protocol/values.h"

namespace pileus::aws::protocol {

// The whole text must be one map. Indefinite lengths are accepted; nesting is at most kMaxDepth.
Result<Unit> read_cbor(const Reading& reading, const Shape& shape, std::string_view in, void* out,
                       const Path& path, Seen& seen);
// `extra`: pairs of text written before the members (an error's __type and message).
void write_cbor(std::string& out, const Shape& shape, const void* value,
                std::span<const std::pair<std::string, std::string>> extra = {});
// A text member of the map at the root ("__type"), or "".
std::string cbor_text(std::string_view in, std::string_view key);
// Any item as JSON, for tests and debugging: bytes as base64, tags dropped.
Result<Json> cbor_to_json(std::string_view in);

}  // namespace pileus::aws::protocol
