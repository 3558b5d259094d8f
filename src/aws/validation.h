// Checks an input against the constraints of its model (required, length, range, pattern, enum) and
// words what is wrong as the service does; then refuses by name what Pileus does not support.
// Style and exceptions are data: models/services/<service>.json. Any thread; linear in the input.
#pragma once

#include "aws/service.h"

namespace pileus::aws {

inline constexpr std::size_t kMaxViolations = 100;  // named in one error
inline constexpr std::size_t kMaxEchoBytes = 2048;  // of a value repeated in an error

// `missing_required` is what protocol::parse_request found absent. The error has the service's
// validation code and names every violation: "2 validation errors detected: Value 'x' at 'name'
// failed to satisfy constraint: …; …". Sensitive values are not repeated.
Result<Unit> validate(const Service& service, const Operation& operation, const void* input,
                      std::span<const std::string> missing_required = {});

// Whether the model's pattern (Java) is enforced; else `why` says what keeps it from that.
bool pattern_enforced(const char* pattern, std::string* why);
bool pattern_matches(const char* pattern,
                     std::string_view text);  // whole text; true if not enforced

}  // namespace pileus::aws
