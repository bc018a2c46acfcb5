// Bounds of the store.
#pragma once

#include <chrono>
#include <cstddef>

namespace granary::store {

// Writes that share one commit: enough to hide an fsync of some milliseconds behind a burst, few
// enough that the first of them does not wait long.
inline constexpr std::size_t kMaxBatch = 64;
// Prepared statements that each of the two sessions keeps: about all that the product has, at some
// KiB each.
inline constexpr std::size_t kMaxStatements = 128;

// The lease on a store. Renewing is one small durable write. Its holder stops acting before the
// others may take it over: they count from later than it does, and its clock may go a little
// slower.
inline constexpr std::chrono::seconds kLeaseRenew{10};
inline constexpr std::chrono::seconds kLeaseExpires{30};
inline constexpr std::chrono::seconds kLeaseMargin{5};

}  // namespace granary::store
