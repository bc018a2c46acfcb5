// Whether what a service's command names can be executed in its silo, found out before anything is
// started: the program, and the interpreter of a script. Looks at the unpacked release and at this
// machine's /usr, which silos see. Blocking; any thread. Not for whether it then works: that is for
// the check after a deployment.
#pragma once

#include <string>

#include "base/result.h"
#include "wire/account_state.h"

namespace granary::agent {

// `release`: the unpacked release, /app of the silo. `machine`: what stands before this machine's
// /usr; empty but for tests. Success also where it cannot be known, such as below /data.
// Errors: InvalidArgument, with what was looked for, where, and the way out.
base::Result<void> check_command(const wire::ServiceSpec& service, const std::string& release,
                                 const std::string& machine = {});

}  // namespace granary::agent
