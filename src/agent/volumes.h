// Accounts' disks. Blocking; usable from any worker thread. Implementations:
// host/disk_images.h, host/plain_folders.h (--isolation none), testing/. A disk is destroyed with
// its account's folder, not here.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/room_plan.h"
#include "base/ids.h"
#include "base/os/fd.h"
#include "base/os/fscrypt.h"
#include "base/result.h"
#include "wire/data_archive.h"

namespace granary::agent {

struct DiskOptions {
  std::uint64_t bytes = 0;  // the quota, file system included
  std::uint32_t uid = 0;    // owns its root folder
};

struct DiskUse {
  std::uint64_t used_bytes = 0;  // allocated on this machine
  std::uint64_t quota_bytes = 0;
  std::string encryption = "none";  // the cipher
  bool locked = false;              // encrypted, and its key is gone: nobody can read it
};

// A disk ready to be mounted, or a plain folder.
struct AttachedDisk {
  base::os::Fd device;      // keeps the device until it is mounted
  std::string device_path;  // empty: `folder` is the disk, and nothing is mounted
  std::string mount_point;
  std::string folder;  // what the silo sees as /data: the mount point, or a folder below it
  // Beside the data, for temporary files: no part of what is exported. Empty: there is none.
  std::string scratch;
  std::string scratch_parent;  // made, for nobody to enter, where it is missing
  // No service of the account used it when it was attached: what is in `scratch` is old.
  bool fresh = false;
  // Shared with nobody for longer than the mounting; null: not encrypted.
  std::shared_ptr<const base::os::FolderKey> key;
};

// An account's data as it was at one moment, for as long as this lives.
class DataSnapshot {
 public:
  virtual ~DataSnapshot() = default;
  // Writes it to a new file, which is on the disk when this returns. Takes long, with low priority.
  // Errors: as wire::pack_data.
  virtual base::Result<wire::DataArchiveInfo> pack(const std::string& archive,
                                                   const wire::DataPulse& pulse) = 0;
  // How long writes to the disk were held back for it.
  virtual std::chrono::microseconds paused() const = 0;
};

struct SnapshotOptions {
  DiskOptions disk;
  std::chrono::milliseconds longest_pause{0};  // of writes, before it fails instead
  wire::DataPulse pulse;                       // an error of it ends the work
};

// A disk in use, by a silo whose first process is `pid`.
struct RunningDisk {
  base::AccountId account;
  int pid = 0;
};

// How the machine's disk stands, and who suffers from it.
struct HostRoom {
  RoomState state = RoomState::Enough;
  std::uint64_t room = 0;
  wire::Watermarks marks;
  // Their file systems refuse writes after one that failed.
  std::vector<base::AccountId> read_only;
  // Full, and they can still write: their file systems take no ballast, as where no inode is left.
  std::vector<base::AccountId> unguarded;
};

class Volumes {
 public:
  virtual ~Volumes() = default;
  // Makes the disk where it is missing; grows it where it is smaller, once it is not attached any
  // more. A larger one keeps its size: what is on it might not fit, and a rollback must not fail
  // for that. Idempotent, also after being killed at any moment. Errors: NoRoom, InvalidArgument,
  // Unavailable (still attached).
  virtual base::Result<void> make(const base::AccountId& account, const DiskOptions& options) = 0;
  // Errors: NotFound.
  virtual base::Result<DiskUse> use(const base::AccountId& account) = 0;
  // Waits a while for an earlier silo's disk to be released. Mended first if it is marked as
  // damaged. Errors: Unavailable (still attached), DataLoss (cannot be mended), NotFound.
  virtual base::Result<AttachedDisk> attach(const base::AccountId& account) = 0;
  // While its services run, or not. Errors: NotFound, NoRoom (on this machine),
  // Unavailable (longest_pause), as attach.
  virtual base::Result<std::unique_ptr<DataSnapshot>> snapshot(const base::AccountId& account,
                                                               const SnapshotOptions& options) = 0;
  // Puts an archive's data in the place of all that is on the disk, whole or, on failure, not at
  // all; durable when it returns. With low priority. Nothing of the account runs or starts
  // meanwhile. `sha256` is the archive's. Errors: InvalidArgument (another hash, or as
  // wire::check_data), Exhausted.
  virtual base::Result<void> replace(const base::AccountId& account, const std::string& archive,
                                     const std::string& sha256, const DiskOptions& options,
                                     const wire::DataPulse& pulse) = 0;
  // Clears away what an agent that was killed amid one of the two left.
  virtual base::Result<void> recover(const base::AccountId& account) = 0;
  // Limits what all that run may write to what the machine's disk can take. To be called again and
  // again, with all of them, and once more when nothing runs; one call at a time.
  virtual base::Result<HostRoom> guard(const std::vector<RunningDisk>& disks) = 0;
};

}  // namespace granary::agent
