// Who may run on a data directory: one `granary up`, or the roles one by one, each of them once.
// `up` holds the directory itself, and each role the folder that is its own, for as long as they
// live (base/os/folder_lock.h). A role that is started alone shares the directory, as far as it may
// read it, so that `up` and it know of each other. Blocking; before there are threads.
#pragma once

#include <vector>

#include "app/config.h"
#include "base/clock.h"

namespace granary::app {

enum class RoleName { Agent, Control, Egress, Gateway };
inline constexpr RoleName kRoleNames[] = {RoleName::Agent, RoleName::Control, RoleName::Egress,
                                          RoleName::Gateway};
const char* to_string(RoleName role);

// Held until it is destroyed.
using Held = std::vector<base::os::Fd>;

// The data directory, which is there. Errors: Conflict, naming who has it and since when.
base::Result<Held> hold_directory(const Config& config, const base::Clock& clock);
// For `up`, which holds the directory: waits for the roles of an `up` that was killed to end, at
// most kLeftoverPatience. Errors: Conflict, naming the role that goes on.
base::Result<void> await_leftovers(const Config& config, const base::Clock& clock);
// For a role's process. Errors: Conflict, as above; NotFound (no `granary prepare` before it).
base::Result<Held> hold_role(const Config& config, RoleName role, const base::Clock& clock);

}  // namespace granary::app
