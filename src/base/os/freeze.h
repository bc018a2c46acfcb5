// A file system held still (FIFREEZE): what was written is on its device, and whoever writes waits.
// For as long as a copy of the device takes. A frozen file system stays frozen when its owner dies,
// so a child process does the freezing, and ends it when it is told to, when this process is gone,
// or when the time is up, whichever comes first. As root; blocking.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>

#include "base/os/fd.h"
#include "base/result.h"

namespace granary::base::os {

class Freeze final {
 public:
  // `folder`: of the file system. Frozen when this returns. `at_most`: what end() would tell. Only
  // one at a time for one file system. Errors: NotSupported; Conflict: it is frozen already.
  static Result<std::unique_ptr<Freeze>> begin(const Fd& folder, std::chrono::milliseconds at_most);
  ~Freeze();  // ends it
  Freeze(const Freeze&) = delete;
  Freeze& operator=(const Freeze&) = delete;

  // How long writers had to wait at most. Errors: Deadline: it was ended before, so a copy made
  // meanwhile is of no moment. Once.
  Result<std::chrono::microseconds> end();

 private:
  Freeze(pid_t guard, Fd line) : guard_(guard), line_(std::move(line)) {}
  pid_t guard_;  // 0: ended
  Fd line_;      // to it; its end is the word to end
};

// Ends what a killed Freeze and its child left. Success also when it is not frozen.
Result<void> thaw(const Fd& folder);

}  // namespace granary::base::os
