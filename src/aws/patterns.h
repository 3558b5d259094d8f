// The models' patterns (Java regular expressions) on RE2: compiled once on first use and shared.
// See pattern_enforced and pattern_matches of aws/validation.h.
#pragma once

#include <string>
#include <string_view>

namespace pileus::aws {

// RE2's form of a Java pattern; "" where there is none (look-around, class arithmetic).
std::string to_re2(std::string_view java);

}  // namespace pileus::aws
