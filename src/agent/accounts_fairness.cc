#include <set>

#include "agent/accounts.h"
#include "agent/limits.h"
#include "base/log.h"

// CPU time between accounts: who uses much steps back (cpu_fairness.h).
namespace granary::agent {

using base::AccountId;
using base::Task;

namespace {

CpuFairness::Times times_of(Cgroups& cgroups, const std::set<AccountId>& running) {
  CpuFairness::Times times;
  for (const AccountId& id : running) {
    if (const auto used = cgroups.cpu_time(id)) times[id] = *used;
  }
  return times;
}

void put_levels(Cgroups& cgroups, const std::vector<CpuLevel>& levels) {
  for (const auto& [account, steps_back] : levels) {
    const auto done = cgroups.set_cpu_level(
        account, steps_back ? Cgroups::CpuUse::WhatIsLeft : Cgroups::CpuUse::Share);
    if (!done)  // it may have ended
      base::log::debug("{}: {}", account.value, describe(done.error()));
    else if (steps_back)
      base::log::info("{} uses much CPU: it runs where no other account wants to", account.value);
    else
      base::log::info("{} has been calm: it has its share of the CPU again", account.value);
  }
}

}  // namespace

std::set<AccountId> Accounts::running() const {
  std::set<AccountId> ids;
  for (const auto& [raw, weak] : living_) {
    const auto service = weak.lock();
    if (service && service->phase() != ServicePhase::BackingOff) ids.insert(service->id().account);
  }
  return ids;
}

// An earlier agent's verdict is not known any more: all begin with their share.
Task<void> Accounts::begin_cpu_fairness() {
  std::vector<CpuLevel> levels;
  for (const AccountId& id : running()) levels.push_back({id, false});
  co_await base::run_on(parts_.worker, [this, &levels] {
    for (const CpuLevel& level : levels)
      (void)parts_.cgroups.set_cpu_level(level.account, Cgroups::CpuUse::Share);
    return true;
  });
}

void Accounts::put_first(int pid) {
  (void)tasks_.spawn("the gateway's CPU", put_before_accounts(pid));
}

Task<void> Accounts::put_before_accounts(int pid) {
  const auto put = co_await base::run_on(
      parts_.worker, [this, pid] { return parts_.cgroups.put_before_accounts(pid); });
  if (!put) base::log::warn("the gateway competes with accounts: {}", describe(put.error()));
}

Task<void> Accounts::keep_cpu_fair() {
  const base::BootTime now = parts_.clock.boot();
  if (now - cpu_looked_ < kCpuLook) co_return;
  cpu_looked_ = now;
  const std::set<AccountId> ids = running();
  const CpuFairness::Times used =
      co_await base::run_on(parts_.worker, [this, &ids] { return times_of(parts_.cgroups, ids); });
  const std::vector<CpuLevel> levels = fairness_.look(now, used);
  const std::vector<AccountId> back = fairness_.stepping_back();
  if (levels.empty() && back.empty()) co_return;
  co_await base::run_on(parts_.worker, [this, &levels, &back] {
    put_levels(parts_.cgroups, levels);
    // Each time: the groups of an account that has died and started since begin with a share.
    for (const AccountId& id : back)
      (void)parts_.cgroups.set_cpu_level(id, Cgroups::CpuUse::WhatIsLeft);
    return true;
  });
}

}  // namespace granary::agent
