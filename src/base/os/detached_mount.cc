#include "base/os/detached_mount.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/os/syscall.h"

namespace granary::base::os {
namespace {

// What the kernel says beyond errno, a line at a time, as far as it fits.
std::string said(const Fd& context) {
  char line[512];
  const ssize_t length = ::read(context.get(), line, sizeof line);
  return length > 0 ? std::string(line, static_cast<std::size_t>(length)) : "";
}

Result<void> configure(const Fd& context, unsigned command, const char* name, const char* value) {
  if (::fsconfig(context.get(), command, name, value, 0) == 0) return {};
  Error error = from_errno(errno, "fsconfig", name == nullptr ? "create" : name);
  if (const std::string more = said(context); !more.empty()) error.message += ": " + more;
  return std::unexpected(std::move(error));
}

Result<void> set_options(const Fd& context, std::string_view options) {
  while (!options.empty()) {
    const std::string option(options.substr(0, options.find(',')));
    options.remove_prefix(std::min(option.size() + 1, options.size()));
    const std::size_t equals = option.find('=');
    if (equals == std::string::npos) {
      TRY(configure(context, FSCONFIG_SET_FLAG, option.c_str(), nullptr));
    } else {
      TRY(configure(context, FSCONFIG_SET_STRING, option.substr(0, equals).c_str(),
                    option.c_str() + equals + 1));
    }
  }
  return {};
}

}  // namespace

Result<Fd> mount_detached(const DetachedMountOptions& options) {
  const bool read_only = options.access == DetachedMountOptions::Access::ReadOnly;
  TRY_ASSIGN(const int raw, checked("fsopen", options.type, [&] {
               return ::fsopen(options.type.c_str(), FSOPEN_CLOEXEC);
             }));
  const Fd context(raw);
  TRY(configure(context, FSCONFIG_SET_STRING, "source", options.device.c_str()));
  TRY(set_options(context, options.options));
  if (read_only) TRY(configure(context, FSCONFIG_SET_FLAG, "ro", nullptr));
  TRY(configure(context, FSCONFIG_CMD_CREATE, nullptr, nullptr));
  const unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                              MOUNT_ATTR_NOATIME | (read_only ? MOUNT_ATTR_RDONLY : 0U);
  TRY_ASSIGN(const int mount, checked("fsmount", options.device, [&] {
               return ::fsmount(context.get(), FSMOUNT_CLOEXEC, attributes);
             }));
  // That one only names the mount. What was opened in it keeps it.
  const Fd name(mount);
  TRY_ASSIGN(const int root, checked("openat", options.device, [&] {
               return ::openat(name.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
             }));
  return Fd(root);
}

std::string path_of(const Fd& fd) { return fmt::format("/proc/self/fd/{}", fd.get()); }

}  // namespace granary::base::os
