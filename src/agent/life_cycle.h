// The decisions about a service's lives, as pure functions: which phase may follow which, what
// comes after a life's end, when an idle one may sleep. The effects are in service.h.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "wire/account_state.h"

namespace granary::agent {

using wire::ServicePhase;

// Whatever changes a service's phase. README.md has the table.
enum class LifeEvent {
  Recalled,     // an earlier agent left it backing off
  Adopted,      // an earlier agent left it running
  Woken,        // it is asked for, or is never to sleep
  Started,      // its process exists: requests may be sent to it
  StopBegan,    // it was told to stop
  StartsAgain,  // its life is over, and the next begins at once
  FellAsleep,   // its life is over, or the pause of its back-off
  BackedOff,    // its life is over, and the next must wait
};
inline constexpr std::array kLifeEvents = {
    LifeEvent::Recalled,  LifeEvent::Adopted,     LifeEvent::Woken,      LifeEvent::Started,
    LifeEvent::StopBegan, LifeEvent::StartsAgain, LifeEvent::FellAsleep, LifeEvent::BackedOff};
// Decided for every pair. Nothing: the event cannot happen in this phase, and is a bug.
std::optional<ServicePhase> phase_after(ServicePhase phase, LifeEvent event);

enum class Ending {
  Asked,   // idle, suspended, replaced: we told it to stop
  Done,    // it had served, and ended by itself with exit code 0: it put itself to sleep
  Failed,  // it ended otherwise, or could not be started
};
// Whether somebody asks for the service just now: a connection in its queue, or an activation.
enum class Demand { None, Some };

struct LifeEnd {
  Ending ending = Ending::Asked;
  Demand demand = Demand::None;
  std::uint32_t crashes = 0;  // in a row, before this one
  std::chrono::nanoseconds lasted{0};
  std::uint64_t answered = 0;  // requests, without an error of the server
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
