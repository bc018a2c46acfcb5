// Bounds of lifecycle.
#pragma once

#include <cstdint>

namespace granary::lifecycle {

// Changes of accounts at once. Most of them wait: for the agent, which bounds its own disk work,
// or for the next snapshot, which they share; so many must be waiting that sharing pays. Below
// operation::kMaxRunning, so that checks are never shut out.
inline constexpr std::uint32_t kConcurrentChanges = 48;
// Checks after deployments at once. Each wakes a silo, so this bounds the memory and the cores
// that checking may take from customers.
inline constexpr std::uint32_t kConcurrentChecks = 2;
// A check is repeated so often before the deployment counts as failing.
inline constexpr std::uint32_t kCheckAttempts = 3;
// A manifest that does not say: its disk.
inline constexpr std::uint64_t kDefaultDiskBytes = 1ULL << 30;
inline constexpr std::size_t kMaxManifest = 1U << 20;

}  // namespace granary::lifecycle
