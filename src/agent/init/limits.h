// Every bound granary-init works within, each with its reason. Compile-time constants only; what
// a plan or a manifest may change arrives as an option (options.h).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace granary::init {

// Descriptors the agent hands over, by number. Everything above the last is closed at start.
inline constexpr int kListenerFd = 3;
inline constexpr int kLogFds[2] = {4, 5};
inline constexpr int kStatusFd = 6;

// The text of one log line as it is written, escapes included. Bounds the memory that a line
// without an end can take.
inline constexpr std::size_t kMaxLineBytes = 8 * 1024;
// Lines are gathered up to this size before one write; a line and its prefix always fit.
inline constexpr std::size_t kLogBatchBytes = 2 * kMaxLineBytes;
// Half of --log-bytes is one file of the ring, which must hold at least its header and one line.
inline constexpr std::uint64_t kMinLogBytes = 4 * kMaxLineBytes;
inline constexpr std::uint64_t kMaxLogBytes = std::uint64_t{1} << 40;

// One read from a pipe or a socket. 64 KiB is a pipe's capacity; more gains nothing measurable.
inline constexpr std::size_t kCopyBytes = 64 * 1024;

// Connections forwarded at once in port mode. Beyond it the rest wait in the listener's queue,
// where the gateway's own limits on requests in flight see them.
inline constexpr std::size_t kMaxConnections = 1024;
// Descriptors that are not connections: pipes, epoll, signals, log, status, standard ones.
inline constexpr std::size_t kReservedDescriptors = 32;
// Bytes read from one side that the other could not take yet, over all connections. A connection
// may always hold kMinHeldBytes for each direction, so slow readers cannot starve the others: the
// worst case is kHeldBudget + 2 * kMaxConnections * kMinHeldBytes = 12 MiB. Egress has the same
// budget once more.
inline constexpr std::size_t kHeldBudget = 4 * 1024 * 1024;
inline constexpr std::size_t kMinHeldBytes = 4 * 1024;
// Copies per direction before other connections get their turn.
inline constexpr int kRoundsPerTurn = 4;
// Connections taken from the listener before others get their turn.
inline constexpr int kAcceptsPerTurn = 64;
// Egress: where apps find the proxy (wire/egress_policy.h says it to the other rooms), and how many
// of their connections are forwarded at once. The platform allows an account half of it.
inline constexpr std::uint16_t kEgressPort = 3128;
inline constexpr std::size_t kMaxEgressConnections = 128;
inline constexpr int kEgressBacklog = 128;
// Pause after the kernel refuses to hand out a connection (out of descriptors or memory).
inline constexpr std::chrono::milliseconds kAcceptPause{100};

// After the app has ended: how long the last output and answers may take to get out. The agent's
// own patience must be longer than --stop-timeout plus this.
inline constexpr std::chrono::milliseconds kDrainTimeout{2000};
inline constexpr std::chrono::milliseconds kMaxStopTimeout = std::chrono::hours{1};

// How long old temporary files may hold up the app. Some 100,000 files; the rest stays.
inline constexpr std::chrono::milliseconds kEmptyLongest{1'000};

// Events taken from the kernel in one step().
inline constexpr int kEventsPerStep = 64;

}  // namespace granary::init
