// No limits at all, for `--isolation none` where a machine has no control groups or the agent is
// not root. See agent/cgroups.h.
#pragma once

#include "agent/cgroups.h"

namespace granary::agent {

class NoCgroups final : public Cgroups {
 public:
  base::Result<CgroupEntrance> make(const base::ServiceId&, const wire::Limits&) override {
    return CgroupEntrance{};
  }
  base::Result<void> set_cpu_limit(const base::ServiceId&, const wire::Limits&, CpuLimit) override {
    return {};
  }
  base::Result<CgroupUsage> usage(const base::ServiceId&) override { return CgroupUsage{}; }
  base::Result<std::chrono::nanoseconds> cpu_time(const base::AccountId&) override {
    return std::chrono::nanoseconds(0);
  }
  base::Result<void> set_cpu_level(const base::AccountId&, CpuUse) override { return {}; }
  base::Result<void> put_before_accounts(int) override { return {}; }
  base::Result<void> remove(const base::ServiceId&) override { return {}; }
  base::Result<std::vector<base::ServiceId>> list() override {
    return std::vector<base::ServiceId>();
  }
};

}  // namespace granary::agent
