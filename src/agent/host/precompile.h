// Python's bytecode of a release, compiled once when it is unpacked: /app is read-only in a silo,
// so that otherwise each wake would compile every module anew (a third of a small app's wake).
// Blocking, for a worker.
#pragma once

#include <string>

#include "base/result.h"

namespace granary::agent {

// Compiles what is below `folder`, in a sandbox without network that may write there alone; nothing
// of the release is executed. Success also where there is no Python, in it or on this machine. A
// module that does not compile is left as it is: the app will say so when it imports it.
// Errors: of the sandbox; the release works without.
base::Result<void> precompile_python(const std::string& folder, const std::string& bwrap);

}  // namespace granary::agent
