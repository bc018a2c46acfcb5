#include "agent/host/disk_keys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/platform_key.h"
#include "base/os/file.h"
#include "base/os/syscall.h"

namespace granary::agent {

using base::AccountId;
using base::Code;
using base::Result;
using base::os::Durability;

namespace {

// What a wrapped key begins with: which form it has.
constexpr std::string_view kMagic = "granary disk key 1\n";
constexpr std::size_t kWrapped =
    kMagic.size() + base::os::kFolderKeyBytes + base::SealingKey::kOverhead;
constexpr std::size_t kLargestFile = 4096;

}  // namespace

Result<std::unique_ptr<DiskKeys>> DiskKeys::open(wire::Paths paths) {
  TRY(base::os::make_folders(paths.keys(), 0700));
  TRY_ASSIGN(auto platform_key, open_platform_key(paths));
  return std::unique_ptr<DiskKeys>(new DiskKeys(std::move(paths), std::move(platform_key)));
}

bool DiskKeys::has(const AccountId& account) const {
  return base::os::exists(paths_.disk_key(account));
}

// The account's name alone is the context: what else the platform key seals has a longer one.
Result<void> DiskKeys::make(const AccountId& account) const {
  if (has(account)) return {};
  std::string key = base::random_key(base::os::kFolderKeyBytes);
  const std::string wrapped = std::string(kMagic) + platform_key_->seal(key, account.value);
  base::wipe(key);
  return base::os::replace_file(paths_.disk_key(account), wrapped, 0600, Durability::Synced);
}

Result<std::shared_ptr<const base::os::FolderKey>> DiskKeys::unwrap(
    const AccountId& account) const {
  TRY_ASSIGN(const std::string wrapped,
             base::os::read_file(paths_.disk_key(account), kLargestFile));
  const bool whole = wrapped.size() == kWrapped && wrapped.starts_with(kMagic);
  auto key =
      whole ? platform_key_->unseal(std::string_view(wrapped).substr(kMagic.size()), account.value)
            : base::fail(Code::DataLoss, "its file is damaged");
  if (!key)
    return base::fail_with_advice(Code::DataLoss,
                                  fmt::format("the key of {}'s disk cannot be unwrapped: {}",
                                              account.value, key.error().message),
                                  "Restore keys/ and the account's disk.key from the same backup");
  auto unwrapped = std::make_shared<const base::os::FolderKey>(*key);
  base::wipe(*key);
  return unwrapped;
}

Result<void> DiskKeys::destroy(const wire::Paths& paths, const AccountId& account) {
  const std::string path = paths.disk_key(account);
  {
    const auto file = base::os::open_file(path, O_WRONLY | O_NOFOLLOW, 0);
    if (!file && file.error().code == Code::NotFound) return {};
    if (!file) return std::unexpected(file.error());
    // Over the very blocks, before they are given back.
    TRY(base::os::write_all(file->get(), std::string(kWrapped, '\0')));
    TRY(base::os::checked("fdatasync", path, [&] { return ::fdatasync(file->get()); }));
  }
  TRY(base::os::remove_file(path));
  return base::os::sync_folder(paths.account(account));
}

}  // namespace granary::agent
