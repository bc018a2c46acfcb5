// The activity board: a file in shared memory with one fixed 64-byte slot for each service. The
// gateway counts into it, the agent writes who serves, and agent and control read: idle stop and
// metering need no message for a request. Lock-free; any thread of any of these processes.
//
// The handshake that loses no request (Dekker's, hence sequentially consistent):
//   gateway: in_flight += 1, then reads epoch. 0: in_flight -= 1, it asks the agent to activate,
//            and begins anew. What is counted is what the present life works on (decision 20).
//   agent:   to stop an idle service sets epoch = 0, then reads in_flight. Not 0: it puts the
//            epoch back and lets it run.
// At least one of them sees the other.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace granary::wire {

struct alignas(64) BoardSlot {
  std::atomic<std::uint32_t> in_flight;      // written by the gateway
  std::atomic<std::uint32_t> epoch;          // written by the agent; 0: nobody serves
  std::atomic<std::uint64_t> last_activity;  // BootTime in nanoseconds; both write
  std::atomic<std::uint64_t> requests;       // the rest by the gateway, since the file was made
  std::atomic<std::uint64_t> bytes_in;
  std::atomic<std::uint64_t> bytes_out;
  std::atomic<std::uint64_t> errors_server;  // answers 500 to 599
  std::atomic<std::uint32_t> errors_client;  // answers 400 to 499
  std::atomic<std::uint32_t> refused;        // of these, 429 and 503 that the gateway made itself
  std::atomic<std::uint64_t> wakes;          // written by the agent
};
static_assert(sizeof(BoardSlot) == 64);

class ActivityBoard final {
 public:
  // 65,536 services; the file is sparse, so unused slots cost nothing.
  static constexpr std::uint32_t kSlots = 1U << 16;

  enum class Access { ReadOnly, ReadWrite };
  // Errors: NotFound; DataLoss when the file is no board.
  static base::Result<std::unique_ptr<ActivityBoard>> open(const std::string& path, Access access);
  // Makes the file where it is missing, and gives it this mode and group, which decide who may
  // write. A board that is there keeps its counts. Errors: DataLoss when the file is no board.
  static base::Result<void> create(const std::string& path, unsigned mode, unsigned group);
  ~ActivityBoard();
  ActivityBoard(const ActivityBoard&) = delete;
  ActivityBoard& operator=(const ActivityBoard&) = delete;

  // `slot` < kSlots, an invariant. The first is for a board opened ReadWrite alone, another.
  BoardSlot& slot(std::uint32_t slot);
  const BoardSlot& slot(std::uint32_t slot) const;

  // The generation of the routing snapshot that the gateway routes by: how control learns that what
  // it published is in force. 0: none yet. The first is for ReadWrite alone (asserted).
  void set_routing(std::uint64_t generation);
  std::uint64_t routing() const;

 private:
  ActivityBoard(void* map, Access access);
  std::atomic<std::uint64_t>& routing_word() const;
  void* map_;  // a head of one page, then the slots
  BoardSlot* slots_;
  Access access_;
};

}  // namespace granary::wire
