#include "agent/host/disk_keys.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/os/file.h"
#include "base/os/syscall.h"

namespace granary::agent {

using base::AccountId;
using base::Code;
using base::Result;
using base::os::Durability;

namespace {

constexpr std::size_t kPlatformKey = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
// What a wrapped key begins with: which form it has.
constexpr std::string_view kMagic = "granary disk key 1\n";
constexpr std::size_t kWrapped = kMagic.size() + kNonce + base::os::kFolderKeyBytes + kTag;
constexpr std::size_t kLargestFile = 4096;

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  ::randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

void wipe(std::string& secret) { ::sodium_memzero(secret.data(), secret.size()); }

std::string wrap(std::string_view key, const AccountId& account, const std::string& platform_key) {
  const std::string nonce = random_bytes(kNonce);
  std::string sealed(key.size() + kTag, '\0');
  ::crypto_aead_xchacha20poly1305_ietf_encrypt(bytes_of(sealed), nullptr, bytes_of(key), key.size(),
                                               bytes_of(account.value), account.value.size(),
                                               nullptr, bytes_of(nonce), bytes_of(platform_key));
  return std::string(kMagic) + nonce + sealed;
}

Result<std::string> open_wrapped(std::string_view wrapped, const AccountId& account,
                                 const std::string& platform_key) {
  const auto damaged = [&account](const char* why) {
    return base::fail_with_advice(Code::DataLoss,
                                  fmt::format("the key of {}'s disk {}", account.value, why),
                                  "Restore keys/ and the account's disk.key from the same backup");
  };
  if (wrapped.size() != kWrapped || !wrapped.starts_with(kMagic)) return damaged("is damaged");
  const std::string_view nonce = wrapped.substr(kMagic.size(), kNonce);
  const std::string_view sealed = wrapped.substr(kMagic.size() + kNonce);
  std::string key(base::os::kFolderKeyBytes, '\0');
  const int opened = ::crypto_aead_xchacha20poly1305_ietf_decrypt(
      bytes_of(key), nullptr, nullptr, bytes_of(sealed), sealed.size(), bytes_of(account.value),
      account.value.size(), bytes_of(nonce), bytes_of(platform_key));
  if (opened != 0) return damaged("was wrapped by another platform key, or is another account's");
  return key;
}

}  // namespace

DiskKeys::DiskKeys(wire::Paths paths, std::string platform_key)
    : paths_(std::move(paths)), platform_key_(std::move(platform_key)) {}

DiskKeys::~DiskKeys() { wipe(platform_key_); }

Result<std::unique_ptr<DiskKeys>> DiskKeys::open(wire::Paths paths) {
  ASSERT(::sodium_init() >= 0);
  TRY(base::os::make_folders(paths.keys(), 0700));
  const std::string path = paths.platform_key();
  auto key = base::os::read_file(path, kLargestFile);
  if (!key && key.error().code == Code::NotFound) {
    key = random_bytes(kPlatformKey);
    TRY(base::os::replace_file(path, *key, 0600, Durability::Synced));
  }
  if (!key) return std::unexpected(key.error());
  if (key->size() != kPlatformKey)
    return base::fail_with_advice(Code::DataLoss, path + " is no platform key",
                                  "Restore it from a backup; no disk can be opened without it");
  return std::unique_ptr<DiskKeys>(new DiskKeys(std::move(paths), std::move(*key)));
}

bool DiskKeys::has(const AccountId& account) const {
  return base::os::exists(paths_.disk_key(account));
}

Result<void> DiskKeys::make(const AccountId& account) const {
  if (has(account)) return {};
  std::string key = random_bytes(base::os::kFolderKeyBytes);
  const std::string wrapped = wrap(key, account, platform_key_);
  wipe(key);
  return base::os::replace_file(paths_.disk_key(account), wrapped, 0600, Durability::Synced);
}

Result<std::shared_ptr<const base::os::FolderKey>> DiskKeys::unwrap(
    const AccountId& account) const {
  TRY_ASSIGN(const std::string wrapped,
             base::os::read_file(paths_.disk_key(account), kLargestFile));
  TRY_ASSIGN(std::string key, open_wrapped(wrapped, account, platform_key_));
  auto unwrapped = std::make_shared<const base::os::FolderKey>(key);
  wipe(key);
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
