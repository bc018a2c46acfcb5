// Builds what the gateway delivers of a release's frontend: each file once under the name of its
// hash, beside it the same in brotli and gzip where that is smaller, and the index of all paths
// (wire/frontend_index.h). Done once when a release is created, so that delivering is sendfile.
// Blocking, for a worker. Not for serving: see gateway/.
#pragma once

#include <string>

#include "base/result.h"
#include "release/manifest.h"

namespace granary::release {

struct FrontendInfo {
  std::size_t assets = 0;
  std::uint64_t bytes = 0;       // of the files as they are
  std::uint64_t blob_bytes = 0;  // of all that was written
  bool operator==(const FrontendInfo&) const = default;
};

struct FrontendLimits {
  std::size_t assets;
  std::uint64_t asset_bytes;
};
FrontendLimits default_frontend_limits();

// Reads `frontend.root` below `release_folder` and writes the new folder `target`, whose parent
// exists, readable by any user. Names that begin with a dot are left out, but for .well-known.
// Deterministic. On failure nothing is left.
// Errors: InvalidArgument (a link; no such fallback), Exhausted (a bound), AlreadyExists.
base::Result<FrontendInfo> build_frontend(const std::string& release_folder,
                                          const Frontend& frontend, const std::string& target,
                                          const FrontendLimits& limits);

}  // namespace granary::release
