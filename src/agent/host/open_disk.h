// An account's disk as a folder for the agent itself, mounted in no namespace. A disk that a silo
// uses is the same file system. As root; blocking.
#pragma once

#include <string>

#include "agent/host/disk_images.h"
#include "base/os/fd.h"
#include "base/os/file.h"

namespace granary::agent {

struct OpenDisk {
  base::os::Fd root;   // of the file system; mounted for as long as it is open
  std::string folder;  // a path to its data, in this process alone
  // The data lies at the file system's root, beside what the file system keeps there.
  bool is_file_system = false;
};

// `key`: null for a disk that is not encrypted. Its data folder is made where it is missing.
base::Result<OpenDisk> open_disk(const std::string& device, const base::os::FolderKey* key,
                                 base::os::Ownership owner);
base::Result<OpenDisk> open_disk_read_only(const std::string& device,
                                           const base::os::FolderKey* key);

}  // namespace granary::agent
