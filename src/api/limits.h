// Bounds of the API, each with its reason.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace granary::api {

// ---- what one request may be

// The request line and all headers: a token and a few headers take less than 1 KiB.
inline constexpr std::uint32_t kMaxHeadBytes = 16U << 10;
// What is read ahead of a request; the head must fit.
inline constexpr std::size_t kMaxBuffer = 64U << 10;
// A document: the largest is a tenant with 256 settings.
inline constexpr std::size_t kMaxJsonBytes = 1U << 20;
// A bundle: wire::BundleLimits::total_bytes and what the archive adds, compressed or not.
inline constexpr std::uint64_t kMaxBundleBytes = 2200ULL << 20;
// A file on its way, in or out, in pieces of this size: one system call each, no more in memory.
inline constexpr std::size_t kUploadChunk = 256U << 10;
inline constexpr std::size_t kMaxKeyBytes = 128;  // an Idempotency-Key; a UUID has 36
inline constexpr std::size_t kMaxRequestIdBytes = 64;
inline constexpr std::size_t kMaxQueryValue = 1024;

// ---- how long it may take

// For clients and the network. A struct rather than constants, so that tests can meet them without
// waiting so long.
struct Patience {
  // From the end of the last answer to the whole head of the next request. Also what ends idle
  // connections, so that they cannot keep others out for long.
  std::chrono::milliseconds head = std::chrono::seconds(15);
  std::chrono::milliseconds body = std::chrono::seconds(30);
  // Between two pieces of an upload, and for all of it: the largest bundle at 1 MB/s. Archives,
  // which may be much larger, get more for what has arrived: kSlowestTransfer.
  std::chrono::milliseconds upload_piece = std::chrono::seconds(30);
  std::chrono::milliseconds upload = std::chrono::minutes(40);
  // For a client to take a piece of a file, and all of a small one; likewise.
  std::chrono::milliseconds download_piece = std::chrono::seconds(30);
  std::chrono::milliseconds download = std::chrono::minutes(11);
  // For a client to take its answer; the largest is some megabytes of a list.
  std::chrono::milliseconds answer = std::chrono::seconds(30);
  // For what a refused client still sends, so that it can read the refusal: closing a socket with
  // unread input resets the connection.
  std::chrono::milliseconds linger = std::chrono::seconds(2);
};
// Bytes a second. Who is slower over a whole archive holds its place for too long.
inline constexpr std::uint64_t kSlowestTransfer = 1'000'000;
inline constexpr std::size_t kMaxLingerBytes = 4U << 20;
// The longest ?wait; below what proxies and clients allow for one request (60 s).
inline constexpr std::chrono::seconds kMaxWait{30};
inline constexpr std::chrono::seconds kFollowTime{10};
// Between two looks at a log that is followed.
inline constexpr std::chrono::milliseconds kFollowStep{300};
// Between two signs of life of an event stream; a client that is gone is noticed by them.
inline constexpr std::chrono::seconds kHeartbeat{15};

// ---- how many

// People, scripts and the console of one installation. Each holds some 100 KiB at most. More wait
// in the kernel's queue of the listening socket.
inline constexpr std::size_t kMaxConnections = 512;
inline constexpr std::size_t kMaxStreams = 64;  // event streams, of the connections
inline constexpr std::size_t kMaxUploads = 4;   // at once: each may take 2.2 GiB of disk
// Archives at once, in and out: each keeps a disk busy, and in it may take 64 GiB of it.
inline constexpr std::size_t kMaxArchiveUploads = 2;
// What a file on its way in leaves free on the disk: the store must go on writing there.
inline constexpr std::uint64_t kSpareRoom = 512ULL << 20;
// The same for one that says its length, in bytes; 0: it does not. A small one needs less, so that
// a small disk takes it: room for the store, and for as many more as may come at the same time.
constexpr std::uint64_t spare_room(std::uint64_t length) {
  constexpr std::uint64_t kForTheStore = 64ULL << 20;
  constexpr std::uint64_t kAtOnce = kMaxUploads + kMaxArchiveUploads;
  if (length == 0 || length > kSpareRoom / kAtOnce) return kSpareRoom;
  return std::min(kSpareRoom, kForTheStore + kAtOnce * length);
}
// How often that is looked at: so much cannot be missed between two looks of all at once.
inline constexpr std::uint64_t kRoomStep = 64ULL << 20;
inline constexpr std::size_t kMaxDownloads = 8;
// Each reads the whole log on the store's one reader.
inline constexpr std::size_t kMaxAuditChecks = 1;
// Changes kept for event streams that are behind or come back.
inline constexpr std::size_t kKeptEvents = 1024;
// Tokens known to be valid, for so long: what a revocation by hand in the database may take. A
// revocation through the API holds at once.
inline constexpr std::size_t kKnownTokens = 1024;
inline constexpr std::chrono::seconds kTokenMemory{10};

// What destroys data waits; who wants it gone at once says so with a retention of 0.
inline constexpr std::chrono::hours kDefaultRetention{30 * 24};

// An archive that was asked for: time to fetch it, without filling the disk.
inline constexpr std::chrono::hours kDefaultKeep{24};
inline constexpr std::chrono::hours kLongestKeep{30 * 24};

inline constexpr std::uint32_t kDefaultPage = 100;
inline constexpr std::uint32_t kMaxPage = 1000;
inline constexpr std::uint32_t kFleetPage = 1000;  // of accounts, while the whole fleet is counted
// Bad accounts that /v1/status names; it counts all.
inline constexpr std::size_t kMaxNamed = 1000;
// An agent that has not answered a question for so long is asked whether it is there. With
// app::kStateKept and app::kAwayAfter on top, a person waits for 3.5 s, not for the question's own
// deadline.
inline constexpr std::chrono::milliseconds kAskAgentAfter{500};
// Those of them whose operations are looked at for why they failed: two queries each.
inline constexpr std::size_t kMaxExplained = 100;

}  // namespace granary::api
