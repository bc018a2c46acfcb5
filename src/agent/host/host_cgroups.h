// The kernel's control groups, version 1 or 2, below GROUP/ACCOUNT/SERVICE in each hierarchy. See
// agent/cgroups.h.
#pragma once

#include <string>
#include <vector>

#include "agent/cgroups.h"
#include "agent/host/cgroup_layout.h"

namespace granary::agent {

class HostCgroups final : public Cgroups {
 public:
  // `group` is this installation's own, so that two on one machine do not meet.
  HostCgroups(CgroupLayout layout, std::string group);
  // Removes the installation's group where nothing is left in it.
  ~HostCgroups() override;
  HostCgroups(const HostCgroups&) = delete;
  HostCgroups& operator=(const HostCgroups&) = delete;

  base::Result<CgroupEntrance> make(const base::ServiceId& service,
                                    const wire::Limits& limits) override;
  base::Result<void> set_cpu_limit(const base::ServiceId& service, const wire::Limits& limits,
                                   CpuLimit limit) override;
  base::Result<CgroupUsage> usage(const base::ServiceId& service) override;
  base::Result<std::chrono::nanoseconds> cpu_time(const base::AccountId& account) override;
  base::Result<void> set_cpu_level(const base::AccountId& account, CpuUse use) override;
  base::Result<void> put_before_accounts(int pid) override;
  base::Result<void> remove(const base::ServiceId& service) override;
  base::Result<std::vector<base::ServiceId>> list() override;

 private:
  bool v2() const { return !layout_.v2.empty(); }
  const std::string& root_of(const std::string& controller) const;
  std::string folder(const std::string& root, const base::AccountId& account) const;
  std::string folder(const std::string& root, const base::ServiceId& service) const;
  base::Result<void> make_folder(const std::string& root, const base::ServiceId& service) const;
  base::Result<void> delegate(const std::string& folder) const;
  base::Result<void> limit_v1(const base::ServiceId& service, const wire::Limits& limits) const;
  base::Result<void> limit_v2(const base::ServiceId& service, const wire::Limits& limits) const;
  GroupView view_v1(const base::ServiceId& service, const wire::Limits& limits) const;
  GroupView view_v2(const base::ServiceId& service, const wire::Limits& limits) const;
  base::Result<void> enter_cpuset(CgroupEntrance& entrance) const;
  base::Result<void> kill(const std::string& folder) const;

  CgroupLayout layout_;
  std::string group_;
  std::vector<std::string> roots_;  // of every hierarchy, once each
};

// The group of the installation with this data directory.
std::string cgroup_name(const std::string& data_dir);

}  // namespace granary::agent
