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
// A role that is asked for /readyz or `granary status` is away when it has not answered within
// this: above a restart of it. What was found is told again for a while, since anybody may ask.
inline constexpr std::chrono::milliseconds kAwayAfter{2'000};
inline constexpr std::chrono::milliseconds kAwayLook{100};
inline constexpr std::chrono::milliseconds kStateKept{1'000};
// How often control asks the other roles by itself: how exactly it knows since when one is away.
inline constexpr std::chrono::seconds kWatchEvery{5};
// So many starts in a row that came to nothing, of a role that never served since `up` began, end
// `up`: with the pauses above after some half a minute, and later where a start itself takes long.
inline constexpr int kStartTries = 10;
// How often `up` asks a role whether it answers, how long it waits, and how many misses in a row
// tell that it is there and does not serve: after some 30 s it is killed and started anew. Counted
// in answers, not in time, so that a machine that slept blames nobody.
inline constexpr std::chrono::seconds kAskEvery{5};
inline constexpr std::chrono::seconds kAskDeadline{5};
inline constexpr int kAskMisses = 3;
// The same before its first answer: it may have 10,000 silos to adopt. Five minutes at the least.
inline constexpr std::chrono::seconds kAskFirst{1};
inline constexpr int kAskMissesAtFirst = 300;
// How long `up` waits for the roles of one that was killed: above kStopDeadline, after which no
// role of an orderly end lives. A role by itself waits only for what its predecessor was just
// forking.
inline constexpr std::chrono::milliseconds kLeftoverPatience{25'000};
inline constexpr std::chrono::milliseconds kHoldPatience{1'000};
inline constexpr std::chrono::milliseconds kHoldLook{20};
// How often a role looks whether its files in run/ are still there: one stat(2) each.
inline constexpr std::chrono::seconds kBelongingsLook{1};
// The agent's own stop waits for silos up to their stop timeout; this must stay above it.
inline constexpr std::chrono::seconds kStopDeadline{20};
// How long the gateway waits for the agent to make the activity board, and how often it looks.
// Above a start of the agent with many silos to adopt; then the supervisor tries again.
inline constexpr std::chrono::milliseconds kBoardPatience{15'000};
inline constexpr std::chrono::milliseconds kBoardLook{20};
// For trying what this machine can isolate: some 50 ms; mkfs on a slow disk takes longer.
inline constexpr std::chrono::milliseconds kDoctorDeadline{60'000};
// Of DNS: a label, and what is left of a name when a tenant's label and its dot stand before it.
inline constexpr std::size_t kLongestLabel = 63;
inline constexpr std::size_t kLongestDomain = 253 - kLongestLabel - 1;
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
// How often the machine's clocks are compared, and the time is kept in the store: a reboot adds up
// to this to the absence that is seen. Below base::kLongestLook.
inline constexpr std::chrono::seconds kClockLook{60};
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
