// The network namespace of this process. A unix socket belongs to the namespace that its maker was
// in, for good, and so does one that is accepted to the namespace of who connected: whoever holds
// such a socket can learn by connect() which abstract names are taken there. For a role's main.
#pragma once

#include "base/result.h"

namespace granary::base::os {

// From now on this process has a network namespace of its own without anything in it, loopback
// being down; sockets by path and descriptors that are open work as before. Before any thread
// starts: those that exist already stay where they are. Errors: Refused (needs CAP_SYS_ADMIN).
Result<void> leave_network();

}  // namespace granary::base::os
