// Bounds of the agent, each with its reason. Constants only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace granary::agent {

// --- stopping -----------------------------------------------------------------------------------

// A deployment or a suspension waits for the requests under way before it tells the app to stop: as
// long as the service's stop_timeout, and no longer than this, since those that come meanwhile wait
// for the next life (the gateway gives up after 120 s).
inline constexpr std::chrono::milliseconds kDrainLongest{30'000};
// How often it is looked whether they are over: a word of shared memory.
inline constexpr std::chrono::milliseconds kDrainLook{20};
// After a service's stop_timeout: granary-init needs up to 2 s to drain (init/limits.h), then a
// little for the kernel. After that its pid namespace is killed.
inline constexpr std::chrono::milliseconds kInitGrace{3'000};
// A killed pid namespace ends at once, unless the kernel is in trouble.
inline constexpr std::chrono::milliseconds kKillDeadline{10'000};
// The sandbox program outside ends as soon as its silo has ended.
inline constexpr std::chrono::milliseconds kMonitorGrace{2'000};
// After its end a silo's disk is unmounted by the kernel in the background: some milliseconds.
inline constexpr std::chrono::milliseconds kDiskReleaseDeadline{5'000};
inline constexpr std::chrono::milliseconds kDiskReleasePoll{1};

// --- crashes ------------------------------------------------------------------------------------

// A life at least this long ended by bad luck, not by a bad release: counting begins anew.
inline constexpr std::chrono::seconds kRanWell{30};
// A life that answered so many requests well began well: its crash pauses the next one for the
// first back-off at most, however many came before it.
inline constexpr std::uint64_t kServedWell = 3;
// The first crash restarts at once where somebody waits; from the second on the pause doubles.
inline constexpr std::chrono::milliseconds kFirstBackOff{500};
inline constexpr std::chrono::milliseconds kLongestBackOff{60'000};
// After a fault of Granary itself in the service's bookkeeping: as long as any back-off.
inline constexpr std::chrono::milliseconds kFaultBackOff = kLongestBackOff;
inline constexpr double kBackOffJitter = 0.2;  // up to this much less, so that a fleet spreads

// --- sweeping -----------------------------------------------------------------------------------

// How often running services are looked at, at the least and at the most. The sweep runs only
// while something runs; the lower bound is the precision of `idle`.
inline constexpr std::chrono::milliseconds kSweepShortest{250};
inline constexpr std::chrono::milliseconds kSweepLongest{500};

// --- sharing the CPU ----------------------------------------------------------------------------

// How often it is looked at who uses how much, at the most: with the sweep, so only while something
// runs, and one small file for each account that does.
inline constexpr std::chrono::milliseconds kCpuLook{400};
// A moving average over about this time: a start that takes a quarter of a second is no reason.
inline constexpr std::chrono::milliseconds kCpuMemory{800};
// Cores. From the first on an account steps back; below the second, for so long, it is calm.
inline constexpr double kCpuMuch = 0.25;
inline constexpr double kCpuCalm = 0.1;
inline constexpr std::chrono::seconds kCpuCalmFor{5};

// --- what silos see of this machine
// ---------------------------------------------------------------

// How often it is looked whether its files have changed, at the most: with a start, for which it
// takes some 0.1 ms.
inline constexpr std::chrono::seconds kSharedLook{1};
// Debian's, with all that is listed installed, are some 3,000 files of 10 MiB.
inline constexpr std::size_t kMostSharedFiles = 20'000;
inline constexpr std::uint64_t kMostSharedBytes = 64ULL << 20;
inline constexpr std::size_t kDeepestShared = 8;

// --- starting -----------------------------------------------------------------------------------

// Silos started at once, per core: starting is CPU work, more only makes all of them late.
inline constexpr std::size_t kStartsPerCore = 2;
// While others wait to be started, a started app keeps its place until it has taken its first
// connection, so that a storm of wakes is served one after another; but no longer than this.
inline constexpr std::chrono::milliseconds kSettleLongest{400};
// Whether an app has taken its first connection is looked at this often, at first and in the end,
// until its start_timeout; from then on with the sweep.
inline constexpr std::chrono::milliseconds kAcceptPollFirst{2};
inline constexpr std::chrono::milliseconds kAcceptPollLast{100};
// A request that is counted but in no queue for this long has been accepted: the gateway connects
// within a millisecond of counting, or of the answer to its activation.
inline constexpr std::chrono::milliseconds kConnectGrace{250};
// How long an activation waits for a place among those that start: longer than a storm of wakes
// takes, shorter than the gateway waits for an answer.
inline constexpr std::chrono::seconds kPlaceLongest{60};
// Connections that may wait while a service starts (the kernel caps it at somaxconn). The
// gateway's own queue is shorter.
inline constexpr int kBacklog = 4096;
// How long the sandbox may take until its first process exists.
inline constexpr std::chrono::milliseconds kSandboxDeadline{10'000};

// --- more CPU for a start -----------------------------------------------------------------------

// What a service may have of it at once, in time that passes: a JVM's start takes some 3 s.
inline constexpr std::chrono::seconds kBoostMost{10};
// One part in so many of the time comes back: a service that sleeps after a minute has 6 s for each
// start; one that only ever starts has a tenth more than its share.
inline constexpr int kBoostRegain = 10;
// With less of it left a start has its share alone: the change back would come at once.
inline constexpr std::chrono::milliseconds kBoostLeast{250};
// Cores that a start may use, where there are as many. Most programs start with one thread; two
// leave others a core on the smallest machines that are sold.
inline constexpr unsigned kBoostCores = 2;
// Programs load much of themselves with the first request: until it is answered, but no longer.
inline constexpr std::chrono::milliseconds kBoostTail{1'000};
// A tenth of the time that has passed, within these.
inline constexpr std::chrono::milliseconds kBoostPollShortest{5};
inline constexpr std::chrono::milliseconds kBoostPollLongest{100};

// --- protocol -----------------------------------------------------------------------------------

// Control and gateway hold one connection each; the rest is for people.
inline constexpr std::size_t kMaxConnections = 64;
// Requests of one connection that may be under way; beyond it reading pauses. One deep rollout
// and a storm of 1,000 wakes fit.
inline constexpr std::size_t kMaxRequests = 2'048;
inline constexpr std::uint32_t kMaxListPage = 500;

// --- files --------------------------------------------------------------------------------------

inline constexpr std::size_t kMaxAccountFile = 4U << 20;  // as wire::kMaxFrame
inline constexpr std::size_t kMaxRecordFile = 16U << 10;
inline constexpr std::size_t kMaxStatusFile = 4U << 10;
// Both files of a service's log together.
inline constexpr std::uint64_t kLogBytes = 2U << 20;
inline constexpr std::size_t kMaxLogChunk = 256U << 10;  // bytes of one answer to `logs`
// Lines and bytes of log that explain a crash.
inline constexpr std::size_t kFailureLines = 5;
inline constexpr std::size_t kFailureBytes = 2'000;

// Compiling a release's modules when it is unpacked; large ones take some 10 s a core.
inline constexpr std::chrono::minutes kPrecompileDeadline{3};

// --- disks --------------------------------------------------------------------------------------

inline constexpr std::uint64_t kSmallestDisk = 16ULL << 20;  // a journal of 4 MiB must fit
inline constexpr std::chrono::seconds kMakeDiskDeadline{60};
inline constexpr std::chrono::minutes kMendDiskDeadline{10};

// --- room on this machine's disk ----------------------------------------------------------------

// Below so many times the high watermark (wire/room.h) room is scarce: apps may write a share of it
// between two looks, which come this often.
inline constexpr std::uint64_t kRoomNear = 4;
inline constexpr std::chrono::milliseconds kRoomLook{100};
// Where it is not scarce: some 20 us for each account that runs.
inline constexpr std::chrono::milliseconds kRoomCalmLook{1'000};
// Above the high watermark at least: 160 MiB/s, as where a thousand accounts run.
inline constexpr std::uint64_t kLeastShare = 16ULL << 20;
// A ballast that is wrong by less stays: a change of it is a write to the guest's journal.
inline constexpr std::uint64_t kBallastStep = 256ULL << 10;
// Free pieces of a guest smaller than this are not given back to the machine.
inline constexpr std::uint64_t kLeastGivenBack = 64ULL << 10;
// A guest whose image holds so much more than it uses gives it back while the machine is full, at
// every tenth look.
inline constexpr std::uint64_t kWorthGivingBack = 8ULL << 20;
inline constexpr int kLooksPerGivingBack = 10;
// In a row; blocks just deleted can be had only after the guest's next commit.
inline constexpr int kMostShortLooks = 20;

// --- moving data --------------------------------------------------------------------------------

// Exports and imports at once: each is one thread that packs, or waits for the disk.
inline constexpr std::size_t kTransfersAtOnce = 2;
// How long an app's writes may be held back for an export. Comparing runs at some 4 GB/s, and a
// request that waits for longer is given up by most clients.
inline constexpr std::chrono::milliseconds kLongestPause{10'000};
// The same where nothing runs and nothing may start: nobody waits.
inline constexpr std::chrono::milliseconds kLongestPauseSuspended{600'000};
// A disk is copied while it is written to until a round changes no more than this, or so often.
inline constexpr std::uint64_t kSmallChange = 8ULL << 20;
inline constexpr int kMostRounds = 4;
// What an imported disk may be larger than its quota, beside a part of that: folders of a small
// one.
inline constexpr std::uint64_t kImportSlack = 16ULL << 20;
// Inodes that a file system has for itself, and a few for an app to go on with.
inline constexpr std::uint64_t kSpareInodes = 64;
// Left free on this machine whatever is exported: databases and logs must go on.
inline constexpr std::uint64_t kSpareRoom = 64ULL << 20;

}  // namespace granary::agent
