// A file as a block device, for mounting a disk image. The device goes by itself when nobody holds
// it any more (autoclear), so nothing is left behind by whoever dies. Blocking, for a worker.
#pragma once

#include <chrono>
#include <string>

#include "base/os/fd.h"
#include "base/result.h"

namespace granary::base::os {

struct LoopDevice {
  Fd fd;             // keeps the device until it is mounted
  std::string path;  // /dev/loopN
};

// The image is locked (flock) through the very description that the device then holds, so it
// stays locked until the device is gone, unmounting in the kernel included: one image can never be
// attached twice. Errors: Unavailable while it still is attached; NotFound, Exhausted.
// Waits for at most `patience` for an earlier device of the image to go.
Result<LoopDevice> attach_loop(const std::string& image, std::chrono::milliseconds patience);

// Locks a file for work on it as a whole. Errors: Unavailable when it is locked.
Result<void> lock_file(int fd, const std::string& path);

}  // namespace granary::base::os
