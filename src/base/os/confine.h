// Takes from this process what its role does not need, for good: file paths (landlock(7)) and
// system calls (seccomp(2)). For a role's main, before it starts any thread: threads that exist
// already are not confined.
#pragma once

#include <string>
#include <vector>

#include "base/os/fd.h"
#include "base/result.h"

namespace granary::base::os {

enum class Access {
  Read,       // files and lists of folders
  ReadWrite,  // and make, change, rename, remove; nothing is ever executed
};

struct AllowedPath {
  std::string path;  // a folder with all that is below it, or one file; missing: passed over
  Access access = Access::Read;
};

// From now on no file can be opened but these. Descriptors that are open stay so; sockets are not
// files. Errors: NotSupported (the kernel has no landlock, or too old a one).
Result<void> confine_files(const std::vector<AllowedPath>& allowed);

// From now on only the calls that this filter (as seccomp_export_bpf writes it) allows. Also sets
// no_new_privs.
Result<void> confine_calls(const Fd& filter);

}  // namespace granary::base::os
