// The system calls that a silo may make: Docker's documented default set, narrowed further to what
// a web application needs. Compiled once, when the agent starts.
#pragma once

#include "base/os/fd.h"
#include "base/result.h"

namespace granary::agent {

// The filter as a BPF program in memory. Each reader needs a description of its own (a file has
// one position): reopen it with reopen(). Errors: NotSupported.
base::Result<base::os::Fd> compile_seccomp_filter();
base::Result<base::os::Fd> reopen(const base::os::Fd& memory);

}  // namespace granary::agent
