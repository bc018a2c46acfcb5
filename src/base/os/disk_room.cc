#include "base/os/disk_room.h"

#include <sys/statvfs.h>

#include "base/os/syscall.h"

namespace granary::base::os {

Result<DiskRoom> disk_room(const std::string& path) {
  struct statvfs status{};
  TRY(checked("statvfs", path, [&] { return ::statvfs(path.c_str(), &status); }));
  return DiskRoom{.total = static_cast<std::uint64_t>(status.f_blocks) * status.f_frsize,
                  .free = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize};
}

}  // namespace granary::base::os
