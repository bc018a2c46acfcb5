// Where this machine keeps its control groups: version 2, version 1, or both (hybrid, where the
// controllers may still be version 1's). Pure, but for what reads the files.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace granary::agent {

struct CgroupLayout {
  // Version 2's mount point, when it has all the controllers needed; then `v1` is empty.
  std::string v2;
  // Version 1: controller -> mount point. Controllers mounted together share theirs.
  std::map<std::string, std::string> v1;
  // Version 1: the mount point of cpuset, where it has one of its own. Limits nobody.
  std::string cpuset;
  bool operator==(const CgroupLayout&) const = default;
};

// What must be there to hold a silo to its limits.
inline constexpr const char* kNeededControllers[] = {"cpu", "memory", "pids"};
// Version 1's own, which counts what version 2's cpu does as well; often mounted with its cpu.
inline constexpr const char* kCpuTimeController = "cpuacct";

// Needed by Java to believe in version 1 at all.
inline constexpr const char* kCpusetController = "cpuset";

struct CgroupMounts {
  std::string mounts;          // the text of /proc/self/mounts
  std::string v2_controllers;  // of the version 2 root's cgroup.controllers; empty: no version 2
};
// Errors: NotSupported, naming the controller that is missing and what to do.
base::Result<CgroupLayout> choose_layout(const CgroupMounts& machine);
// The mount point of version 2 in the text of /proc/self/mounts; empty when there is none.
std::string v2_mount(std::string_view mounts);
base::Result<CgroupLayout> detect_layout();

}  // namespace granary::agent
