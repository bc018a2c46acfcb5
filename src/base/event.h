// A condition that coroutines of one executor wait for. Not thread-safe; not a queue: a notify
// that nobody waits for is lost, so waiters test their condition in a loop.
#pragma once

#include <boost/asio/steady_timer.hpp>

#include "base/async.h"

namespace granary::base {

class Event final {
 public:
  explicit Event(const asio::any_io_executor& executor) : never_(executor) {
    never_.expires_at(asio::steady_timer::time_point::max());
  }

  // Resumes at the next notify_all(). Errors: Cancelled, when the waiting coroutine is cancelled.
  Task<Result<void>> wait();
  void notify_all();

 private:
  asio::steady_timer never_;  // a timer that never fires: cancelling it is the notification
  std::uint64_t generation_ = 0;
};

}  // namespace granary::base
