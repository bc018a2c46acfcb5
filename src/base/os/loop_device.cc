#include "base/os/loop_device.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <climits>

#include "base/os/file.h"
#include "base/os/syscall.h"

namespace granary::base::os {
namespace {

// Another process may take the free device between asking for it and using it.
constexpr int kTries = 16;

Result<LoopDevice> configure(const Fd& control, const Fd& image, const std::string& name) {
  TRY_ASSIGN(const int number, checked("ioctl", "LOOP_CTL_GET_FREE",
                                       [&] { return ::ioctl(control.get(), LOOP_CTL_GET_FREE); }));
  LoopDevice device;
  device.path = fmt::format("/dev/loop{}", number);
  TRY_ASSIGN(device.fd, open_file(device.path, O_RDWR, 0));
  loop_config config{};
  config.fd = static_cast<__u32>(image.get());
  config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
  TRY(checked("ioctl LOOP_CONFIGURE", name,
              [&] { return ::ioctl(device.fd.get(), LOOP_CONFIGURE, &config); }));
  return device;
}

// The device that holds this very file. It may be on its way out; once it is open it stays.
Result<LoopDevice> find_device(const Fd& image, const std::string& name) {
  struct stat status{};
  TRY(checked("fstat", name, [&] { return ::fstat(image.get(), &status); }));
  TRY_ASSIGN(const std::vector<std::string> devices, list_folder("/sys/block"));
  for (const std::string& device : devices) {
    if (!device.starts_with("loop")) continue;
    const auto backing = read_file("/sys/block/" + device + "/loop/backing_file", PATH_MAX);
    if (!backing || *backing != name + "\n") continue;
    LoopDevice found;
    found.path = "/dev/" + device;
    TRY_ASSIGN(found.fd, open_file(found.path, O_RDWR, 0));
    loop_info64 info{};
    TRY(checked("ioctl LOOP_GET_STATUS64", found.path,
                [&] { return ::ioctl(found.fd.get(), LOOP_GET_STATUS64, &info); }));
    if (info.lo_inode == status.st_ino) return found;
  }
  return fail(Code::Unavailable, "{} is being worked on", name);
}

Result<LoopDevice> make_device(const Fd& image, const std::string& name) {
  TRY_ASSIGN(const Fd control, open_file("/dev/loop-control", O_RDWR, 0));
  for (int i = 0;; ++i) {
    auto device = configure(control, image, name);
    if (device || i == kTries || device.error().code != Code::Conflict) return device;
  }
}

}  // namespace

Result<void> lock_file(int fd, const std::string& path) {
  TRY(checked("flock", path, [&] { return ::flock(fd, LOCK_EX | LOCK_NB); }));
  return {};
}

// The kernel unmounts in the background, so there is nothing to wait on but the lock itself; and a
// blocking flock() could not be given a deadline.
Result<LoopDevice> attach_loop(const std::string& image, std::chrono::milliseconds patience,
                               const std::function<Result<void>()>& prepare) {
  constexpr int kPollMs = 1;
  TRY_ASSIGN(const Fd file, open_file(image, O_RDWR | O_NOFOLLOW, 0));
  for (auto left = patience;; left -= std::chrono::milliseconds(kPollMs)) {
    const auto locked = lock_file(file.get(), image);
    if (locked) {
      TRY(prepare());
      return make_device(file, image);
    }
    if (locked.error().code != Code::Unavailable) return std::unexpected(locked.error());
    auto shared = find_device(file, image);
    if (shared || left.count() <= 0) return shared;
    ::poll(nullptr, 0, kPollMs);
  }
}

}  // namespace granary::base::os
