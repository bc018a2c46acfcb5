// Makes the data directory's tree with its owners and modes (wire/paths.h draws it). Idempotent;
// run by `up` before any role starts. Blocking.
#pragma once

#include "app/config.h"

namespace granary::app {

// Makes the data directory itself, where there is none. Errors: InvalidArgument: not an absolute
// path, a folder with other things in it, or a data directory of another --uid-base.
base::Result<void> open_data_dir(const Config& config);
// All of it, with open_data_dir() first. Errors: also Refused, NoRoom.
base::Result<void> prepare_layout(const Config& config);

}  // namespace granary::app
