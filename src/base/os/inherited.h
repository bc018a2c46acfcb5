// Descriptors that a service manager opened for this process: the protocol of systemd
// (sd_listen_fds(3)), where LISTEN_FDS counts them from 3 on, LISTEN_FDNAMES names them, and
// LISTEN_PID says whose they are. `granary up` speaks it to its own roles (base/os/child.h).
#pragma once

#include <map>
#include <string>

#include "base/os/fd.h"
#include "base/result.h"

namespace granary::base::os {

// By name, close-on-exec.
using InheritedFds = std::map<std::string, Fd>;

// What was passed to this very process; empty if nothing was. Clears the variables, so that no
// child takes them for its own, and a second call finds nothing: once, before any thread starts.
// Errors: InvalidArgument (without a name each, names that repeat, a number that is none).
Result<InheritedFds> take_inherited();

}  // namespace granary::base::os
