// The warm set: which silos may stay in memory. When all together take more than the machine's
// budget, the least recently used idle ones go first, as a page cache would do it. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace granary::agent {

struct WarmSilo {
  std::uint64_t memory_bytes = 0;
  base::BootTime last_used{0};
  // In use, or never to sleep: it stays whatever it takes.
  enum class Hold { Free, Held } hold = Hold::Free;
};

// Indexes of those to put to sleep, in that order, until the rest fits.
std::vector<std::size_t> choose_evictions(const std::vector<WarmSilo>& silos,
                                          std::uint64_t budget_bytes);

}  // namespace granary::agent
