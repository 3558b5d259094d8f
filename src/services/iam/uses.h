// Last uses of keys and roles: noted in memory when a call is verified, written down once in a
// while, read from both.
#pragma once

#include "services/iam/state.h"

namespace pileus::services::iam {

inline std::string key_use_row(std::string_view id) { return str("iam/last_used/key/", id); }
inline std::string role_use_row(std::string_view role_id) {
  return str("iam/last_used/role/", role_id);
}

// The newest use under that row, noted or written; nothing when there was none.
Task<Result<std::optional<LastUsedRecord>>> last_use(IamState& state, std::string partition,
                                                     std::string row);

}  // namespace pileus::services::iam
