#include "base/event.h"

namespace granary::base {

Task<Result<void>> Event::wait() {
  const std::uint64_t seen = generation_;
  ErrorCode error;
  co_await never_.async_wait(into(error));
  // A notification and a cancellation of the waiter both end as operation_aborted; only the
  // first changes the generation.
  if (generation_ == seen) co_return fail(Code::Cancelled, "the wait was cancelled");
  co_return Result<void>();
}

void Event::notify_all() {
  ++generation_;
  never_.cancel();
}

}  // namespace granary::base
