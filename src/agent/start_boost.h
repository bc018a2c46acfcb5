// More CPU for a start. A service that is waked is given what it needs until it serves, not the
// share that it runs with: half a core would make each visitor who wakes it wait for twice as long.
// What is given is bounded: by a budget that comes back slowly, so that an app which starts over
// and over, or never serves, gains little; and it counts for who has to step back (cpu_fairness.h).
// Lives on the agent's executor.
#pragma once

#include <functional>
#include <memory>

#include "agent/service.h"

namespace granary::agent {

// How much of it one service may have, in time that passes. Pure.
class StartBudget final {
 public:
  // What a start that begins now may take; 0: nothing.
  std::chrono::nanoseconds left(base::BootTime now);
  void take(base::BootTime now, std::chrono::nanoseconds used);

 private:
  std::chrono::nanoseconds spent_{0};
  base::BootTime at_{0};
};

// A life that has begun with more than its share.
struct BoostedLife {
  base::ServiceId service;
  wire::Limits limits;
  std::uint32_t slot = 0;
  std::chrono::nanoseconds longest{0};
  std::function<bool()> accepts;        // somebody in it takes connections
  std::function<bool()> over;           // the life has ended, with all that it had
  std::shared_ptr<StartBudget> budget;  // owned by the service and by this
};

// Takes it back as soon as the app has answered, or has taken its connections for a while, or has
// had its time.
base::Task<void> end_boost(ServiceTools& tools, BoostedLife life);
// The same at once: an earlier agent may have given it.
base::Task<void> end_boost_now(ServiceTools& tools, base::ServiceId service, wire::Limits limits);

}  // namespace granary::agent
