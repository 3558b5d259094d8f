// Lineage: how often an event's chain of calls has come by each function, carried in the trace
// header ("Lineage=<8 hex of the function>:<times>|…"), which AWS SDKs pass on from inside
// functions. What comes by one function more than kMostVisits times is a recursive loop. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace pileus::services::lambda {

inline constexpr int kMostVisits = 16;
inline constexpr std::size_t kMostLineage = 32;  // functions in one; the oldest are forgotten

// The trace header with one visit more of the function.
std::string with_hop(std::string_view trace, std::string_view function_arn);
int visits(std::string_view trace, std::string_view function_arn);
Error recursive_invocation();  // RecursiveInvocationException

}  // namespace pileus::services::lambda
