// Accounts' disks. Blocking; stateless, so usable from any worker thread. Implementations:
// host/disk_images.h, host/plain_folders.h (--isolation none), testing/. A disk is destroyed with
// its account's folder, not here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/os/fd.h"
#include "base/os/fscrypt.h"
#include "base/result.h"

namespace granary::agent {

struct DiskOptions {
  std::uint64_t bytes = 0;  // the quota, file system included
  std::uint32_t uid = 0;    // owns its root folder
};

struct DiskUse {
  std::uint64_t used_bytes = 0;  // allocated on this machine
  std::uint64_t quota_bytes = 0;
  std::string encryption = "none";  // the cipher
};

// A disk ready to be mounted, or a plain folder.
struct AttachedDisk {
  base::os::Fd device;      // keeps the device until it is mounted
  std::string device_path;  // empty: `folder` is the disk, and nothing is mounted
  std::string mount_point;
  std::string folder;  // what the silo sees as /data: the mount point, or a folder below it
  // Shared with nobody for longer than the mounting; null: not encrypted.
  std::shared_ptr<const base::os::FolderKey> key;
};

class Volumes {
 public:
  virtual ~Volumes() = default;
  // Makes the disk where it is missing; grows it, while it is not attached, where it is smaller.
  // Idempotent, also after being killed at any moment. Errors: Exhausted, InvalidArgument.
  virtual base::Result<void> make(const base::AccountId& account, const DiskOptions& options) = 0;
  // Errors: NotFound.
  virtual base::Result<DiskUse> use(const base::AccountId& account) = 0;
  // Waits a while for an earlier silo's disk to be released. Mended first if it is marked as
  // damaged. Errors: Unavailable (still attached), DataLoss (cannot be mended), NotFound.
  virtual base::Result<AttachedDisk> attach(const base::AccountId& account) = 0;
};

}  // namespace granary::agent
