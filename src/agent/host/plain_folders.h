// Accounts' disks as plain folders, without a quota: for `--isolation none`. See agent/volumes.h.
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

 private:
  std::string folder(const base::AccountId& account) const {
    return paths_.account(account) + "/data";
  }
  wire::Paths paths_;
};

}  // namespace granary::agent
