// Bounds of the supervisor and the wiring.
#pragma once

#include <chrono>
#include <cstddef>

namespace granary::app {

// Restart of a role that died: 0.1 s, doubled up to 5 s, so that silos wait little for a crashed
// agent and a role that cannot start does not burn a core. Forgiven after it ran for a while.
inline constexpr std::chrono::milliseconds kFirstRestart{100};
inline constexpr std::chrono::milliseconds kLongestRestart{5'000};
inline constexpr std::chrono::seconds kForgivenAfter{30};
// The agent's own stop waits for silos up to their stop timeout; this must stay above it.
inline constexpr std::chrono::seconds kStopDeadline{20};
// How long the gateway waits for the agent to make the activity board, and how often it looks.
// Above a start of the agent with many silos to adopt; then the supervisor tries again.
inline constexpr std::chrono::milliseconds kBoardPatience{15'000};
inline constexpr std::chrono::milliseconds kBoardLook{20};
// For trying what this machine can isolate: some 50 ms; mkfs on a slow disk takes longer.
inline constexpr std::chrono::milliseconds kDoctorDeadline{60'000};
// How often a role gives freed memory back, and from which amount on.
inline constexpr std::chrono::seconds kMemoryLook{10};
inline constexpr std::size_t kSpareMemory = 1U << 20;
// The agent's threads for what blocks: mounts, disks, forks; most of them wait for the kernel.
inline constexpr std::size_t kAgentThreads = 8;
// Names that the egress role looks up at once; each thread waits for a name server.
inline constexpr std::size_t kLookupThreads = 16;
// A probe of a health path, start of the silo included; above the largest start_timeout that is
// usual, below the operation's patience.
inline constexpr std::chrono::seconds kProbeDeadline{30};
inline constexpr std::size_t kMaxProbeHead = 16U << 10;
// Of a domain that is to be proved: what its web server may answer, how long it may take, and how
// large an answer of DNS may be (its own bound).
inline constexpr std::size_t kMaxDomainAnswer = 8U << 10;
inline constexpr std::chrono::seconds kDomainDeadline{10};
inline constexpr std::size_t kMaxDnsAnswer = 64U << 10;
// How often old archives are removed and accounts are compared with their rows, and how long after
// a start first: when the operations that were under way have settled.
inline constexpr std::chrono::minutes kTidyEvery{60};
inline constexpr std::chrono::seconds kTidyFirst{30};
// After an operation that may have left an account behind its row.
inline constexpr std::chrono::seconds kMendSoon{2};
// How long what was published may take to be in force in the gateway, and how often to look. Some
// milliseconds for 10,000 tenants; a busy machine takes longer.
inline constexpr std::chrono::milliseconds kGatewayPatience{1'000};
inline constexpr std::chrono::milliseconds kGatewayLook{1};
// The snapshot is written again no sooner than so many times as long as its writing took: at most
// a fifth of one core goes into publishing, however many tenants come at once.
inline constexpr int kPublishPause = 4;

}  // namespace granary::app
