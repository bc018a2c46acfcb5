// What control, gateway and egress may touch: their own part of the data directory, and the system
// calls of an ordinary program. Called first thing in a role's main, before it has threads.
#pragma once

#include "app/config.h"

namespace granary::app {

// A kernel without landlock is a warning; anything else that fails is an error.
base::Result<void> confine_control(const Config& config);
base::Result<void> confine_gateway(const Config& config);
// Its listening socket must be there already.
base::Result<void> confine_egress(const Config& config);

}  // namespace granary::app
