// One simulated world from its beginning to its end: customers act while faults happen and
// invariants are checked; then the faults stop, everything must end; operators retry what failed,
// everything must be as desired; all tenants leave, nothing must remain.
#pragma once

#include <string>

#include "lifecycle/testing/simulation/world.h"

namespace granary::lifecycle::simulation {

struct Outcome {
  std::string failure;  // empty: every invariant held
  Stats stats;
};

// `trace`: a file to write it to; "-": standard output; empty: none.
Outcome run(const Options& options, const std::string& trace = {});

// The second half, for a world in which somebody has acted.
void bring_to_an_end(World& world);

}  // namespace granary::lifecycle::simulation
