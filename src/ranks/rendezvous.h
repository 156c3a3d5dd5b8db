#pragma once

#include <torch/csrc/distributed/c10d/Store.hpp>

#include "ranks/world.h"

namespace tagclip {

// Returns once the machine that serves the store of the ranks can be reached; at once on the rank
// that serves it. Throws Error(kStopped), and Error(kFailure) after the timeout.
void wait_for_store(const RankEnvironment& environment, const Patience& patience);

// Tells the others through the store that this rank is there, and returns once all of them are.
// Throws as wait_for_store, naming the ranks that are missing, and c10d's exceptions when the store
// is gone.
void wait_for_ranks(c10d::Store& store, const RankEnvironment& environment,
                    const Patience& patience);

}  // namespace tagclip
