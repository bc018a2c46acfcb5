// Limits on what a silo may use, kept by the kernel: one control group an account, with one child
// for each running service. Blocking but quick; stateless, so usable from any worker thread.
// Implementations: host/host_cgroups.h (v2, v1, hybrid), testing/. A machine without them:
// host/no_cgroups.h, for --isolation none.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/os/fd.h"
#include "base/result.h"
#include "wire/account_state.h"

namespace granary::agent {

// What a silo may see of its own groups, read-only, where runtimes look for their limits. Names are
// relative to one folder.
struct GroupView {
  struct Folder {
    std::string source;  // one of the service's own groups
    std::string name;
  };
  struct Link {
    std::string to;
    std::string name;
  };
  // A file of such a folder that says this. The CPU limit as it will be: while a service starts it
  // may be more, and runtimes count their threads by it then.
  struct Said {
    std::string name;
    std::string text;
  };
  std::string root;  // what of it is /sys/fs/cgroup; empty: all of it
  std::vector<Folder> folders;
  std::vector<Link> links;
  std::vector<Said> said;
};

// How a process is put into the groups; see base/os/contained_child.h.
struct CgroupEntrance {
  std::vector<base::os::Fd> tasks;  // v1
  base::os::Fd folder;              // v2
  GroupView view;
};

struct CgroupUsage {
  std::uint64_t memory_bytes = 0;
  std::uint64_t oom_kills = 0;
  // How often a process or thread could not be started, and how many there may be.
  std::uint64_t processes_refused = 0;
  std::uint64_t processes_limit = 0;
};

class Cgroups {
 public:
  virtual ~Cgroups() = default;
  // Makes the service's groups with these limits, whether they were there or not.
  virtual base::Result<CgroupEntrance> make(const base::ServiceId& service,
                                            const wire::Limits& limits) = 0;
  // How much of the CPU it may use: its limit, or what a start may. Errors: NotFound.
  enum class CpuLimit { Share, Start };
  virtual base::Result<void> set_cpu_limit(const base::ServiceId& service,
                                           const wire::Limits& limits, CpuLimit limit) = 0;
  // Errors: NotFound.
  virtual base::Result<CgroupUsage> usage(const base::ServiceId& service) = 0;
  // What all services of the account have used since its groups were made. Errors: NotFound.
  virtual base::Result<std::chrono::nanoseconds> cpu_time(const base::AccountId& account) = 0;
  // How it competes with other accounts; with its groups a share is given up. WhatIsLeft: only
  // where nobody who has a share wants to run. Errors: NotFound.
  enum class CpuUse { Share, WhatIsLeft };
  virtual base::Result<void> set_cpu_level(const base::AccountId& account, CpuUse use) = 0;
  // From now on this process, one of the platform's, competes with the accounts, and before them.
  virtual base::Result<void> put_before_accounts(int pid) = 0;
  // Kills what is in them, then removes them. Success when there are none. Errors: Deadline.
  virtual base::Result<void> remove(const base::ServiceId& service) = 0;
  virtual base::Result<std::vector<base::ServiceId>> list() = 0;
};

}  // namespace granary::agent
