// Journals in memory: for tests, the simulator and clouds that may forget. Any thread.
#pragma once

#include "store/journals.h"

namespace pileus::store {

std::unique_ptr<Journals> make_memory_journals();

}  // namespace pileus::store
