#include "base/os/fscrypt.h"

#include <fcntl.h>
#include <linux/fscrypt.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "base/os/file.h"

namespace granary::base::os {

static_assert(kFolderKeyBytes == FSCRYPT_MAX_KEY_SIZE);

// The kernel's argument and, right behind it, the key. The kernel writes the key's name into it.
struct FolderKey::Request {
  alignas(fscrypt_add_key_arg) unsigned char bytes[sizeof(fscrypt_add_key_arg) + kFolderKeyBytes];
  fscrypt_add_key_arg* argument() { return reinterpret_cast<fscrypt_add_key_arg*>(bytes); }
};

namespace {

// Errors leave errno as it was set; a descriptor that cannot be closed is of no matter here.
class RawFolder final {
 public:
  explicit RawFolder(const char* path) : fd_(::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}
  ~RawFolder() {
    const int error = errno;
    if (fd_ >= 0) ::close(fd_);
    errno = error;
  }
  RawFolder(const RawFolder&) = delete;
  RawFolder& operator=(const RawFolder&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// Success also when the folder has this very policy already.
int set_policy(int folder, const fscrypt_key_specifier& key) {
  fscrypt_policy_v2 policy{};
  policy.version = FSCRYPT_POLICY_V2;
  policy.contents_encryption_mode = FSCRYPT_MODE_AES_256_XTS;
  policy.filenames_encryption_mode = FSCRYPT_MODE_AES_256_CTS;
  policy.flags = FSCRYPT_POLICY_FLAGS_PAD_32;
  std::memcpy(policy.master_key_identifier, key.u.identifier, FSCRYPT_KEY_IDENTIFIER_SIZE);
  if (::ioctl(folder, FS_IOC_SET_ENCRYPTION_POLICY, &policy) == 0) return 0;
  if (errno == EEXIST) errno = EKEYREJECTED;  // it has another
  return -1;
}

}  // namespace

FolderKey::FolderKey(std::string_view bytes) : request_(std::make_unique<Request>()) {
  ASSERT(bytes.size() == kFolderKeyBytes);
  std::memset(request_->bytes, 0, sizeof request_->bytes);
  request_->argument()->key_spec.type = FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER;
  request_->argument()->raw_size = kFolderKeyBytes;
  std::memcpy(request_->bytes + sizeof(fscrypt_add_key_arg), bytes.data(), bytes.size());
}

FolderKey::~FolderKey() { ::explicit_bzero(request_->bytes, sizeof request_->bytes); }

int FolderKey::unlock(const char* mount, const char* folder, uid_t uid, gid_t gid) const {
  const RawFolder root(mount);
  if (root.get() < 0) return -1;
  if (::ioctl(root.get(), FS_IOC_ADD_ENCRYPTION_KEY, request_->argument()) != 0) return -1;
  return make_folder(folder, uid, gid);
}

int FolderKey::make_folder(const char* folder, uid_t uid, gid_t gid) const {
  const bool made = ::mkdir(folder, 0700) == 0;
  if (!made && errno != EEXIST) return -1;
  const RawFolder inside(folder);
  if (inside.get() < 0) return -1;
  if (set_policy(inside.get(), request_->argument()->key_spec) != 0) return -1;
  return made ? ::fchown(inside.get(), uid, gid) : 0;
}

int FolderKey::unlock_existing(const char* mount, const char* folder) const {
  const RawFolder root(mount);
  if (root.get() < 0) return -1;
  if (::ioctl(root.get(), FS_IOC_ADD_ENCRYPTION_KEY, request_->argument()) != 0) return -1;
  const RawFolder inside(folder);
  if (inside.get() < 0) return -1;
  fscrypt_get_policy_ex_arg found{};
  found.policy_size = sizeof found.policy;
  if (::ioctl(inside.get(), FS_IOC_GET_ENCRYPTION_POLICY_EX, &found) != 0) return -1;
  const bool ours =
      found.policy.version == FSCRYPT_POLICY_V2 &&
      std::memcmp(found.policy.v2.master_key_identifier,
                  request_->argument()->key_spec.u.identifier, FSCRYPT_KEY_IDENTIFIER_SIZE) == 0;
  if (!ours) errno = EKEYREJECTED;
  return ours ? 0 : -1;
}

bool has_folder_encryption() { return exists("/sys/fs/ext4/features/encryption"); }

}  // namespace granary::base::os
