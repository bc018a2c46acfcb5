// Accounts' disks as plain folders, without a quota: for `--isolation none`. An export of one is
// not of one moment: each file is as it was when its turn came. See agent/volumes.h.
#pragma once

#include "agent/volumes.h"
#include "wire/paths.h"

namespace granary::agent {

class PlainFolders final : public Volumes {
 public:
  explicit PlainFolders(wire::Paths paths) : paths_(std::move(paths)) {}

  base::Result<void> make(const base::AccountId& account, const DiskOptions& options) override;
  base::Result<DiskUse> use(const base::AccountId& account) override;
  base::Result<AttachedDisk> attach(const base::AccountId& account) override;
  // Packed while it is written to, so not of one moment.
  base::Result<std::unique_ptr<DataSnapshot>> snapshot(const base::AccountId& account,
                                                       const SnapshotOptions& options) override;
  base::Result<void> replace(const base::AccountId& account, const std::string& archive,
                             const std::string& sha256, const DiskOptions& options,
                             const wire::DataPulse& pulse) override;
  base::Result<void> recover(const base::AccountId& account) override;
  // Nothing to do: without isolation, an app's own write says that the disk is full.
  base::Result<HostRoom> guard(const std::vector<RunningDisk>&) override { return HostRoom{}; }

 private:
  std::string folder(const base::AccountId& account) const {
    return paths_.account(account) + "/data";
  }
  std::string import_folder(const base::AccountId& account) const {
    return folder(account) + ".import";
  }
  wire::Paths paths_;
};

}  // namespace granary::agent
