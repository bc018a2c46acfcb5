// A folder encrypted by the file system itself (fscrypt, Documentation/filesystems/fscrypt.rst of
// the kernel), with version 2 policies: AES-256-XTS for contents, AES-256-CTS for names. The key is
// known to the kernel for as long as the file system is mounted.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string_view>

namespace granary::base::os {

inline constexpr std::size_t kFolderKeyBytes = 64;
inline constexpr const char* kFolderCipher = "aes-256-xts";

// A key as the kernel takes it. Wiped when destroyed.
class FolderKey final {
 public:
  // `bytes` has kFolderKeyBytes.
  explicit FolderKey(std::string_view bytes);
  ~FolderKey();
  FolderKey(const FolderKey&) = delete;
  FolderKey& operator=(const FolderKey&) = delete;

  // Gives the key to the file system mounted at `mount`, and makes `folder` on it, of this owner
  // and mode 0700, where it is missing: what is in there is encrypted. Only async-signal-safe
  // calls: for a child before it executes. As root. -1 and errno: as ioctl; EKEYREJECTED: the
  // folder is there, but not under this key.
  int unlock(const char* mount, const char* folder, uid_t uid, gid_t gid) const;
  // The folder alone, after unlock() has given the key to its file system.
  int make_folder(const char* folder, uid_t uid, gid_t gid) const;
  // As unlock() for a folder that is there, on a file system that may be read-only. Errors also:
  // ENOENT.
  int unlock_existing(const char* mount, const char* folder) const;

 private:
  struct Request;
  std::unique_ptr<Request> request_;
};

// Whether this kernel's ext4 can.
bool has_folder_encryption();

}  // namespace granary::base::os
