#include "agent/warm_set.h"

#include <algorithm>
#include <utility>

namespace granary::agent {

std::vector<std::size_t> choose_evictions(const std::vector<WarmSilo>& silos,
                                          std::uint64_t budget_bytes) {
  std::uint64_t total = 0;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < silos.size(); ++i) {
    total += silos[i].memory_bytes;
    if (silos[i].hold == WarmSilo::Hold::Free) order.push_back(i);
  }
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(silos[i].last_used, i); });
  std::vector<std::size_t> evicted;
  for (const std::size_t i : order) {
    if (total <= budget_bytes) break;
    total -= silos[i].memory_bytes;
    evicted.push_back(i);
  }
  return evicted;
}

}  // namespace granary::agent
