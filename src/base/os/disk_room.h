// How large the file system that holds a path is, and what may still be written to it. Blocking.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace granary::base::os {

struct DiskRoom {
  std::uint64_t total = 0;  // bytes
  std::uint64_t free = 0;   // for everybody: without what is reserved for root
};

Result<DiskRoom> disk_room(const std::string& path);

}  // namespace granary::base::os
