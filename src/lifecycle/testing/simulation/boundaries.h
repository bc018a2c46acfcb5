// Not by chance but one after another: for each kind of operation, a world in which control dies
// (or its store fails, or lies) at the first of its writes, a world for the second, and so on, and
// the same for each call to the cloud and for each pair of crashes. On the caller's thread.
#pragma once

#include <string>
#include <vector>

namespace granary::lifecycle::simulation {

struct BoundaryResult {
  std::string name;          // of the scenario
  std::uint64_t worlds = 0;  // that were run for it
  std::string failure;       // empty: every invariant held in all of them
};

enum class Depth { OneCrash, PairsOfCrashes };

// Of the kinds of operations each `of`th, from the `first` on.
struct Part {
  std::size_t first = 0;
  std::size_t of = 1;
};
// Stops at the first failure of a kind and goes on with the next one.
std::vector<BoundaryResult> crash_at_every_boundary(Depth depth, Part part = {});

}  // namespace granary::lifecycle::simulation
