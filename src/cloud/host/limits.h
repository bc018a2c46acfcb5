// Bounds of the host driver.
#pragma once

#include <chrono>
#include <cstddef>

namespace granary::cloud::host {

// Making a disk or unpacking a release takes well under a second; this is for a machine in
// trouble. Longer than the agent takes to stop a service, which `apply` may need: 30 s for the
// requests under way, a stop_timeout of 5 minutes at most, 13 s until what was killed is gone.
inline constexpr std::chrono::seconds kCallDeadline{360};
// Copying a whole disk: some 100 MB a second, so that the largest one fits many times over. An
// agent that goes away ends the call at once, whatever this is.
inline constexpr std::chrono::seconds kTransferDeadline{6 * 3600};
// How often deadlines are looked at: their precision.
inline constexpr std::chrono::seconds kDeadlineSweep{5};
// Calls that may be under way at once on the one connection.
inline constexpr std::size_t kMaxPending = 1024;

}  // namespace granary::cloud::host
