// The account's alias: one name of its own that is unique among all accounts.
#pragma once

#include "services/iam/state.h"

namespace pileus::services::iam {

inline constexpr std::string_view kAliasRow = "iam/alias";  // in the account's partition
inline constexpr std::string_view kAliasClaims = "global";  // the partition of all claims
inline std::string alias_claim(std::string_view alias) { return str("iam/alias/", alias); }

}  // namespace pileus::services::iam
