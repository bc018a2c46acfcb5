// How much room the data directory's disk must have: for whoever warns of it (the API, `granary
// doctor`) and whoever refuses to start on it. Constants and words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace granary::wire {

// Below it the operator is warned: archives are refused at half of it (api/limits.h), and an export
// of a tenant with the usual disk of 1 GiB may need it.
inline constexpr std::uint64_t kLowRoom = 1ULL << 30;
// To start on: the store's log between two checkpoints (4 MiB), the board's pages in use, the
// routing snapshot of 10,000 tenants (4 MiB), and the same once more.
inline constexpr std::uint64_t kLeastRoom = 16ULL << 20;

// The agent keeps tenants' disks from growing into the last part of the machine's: below `low`
// their apps get "no space left" for what needs more of it, until `high` is free again. See
// docs/decisions/0024.
struct Watermarks {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};
// What the fastest disks take between two looks of the agent, or so many parts of a large disk; no
// more than one part in so many of a small one.
inline constexpr std::uint64_t kLeastWatermark = 256ULL << 20;
inline constexpr std::uint64_t kWatermarkOfLarge = 50;
inline constexpr std::uint64_t kWatermarkOfSmall = 8;
Watermarks watermarks_of(std::uint64_t total_bytes);

// The warning; nothing while there is enough.
std::optional<std::string> low_room(const std::string& data_dir, std::uint64_t free_bytes,
                                    std::uint64_t total_bytes);

}  // namespace granary::wire
