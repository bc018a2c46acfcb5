#include "agent/life_cycle.h"

#include <algorithm>

#include "agent/limits.h"

namespace granary::agent {

using std::chrono::milliseconds;

namespace {

// Of a life that is over, whatever phase it had come to.
ServicePhase after_life(LifeEvent event) {
  if (event == LifeEvent::StartsAgain) return ServicePhase::Starting;
  return event == LifeEvent::BackedOff ? ServicePhase::BackingOff : ServicePhase::Asleep;
}

}  // namespace

std::optional<ServicePhase> phase_after(ServicePhase phase, LifeEvent event) {
  const bool alive = phase == ServicePhase::Starting || phase == ServicePhase::Running ||
                     phase == ServicePhase::Stopping;
  switch (event) {
    case LifeEvent::Recalled:
      if (phase == ServicePhase::Asleep) return ServicePhase::BackingOff;
      return std::nullopt;
    case LifeEvent::Adopted:
      if (!alive) return ServicePhase::Running;
      return std::nullopt;
    case LifeEvent::Woken:
      if (!alive) return ServicePhase::Starting;
      return std::nullopt;
    case LifeEvent::Started:
      if (phase == ServicePhase::Starting) return ServicePhase::Running;
      return std::nullopt;
    case LifeEvent::StopBegan:
      if (phase == ServicePhase::Running) return ServicePhase::Stopping;
      return std::nullopt;
    case LifeEvent::FellAsleep:
      if (phase == ServicePhase::BackingOff) return ServicePhase::Asleep;
      [[fallthrough]];
    case LifeEvent::StartsAgain:
    case LifeEvent::BackedOff:
      if (alive) return after_life(event);
      return std::nullopt;
  }
  return std::nullopt;
}

Verdict judge(const LifeEnd& end, double jitter) {
  const auto on_demand =
      end.demand == Demand::Some ? Verdict::Next::StartAgain : Verdict::Next::Sleep;
  if (end.ending != Ending::Failed) return {on_demand, 0, {}};
  std::uint32_t crashes = end.lasted >= kRanWell ? 1 : end.crashes + 1;
  // It works but for some requests: whoever sends those must not close it for all.
  if (end.answered >= kServedWell) crashes = std::min(crashes, 2U);
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
