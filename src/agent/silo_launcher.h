// Starts silos, finds them again, clears away what they leave: what the agent needs of a sandbox.
// Implementations: host/bwrap_launcher.h, host/bare_launcher.h (no isolation), testing/. They live
// on the agent's executor and run what blocks on a worker.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/silo_plan.h"
#include "base/async.h"
#include "base/os/fd.h"

namespace granary::agent {

enum class SiloSignal {
  Stop,  // granary-init passes it on and gives the app its stop timeout
  Kill,  // the whole silo, at once
};

// One running silo. Destroying it leaves the silo running.
class Silo {
 public:
  virtual ~Silo() = default;
  // Of its first process, as this machine sees it.
  virtual int pid() const = 0;
  // Success also when it has ended.
  virtual base::Result<void> signal(SiloSignal signal) = 0;
  // Resolves when its first process has ended. Errors: Cancelled.
  virtual base::Task<base::Result<void>> ended() = 0;
};

struct AdoptedSilo {
  std::unique_ptr<Silo> silo;
  base::os::Fd listener;
  std::uint32_t epoch = 0;
  std::string fingerprint;
};

// How a silo ended.
struct SiloEnd {
  enum class Kind {
    Unknown,     // nothing tells
    Exited,      // value: exit code
    Signalled,   // value: signal
    NotStarted,  // the app's program could not be executed; value: errno
    NoSandbox,   // the sandbox itself failed; detail says what it said
  };
  Kind kind = Kind::Unknown;
  int value = 0;
  bool asked = false;             // it had been told to stop
  bool out_of_memory = false;     // the kernel killed in it for its memory limit
  bool out_of_processes = false;  // a process or thread was not started, for its limit
  std::string detail;             // what it said last
};

class SiloLauncher {
 public:
  virtual ~SiloLauncher() = default;
  // "full" or "none", as reports say it.
  virtual std::string_view isolation() const = 0;
  // Resolves as soon as the silo's first process exists. On failure nothing is left of it, but
  // what clean_up() would remove. Errors name the step that failed.
  virtual base::Task<base::Result<std::unique_ptr<Silo>>> start(SiloPlan plan) = 0;
  // The silo of this service that runs from an earlier agent's time. Errors: NotFound when there
  // is none that still is what its record says.
  virtual base::Task<base::Result<AdoptedSilo>> adopt(base::ServiceId service) = 0;
  // Kills what still runs, removes all that is left (never the disk nor the log), tells how it
  // ended. Idempotent; unknown services are fine.
  virtual base::Task<SiloEnd> clean_up(base::ServiceId service) = 0;
  // Whether the app is known to accept connections: for port mode. Errors: NotFound.
  virtual base::Task<base::Result<bool>> listens(base::ServiceId service) = 0;
  // The TCP ports that the running silo listens on, by its own network's reckoning; to tell why
  // requests do not reach it. Empty: none, or it is not known.
  virtual base::Task<std::vector<std::uint16_t>> listening_ports(base::ServiceId service) = 0;
  // From now on it has its share of the CPU, whether it was given more for its start or not.
  // Errors: NotFound.
  virtual base::Task<base::Result<void>> settle(base::ServiceId service, wire::Limits limits) = 0;
  // Services that something of a silo is left of: records, cgroups.
  virtual base::Task<std::vector<base::ServiceId>> leftovers() = 0;
};

}  // namespace granary::agent
