#include "agent/host/disk_snapshot.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/limits.h"
#include "base/os/disk_room.h"
#include "base/os/freeze.h"
#include "base/os/loop_device.h"
#include "base/os/mirror.h"
#include "base/os/priority.h"
#include "base/os/syscall.h"

namespace granary::agent {
namespace {

using base::Code;
using base::Result;
using base::os::Fd;

struct ImageSize {
  std::uint64_t whole = 0;
  std::uint64_t allocated = 0;
};

Result<ImageSize> size_of(const Fd& image) {
  constexpr std::uint64_t kStatBlock = 512;
  struct stat status{};
  TRY(base::os::checked("fstat", "disk", [&] { return ::fstat(image.get(), &status); }));
  return ImageSize{static_cast<std::uint64_t>(status.st_size),
                   static_cast<std::uint64_t>(status.st_blocks) * kStatBlock};
}

// The copy and the archive, which may be as large.
Result<void> check_room(const std::string& copy, const ImageSize& size) {
  const std::string folder = copy.substr(0, copy.rfind('/'));
  TRY_ASSIGN(const base::os::DiskRoom room, base::os::disk_room(folder));
  const std::uint64_t needed =
      2 * size.allocated + std::max(kSpareRoom, wire::watermarks_of(room.total).low);
  if (room.free >= needed) return {};
  return base::fail_with_advice(
      Code::NoRoom,
      fmt::format("an export needs {} MiB on this machine's disk, and {} MiB are free",
                  needed >> 20, room.free >> 20),
      "Make room below the data directory, then try again");
}

// A name only while it is being made.
class Scratch final {
 public:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  ~Scratch() { (void)base::os::remove_file(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  Result<Fd> make() const {
    TRY(base::os::remove_file(path_));
    return base::os::open_file(path_, O_RDWR | O_CREAT | O_EXCL, 0600);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Result<void> sync(const OpenDisk& disk) {
  TRY(base::os::checked("syncfs", "disk", [&] { return ::syncfs(disk.root.get()); }));
  return {};
}

// Until little changes from one round to the next. What is dirty is written first, so that holding
// still finds nothing to wait for.
Result<void> copy_in_use(const OpenDisk& disk, int from, int to, const SnapshotOptions& options) {
  for (int round = 0; round < kMostRounds; ++round) {
    TRY(sync(disk));
    TRY_ASSIGN(const auto mirrored, base::os::mirror_file(from, to, options.pulse));
    if (mirrored.written <= kSmallChange) break;
  }
  return sync(disk);
}

Result<std::chrono::microseconds> copy_still(const OpenDisk& disk, int from, int to,
                                             const SnapshotOptions& options) {
  TRY_ASSIGN(const bool shares, base::os::share_blocks(from, to));
  TRY(shares ? sync(disk) : copy_in_use(disk, from, to, options));
  TRY_ASSIGN(const auto freeze, base::os::Freeze::begin(disk.root, options.longest_pause));
  if (shares) {
    TRY(base::os::share_blocks(from, to));
  } else {
    TRY(base::os::mirror_file(from, to, options.pulse));
  }
  auto paused = freeze->end();
  if (paused || paused.error().code != Code::Deadline) return paused;
  return base::fail_with_advice(
      Code::Unavailable,
      fmt::format("the disk is too large, or this machine too busy, to copy it within {} ms of "
                  "holding it still",
                  options.longest_pause.count()),
      "Suspend the account for the export, or keep the data directory on XFS or Btrfs, where a "
      "copy takes no time");
}

class DiskSnapshot final : public DataSnapshot {
 public:
  DiskSnapshot(OpenDisk disk, std::uint64_t bytes, std::chrono::microseconds paused)
      : disk_(std::move(disk)), bytes_(bytes), paused_(paused) {}

  Result<wire::DataArchiveInfo> pack(const std::string& archive,
                                     const wire::DataPulse& pulse) override {
    const base::os::LowPriority low;
    return wire::pack_data(disk_.folder, archive,
                           {.source = wire::DataSource::Still,
                            .is_file_system = disk_.is_file_system,
                            .disk_bytes = bytes_,
                            .pulse = pulse});
  }
  std::chrono::microseconds paused() const override { return paused_; }

 private:
  OpenDisk disk_;
  std::uint64_t bytes_;
  std::chrono::microseconds paused_;
};

Result<void> nothing_to_prepare() { return {}; }

}  // namespace

Result<std::unique_ptr<DataSnapshot>> take_snapshot(const SnapshotPaths& paths, AttachedDisk disk,
                                                    const SnapshotOptions& options) {
  TRY_ASSIGN(const Fd image, base::os::open_file(paths.image, O_RDONLY | O_NOFOLLOW, 0));
  TRY_ASSIGN(const ImageSize size, size_of(image));
  TRY(check_room(paths.copy, size));
  std::chrono::microseconds paused{0};
  const Scratch scratch(paths.copy);
  {
    TRY_ASSIGN(const OpenDisk source,
               open_disk(disk.device_path, disk.key.get(), {options.disk.uid, options.disk.uid}));
    disk.device.reset();  // mounted now, and so kept
    TRY_ASSIGN(const Fd copy, scratch.make());
    TRY_ASSIGN(paused, copy_still(source, image.get(), copy.get(), options));
  }
  TRY_ASSIGN(const auto device,
             base::os::attach_loop(scratch.path(), kDiskReleaseDeadline, nothing_to_prepare));
  TRY_ASSIGN(OpenDisk copy, open_disk_read_only(device.path, disk.key.get()));
  return std::make_unique<DiskSnapshot>(std::move(copy), size.whole, paused);
}

Result<void> recover_snapshot(const SnapshotPaths& paths) {
  if (!base::os::exists(paths.copy)) return {};
  TRY_ASSIGN(const Fd image, base::os::open_file(paths.image, O_RDWR | O_NOFOLLOW, 0));
  // Whoever can lock it knows that it has no device, so nothing of it can be held still.
  if (!base::os::lock_file(image.get(), paths.image)) {
    TRY_ASSIGN(const auto device,
               base::os::attach_loop(paths.image, kDiskReleaseDeadline, nothing_to_prepare));
    TRY_ASSIGN(const OpenDisk disk, open_disk(device.path, nullptr, {0, 0}));
    TRY(base::os::thaw(disk.root));
  }
  return base::os::remove_file(paths.copy);
}

}  // namespace granary::agent
