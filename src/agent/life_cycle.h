// The decisions about a service's lives, as pure functions: which phase may follow which, what
// comes after a life's end, when an idle one may sleep. The effects are in service.h.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "wire/account_state.h"

namespace granary::agent {

using wire::ServicePhase;

// README.md draws it.
bool may_follow(ServicePhase from, ServicePhase to);

enum class Ending {
  Asked,   // idle, suspended, replaced: we told it to stop
  Failed,  // it ended by itself, or could not be started
};
// Whether somebody asks for the service just now: a connection in its queue, or an activation.
enum class Demand { None, Some };

struct LifeEnd {
  Ending ending = Ending::Asked;
  Demand demand = Demand::None;
  std::uint32_t crashes = 0;  // in a row, before this one
  std::chrono::nanoseconds lasted{0};
};

struct Verdict {
  enum class Next { Sleep, StartAgain, BackOff } next = Next::Sleep;
  std::uint32_t crashes = 0;           // in a row now
  std::chrono::milliseconds pause{0};  // BackOff only
  bool operator==(const Verdict&) const = default;
};
// `jitter` is uniform in [0, 1).
Verdict judge(const LifeEnd& end, double jitter);

// The first moment at which a service that nobody uses may be put to sleep.
base::BootTime idle_until(base::BootTime started, base::BootTime last_activity,
                          std::chrono::milliseconds idle);

}  // namespace granary::agent
