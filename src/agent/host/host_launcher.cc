#include "agent/host/host_launcher.h"

#include <signal.h>

#include "agent/host/disk_images.h"
#include "agent/host/host_silo.h"
#include "agent/host/info_pipe.h"
#include "agent/host/seccomp_filter.h"
#include "agent/host/silo_files.h"
#include "agent/limits.h"
#include "agent/log_reader.h"
#include "base/log.h"
#include "base/os/contained_child.h"
#include "base/os/file.h"
#include "base/os/listening_ports.h"
#include "base/os/process.h"

namespace granary::agent {

using base::Code;
using base::Result;
using base::ServiceId;
using base::Task;
using base::os::Fd;

namespace {

constexpr int kListenerFd = 3;
constexpr int kLogFds[] = {4, 5};
constexpr int kStatusFd = 6;
constexpr std::size_t kMostSaid = 2'000;

// What a program wrote to its standard error; from the beginning, where the cause stands.
std::string said(const Fd& errors) {
  if (!errors) return "";
  std::string text = base::os::read_at(errors.get(), 0, kMostSaid).value_or("");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return base::log::escape(text);
}

// `patience`: how long it may take to end by itself.
void kill_and_wait(const base::os::ProcessIdentity& identity, std::chrono::milliseconds patience) {
  if (identity.pid == 0) return;
  const auto process = base::os::open_process(identity);
  if (!process) return;
  if (patience.count() > 0 && base::os::wait_for_end(process->get(), patience)) return;
  (void)base::os::signal_process(process->get(), SIGKILL);
  if (const auto ended = base::os::wait_for_end(process->get(), kKillDeadline); !ended)
    base::log::error("process {} does not die: {}", identity.pid, describe(ended.error()));
}

}  // namespace

std::string_view to_string(LaunchStep step) {
  switch (step) {
    case LaunchStep::Files:
      return "files";
    case LaunchStep::Cgroups:
      return "cgroups";
    case LaunchStep::Disk:
      return "disk";
    case LaunchStep::Spawn:
      return "spawn";
    case LaunchStep::Sandbox:
      return "sandbox";
    case LaunchStep::Record:
      return "record";
  }
  return "";
}

// One start, step by step, on a worker thread. What it holds is released when it ends, either way;
// the processes and files that outlive it are known to clean_up().
class HostLauncher::Launch final {
 public:
  Launch(const HostLauncherParts& parts, const SiloPlan& plan)
      : parts_(parts), plan_(plan), since_(parts.clock.boot()) {
    started_.trace.service = plan.service;
  }

  Result<Started> run() {
    TRY(step(LaunchStep::Files, &Launch::open_files));
    TRY(step(LaunchStep::Cgroups, &Launch::make_cgroups));
    TRY(step(LaunchStep::Disk, &Launch::attach_disk));
    TRY(step(LaunchStep::Spawn, &Launch::spawn));
    TRY(step(LaunchStep::Sandbox, &Launch::await_sandbox));
    TRY(step(LaunchStep::Record, &Launch::record));
    return std::move(started_);
  }
  // After a failure of run(): nothing of the silo goes on living.
  void undo() {
    if (child_.pid == 0) return;
    (void)base::os::signal_process(child_.pidfd.get(), SIGKILL);
    (void)base::os::wait_for_end(child_.pidfd.get(), kKillDeadline);
    (void)base::os::reap(child_.pid);
  }

 private:
  Result<void> step(LaunchStep step, Result<void> (Launch::*run)()) {
    Result<void> result = (this->*run)();
    const base::BootTime now = parts_.clock.boot();
    started_.trace.steps.emplace_back(step, now - since_);
    since_ = now;
    if (result) return result;
    return base::annotate(std::move(result).error(),
                          fmt::format("starting the silo, step {}", to_string(step)));
  }

  Result<void> open_files() {
    if (parts_.shared != nullptr) {
      if (const auto shown = parts_.shared->refresh(parts_.clock.boot()); !shown)
        base::log::warn("silos see this machine's files as they were: {}", describe(shown.error()));
    }
    started_.life.record.log_cursor = log_end(parts_.paths, plan_.service);
    TRY_ASSIGN(files_, open_life_files(parts_.paths, plan_.service));
    TRY_ASSIGN(started_.life.errors, base::os::memory_file("sandbox errors", ""));
    return {};
  }

  Result<void> make_cgroups() {
    TRY_ASSIGN(entrance_, parts_.cgroups.make(plan_.service, plan_.spec.limits));
    if (!plan_.boosted) return {};
    return parts_.cgroups.set_cpu_limit(plan_.service, plan_.spec.limits, Cgroups::CpuLimit::Start);
  }

  Result<void> attach_disk() {
    TRY_ASSIGN(disk_, parts_.volumes.attach(plan_.service.account));
    return {};
  }

  // What the child mounts before the sandbox begins.
  SiloMounts prepare_mounts(base::os::ContainedChildOptions& options) const {
    SiloMounts mounts{.disk = disk_.folder};
    if (disk_.device_path.empty()) return mounts;
    const SandboxFolders folders = sandbox_folders(parts_.paths);
    options.mount = {.device = disk_.device_path,
                     .target = disk_.mount_point,
                     .type = kDiskType,
                     .options = kDiskMountOptions,
                     .key = disk_.key.get(),
                     .folder = disk_.folder,
                     .owner = {plan_.uid, plan_.uid},
                     .scratch = disk_.scratch,
                     .scratch_parent = disk_.scratch_parent,
                     .scratch_target = folders.scratch};
    if (!disk_.scratch.empty()) mounts.scratch = folders.scratch;
    mounts.old_scratch = disk_.fresh && !disk_.scratch.empty();
    const GroupView& view = entrance_.view;
    if (view.folders.empty()) return mounts;
    const auto at = [&folders](const std::string& name) { return folders.groups + "/" + name; };
    options.shown.target = folders.groups;
    for (const auto& [source, name] : view.folders)
      options.shown.folders.push_back({source, at(name)});
    for (const auto& [to, name] : view.links) options.shown.links.push_back({to, at(name)});
    for (const auto& [name, text] : view.said)
      options.shown.said.push_back(
          {text, at(fmt::format(".{}", options.shown.said.size())), at(name)});
    mounts.groups = view.root.empty() ? folders.groups : at(view.root);
    return mounts;
  }

  Result<void> spawn() {
    base::os::ContainedChildOptions options;
    const SandboxCommand command = parts_.sandbox.command(plan_, prepare_mounts(options));
    options.argv = command.argv;
    options.environment = command.environment;
    for (const Fd& tasks : entrance_.tasks) options.join.push_back(tasks.get());
    options.cgroup = entrance_.folder.get();
    options.read_only = command.read_only;
    if (parts_.change_user) options.identity = {plan_.uid, plan_.uid};
    options.stdio = started_.life.errors.get();
    options.descriptors = {{plan_.listener, kListenerFd},
                           {files_.log[0].get(), kLogFds[0]},
                           {files_.log[1].get(), kLogFds[1]},
                           {files_.status.get(), kStatusFd}};
    if (!command.secrets_folder.empty())
      TRY(write_secrets(command.secrets_folder, plan_.secrets, options.identity));
    Fd seccomp;
    Fd config;
    std::vector<Fd> secrets;
    if (command.pid_source == PidSource::InfoPipe) {
      TRY_ASSIGN(info_, make_info_pipe());
      TRY_ASSIGN(seccomp, reopen(parts_.seccomp));
      TRY_ASSIGN(config, base::os::memory_file("config", plan_.config_json));
      options.descriptors.push_back({seccomp.get(), kSeccompFd});
      options.descriptors.push_back({config.get(), kConfigFd});
      options.descriptors.push_back({info_.writing.get(), kInfoFd});
      TRY(hand_over_secrets(secrets, options));
    }
    TRY_ASSIGN(child_, base::os::start_contained(options));
    info_.writing.reset();
    return {};
  }

  Result<void> hand_over_secrets(std::vector<Fd>& files,
                                 base::os::ContainedChildOptions& options) const {
    for (const auto& [name, value] : plan_.secrets) {
      TRY_ASSIGN(Fd file, base::os::memory_file("secret", value));
      const int number = kFirstSecretFd + static_cast<int>(files.size());
      options.descriptors.push_back({file.get(), number});
      files.push_back(std::move(file));
    }
    return {};
  }

  Result<void> await_sandbox() {
    SiloRecord& record = started_.life.record;
    if (!info_.reading) {
      TRY_ASSIGN(const auto status, base::os::process_status(child_.pid));
      record.init = status.identity;
      started_.init = std::move(child_.pidfd);
      return {};
    }
    const auto pid = read_child_pid(info_.reading, kSandboxDeadline);
    if (!pid) return sandbox_failed(pid.error());
    TRY_ASSIGN(started_.init, base::os::open_process(*pid));
    TRY_ASSIGN(const auto init, base::os::process_status(*pid));
    TRY_ASSIGN(const auto monitor, base::os::process_status(child_.pid));
    // Its parent tells that the pid has not passed on to another process meanwhile.
    if (init.parent != child_.pid) return sandbox_failed({Code::NotFound, "it ended", {}, {}});
    record.init = init.identity;
    record.monitor = monitor.identity;
    return {};
  }

  Result<void> sandbox_failed(const base::Error& error) {
    // Its words come before its end.
    (void)base::os::wait_for_end(child_.pidfd.get(), kKillDeadline);
    const std::string words = said(started_.life.errors);
    return base::fail_with_advice(Code::Internal,
                                  "the sandbox failed: " + (words.empty() ? error.message : words),
                                  "Run granary doctor on this machine");
  }

  Result<void> record() {
    SiloRecord& record = started_.life.record;
    record.boot_id = base::os::boot_id();
    record.epoch = plan_.epoch;
    record.fingerprint = fingerprint(plan_);
    return write_record(parts_.paths, plan_.service, record);
  }

  const HostLauncherParts& parts_;
  const SiloPlan& plan_;
  base::BootTime since_;
  Started started_;
  LifeFiles files_;
  CgroupEntrance entrance_;
  AttachedDisk disk_;
  InfoPipe info_;
  base::os::ContainedChild child_;
};

HostLauncher::HostLauncher(base::asio::any_io_executor executor, HostLauncherParts parts)
    : executor_(std::move(executor)), parts_(std::move(parts)) {}

HostLauncher::~HostLauncher() = default;

Result<HostLauncher::Started> HostLauncher::start_blocking(const SiloPlan& plan) const {
  Launch launch(parts_, plan);
  auto started = launch.run();
  if (!started) launch.undo();
  return started;
}

Task<Result<std::unique_ptr<Silo>>> HostLauncher::start(SiloPlan plan) {
  const auto work = [this, &plan] { return start_blocking(plan); };
  CO_TRY_ASSIGN(Started started, co_await base::run_on(parts_.worker, work));
  if (parts_.on_launch) parts_.on_launch(started.trace);
  const int pid = started.life.record.init.pid;
  lives_[plan.service] = std::move(started.life);
  co_return std::make_unique<HostSilo>(executor_, pid, std::move(started.init));
}

Result<std::pair<SiloRecord, Fd>> HostLauncher::find_blocking(const ServiceId& service) const {
  TRY_ASSIGN(SiloRecord record, read_record(parts_.paths, service));
  if (record.boot_id != base::os::boot_id())
    return base::fail(Code::NotFound, "the machine was restarted since");
  TRY_ASSIGN(Fd process, base::os::open_process(record.init));
  return std::make_pair(std::move(record), std::move(process));
}

Task<Result<AdoptedSilo>> HostLauncher::adopt(ServiceId service) {
  const auto work = [this, &service] { return find_blocking(service); };
  CO_TRY_ASSIGN(auto found, co_await base::run_on(parts_.worker, work));
  AdoptedSilo adopted;
  CO_TRY_ASSIGN(adopted.listener, base::os::take_descriptor(found.second.get(), kListenerFd));
  adopted.epoch = found.first.epoch;
  adopted.fingerprint = found.first.fingerprint;
  adopted.silo =
      std::make_unique<HostSilo>(executor_, found.first.init.pid, std::move(found.second));
  lives_[service] = Life{std::move(found.first), {}};
  co_return adopted;
}

SiloEnd HostLauncher::clean_up_blocking(const ServiceId& service, const Life& life) const {
  SiloRecord record = life.record;
  if (record.init.pid == 0) {
    auto known = read_record(parts_.paths, service);
    if (known && known->boot_id == base::os::boot_id()) record = std::move(*known);
  }
  kill_and_wait(record.init, std::chrono::milliseconds(0));
  // It reaps the first process and ends by itself; then it is reaped here, where it is our child.
  kill_and_wait(record.monitor, kMonitorGrace);
  const pid_t child = record.monitor.pid != 0 ? record.monitor.pid : record.init.pid;
  if (child != 0) (void)base::os::reap(child);
  const auto usage = parts_.cgroups.usage(service);
  if (const auto removed = parts_.cgroups.remove(service); !removed)
    base::log::error("{}: {}", to_string(service), describe(removed.error()));
  const StatusReport status = read_status(parts_.paths, service);
  SiloEnd end = status.end;
  end.out_of_memory = usage && usage->oom_kills > 0;
  end.out_of_processes = usage && usage->processes_refused > 0;
  const std::string words = said(life.errors);
  if (!status.ended && !words.empty()) {
    end.kind = SiloEnd::Kind::NoSandbox;
    end.detail = words;
  } else if (record.init.pid != 0) {
    // A program that could not be started has said nothing: init has.
    const bool started = status.end.kind != SiloEnd::Kind::NotStarted;
    end.detail = last_words(parts_.paths, service, record.log_cursor,
                            started ? Speaker::App : Speaker::AppAndInit);
  }
  if (const auto removed = remove_life_files(parts_.paths, service); !removed)
    base::log::warn("{}: {}", to_string(service), describe(removed.error()));
  return end;
}

Task<SiloEnd> HostLauncher::clean_up(ServiceId service) {
  Life life;
  if (auto known = lives_.extract(service)) life = std::move(known.mapped());
  co_return co_await base::run_on(
      parts_.worker, [this, &service, &life] { return clean_up_blocking(service, life); });
}

Task<Result<bool>> HostLauncher::listens(ServiceId service) {
  co_return co_await base::run_on(parts_.worker, [this, &service]() -> Result<bool> {
    return read_status(parts_.paths, service).listens;
  });
}

Task<std::vector<std::uint16_t>> HostLauncher::listening_ports(ServiceId service) {
  const auto life = lives_.find(service);
  // Without walls it is in the host's network, and the ports are anybody's.
  if (life == lives_.end() || isolation() != "full") co_return std::vector<std::uint16_t>();
  const pid_t init = life->second.record.init.pid;
  co_return co_await base::run_on(parts_.worker,
                                  [init] { return base::os::listening_ports(init); });
}

Task<Result<void>> HostLauncher::settle(ServiceId service, wire::Limits limits) {
  co_return co_await base::run_on(parts_.worker, [this, &service, &limits] {
    return parts_.cgroups.set_cpu_limit(service, limits, Cgroups::CpuLimit::Share);
  });
}

Task<std::vector<ServiceId>> HostLauncher::leftovers() {
  co_return co_await base::run_on(parts_.worker, [this] {
    std::vector<ServiceId> services = recorded_services(parts_.paths);
    const auto grouped = parts_.cgroups.list();
    if (grouped) services.insert(services.end(), grouped->begin(), grouped->end());
    std::ranges::sort(services);
    const auto repeated = std::ranges::unique(services);
    services.erase(repeated.begin(), repeated.end());
    return services;
  });
}

}  // namespace granary::agent
