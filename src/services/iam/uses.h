// Last uses of keys and roles: noted in memory when a call is verified, written down once in a
// while, read from both.
#pragma once

#include "services/iam/edit.h"

namespace pileus::services::iam {

inline std::string key_use_row(std::string_view id) { return str("iam/last_used/key/", id); }
inline std::string role_use_row(std::string_view role_id) {
  return str("iam/last_used/role/", role_id);
}

// When a user or role (by id) last used a service: one row for each service.
inline std::string accesses_prefix(std::string_view id) { return str("iam/accessed/", id, "/"); }
// By service, noted or written.
Task<Result<std::map<std::string, LastUsedRecord>>> accesses_of(IamState& state,
                                                                std::string partition,
                                                                std::string id);
// Those that are written go with the user or the role.
Task<Result<Unit>> drop_accesses(Edit& edit, std::string id);

// The newest use under that row, noted or written; nothing when there was none.
Task<Result<std::optional<LastUsedRecord>>> last_use(IamState& state, std::string partition,
                                                     std::string row);

}  // namespace pileus::services::iam
