// The keys of accounts' disks: one each, random, kept beside its image, wrapped by the platform key
// (base/sealing_key.h, bound to the account's name). The platform
// key is a file of its own, outside of the store; whoever has neither it nor the wrapped key reads
// nothing of an image, nor of a copy of one. Blocking, for a worker; stateless but for that key.
#pragma once

#include <memory>
#include <string>

#include "base/ids.h"
#include "base/os/fscrypt.h"
#include "base/result.h"
#include "base/sealing_key.h"
#include "wire/paths.h"

namespace granary::agent {

class DiskKeys final {
 public:
  // Makes the platform key where there is none and nothing that was sealed with one. Errors:
  // DataLoss (its file is damaged, or lost), Refused.
  static base::Result<std::unique_ptr<DiskKeys>> open(wire::Paths paths);
  DiskKeys(const DiskKeys&) = delete;
  DiskKeys& operator=(const DiskKeys&) = delete;

  // What seals the account's other secrets, too.
  const base::SealingKey& platform_key() const { return *platform_key_; }

  // Makes the account's key where there is none. Durable when it returns.
  base::Result<void> make(const base::AccountId& account) const;
  bool has(const base::AccountId& account) const;
  // Errors: NotFound (none was made: its disk is not encrypted), DataLoss (damaged, another
  // account's, or wrapped by another platform key).
  base::Result<std::shared_ptr<const base::os::FolderKey>> unwrap(
      const base::AccountId& account) const;
  // From now on nobody reads the disk, nor any copy of it. Success when there is no key.
  static base::Result<void> destroy(const wire::Paths& paths, const base::AccountId& account);

 private:
  DiskKeys(wire::Paths paths, std::unique_ptr<base::SealingKey> platform_key)
      : paths_(std::move(paths)), platform_key_(std::move(platform_key)) {}
  wire::Paths paths_;
  std::unique_ptr<base::SealingKey> platform_key_;
};

}  // namespace granary::agent
