// Bounds of the command line's client, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace granary::cli {

// An answer of the API; a page of 1,000 tenants with all their labels is below 4 MiB.
inline constexpr std::uint64_t kMaxAnswerBytes = 64ULL << 20;
inline constexpr std::chrono::seconds kConnectTime{10};
// For one request and its answer; above the API's longest wait (30 s).
inline constexpr std::chrono::seconds kRequestTime{60};
// For control to say that it serves, which takes it no work.
inline constexpr std::chrono::seconds kHealthTime{3};
// For a bundle that was sent to be made a release of: compressing a large frontend takes a while.
inline constexpr std::chrono::minutes kUploadTime{20};
// For an archive of 64 GiB to be checked once it has been sent: half a gigabyte a second is hashed,
// or a tenth of that on a slow disk.
inline constexpr std::chrono::minutes kArchiveTime{30};
// A file on its way, in or out, in pieces of this size, and how long one may take.
inline constexpr std::size_t kPieceBytes = 256U << 10;
inline constexpr std::chrono::seconds kPieceTime{60};
// Between two looks of a person at how far it is.
inline constexpr std::chrono::milliseconds kMeterStep{200};
// What is read as a secret's value; the API takes 64 KiB.
inline constexpr std::size_t kMaxSecretInput = 1U << 20;
// For the API to say that it wants the bundle.
inline constexpr std::chrono::seconds kContinueTime{30};
// How long an operation may be out of sight, because control is being restarted, and how often to
// look for it then.
inline constexpr std::chrono::seconds kAwayTime{30};
inline constexpr std::chrono::milliseconds kAwayPause{500};
// Between two looks at the logs of several services, followed together.
inline constexpr std::chrono::seconds kFollowPause{1};
// An operation that waits longer than this by its own wish (retention) is not waited for.
inline constexpr std::chrono::minutes kLongPark{2};
// Pages of a list that are followed: a million items; a server that never ends is wrong.
inline constexpr int kMaxPages = 1000;
inline constexpr std::size_t kMaxTokenBytes = 4096;

}  // namespace granary::cli
