// Bounds of the store.
#pragma once

#include <cstddef>

namespace granary::store {

// Writes that share one commit: enough to hide an fsync of some milliseconds behind a burst, few
// enough that the first of them does not wait long.
inline constexpr std::size_t kMaxBatch = 64;

}  // namespace granary::store
