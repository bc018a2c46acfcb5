// Bounds of lifecycle.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace granary::lifecycle {

// Changes of accounts at once. Most of them wait: for the agent, which bounds its own disk work,
// or for the next snapshot, which they share; so many must be waiting that sharing pays. Below
// operation::kMaxRunning, so that checks are never shut out.
inline constexpr std::uint32_t kConcurrentChanges = 48;
// Checks after deployments at once. Each wakes a silo, so this bounds the memory and the cores
// that checking may take from customers.
inline constexpr std::uint32_t kConcurrentChecks = 2;
// Exports and restores at once: each reads or writes a whole disk, and customers use the same one.
inline constexpr std::uint32_t kConcurrentArchives = 2;
inline constexpr const char* kArchiveLimit = "archives";
// Accounts at once that follow a plan, a secret or a repair: below kConcurrentChanges, so that
// those of single tenants are not held up by them. After so many failures the cause is hardly the
// accounts'.
inline constexpr std::uint32_t kFanOutWindow = 32;
inline constexpr std::uint64_t kFanOutFailures = 20;
// Accounts that one repair brings up to date; the next one goes on.
inline constexpr std::size_t kMaxRepairs = 10'000;
// How long an archive is kept that was made by an offboarding that was called off, and one that was
// sent here to be restored.
inline constexpr std::chrono::hours kKeepFinalAfterEnd{24};
inline constexpr std::chrono::hours kKeepUpload{24};
inline constexpr std::chrono::hours kLongestKeep{24 * 366};
// A final export goes with its account; should that never happen, it goes this long afterwards.
inline constexpr std::chrono::hours kFinalOutlives{24 * 366};
// Files of archives that nobody knows are left alone for so long: their row may be about to come.
inline constexpr std::chrono::hours kUnknownFileAge{1};
inline constexpr std::uint32_t kSweepPage = 200;
inline constexpr std::size_t kMaxPublicName = 200;  // bytes; shown in lists and by frontends
inline constexpr std::size_t kMaxSecretValue = 64U << 10;
// The payload type of a certificate's envelope.
inline constexpr const char* kCertificateType = "application/vnd.granary.certificate+json";
// A release that nobody uses is kept so long, for going back to it.
inline constexpr std::chrono::hours kKeepReleases{24 * 30};
// A check is repeated so often before the deployment counts as failing.
// With the engine's pauses the last attempt comes well after an app that has crashed at the path of
// the first one may be started again (agent::kFirstBackOff).
inline constexpr std::uint32_t kCheckAttempts = 4;
// Operations of a tenant that are looked at for the one that left it as it is.
inline constexpr std::uint32_t kConditionLooksBack = 20;
// A manifest that does not say: its disk.
inline constexpr std::uint64_t kDefaultDiskBytes = 1ULL << 30;
inline constexpr std::size_t kMaxManifest = 1U << 20;

}  // namespace granary::lifecycle
