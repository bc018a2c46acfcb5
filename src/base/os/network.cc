#include "base/os/network.h"

#include <sched.h>

#include "base/os/syscall.h"

namespace granary::base::os {

Result<void> leave_network() {
  TRY(checked("unshare", "the network", [] { return ::unshare(CLONE_NEWNET); }));
  return {};
}

}  // namespace granary::base::os
