// Bounds of the operation engine.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace granary::operation {

// Operations that wait or run at once in one installation. Above it submissions are refused, so
// that a loop of some script cannot fill memory; 10,000 tenants created at once fit.
inline constexpr std::size_t kMaxLive = 20'000;
// Operations that run at once, of all kinds together: each holds little, most wait for the cloud.
inline constexpr std::uint32_t kMaxRunning = 64;
// Retries: 0.2 s, doubled up to a minute, each spread by half of itself.
inline constexpr std::chrono::milliseconds kFirstBackoff{200};
inline constexpr std::chrono::milliseconds kLongestBackoff{60'000};
// One who waits for a time looks at the clock at least so often, because it may be set meanwhile;
// and no more often, because it may stand still for a moment (base/trusted_clock.h).
inline constexpr std::chrono::hours kLongestWait{1};
inline constexpr std::chrono::milliseconds kShortestWait{10};
// A store that refuses is asked again so often: soon after there is room on its disk again.
inline constexpr std::chrono::milliseconds kStoreRetry{5'000};
// A step that asks to run again at once would spin: so long it waits at least.
inline constexpr std::chrono::milliseconds kShortestAgain{100};
// While the lease on the store is not renewed, no step begins; it is asked for so often.
inline constexpr std::chrono::milliseconds kLeaseLook{500};
// Children that a parent fetches at once from where they come from; held in memory until begun.
inline constexpr std::uint32_t kChildrenFetched = 100;
// Rows of history kept of one operation; a step that is retried for days writes no more.
inline constexpr std::int64_t kMaxHistory = 200;
// What list() returns at most.
inline constexpr std::uint32_t kMaxPage = 1'000;

}  // namespace granary::operation
