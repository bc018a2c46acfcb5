// What this room needs of whoever keeps the files of releases. Implemented by app over the folders
// of bundles and frontends; a fake in testing/. Lives on control's executor.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/async.h"

namespace granary::lifecycle {

class ReleaseFiles {
 public:
  virtual ~ReleaseFiles() = default;
  // Removes the bundle and the frontend of a release that has no row any more. One that has a row
  // again by now keeps its files: it was made anew meanwhile. Unknown: success.
  virtual base::Task<base::Result<void>> remove(std::string hash) = 0;
  // Releases of which there are files, and how long ago those were put in place.
  struct Found {
    std::string hash;
    std::chrono::seconds age{0};
  };
  virtual base::Task<base::Result<std::vector<Found>>> list() = 0;
};

}  // namespace granary::lifecycle
