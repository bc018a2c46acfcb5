// An operation that is not final, as the engine holds it in memory. Internal to this room.
#pragma once

#include <deque>
#include <memory>

#include "base/event.h"
#include "operation/engine.h"

namespace granary::operation {

struct Engine::Live {
  // Idle: waits for its turn or a place. Parked: waits for its time, for a child, or for somebody
  // who resumes it.
  enum class Phase { Idle, Running, Parked };

  Operation operation;
  Phase phase = Phase::Idle;
  bool begun = false;  // the store says that operation.step has begun
  bool cancel_requested = false;
  // ---- of a parent at its fan-out
  bool awaits = false;  // parked without a time: a child that ends nudges it
  bool nudged = false;  // a child has ended since it looked
  std::optional<base::OperationId> again_after;  // of failed children that are run again: the last
  std::deque<base::OperationId> failed;          // that come next
  std::string mark;                              // of the child that was begun last
  std::deque<Child> upcoming;                    // after `mark`; empty: to be fetched
  bool exhausted = false;                        // there are none after `mark` and `upcoming`
  std::shared_ptr<base::Event> ended;            // owned by this and by whoever waits
};

}  // namespace granary::operation
