// A decorator that gives everything the contract of Records allows an engine to do to its users:
// conflicts out of the blue, failures before and after the commit happened, watch batches that come
// late or twice. From a seed, so that a failing run repeats. For tests and the simulator.
#pragma once

#include "base/random.h"
#include "store/records.h"

namespace pileus::store {

struct Hostility {  // each a probability
  double conflict = 0.1;
  double fail_before = 0.05;  // errc::kIo and nothing happened; reads fail as often
  double fail_after = 0.05;   // errc::kIo although it was committed
  double delay = 0.2;         // of a watch batch, up to 20 ms
  double repeat = 0.2;        // of a watch batch, by starting from the cursor before
};

std::unique_ptr<Records> make_hostile_records(std::unique_ptr<Records> engine, Random& random,
                                              Hostility hostility = {});

}  // namespace pileus::store
