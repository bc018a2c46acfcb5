#include "agent/host/host_parts.h"

#include <sys/sysinfo.h>
#include <unistd.h>

#include "agent/host/bare_sandbox.h"
#include "agent/host/bwrap_sandbox.h"
#include "agent/host/disk_images.h"
#include "agent/host/disk_keys.h"
#include "agent/host/host_cgroups.h"
#include "agent/host/host_launcher.h"
#include "agent/host/no_cgroups.h"
#include "agent/host/plain_folders.h"
#include "agent/host/sandbox_files.h"
#include "agent/host/seccomp_filter.h"
#include "agent/host/unix_doors.h"
#include "agent/limits.h"
#include "base/log.h"
#include "base/os/child.h"
#include "base/os/file.h"

namespace granary::agent {
namespace {

using base::Code;
using base::Result;

void log_launch(const LaunchTrace& trace) {
  std::string steps;
  for (const auto& [step, took] : trace.steps)
    steps += fmt::format(" {} {} us", to_string(step), took.count() / 1000);
  base::log::debug("{} started:{}", to_string(trace.service), steps);
}

class RealParts final : public HostParts {
 public:
  SiloLauncher& launcher() override { return *launcher_; }
  Doors& doors() override { return *doors_; }
  Cgroups& cgroups() override { return *cgroups_; }
  Volumes& volumes() override { return *volumes_; }
  wire::ActivityBoard& board() override { return *board_; }

  Result<void> make_full(const HostOptions& options) {
    if (!base::os::is_root())
      return base::fail_with_advice(Code::Refused, "the agent must be root to make silos",
                                    "Start it through sudo, or use --isolation none");
    TRY(check_passage(options.paths.run() + "/x"));
    TRY_ASSIGN(CgroupLayout layout, detect_layout());
    TRY_ASSIGN(seccomp_, compile_seccomp_filter());
    cgroups_ = std::make_unique<HostCgroups>(std::move(layout), cgroup_name(options.paths.data()));
    if (base::os::has_folder_encryption()) {
      TRY_ASSIGN(keys_, DiskKeys::open(options.paths));
    } else {
      base::log::warn("this kernel cannot encrypt folders: new accounts' disks are not encrypted");
    }
    volumes_ = std::make_unique<DiskImages>(options.paths, keys_.get());
    sandbox_ = std::make_unique<BwrapSandbox>(options.paths, options.bwrap);
    return {};
  }

  Result<void> make_bare(const HostOptions& options) {
    base::log::warn(
        "--isolation none: silos are plain processes that are not isolated from each other");
    const auto layout = base::os::is_root() ? detect_layout() : base::fail(Code::Refused, "");
    if (layout) {
      cgroups_ = std::make_unique<HostCgroups>(*layout, cgroup_name(options.paths.data()));
    } else {
      cgroups_ = std::make_unique<NoCgroups>();
    }
    volumes_ = std::make_unique<PlainFolders>(options.paths);
    sandbox_ = std::make_unique<BareSandbox>(options.paths);
    return {};
  }

  Result<void> finish(const HostOptions& options, base::asio::any_io_executor executor,
                      const base::Clock& clock, base::Worker& worker) {
    TRY(make_sandbox_files(options.paths, options.init_program));
    shared_ = std::make_unique<SharedFiles>(shared_folders(options.paths), own_etc_files());
    TRY(shared_->refresh(clock.boot()));
    // Control reads it; the gateway's group writes it.
    TRY(wire::ActivityBoard::create(options.paths.board(), 0664, options.gateway_gid));
    TRY_ASSIGN(board_, wire::ActivityBoard::open(options.paths.board(),
                                                 wire::ActivityBoard::Access::ReadWrite));
    doors_ = std::make_unique<UnixDoors>(options.paths, options.gateway_gid);
    launcher_ = std::make_unique<HostLauncher>(std::move(executor),
                                               HostLauncherParts{.paths = options.paths,
                                                                 .sandbox = *sandbox_,
                                                                 .cgroups = *cgroups_,
                                                                 .volumes = *volumes_,
                                                                 .worker = worker,
                                                                 .clock = clock,
                                                                 .seccomp = std::move(seccomp_),
                                                                 .shared = shared_.get(),
                                                                 .change_user = base::os::is_root(),
                                                                 .on_launch = log_launch});
    return {};
  }

 private:
  base::os::Fd seccomp_;
  std::unique_ptr<DiskKeys> keys_;  // null: this kernel cannot encrypt
  std::unique_ptr<Cgroups> cgroups_;
  std::unique_ptr<Volumes> volumes_;
  std::unique_ptr<Sandbox> sandbox_;
  std::unique_ptr<SharedFiles> shared_;
  std::unique_ptr<Doors> doors_;
  std::unique_ptr<wire::ActivityBoard> board_;
  std::unique_ptr<SiloLauncher> launcher_;
};

}  // namespace

Result<std::unique_ptr<HostParts>> make_host_parts(HostOptions options,
                                                   base::asio::any_io_executor executor,
                                                   const base::Clock& clock, base::Worker& worker) {
  auto parts = std::make_unique<RealParts>();
  TRY(base::os::make_folders(options.paths.run(), 0711));
  switch (options.isolation) {
    case Isolation::Full:
      TRY(parts->make_full(options));
      break;
    case Isolation::None:
      TRY(parts->make_bare(options));
      break;
  }
  TRY(parts->finish(options, std::move(executor), clock, worker));
  return parts;
}

std::uint64_t default_memory_budget() {
  struct sysinfo machine{};
  if (::sysinfo(&machine) != 0) return 0;
  return static_cast<std::uint64_t>(machine.totalram) * machine.mem_unit / 2;
}

std::size_t default_start_places() {
  const long cores = ::sysconf(_SC_NPROCESSORS_ONLN);
  return kStartsPerCore * static_cast<std::size_t>(std::max(cores, 1L));
}

}  // namespace granary::agent
