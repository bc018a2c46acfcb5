// What this room needs of whoever keeps the files of releases. Implemented by app over the folders
// of bundles and frontends; a fake in testing/. Lives on control's executor.
#pragma once

#include <string>

#include "base/async.h"

namespace granary::lifecycle {

class ReleaseFiles {
 public:
  virtual ~ReleaseFiles() = default;
  // Removes the bundle and the frontend of a release that has no row any more. One that has a row
  // again by now keeps its files: it was made anew meanwhile. Unknown: success.
  virtual base::Task<base::Result<void>> remove(std::string hash) = 0;
};

}  // namespace granary::lifecycle
