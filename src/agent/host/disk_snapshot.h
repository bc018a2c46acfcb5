// A copy of an account's disk as it was at one moment, taken while it is written to. It is copied
// beside, first while it is in use, round after round, each writing only what has changed; then the
// file system is held still for one more round, which finds little to do. Where the host's file
// system can share blocks, that is all at once. What is then mounted is the copy. As root;
// blocking.
#pragma once

#include <memory>

#include "agent/host/open_disk.h"
#include "agent/volumes.h"

namespace granary::agent {

struct SnapshotPaths {
  std::string image;
  std::string copy;  // gone again when this returns, however it returns
};
// `disk` is the image, attached. Errors: NoRoom, Unavailable (longest_pause), of the
// system.
base::Result<std::unique_ptr<DataSnapshot>> take_snapshot(const SnapshotPaths& paths,
                                                          AttachedDisk disk,
                                                          const SnapshotOptions& options);

// What a killed agent left: removes the copy, and lets the file system go on, should it still be
// held still.
base::Result<void> recover_snapshot(const SnapshotPaths& paths);

}  // namespace granary::agent
