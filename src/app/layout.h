// Makes the data directory's tree with its owners and modes (wire/paths.h draws it). Idempotent;
// run by `up` before any role starts. Blocking.
#pragma once

#include "app/config.h"

namespace granary::app {

// Errors: InvalidArgument (not an absolute path), Refused, Exhausted.
base::Result<void> prepare_layout(const Config& config);

}  // namespace granary::app
