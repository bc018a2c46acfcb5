#include "base/os/loop_device.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>

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

// The kernel unmounts in the background, so there is nothing to wait on but the lock itself; and a
// blocking flock() could not be given a deadline.
Result<void> lock(const Fd& file, const std::string& image, std::chrono::milliseconds patience) {
  constexpr int kPollMs = 1;
  for (auto left = patience;; left -= std::chrono::milliseconds(kPollMs)) {
    const auto locked = lock_file(file.get(), image);
    if (locked) return {};
    if (locked.error().code != Code::Unavailable || left.count() <= 0)
      return std::unexpected(locked.error());
    ::poll(nullptr, 0, kPollMs);
  }
}

}  // namespace

Result<void> lock_file(int fd, const std::string& path) {
  TRY(checked("flock", path, [&] { return ::flock(fd, LOCK_EX | LOCK_NB); }));
  return {};
}

Result<LoopDevice> attach_loop(const std::string& image, std::chrono::milliseconds patience) {
  TRY_ASSIGN(const Fd file, open_file(image, O_RDWR | O_NOFOLLOW, 0));
  TRY(lock(file, image, patience));
  TRY_ASSIGN(const Fd control, open_file("/dev/loop-control", O_RDWR, 0));
  for (int i = 0;; ++i) {
    auto device = configure(control, file, image);
    if (device || i == kTries || device.error().code != Code::Conflict) return device;
  }
}

}  // namespace granary::base::os
