// What this room needs of whoever can ask an app something. Implemented by app over the gateway; a
// fake in testing/. Lives on control's executor.
#pragma once

#include <string>

#include "base/async.h"
#include "base/ids.h"

namespace granary::lifecycle {

// Asks one service of an account for its health path, through the gateway, as a customer would.
// Declared here because the check after a deployment consumes it; wired in by app.
class Prober {
 public:
  virtual ~Prober() = default;
  // Resolves when the answer was 2xx. Errors: Unavailable or Deadline with what was answered.
  virtual base::Task<base::Result<void>> probe(base::AccountId account, std::string path) = 0;
  // For one that has no health path: whether the service answered at all. BrokenOff: the gateway
  // had it, and found no answer that it could give on (502), or none in time (504).
  enum class Answer { OfApp, BrokenOff };
  // Errors: Unavailable or Deadline, also when it does not start or takes no connection.
  virtual base::Task<base::Result<Answer>> reach(base::AccountId account, std::string path) {
    CO_TRY(co_await probe(std::move(account), std::move(path)));
    co_return Answer::OfApp;
  }
};

}  // namespace granary::lifecycle
