// Records of many machines: one PostgreSQL database that all nodes share. Two threads and two
// connections of its own: one commits what is queued as one transaction, one reads and listens.
// A node that loses its connection answers errc::kIo and connects again with the next request.
#pragma once

#include "store/records.h"

namespace pileus::store {

// `url`: libpq's, e.g. "postgresql://user@host1,host2/pileus?target_session_attrs=read-write".
// Makes its tables in the first schema of the search path. `deletions`: remembered per partition.
Result<std::unique_ptr<Records>> make_postgres_records(std::string url,
                                                       std::size_t deletions = 10'000);

}  // namespace pileus::store
