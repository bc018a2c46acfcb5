// The egress proxy's bounds, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace granary::egress {

// What is connected at once. Two descriptors each, so that all together stay far below the usual
// hard limit on them (RLIMIT_NOFILE, 1,048,576 under systemd); an account gets what a busy HTTP
// client's pool uses, and no account can take what belongs to others before 64 of them do.
inline constexpr std::size_t kConnectionsEach = 64;
inline constexpr std::size_t kConnectionsAll = 4096;
inline constexpr int kBacklog = 1024;  // connections the kernel holds while others are taken
inline constexpr std::chrono::milliseconds kAcceptPause{100};  // no descriptors: some will end

// The head of a CONNECT is some 200 bytes; proxies agree on 8 KiB for one with credentials in it.
inline constexpr std::size_t kHeadBytes = 8U << 10;
inline constexpr std::size_t kHeadFields = 64;
// The client is on the same machine and sends its head in one piece.
inline constexpr std::chrono::seconds kHeadDeadline{10};

// Names. An account's lookups wait for each other beyond so many: with the 16 threads that look up
// (app/limits.h) no account can hold all of them with names that nobody answers for.
inline constexpr std::size_t kLookupsEach = 4;
inline constexpr std::size_t kLookupsAll = 1024;  // names waiting for a thread; beyond: refused
inline constexpr std::chrono::seconds kLookupDeadline{10};
inline constexpr std::size_t kAddresses = 8;  // of a name; the rest is not tried

// Of one address, and of all of a name together: below the patience of HTTP clients (30 s), so
// that they hear the reason.
inline constexpr std::chrono::seconds kConnectEach{5};
inline constexpr std::chrono::seconds kConnectAll{15};

// A connection on which nothing moves either way. As long as the gateway's for WebSockets.
inline constexpr std::chrono::seconds kIdle{600};
// For a refused client to take its answer.
inline constexpr std::chrono::seconds kAnswerDeadline{5};
// Copied at once, for each direction: 128 MiB for kConnectionsAll.
inline constexpr std::size_t kCopyBytes = 16U << 10;

// The policy.
inline constexpr std::chrono::seconds kPolicyRecheck{2};  // where the kernel lost a notification

// Logs: as the gateway's (gateway/limits.h), and a bound for each account, so that one that
// floods its own loses its own lines.
inline constexpr std::chrono::seconds kLogPause{1};
inline constexpr std::size_t kLogPendingEach = 128U << 10;
inline constexpr std::size_t kLogPending = 8U << 20;
inline constexpr std::uint64_t kLogFile = 1U << 20;  // then it becomes .1, replacing the last
inline constexpr std::size_t kLoggedTarget = 260;    // the longest that is allowed: 253 + 6

// What is lost when this role is killed.
inline constexpr std::chrono::seconds kUsagePause{5};
inline constexpr std::size_t kMaxUsage = 64U << 20;  // 10,000 accounts are about 1 MB
// Metrics: a scraper or two, and somebody who looks by hand.
inline constexpr std::size_t kAdminConnections = 16;
inline constexpr std::size_t kAdminHead = 8U << 10;
inline constexpr std::chrono::seconds kAdminDeadline{5};
inline constexpr int kAdminBacklog = 16;
// Of peers that belong to no account: one line in so long.
inline constexpr std::chrono::seconds kStrangerPause{60};

}  // namespace granary::egress
