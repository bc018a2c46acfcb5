#include "base/os/processors.h"

#include <unistd.h>

#include <algorithm>

namespace granary::base::os {

unsigned processors() {
  return static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace granary::base::os
