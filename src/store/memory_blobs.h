// Blobs in memory (their descriptors are memory files): for tests and clouds that may forget.
#pragma once

#include "store/blobs.h"

namespace pileus::store {

std::unique_ptr<Blobs> make_memory_blobs();

}  // namespace pileus::store
