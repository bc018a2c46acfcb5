// Waiting, as an interface, so that a simulated world can skip the time. Lives on the executor of
// whoever waits. Not for timestamps: see clock.h.
#pragma once

#include "base/async.h"
#include "base/clock.h"

namespace granary::base {

class Timer {
 public:
  virtual ~Timer() = default;
  // Resumes after `duration`. Errors: Cancelled, when the waiting coroutine is cancelled.
  virtual Task<Result<void>> sleep(std::chrono::nanoseconds duration) = 0;
};

}  // namespace granary::base
