// Accounts' disks as ext4 images in sparse files: the image's size is the hard quota. An
// encrypted one has a key beside it and all its data in the folder kDataFolder. See
// agent/volumes.h.
#pragma once

#include "agent/host/disk_guard.h"
#include "agent/host/disk_keys.h"
#include "agent/volumes.h"
#include "wire/paths.h"

namespace granary::agent {

struct OpenDisk;

class DiskImages final : public Volumes {
 public:
  // With `keys`, disks made from now on are encrypted. They outlive the DiskImages.
  explicit DiskImages(wire::Paths paths, const DiskKeys* keys = nullptr)
      : paths_(std::move(paths)), keys_(keys), guard_(paths_) {}

  base::Result<void> make(const base::AccountId& account, const DiskOptions& options) override;
  base::Result<DiskUse> use(const base::AccountId& account) override;
  base::Result<AttachedDisk> attach(const base::AccountId& account) override;
  base::Result<std::unique_ptr<DataSnapshot>> snapshot(const base::AccountId& account,
                                                       const SnapshotOptions& options) override;
  base::Result<void> replace(const base::AccountId& account, const std::string& archive,
                             const std::string& sha256, const DiskOptions& options,
                             const wire::DataPulse& pulse) override;
  base::Result<void> recover(const base::AccountId& account) override;
  base::Result<HostRoom> guard(const std::vector<RunningDisk>& disks) override {
    return guard_.look(disks);
  }

 private:
  // An image to be made: a disk, and for how many files there must be room at least.
  struct NewImage {
    DiskOptions disk;
    std::uint64_t inodes = 0;
  };
  base::Result<void> make_image(const std::string& image, const NewImage& wanted) const;
  base::Result<OpenDisk> open_import(const base::AccountId& account, const NewImage& wanted);
  base::Result<void> fill_import(const base::AccountId& account, const std::string& archive,
                                 const NewImage& wanted, const wire::DataPulse& pulse);
  base::Result<void> grow(const std::string& image, std::uint64_t bytes);
  wire::Paths paths_;
  const DiskKeys* keys_;
  DiskGuard guard_;
};

// Of an encrypted image: the folder that holds all data (its root cannot be encrypted).
inline constexpr const char* kDataFolder = "data";
// For temporary files, in what the file system keeps for itself: never visible below /data, never
// exported.
inline constexpr const char* kLostFolder = "lost+found";
inline constexpr const char* kScratchFolder = "scratch";
// Mount options for such an image.
inline constexpr const char* kDiskType = "ext4";
// No background thread to initialise inode tables: a sparse file is zeroes already.
inline constexpr const char* kDiskMountOptions = "noinit_itable,errors=remount-ro";

}  // namespace granary::agent
