#include "agent/start_boost.h"

#include <algorithm>

#include "agent/limits.h"
#include "base/log.h"

namespace granary::agent {

using base::BootTime;
using base::Task;
using std::chrono::nanoseconds;

nanoseconds StartBudget::left(BootTime now) {
  const nanoseconds regained = std::max(nanoseconds(0), now - at_) / kBoostRegain;
  spent_ = std::max(nanoseconds(0), spent_ - regained);
  at_ = now;
  return std::max(nanoseconds(0), nanoseconds(kBoostMost) - spent_);
}

void StartBudget::take(BootTime now, nanoseconds used) {
  (void)left(now);
  spent_ += used;
}

namespace {

// What is seen of an app that starts, by looking at it now and then.
class FirstRequest final {
 public:
  // `in_flight`: there are requests that the gateway waits for.
  bool served(BootTime now, bool accepts, bool in_flight) {
    if (!accepts) {
      taken_at_ = now;
      return false;
    }
    return !in_flight || now - taken_at_ >= kBoostTail;
  }

 private:
  BootTime taken_at_{0};
};

}  // namespace

Task<void> end_boost_now(ServiceTools& tools, base::ServiceId service, wire::Limits limits) {
  const auto limited = co_await tools.launcher.settle(service, limits);
  if (!limited)  // it may have ended
    base::log::debug("{}: its share of the CPU: {}", to_string(service), describe(limited.error()));
}

Task<void> end_boost(ServiceTools& tools, BoostedLife life) {
  const BootTime begun = tools.clock.boot();
  FirstRequest request;
  BootTime now = begun;
  while (now - begun < life.longest) {
    const nanoseconds pause =
        std::clamp<nanoseconds>((now - begun) / 10, kBoostPollShortest, kBoostPollLongest);
    if (!co_await tools.timer.sleep(std::min(pause, life.longest - (now - begun)))) co_return;
    now = tools.clock.boot();
    if (life.over()) break;
    if (request.served(now, life.accepts(), tools.board.slot(life.slot).in_flight.load() != 0))
      break;
  }
  life.budget->take(now, now - begun);
  if (!life.over()) co_await end_boost_now(tools, life.service, life.limits);
}

}  // namespace granary::agent
