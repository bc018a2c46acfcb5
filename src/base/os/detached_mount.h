// A file system that is mounted in no namespace: reached through its descriptor alone, gone with
// it, however this process ends. As root. Blocking.
#pragma once

#include <string>

#include "base/os/fd.h"
#include "base/result.h"

namespace granary::base::os {

struct DetachedMountOptions {
  std::string device;
  std::string type;
  std::string options;  // "name,name=value", as for mount(2)
  enum class Access { ReadWrite, ReadOnly } access = Access::ReadWrite;
};

// Its root folder. A device that is mounted elsewhere has one file system: this is it, too (the
// options are then those of the first mount). Errors: NotSupported (Linux before 5.2), Conflict
// (mounted elsewhere with the other access).
Result<Fd> mount_detached(const DetachedMountOptions& options);

// A path that leads to what the descriptor refers to, for as long as it is open, in this process
// alone.
std::string path_of(const Fd& fd);

}  // namespace granary::base::os
