#include "agent/host/open_disk.h"

#include "base/os/detached_mount.h"
#include "base/os/syscall.h"

namespace granary::agent {
namespace {

using base::Result;
using Access = base::os::DetachedMountOptions::Access;

Result<OpenDisk> mount(const std::string& device, const base::os::FolderKey* key, Access access) {
  OpenDisk disk;
  TRY_ASSIGN(
      disk.root,
      base::os::mount_detached(
          {.device = device, .type = kDiskType, .options = kDiskMountOptions, .access = access}));
  disk.folder = base::os::path_of(disk.root);
  disk.is_file_system = key == nullptr;
  if (key != nullptr) disk.folder += std::string("/") + kDataFolder;
  return disk;
}

}  // namespace

Result<OpenDisk> open_disk(const std::string& device, const base::os::FolderKey* key,
                           base::os::Ownership owner) {
  TRY_ASSIGN(OpenDisk disk, mount(device, key, Access::ReadWrite));
  if (key == nullptr) return disk;
  const std::string root = base::os::path_of(disk.root);
  TRY(base::os::checked("fscrypt", device, [&] {
    return key->unlock(root.c_str(), disk.folder.c_str(), owner.uid, owner.gid);
  }));
  return disk;
}

Result<OpenDisk> open_disk_read_only(const std::string& device, const base::os::FolderKey* key) {
  TRY_ASSIGN(OpenDisk disk, mount(device, key, Access::ReadOnly));
  if (key == nullptr) return disk;
  const std::string root = base::os::path_of(disk.root);
  TRY(base::os::checked("fscrypt", device,
                        [&] { return key->unlock_existing(root.c_str(), disk.folder.c_str()); }));
  return disk;
}

}  // namespace granary::agent
