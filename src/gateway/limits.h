// The gateway's bounds, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace granary::gateway {

// What an operator may set; the rest below is fixed.
struct GatewayLimits {
  std::size_t connections = 8192;         // two descriptors each: stay below RLIMIT_NOFILE / 2
  std::size_t tenant_connections = 2048;  // of one tenant's clients: four such leave none to others
  // WebSockets and the like that one service of one account may have open, beside its `in_flight`
  // requests: half of the connections above, so that requests still find one.
  std::uint32_t tunnels = 1024;
  std::uint64_t body_bytes = 100ULL << 20;  // of a request: uploads of documents, not of disks
};

inline constexpr int kBacklog = 1024;  // connections the kernel holds while others are taken
inline constexpr std::chrono::milliseconds kAcceptPause{100};  // no descriptors: some will end
inline constexpr std::size_t kOverBound = 64;  // connections over the bound while others end
inline constexpr std::chrono::milliseconds kDrainLook{50};
inline constexpr std::size_t kAdminConnections = 16;  // a few probes and one Prometheus

// A head and its longest line must fit into one block (blocks.h).
inline constexpr std::size_t kHeadBytes = 32U << 10;   // cookies are the bulk; nginx: 4 x 8 KiB
inline constexpr std::size_t kMethodBytes = 32;        // the longest registered one has 17
inline constexpr std::size_t kTargetBytes = 8U << 10;  // what browsers and proxies agree on
inline constexpr std::size_t kFields = 100;            // in one head; more is an attack on parsers
inline constexpr std::size_t kHostBytes = 255;         // a DNS name, and a port beside it
inline constexpr std::uint32_t kChunkLine = 256;       // a size and extensions that nobody uses
inline constexpr std::uint32_t kTrailerBytes = 8U << 10;  // dropped anyway
inline constexpr std::size_t kInterimAnswers = 8;  // 1xx before one answer: then it is a loop

inline constexpr std::size_t kBlockBytes = 32U << 10;  // a read; more does not save system calls
inline constexpr std::size_t kSpareBlocks = 64;        // 2 MiB kept at rest, not returned to malloc
inline constexpr std::size_t kSmallInbox = 2U << 10;   // most heads fit: an idle client costs this

// Waiting. Each is checked every kTick, so it may take that much longer.
inline constexpr std::chrono::milliseconds kTick{250};
inline constexpr std::chrono::seconds kIdleClient{75};  // above what browsers keep open themselves
inline constexpr std::chrono::seconds kWholeHead{
    15};  // from its first byte: slow heads hold sockets
inline constexpr std::chrono::seconds kBodyPause{30};  // between two pieces of a request's body
inline constexpr std::uint64_t kBodyFloor =
    512;  // bytes a second on average, beyond one kBodyPause
inline constexpr std::chrono::seconds kWriteStall{30};  // a client that reads nothing
inline constexpr std::chrono::seconds kAnswer{120};  // for a head; above it, work belongs in a job
inline constexpr std::chrono::seconds kAnswerPause{
    300};  // between two pieces of an answer: SSE, polls
inline constexpr std::chrono::seconds kTunnelPause{600};  // WebSockets ping every minute or so
inline constexpr std::chrono::seconds kHalfClosed{10};    // a client that said all and went silent
// The same while an answer without a length streams and pauses. Browsers that leave a stream look
// like that; clients that only said all do not wait for streams, and nginx gives them no time.
inline constexpr std::chrono::seconds kHalfClosedStream{1};
// For a client that is still sending to read its answer: after its last byte, and in all. What it
// sends meanwhile is thrown away: this much, or as much as a body may have where one is on its way,
// since most clients read only once they have sent all.
inline constexpr std::chrono::seconds kLinger{2};
inline constexpr std::chrono::seconds kLingerAll{30};
inline constexpr std::size_t kLingerBytes = 1U << 20;
inline constexpr std::chrono::seconds kDrain{
    5};  // answers under way at a stop; below systemd's 90 s

// Connections to silos kept open while idle. Below any service's idle time (at least 30 s in
// practice), so that a silo put to sleep has no connections of ours.
inline constexpr std::chrono::seconds kPooledIdle{15};
// The same for a request that cannot be sent twice. Apps close what is idle, and what is written
// just then is lost: gunicorn after 2 s, uvicorn, Node and Apache after 5.
inline constexpr std::chrono::seconds kPooledFresh{1};
inline constexpr std::size_t kPooledEach = 16;   // a service's; more than it can use at once
inline constexpr std::size_t kPooledAll = 1024;  // descriptors
inline constexpr std::chrono::milliseconds kBusyRetry{10};  // a silo's queue is full: look again
inline constexpr int kActivations = 3;  // for one request: a silo that dies at once is backed off

// The agent.
inline constexpr std::chrono::milliseconds kReconnectFirst{20};  // a restart of it is quick
inline constexpr std::chrono::milliseconds kReconnectMost{1000};
// For so long /readyz does not mind that the agent is away: above a restart of it, which the
// requests that need it wait for.
inline constexpr std::chrono::seconds kAgentGrace{3};
// How often it is asked whether it lives, and how long its answer may take until /readyz says so:
// one that is stopped or hangs keeps its connection.
inline constexpr std::chrono::seconds kPingEvery{2};
inline constexpr std::chrono::seconds kAgentSilence{3};
inline constexpr std::size_t kAgentQueue = 4096;  // activations waiting: over it, 503
// Reasons told: of one service and one kind; services and kinds at once; bytes that wait for the
// agent, beyond which they are dropped.
inline constexpr std::chrono::seconds kFaultEvery{1};
inline constexpr std::size_t kFaultSources = 4096;
inline constexpr std::size_t kFaultOutbox = 256U << 10;

inline constexpr std::chrono::seconds kSnapshotRecheck{2};  // where the kernel lost a notification

// TLS.
inline constexpr std::chrono::seconds kHandshake{10};  // whole: a phone on a bad line needs three
inline constexpr std::size_t kTlsRecord = 16U << 10;   // the most that one may hold (RFC 8446, 5.1)
inline constexpr std::chrono::hours kTicketKey{12};    // then new tickets get another key
inline constexpr std::size_t kCertificates = 20'000;   // pairs of files: each is about 12 kB here
inline constexpr std::size_t kCertificateFile = 256U << 10;     // a chain; real ones are below 10 k
inline constexpr std::chrono::seconds kCertificateRecheck{30};  // what no notification tells: links
inline constexpr std::chrono::milliseconds kCertificateSettle{500};  // both files of a pair arrive
inline constexpr std::chrono::seconds kStrictTransport{365LL * 24 * 3600};  // browsers renew it
inline constexpr std::size_t kChallengeToken = 128;  // of ACME: base64url, 43 letters in practice
inline constexpr std::size_t kChallengeFile = 1U << 10;

// Frontends.
inline constexpr std::size_t kFrontendIndexes = 64;        // releases in use at once are few
inline constexpr std::size_t kCachedBlob = 1U << 20;       // larger ones are read piece by piece
inline constexpr std::size_t kBlobCacheBytes = 32U << 20;  // the page cache holds the rest
inline constexpr std::size_t kBlobPiece = 128U << 10;

// Access logs.
inline constexpr std::chrono::seconds kLogPause{1};   // one write an account in it
inline constexpr std::size_t kLogPending = 8U << 20;  // of all, while the disk is slow: then drop
inline constexpr std::uint64_t kLogFile = 4U << 20;   // then it becomes .1, replacing the last
inline constexpr std::size_t kLoggedTarget = 512;     // of a target, in a line

// Discovery, by client address: a person tries a few names, a robot thousands.
inline constexpr std::uint32_t kDiscoverBurst = 10;
inline constexpr std::chrono::seconds kDiscoverEvery{2};  // one more after this long
// Answered at multiples of it after the request's arrival, which hides how long the search took.
inline constexpr std::chrono::milliseconds kDiscoverSlot{20};
inline constexpr std::size_t kDiscoverBytes = 512;     // of every answer: two hosts would fit in
inline constexpr std::size_t kDiscoverClients = 4096;  // remembered; the oldest are forgotten

inline constexpr std::chrono::seconds kRetryAfter{1};  // where nothing better is known

}  // namespace granary::gateway
