// The real parts of an agent on this machine, made together: what app/ hands to Agent. Owns them.
#pragma once

#include <memory>
#include <string>

#include "agent/accounts.h"

namespace granary::agent {

enum class Isolation { Full, None };

inline constexpr const char* kBwrap = "/usr/bin/bwrap";

struct HostOptions {
  wire::Paths paths;
  Isolation isolation = Isolation::Full;
  std::string init_program;  // path of granary-init
  std::string bwrap = kBwrap;
  std::uint32_t gateway_gid = 0;  // may connect to services, may write the board
};

class HostParts {
 public:
  virtual ~HostParts() = default;
  virtual SiloLauncher& launcher() = 0;
  virtual Doors& doors() = 0;
  virtual Cgroups& cgroups() = 0;
  virtual Volumes& volumes() = 0;
  virtual wire::ActivityBoard& board() = 0;
};

// Blocking (it copies granary-init and compiles the seccomp filter): call it while starting.
// References must outlive the parts. Errors: NotSupported, Refused, NotFound, each with advice;
// granary doctor (agent/doctor.h) says more.
base::Result<std::unique_ptr<HostParts>> make_host_parts(HostOptions options,
                                                         base::asio::any_io_executor executor,
                                                         const base::Clock& clock,
                                                         base::Worker& worker);

// For AccountsOptions: half of this machine's memory; two starts per core.
std::uint64_t default_memory_budget();
std::size_t default_start_places();

}  // namespace granary::agent
