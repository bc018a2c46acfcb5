// Reads from bubblewrap's --info-fd which process is the silo's first. Blocking.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string_view>

#include "base/os/fd.h"
#include "base/result.h"

namespace granary::agent {

struct InfoPipe {
  base::os::Fd reading;
  base::os::Fd writing;
};
base::Result<InfoPipe> make_info_pipe();

// "child-pid" in what has been read so far, once it is there whole.
std::optional<pid_t> child_pid_in(std::string_view text);
// The writing end must be closed here. Errors: NotFound (closed without a pid), Deadline.
base::Result<pid_t> read_child_pid(const base::os::Fd& reading, std::chrono::milliseconds limit);

}  // namespace granary::agent
