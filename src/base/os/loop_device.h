// A file as a block device, for mounting a disk image. The device goes by itself when nobody holds
// it any more (autoclear), so nothing is left behind by whoever dies. Blocking, for a worker.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/os/fd.h"
#include "base/result.h"

namespace granary::base::os {

struct LoopDevice {
  Fd fd;             // keeps the device until it is mounted
  std::string path;  // /dev/loopN
};

// The image is locked (flock) through the very description that the device then holds, so it
// stays locked until the device is gone, unmounting in the kernel included: one image can never
// have two devices. Where it has one already, that one is shared: whoever mounts it mounts the same
// file system. `prepare` runs when it has none, under the lock. Errors: those of `prepare`;
// Unavailable while somebody else works on the image (lock_file), for longer than `patience`;
// NotFound, Exhausted.
Result<LoopDevice> attach_loop(const std::string& image, std::chrono::milliseconds patience,
                               const std::function<Result<void>()>& prepare);

// Locks a file for work on it as a whole. Errors: Unavailable when it is locked.
Result<void> lock_file(int fd, const std::string& path);

}  // namespace granary::base::os
