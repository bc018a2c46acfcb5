// What must hold in every world. Each invariant is one function that looks at all that is durable
// and says what is wrong with it. On the world's executor, between two of its events.
#pragma once

#include <vector>

#include "lifecycle/testing/simulation/view.h"

namespace granary::lifecycle::simulation {

// When an invariant holds: at every moment; when no operation is under way; or when operators have
// also retried what failed.
enum class Moment { Always, Settled, Mended };

struct Invariant {
  const char* name;
  Moment since;
  // Calls world.fail() when it does not hold.
  void (*check)(World& world, const View& view);
};
// To add one: a function and a line.
const std::vector<Invariant>& invariants();

void check_invariants(World& world, Moment moment);

// How the account that the cloud holds differs from what its row says it should be; empty: not.
std::string unlike_desired(World& world, const registry::Account& account);

}  // namespace granary::lifecycle::simulation
