#include "agent/limits.h"
#include "agent/service_life.h"
#include "base/contained.h"

// Whether the app takes connections. In port mode granary-init tells. On an inherited listener the
// kernel counts no accepts, so it is concluded: from an answer, from a queue that became shorter
// (what its clients gave up stays in it until it is accepted), or from a request in flight that
// waits in no queue.
namespace granary::agent {

using base::BootTime;
using base::Result;
using base::Task;

// What the gateway has counted as answered by any life of the slot.
std::uint64_t Service::answers(const Awake& awake) const {
  const wire::BoardSlot& board = tools_.board.slot(awake.slot);
  return board.requests.load() - board.refused.load();
}

// Of these, the ones that were no error of the server: a crash is answered with one. Errors are
// counted after their request, and so are read before it.
std::uint64_t Service::good_answers(const Awake& awake) const {
  const wire::BoardSlot& board = tools_.board.slot(awake.slot);
  const std::uint64_t errors = board.errors_server.load();
  return board.requests.load() - errors;
}

// By this life.
std::uint64_t Service::answered_well(const Awake& awake) const {
  return good_answers(awake) - awake.good_before;
}

bool Service::accepted_on_door(Awake& awake) const {
  if (answers(awake) > awake.answers_before) return true;
  const auto waiting = tools_.doors.waiting(id(), awake.door);
  if (!waiting) return true;  // it is not known, and so nobody is blamed
  if (*waiting < awake.most_waiting) return true;
  awake.most_waiting = *waiting;
  const BootTime now = tools_.clock.boot();
  const std::uint32_t in_flight = tools_.board.slot(awake.slot).in_flight.load();
  const bool ignored = in_flight != 0 && *waiting >= in_flight;
  const bool taken = *waiting < in_flight;
  awake.ignored_since = ignored ? awake.ignored_since.value_or(now) : std::optional<BootTime>();
  awake.taken_since = taken ? awake.taken_since.value_or(now) : std::optional<BootTime>();
  return taken && now - *awake.taken_since >= kConnectGrace;
}

Task<void> Service::look_for_acceptance(std::shared_ptr<Awake> awake) {
  bool accepted = false;
  if (spec().port == 0) {
    accepted = accepted_on_door(*awake);
  } else {
    const auto listens = co_await tools_.launcher.listens(id());
    accepted = listens && *listens && awake == awake_ && awake->serves();
  }
  if (!accepted || awake->accepts) co_return;
  awake->accepts = true;
  awake->changed.notify_all();
}

// The same for a fault of ours: the service is not blamed for it, and the sweep looks on.
Task<Result<void>> Service::looked_for_acceptance(std::shared_ptr<Awake> awake) {
  co_await look_for_acceptance(std::move(awake));
  co_return Result<void>();
}

Task<void> Service::await_acceptance(std::shared_ptr<Awake> awake) {
  const std::uint32_t epoch = awake->epoch;
  const BootTime until = awake->started + spec().start_timeout;
  std::chrono::milliseconds pause = kAcceptPollFirst;
  while (awake->epoch == epoch && awake->serves() && tools_.clock.boot() < until) {
    const auto looked = co_await base::contained(looked_for_acceptance(awake));
    if (!looked || awake->accepts) co_return;
    if (!co_await tools_.timer.sleep(pause)) co_return;
    pause = std::min(pause * 2, kAcceptPollLast);
  }
}

}  // namespace granary::agent
