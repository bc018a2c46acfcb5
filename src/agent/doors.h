// The sockets that requests come in by, one for each awake service. The agent binds it, the silo
// inherits it, and the agent keeps its own descriptor, so that a crash loses no queued request.
// Quick; lives on the agent's executor. Implementations: host/unix_doors.h, testing/.
#pragma once

#include <cstdint>
#include <optional>

#include "base/ids.h"
#include "base/os/fd.h"
#include "base/result.h"

namespace granary::agent {

class Doors {
 public:
  virtual ~Doors() = default;
  // Bound and listening at wire::Paths::socket(service); the gateway alone may connect.
  virtual base::Result<base::os::Fd> open(const base::ServiceId& service) = 0;
  // Whether its name is still there, for the gateway to connect to.
  virtual bool is_found(const base::ServiceId& service) = 0;
  // Whether connections wait in it.
  virtual bool queued(const base::ServiceId& service, const base::os::Fd& door) = 0;
  // How many, those given up by their clients included. Nothing: this machine does not tell.
  virtual std::optional<std::uint32_t> waiting(const base::ServiceId& service,
                                               const base::os::Fd& door) = 0;
  // Removes the name and closes the descriptor: what is queued is cut off.
  virtual void close(const base::ServiceId& service, base::os::Fd door) = 0;
};

}  // namespace granary::agent
