// Bounds of lifecycle.
#pragma once

#include <cstdint>

namespace granary::lifecycle {

// Changes of accounts at once: each is mostly the agent's disk work, of which two cores do not do
// more at a time; further ones only queue.
inline constexpr std::uint32_t kConcurrentChanges = 8;
// Checks after deployments at once. Each wakes a silo, so this bounds the memory and the cores
// that checking may take from customers.
inline constexpr std::uint32_t kConcurrentChecks = 2;
// A check is repeated so often before the deployment counts as failing.
inline constexpr std::uint32_t kCheckAttempts = 3;
// A manifest that does not say: its disk.
inline constexpr std::uint64_t kDefaultDiskBytes = 1ULL << 30;
inline constexpr std::size_t kMaxManifest = 1U << 20;

}  // namespace granary::lifecycle
