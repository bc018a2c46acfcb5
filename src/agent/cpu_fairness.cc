#include "agent/cpu_fairness.h"

#include <algorithm>
#include <cmath>

#include "agent/limits.h"

namespace granary::agent {

using base::AccountId;
using base::BootTime;
using Seconds = std::chrono::duration<double>;

void CpuFairness::note(Seen& seen, double cores, double seconds, BootTime now) {
  const double weight = 1 - std::exp(-seconds / Seconds(kCpuMemory).count());
  seen.cores += (cores - seen.cores) * weight;
  if (seen.cores >= kCpuCalm) seen.calm_since = now;
  if (seen.cores >= kCpuMuch) seen.steps_back = true;
  if (now - seen.calm_since >= kCpuCalmFor) seen.steps_back = false;
}

std::vector<CpuLevel> CpuFairness::look(BootTime now, const Times& used) {
  std::vector<CpuLevel> changes;
  const double seconds = Seconds(now - looked_).count();
  looked_ = now;
  std::erase_if(seen_, [&](const auto& entry) { return !used.contains(entry.first); });
  for (const auto& [account, time] : used) {
    const auto [entry, is_new] = seen_.try_emplace(account, Seen{.used = time, .calm_since = now});
    Seen& seen = entry->second;
    // Groups that were made anew count from zero.
    const auto more = std::max(time - seen.used, std::chrono::nanoseconds(0));
    seen.used = time;
    if (is_new || seconds <= 0) continue;
    const bool before = seen.steps_back;
    note(seen, Seconds(more).count() / seconds, seconds, now);
    if (seen.steps_back != before) changes.push_back({account, seen.steps_back});
  }
  return changes;
}

std::vector<AccountId> CpuFairness::stepping_back() const {
  std::vector<AccountId> accounts;
  for (const auto& [account, seen] : seen_) {
    if (seen.steps_back) accounts.push_back(account);
  }
  return accounts;
}

bool CpuFairness::steps_back(const AccountId& account) const {
  const auto found = seen_.find(account);
  return found != seen_.end() && found->second.steps_back;
}

}  // namespace granary::agent
