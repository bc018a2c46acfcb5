// An operation that is not final, as the engine holds it in memory. Internal to this room.
#pragma once

#include <memory>

#include "base/event.h"
#include "operation/engine.h"

namespace granary::operation {

struct Engine::Live {
  // Idle: waits for its turn or a place. Parked: waits for its time.
  enum class Phase { Idle, Running, Parked };

  Operation operation;
  Phase phase = Phase::Idle;
  bool begun = false;  // the store says that operation.step has begun
  bool cancel_requested = false;
  std::shared_ptr<base::Event> ended;  // owned by this and by whoever waits
};

}  // namespace granary::operation
