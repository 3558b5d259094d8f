// Whether bytes are exactly one JSON text (RFC 8259), without building it. Pure; depth is bounded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pileus::services::lambda {

// What is wrong and where ("byte 12: …"); nothing when it is JSON.
std::optional<std::string> json_fault(std::string_view text);

}  // namespace pileus::services::lambda
