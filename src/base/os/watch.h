// Being told when files of a folder are written or renamed into place (inotify). What changed is
// not said: whoever is woken looks for itself, which also covers what was missed.
#pragma once

#include <string>

#include "base/os/fd.h"
#include "base/result.h"

namespace granary::base::os {

// A descriptor that does not block and becomes readable after a change; read it empty before
// looking. Errors: NotFound, Exhausted (too many watches).
Result<Fd> watch_folder(const std::string& path);

}  // namespace granary::base::os
