// Records in memory: for tests, the simulator and clouds that may forget. Any thread; answers
// without a hop. Nothing survives it.
#pragma once

#include "store/records.h"

namespace pileus::store {

// `deletions`: remembered per partition for watches.
std::unique_ptr<Records> make_memory_records(std::size_t deletions = 10'000);

}  // namespace pileus::store
