// The SiloLauncher of a real machine: control groups, disk, sandbox, granary-init. Lives on the
// agent's executor; what blocks runs on its worker. README.md draws what a start consists of.
#pragma once

#include <functional>
#include <map>

#include "agent/cgroups.h"
#include "agent/host/sandbox.h"
#include "agent/host/shared_files.h"
#include "agent/silo_launcher.h"
#include "agent/silo_record.h"
#include "agent/volumes.h"
#include "base/clock.h"
#include "base/worker.h"

namespace granary::agent {

enum class LaunchStep { Files, Cgroups, Disk, Spawn, Sandbox, Record };
std::string_view to_string(LaunchStep step);

// How long each step of one start took.
struct LaunchTrace {
  base::ServiceId service;
  std::vector<std::pair<LaunchStep, std::chrono::nanoseconds>> steps;
};

struct HostLauncherParts {
  wire::Paths paths;
  const Sandbox& sandbox;
  Cgroups& cgroups;
  Volumes& volumes;
  base::Worker& worker;
  const base::Clock& clock;
  base::os::Fd seccomp;                               // a compiled filter; closed: none
  SharedFiles* shared = nullptr;                      // what all silos see of this machine
  bool change_user = true;                            // into the account's own; only root can
  std::function<void(const LaunchTrace&)> on_launch;  // for measuring; may be empty
};

class HostLauncher final : public SiloLauncher {
 public:
  // References must outlive the launcher.
  HostLauncher(base::asio::any_io_executor executor, HostLauncherParts parts);
  ~HostLauncher() override;

  std::string_view isolation() const override { return parts_.sandbox.isolation(); }
  base::Task<base::Result<std::unique_ptr<Silo>>> start(SiloPlan plan) override;
  base::Task<base::Result<AdoptedSilo>> adopt(base::ServiceId service) override;
  base::Task<SiloEnd> clean_up(base::ServiceId service) override;
  base::Task<base::Result<bool>> listens(base::ServiceId service) override;
  base::Task<std::vector<std::uint16_t>> listening_ports(base::ServiceId service) override;
  base::Task<base::Result<void>> settle(base::ServiceId service, wire::Limits limits) override;
  base::Task<std::vector<base::ServiceId>> leftovers() override;

 private:
  // What is known of a silo beyond its record.
  struct Life {
    SiloRecord record;
    base::os::Fd errors;  // what the sandbox program said; closed for an adopted silo
  };
  struct Started {
    Life life;
    base::os::Fd init;
    LaunchTrace trace;
  };
  class Launch;

  base::Result<Started> start_blocking(const SiloPlan& plan) const;
  base::Result<std::pair<SiloRecord, base::os::Fd>> find_blocking(
      const base::ServiceId& service) const;
  SiloEnd clean_up_blocking(const base::ServiceId& service, const Life& life) const;

  base::asio::any_io_executor executor_;
  const HostLauncherParts parts_;
  std::map<base::ServiceId, Life> lives_;  // started or adopted, and not yet cleaned up
};

}  // namespace granary::agent
