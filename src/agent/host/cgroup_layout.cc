#include "agent/host/cgroup_layout.h"

#include <algorithm>
#include <sstream>

#include "base/os/file.h"

namespace granary::agent {
namespace {

constexpr std::size_t kLargestMounts = 8U << 20;

struct MountLine {
  std::string target, type, options;
};

std::vector<MountLine> parse_mounts(std::string_view text) {
  std::vector<MountLine> lines;
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) {
    std::istringstream fields(line);
    std::string source;
    MountLine mount;
    if (fields >> source >> mount.target >> mount.type >> mount.options) lines.push_back(mount);
  }
  return lines;
}

bool has_word(std::string_view list, char separator, std::string_view word) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(separator), list.size());
    if (list.substr(0, end) == word) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

}  // namespace

std::string v2_mount(std::string_view mounts) {
  for (const MountLine& mount : parse_mounts(mounts)) {
    if (mount.type == "cgroup2") return mount.target;
  }
  return "";
}

base::Result<CgroupLayout> choose_layout(const CgroupMounts& machine) {
  std::string controllers = machine.v2_controllers;
  while (!controllers.empty() && controllers.back() == '\n') controllers.pop_back();
  const bool v2 = std::ranges::all_of(
      kNeededControllers, [&](const char* name) { return has_word(controllers, ' ', name); });
  if (v2) return CgroupLayout{v2_mount(machine.mounts), {}, {}};
  CgroupLayout layout;
  const std::vector<MountLine> mounts = parse_mounts(machine.mounts);
  const auto find = [&](const char* name) {
    for (const MountLine& mount : mounts) {
      if (mount.type == "cgroup" && has_word(mount.options, ',', name))
        layout.v1.emplace(name, mount.target);
    }
  };
  find(kCpuTimeController);
  for (const char* name : kNeededControllers) {
    find(name);
    if (!layout.v1.contains(name))
      return base::fail_with_advice(
          base::Code::NotSupported,
          fmt::format("no control group controller '{}': silos could not be limited", name),
          "Boot with systemd.unified_cgroup_hierarchy=1, and add cgroup_enable=memory to the "
          "kernel's command line if the memory controller is off");
  }
  for (const MountLine& mount : mounts) {
    const bool used = std::ranges::any_of(
        layout.v1, [&](const auto& known) { return known.second == mount.target; });
    if (mount.type == "cgroup" && has_word(mount.options, ',', kCpusetController) && !used)
      layout.cpuset = mount.target;
  }
  return layout;
}

base::Result<CgroupLayout> detect_layout() {
  CgroupMounts machine;
  TRY_ASSIGN(machine.mounts, base::os::read_file("/proc/self/mounts", kLargestMounts));
  const std::string v2 = v2_mount(machine.mounts);
  if (!v2.empty())
    machine.v2_controllers =
        base::os::read_file(v2 + "/cgroup.controllers", kLargestMounts).value_or("");
  return choose_layout(machine);
}

}  // namespace granary::agent
