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
// A store that refuses is asked again so often: soon after there is room on its disk again.
inline constexpr std::chrono::milliseconds kStoreRetry{5'000};
// Rows of history kept of one operation; a step that is retried for days writes no more.
inline constexpr std::int64_t kMaxHistory = 200;
// What list() returns at most.
inline constexpr std::uint32_t kMaxPage = 1'000;

}  // namespace granary::operation
