#include "agent/host/host_cgroups.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "agent/limits.h"
#include "base/hash.h"
#include "base/os/file.h"
#include "base/os/process.h"
#include "base/os/processors.h"
#include "base/os/syscall.h"

namespace granary::agent {
namespace {

using base::AccountId;
using base::Code;
using base::Result;
using base::ServiceId;
using base::os::Fd;

constexpr std::size_t kLargestFile = 1U << 20;
constexpr std::uint64_t kCpuPeriodUs = 100'000;
// The sandbox program that waits outside, and granary-init: not the app's.
constexpr std::uint32_t kOwnProcesses = 2;
// Beside the accounts, and no account's name. Its part of the CPU is that of ten accounts.
constexpr std::string_view kPlatform = "_platform";
constexpr std::uint64_t kPlatformWeight = 1'000;
constexpr std::uint64_t kPlatformShares = 10'240;
// Of cpuset, where nobody is limited: all silos together. And no account's name.
constexpr std::string_view kSilos = "_silos";
// A killed process leaves its group a moment later.
constexpr int kRemoveTries = 2'000;
constexpr std::chrono::milliseconds kRemovePause{1};

Result<void> put(const std::string& path, std::string_view text) {
  TRY_ASSIGN(const Fd file, base::os::open_file(path, O_WRONLY, 0));
  auto written = base::os::write_all(file.get(), text);
  if (!written) return base::annotate(std::move(written).error(), "writing " + path);
  return {};
}

Result<void> put_number(const std::string& path, std::uint64_t number) {
  return put(path, std::to_string(number));
}

std::uint64_t quota_of(const wire::Limits& limits) {
  return limits.cpu_millis * kCpuPeriodUs / 1000;
}

std::uint64_t number_in(std::string_view text) {
  std::uint64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') break;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return number;
}

// The number behind "name " at the beginning of a line.
std::uint64_t number_of(std::string_view text, std::string_view name) {
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) {
    const std::string_view view(line);
    if (view.starts_with(name) && view.substr(name.size()).starts_with(" "))
      return number_in(view.substr(name.size() + 1));
  }
  return 0;
}

Result<void> make_one(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return {};
  return std::unexpected(base::os::from_errno(errno, "mkdir", path));
}

// Errors: Conflict while something is in it.
Result<void> remove_one(const std::string& path) {
  if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
  return std::unexpected(base::os::from_errno(errno, "rmdir", path));
}

Result<std::vector<pid_t>> processes(const std::string& folder) {
  TRY_ASSIGN(const std::string text, base::os::read_file(folder + "/cgroup.procs", kLargestFile));
  std::vector<pid_t> pids;
  std::istringstream stream(text);
  for (pid_t pid = 0; stream >> pid;) pids.push_back(pid);
  return pids;
}

// Folders below one; files of the kernel lie there too.
std::vector<std::string> folders_in(const std::string& path) {
  std::vector<std::string> found;
  const auto names = base::os::list_folder(path);
  if (!names) return found;
  for (const std::string& name : *names) {
    struct stat status{};
    if (::lstat(fmt::format("{}/{}", path, name).c_str(), &status) == 0 && S_ISDIR(status.st_mode))
      found.push_back(name);
  }
  return found;
}

}  // namespace

HostCgroups::HostCgroups(CgroupLayout layout, std::string group)
    : layout_(std::move(layout)), group_(std::move(group)) {
  if (v2()) roots_.push_back(layout_.v2);
  for (const auto& [controller, root] : layout_.v1) {
    if (std::ranges::find(roots_, root) == roots_.end()) roots_.push_back(root);
  }
}

HostCgroups::~HostCgroups() {
  for (const std::string& root : roots_) {
    const std::string top = root + "/" + group_;
    (void)remove_one(fmt::format("{}/{}", top, kPlatform));
    (void)remove_one(top);
  }
  if (layout_.cpuset.empty()) return;
  (void)remove_one(fmt::format("{}/{}/{}", layout_.cpuset, group_, kSilos));
  (void)remove_one(layout_.cpuset + "/" + group_);
}

const std::string& HostCgroups::root_of(const std::string& controller) const {
  return v2() ? layout_.v2 : layout_.v1.at(controller);
}

std::string HostCgroups::folder(const std::string& root, const AccountId& account) const {
  return root + "/" + group_ + "/" + account.value;
}

std::string HostCgroups::folder(const std::string& root, const ServiceId& service) const {
  return folder(root, service.account) + "/" + service.service;
}

// Version 2: what a folder's children may be limited in.
Result<void> HostCgroups::delegate(const std::string& path) const {
  return put(path + "/cgroup.subtree_control", "+cpu +memory +pids");
}

Result<void> HostCgroups::make_folder(const std::string& root, const ServiceId& service) const {
  const std::string leaf = folder(root, service);
  // Most often only the leaf is missing, or the account's folder as well.
  if (::mkdir(leaf.c_str(), 0755) == 0 || errno == EEXIST) return {};
  const std::string top = root + "/" + group_;
  const std::string account = top + "/" + service.account.value;
  TRY(make_one(top));
  TRY(make_one(account));
  if (v2()) {
    for (const std::string& path : {root, top, account}) TRY(delegate(path));
  }
  return make_one(leaf);
}

Result<void> HostCgroups::limit_v1(const ServiceId& service, const wire::Limits& limits) const {
  const std::string memory = folder(root_of("memory"), service);
  const std::string cpu = folder(root_of("cpu"), service);
  const std::string pids = folder(root_of("pids"), service);
  const std::string with_swap = memory + "/memory.memsw.limit_in_bytes";
  TRY(put_number(memory + "/memory.limit_in_bytes", limits.memory_bytes));
  if (base::os::exists(with_swap)) TRY(put_number(with_swap, limits.memory_bytes));
  TRY(put_number(cpu + "/cpu.cfs_period_us", kCpuPeriodUs));
  TRY(put_number(cpu + "/cpu.cfs_quota_us", quota_of(limits)));
  return put_number(pids + "/pids.max", limits.processes + kOwnProcesses);
}

Result<void> HostCgroups::limit_v2(const ServiceId& service, const wire::Limits& limits) const {
  const std::string leaf = folder(layout_.v2, service);
  TRY(put_number(leaf + "/memory.max", limits.memory_bytes));
  if (base::os::exists(leaf + "/memory.swap.max")) TRY(put(leaf + "/memory.swap.max", "0"));
  TRY(put(leaf + "/cpu.max", fmt::format("{} {}", quota_of(limits), kCpuPeriodUs)));
  return put_number(leaf + "/pids.max", limits.processes + kOwnProcesses);
}

Result<CgroupEntrance> HostCgroups::make(const ServiceId& service, const wire::Limits& limits) {
  CgroupEntrance entrance;
  for (const std::string& root : roots_) {
    TRY(make_folder(root, service));
    const std::string leaf = folder(root, service);
    if (v2()) {
      TRY_ASSIGN(entrance.folder, base::os::open_file(leaf, O_RDONLY | O_DIRECTORY, 0));
    } else {
      TRY_ASSIGN(Fd tasks, base::os::open_file(leaf + "/tasks", O_WRONLY, 0));
      entrance.tasks.push_back(std::move(tasks));
    }
  }
  TRY(v2() ? limit_v2(service, limits) : limit_v1(service, limits));
  if (!layout_.cpuset.empty()) TRY(enter_cpuset(entrance));
  entrance.view = v2() ? view_v2(service, limits) : view_v1(service, limits);
  return entrance;
}

// A group of its own for each silo would have the kernel divide the cores anew at each end of one.
Result<void> HostCgroups::enter_cpuset(CgroupEntrance& entrance) const {
  const std::string top = layout_.cpuset + "/" + group_;
  const std::string silos = fmt::format("{}/{}", top, kSilos);
  auto tasks = base::os::open_file(silos + "/tasks", O_WRONLY, 0);
  if (!tasks && tasks.error().code == Code::NotFound) {
    for (const std::string& path : {top, silos}) {
      TRY(make_one(path));
      for (const char* file : {"/cpuset.cpus", "/cpuset.mems"}) {
        TRY_ASSIGN(const std::string all, base::os::read_file(layout_.cpuset + file, kLargestFile));
        TRY(put(path + file, all));
      }
    }
    tasks = base::os::open_file(silos + "/tasks", O_WRONLY, 0);
  }
  if (!tasks) return std::unexpected(std::move(tasks).error());
  entrance.tasks.push_back(std::move(*tasks));
  return {};
}

// Controllers that are mounted together have one folder, as on a machine that systemd has set up.
GroupView HostCgroups::view_v1(const ServiceId& service, const wire::Limits& limits) const {
  GroupView view;
  for (const std::string& root : roots_) {
    std::vector<std::string> names;
    for (const auto& [controller, at] : layout_.v1) {
      if (at == root) names.push_back(controller);
    }
    const std::string together = fmt::format("{}", fmt::join(names, ","));
    view.folders.push_back({folder(root, service), together});
    if (names.size() == 1) continue;
    for (std::string& name : names) view.links.push_back({together, std::move(name)});
  }
  if (!layout_.cpuset.empty())
    view.folders.push_back({fmt::format("{}/{}/{}", layout_.cpuset, group_, kSilos), "cpuset"});
  view.said.push_back({"cpu/cpu.cfs_quota_us", fmt::format("{}\n", quota_of(limits))});
  return view;
}

GroupView HostCgroups::view_v2(const ServiceId& service, const wire::Limits& limits) const {
  constexpr const char* kAll = "all";
  GroupView view;
  view.root = kAll;
  view.folders.push_back({folder(layout_.v2, service), kAll});
  view.said.push_back(
      {fmt::format("{}/cpu.max", kAll), fmt::format("{} {}\n", quota_of(limits), kCpuPeriodUs)});
  return view;
}

// For a start: so many cores, or its limit where that is more.
Result<void> HostCgroups::set_cpu_limit(const ServiceId& service, const wire::Limits& limits,
                                        CpuLimit limit) {
  std::uint64_t quota = quota_of(limits);
  if (limit == CpuLimit::Start) {
    const unsigned cores = std::min(base::os::processors(), kBoostCores);
    quota = std::max(quota, cores * kCpuPeriodUs);
  }
  const std::string leaf = folder(root_of("cpu"), service);
  if (v2()) return put(leaf + "/cpu.max", fmt::format("{} {}", quota, kCpuPeriodUs));
  return put_number(leaf + "/cpu.cfs_quota_us", quota);
}

Result<CgroupUsage> HostCgroups::usage(const ServiceId& service) {
  const std::string leaf = folder(root_of("memory"), service);
  CgroupUsage usage;
  TRY_ASSIGN(const std::string memory,
             base::os::read_file(leaf + (v2() ? "/memory.current" : "/memory.usage_in_bytes"),
                                 kLargestFile));
  TRY_ASSIGN(
      const std::string events,
      base::os::read_file(leaf + (v2() ? "/memory.events" : "/memory.oom_control"), kLargestFile));
  usage.memory_bytes = number_in(memory);
  usage.oom_kills = number_of(events, "oom_kill");
  const std::string pids = folder(root_of("pids"), service);
  const auto refused = base::os::read_file(pids + "/pids.events", kLargestFile);
  if (refused) usage.processes_refused = number_of(*refused, "max");
  const auto limit = base::os::read_file(pids + "/pids.max", kLargestFile);
  if (limit)
    usage.processes_limit =
        number_in(*limit) - std::min<std::uint64_t>(number_in(*limit), kOwnProcesses);
  return usage;
}

Result<std::chrono::nanoseconds> HostCgroups::cpu_time(const AccountId& account) {
  if (v2()) {
    TRY_ASSIGN(const std::string stat,
               base::os::read_file(folder(layout_.v2, account) + "/cpu.stat", kLargestFile));
    return std::chrono::microseconds(number_of(stat, "usage_usec"));
  }
  const auto root = layout_.v1.find(kCpuTimeController);
  if (root == layout_.v1.end())
    return base::fail(Code::NotSupported, "there is no control group controller 'cpuacct'");
  TRY_ASSIGN(const std::string usage,
             base::os::read_file(folder(root->second, account) + "/cpuacct.usage", kLargestFile));
  return std::chrono::nanoseconds(number_in(usage));
}

// Linux 5.15 has groups that run only where no other wants to; before it, a small weight.
Result<void> HostCgroups::set_cpu_level(const AccountId& account, CpuUse use) {
  const bool steps_back = use == CpuUse::WhatIsLeft;
  const std::string path = folder(root_of("cpu"), account);
  if (base::os::exists(path + "/cpu.idle")) return put(path + "/cpu.idle", steps_back ? "1" : "0");
  if (v2()) return put(path + "/cpu.weight", steps_back ? "1" : "100");
  return put(path + "/cpu.shares", steps_back ? "2" : "1024");
}

// A process elsewhere would be weighed against all accounts together, and those that step back do
// so only before their neighbours: the gateway would wait for them.
Result<void> HostCgroups::put_before_accounts(int pid) {
  const std::string& root = root_of("cpu");
  const std::string top = root + "/" + group_;
  const std::string own = fmt::format("{}/{}", top, kPlatform);
  TRY(make_one(top));
  if (v2()) {
    for (const std::string& path : {root, top}) TRY(delegate(path));
  }
  TRY(make_one(own));
  TRY(v2() ? put_number(own + "/cpu.weight", kPlatformWeight)
           : put_number(own + "/cpu.shares", kPlatformShares));
  return put_number(own + "/cgroup.procs", static_cast<std::uint64_t>(pid));
}

Result<void> HostCgroups::kill(const std::string& path) const {
  if (base::os::exists(path + "/cgroup.kill")) return put(path + "/cgroup.kill", "1");
  TRY_ASSIGN(const std::vector<pid_t> pids, processes(path));
  for (const pid_t pid : pids) {
    const auto process = base::os::open_process(pid);
    if (!process) continue;
    // Still a member now that the descriptor is held: so it is the process that was meant.
    TRY_ASSIGN(const std::vector<pid_t> still, processes(path));
    if (std::ranges::find(still, pid) == still.end()) continue;
    TRY(base::os::signal_process(process->get(), SIGKILL));
  }
  return {};
}

Result<void> HostCgroups::remove(const ServiceId& service) {
  for (const std::string& root : roots_) {
    const std::string leaf = folder(root, service);
    for (int i = 0; base::os::exists(leaf); ++i) {
      const auto removed = remove_one(leaf);
      if (removed) break;
      if (removed.error().code != Code::Conflict) return removed;
      if (i == kRemoveTries)
        return base::fail(Code::Deadline, "the control group {} does not become empty", leaf);
      TRY(kill(leaf));
      base::os::pause_thread(kRemovePause);
    }
    // The account's own goes with its last service.
    (void)remove_one(root + "/" + group_ + "/" + service.account.value);
  }
  return {};
}

Result<std::vector<ServiceId>> HostCgroups::list() {
  std::vector<ServiceId> services;
  for (const std::string& root : roots_) {
    const std::string top = root + "/" + group_;
    for (const std::string& account : folders_in(top)) {
      for (const std::string& service : folders_in(fmt::format("{}/{}", top, account))) {
        ServiceId id{base::AccountId(account), service};
        if (std::ranges::find(services, id) == services.end()) services.push_back(std::move(id));
      }
    }
  }
  return services;
}

std::string cgroup_name(const std::string& data_dir) {
  return "granary-" + base::sha256_hex(data_dir).substr(0, 12);
}

}  // namespace granary::agent
