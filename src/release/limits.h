// Bounds of manifests and frontends, each with its reason. Bounds of bundles: wire/bundle_limits.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace granary::release {

// The document. A manifest of 16 services with all their keys is about 16 KiB.
inline constexpr std::size_t kMaxManifestBytes = 256U << 10;
inline constexpr std::size_t kMaxManifestNodes = 10'000;  // after aliases have been copied out
// Our own keys nest 4 deep. yaml-cpp recurses with the document, so this is also held before it.
inline constexpr std::size_t kMaxManifestDepth = 32;

// What it may declare.
inline constexpr std::size_t kMaxNameBytes = 31;   // a part of a host name (63), with room to spare
inline constexpr std::size_t kMaxServices = 16;    // each is a process tree in every account
inline constexpr std::size_t kMaxRoutes = 32;      // of one service; the gateway tries each
inline constexpr std::size_t kMaxPathBytes = 256;  // of a route, health path or frontend path
inline constexpr std::size_t kMaxArguments = 64;
inline constexpr std::size_t kMaxCommandBytes = 32U << 10;  // far below the kernel's ARG_MAX
inline constexpr std::size_t kMaxVariables = 128;
inline constexpr std::size_t kMaxVariableName = 128;
inline constexpr std::size_t kMaxEnvironmentBytes = 64U << 10;
inline constexpr std::size_t kMaxSecrets = 64;  // as an account may have
inline constexpr std::size_t kMaxEgress =
    100;  // more is a way to everywhere; use a gateway of the app's own
inline constexpr std::size_t kMaxReleaseName = 63;

// Floors: below them nothing starts. Ceilings: beyond them it is a slip of the pen, as one
// machine serves many tenants.
template <class T>
struct Range {
  T least;
  T most;
};
inline constexpr Range<std::uint64_t> kMemory = {16ULL << 20, 64ULL << 30};
inline constexpr Range<std::uint64_t> kCpuMillis = {50, 64'000};
inline constexpr Range<std::uint64_t> kProcesses = {4, 4096};  // granary-init, the app, a child
inline constexpr Range<std::uint64_t> kInFlight = {1, 10'000};
inline constexpr Range<std::uint64_t> kQuota = {16ULL << 20, 1ULL << 40};  // an ext4 with a journal
// Below 1024 a program in a silo may not listen: it has no capabilities.
inline constexpr Range<std::uint64_t> kPort = {1024, 65535};
inline constexpr Range<std::chrono::milliseconds> kIdle = {std::chrono::seconds(1),
                                                           std::chrono::hours(24 * 7)};
// start_timeout is how long the gateway holds a request for a sleeping service: longer than any
// browser waits is no use.
inline constexpr Range<std::chrono::milliseconds> kStartTimeout = {std::chrono::milliseconds(100),
                                                                   std::chrono::minutes(5)};
inline constexpr Range<std::chrono::milliseconds> kStopTimeout = {std::chrono::milliseconds(100),
                                                                  std::chrono::minutes(5)};

inline constexpr std::uint64_t kDefaultQuota = 1ULL << 30;

// Frontends.
inline constexpr std::size_t kMaxAssets = 20'000;
inline constexpr std::uint64_t kMaxAssetBytes = 64ULL << 20;  // held in memory while compressed
// Assets beyond this are media and archives: delivered as they are.
inline constexpr std::size_t kMaxEncodedBytes = 16U << 20;
// Below this the headers outweigh what an encoding saves.
inline constexpr std::size_t kMinEncodedBytes = 256;
// Brotli at 11 packs 1 MB/s, at 9 about 20, at 5 about 60: a frontend is built while a person
// waits, so only what is small and often fetched gets the best.
inline constexpr std::size_t kBrotliBestUpTo = 512U << 10;
inline constexpr std::size_t kBrotliGoodUpTo = 4U << 20;

}  // namespace granary::release
