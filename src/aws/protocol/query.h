// Form-encoded requests of the query and ec2 protocols, and query strings. Internal to
// aws/protocol.
#pragma once

#include "aws/protocol/values.h"

namespace pileus::aws::protocol {

// Decoded name and value; at most kMaxParameters are read.
using Parameters = std::vector<std::pair<std::string, std::string>>;
inline constexpr std::size_t kMaxParameters = 100'000;
Result<Unit> parse_form(std::string_view text, Parameters& out);
// The value of one parameter of a form, without reading all of it; nullopt where there is none.
std::optional<std::string> form_value(std::string_view text, std::string_view name);

// `parameters` is sorted by this call.
Result<Unit> read_query(const Reading& reading, const Shape& shape, Parameters& parameters,
                        void* out);
// Appends "&Name=value" for each leaf.
void write_query(Protocol protocol, std::string& out, const Shape& shape, const void* value);

}  // namespace pileus::aws::protocol
