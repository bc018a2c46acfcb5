// Bounds of the store.
#pragma once

#include <cstddef>

namespace granary::store {

// Writes that share one commit: enough to hide an fsync of some milliseconds behind a burst, few
// enough that the first of them does not wait long.
inline constexpr std::size_t kMaxBatch = 64;
// Prepared statements that each of the two sessions keeps: about all that the product has, at some
// KiB each.
inline constexpr std::size_t kMaxStatements = 128;

}  // namespace granary::store
