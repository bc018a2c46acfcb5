// Accounts' disks as ext4 images in sparse files: the image's size is the hard quota. See
// agent/volumes.h and docs/decisions/0002-disk-images.md.
#pragma once

#include "agent/volumes.h"
#include "wire/paths.h"

namespace granary::agent {

class DiskImages final : public Volumes {
 public:
  explicit DiskImages(wire::Paths paths) : paths_(std::move(paths)) {}

  base::Result<void> make(const base::AccountId& account, const DiskOptions& options) override;
  base::Result<DiskUse> use(const base::AccountId& account) override;
  base::Result<AttachedDisk> attach(const base::AccountId& account) override;

 private:
  base::Result<void> grow(const std::string& image, std::uint64_t bytes);
  wire::Paths paths_;
};

// Mount options for such an image.
inline constexpr const char* kDiskType = "ext4";
// No background thread to initialise inode tables: a sparse file is zeroes already.
inline constexpr const char* kDiskMountOptions = "noinit_itable,errors=remount-ro";

}  // namespace granary::agent
