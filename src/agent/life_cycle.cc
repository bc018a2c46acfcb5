#include "agent/life_cycle.h"

#include <algorithm>

#include "agent/limits.h"

namespace granary::agent {

using std::chrono::milliseconds;

bool may_follow(ServicePhase from, ServicePhase to) {
  switch (from) {
    case ServicePhase::Asleep:
      return to == ServicePhase::Starting || to == ServicePhase::Running;  // woken, or adopted
    case ServicePhase::Starting:
      return to == ServicePhase::Running || to == ServicePhase::BackingOff ||
             to == ServicePhase::Asleep;
    case ServicePhase::Running:
      return to == ServicePhase::Stopping || to == ServicePhase::Starting ||
             to == ServicePhase::BackingOff || to == ServicePhase::Asleep;
    case ServicePhase::Stopping:
      return to == ServicePhase::Asleep || to == ServicePhase::Starting;
    case ServicePhase::BackingOff:
      return to == ServicePhase::Asleep || to == ServicePhase::Starting;
  }
  return false;
}

Verdict judge(const LifeEnd& end, double jitter) {
  const auto on_demand =
      end.demand == Demand::Some ? Verdict::Next::StartAgain : Verdict::Next::Sleep;
  if (end.ending == Ending::Asked) return {on_demand, 0, {}};
  const std::uint32_t crashes = end.lasted >= kRanWell ? 1 : end.crashes + 1;
  // Once may be chance: those who wait get another try at once.
  if (crashes == 1) return {on_demand, crashes, {}};
  constexpr std::uint32_t kMostDoublings = 20;  // far beyond kLongestBackOff, and no overflow
  const std::uint32_t doublings = std::min(crashes - 2, kMostDoublings);
  const milliseconds pause =
      std::min<milliseconds>(kFirstBackOff * (1LL << doublings), kLongestBackOff);
  const double share = 1.0 - kBackOffJitter * jitter;
  return {Verdict::Next::BackOff, crashes,
          milliseconds(static_cast<std::int64_t>(static_cast<double>(pause.count()) * share))};
}

base::BootTime idle_until(base::BootTime started, base::BootTime last_activity, milliseconds idle) {
  return std::max(started, last_activity) + idle;
}

}  // namespace granary::agent
