#include <fcntl.h>
#include <unistd.h>

#include "agent/host/disk_images.h"
#include "agent/host/disk_snapshot.h"
#include "agent/host/open_disk.h"
#include "agent/limits.h"
#include "base/os/disk_room.h"
#include "base/os/loop_device.h"
#include "base/os/priority.h"
#include "base/os/process.h"
#include "base/os/syscall.h"

// Moving data from and to disk images.
namespace granary::agent {

using base::AccountId;
using base::Code;
using base::Result;
using base::os::Fd;

namespace {

Result<void> nothing_to_prepare() { return {}; }

// The account's own disk, full.
bool is_full(const base::Error& error) {
  return error.code == Code::NoRoom || error.code == Code::Exhausted;
}

base::Failure does_not_fit(const base::Error& error) {
  return base::fail_with_advice(
      Code::Exhausted, "the data does not fit on the account's disk: " + error.message,
      "Raise data.quota, or the disk of the account's plan, then try again");
}

// Whole, of this hash, and no more than the disk could ever hold.
Result<wire::DataArchiveInfo> check_archive(const std::string& archive, const std::string& sha256,
                                            std::uint64_t disk_bytes,
                                            const wire::DataPulse& pulse) {
  auto info = wire::check_data(archive, wire::DataLimits::of_disk(disk_bytes), pulse);
  if (!info && info.error().code == Code::Exhausted) return does_not_fit(info.error());
  if (!info || info->sha256 == sha256) return info;
  return base::fail_with_advice(
      Code::InvalidArgument,
      "the archive is not the one that was meant: its hash is " + info->sha256, "Send it again");
}

// Sizes that a disk for this data may have, the wished one first. What a disk held, another of its
// size may miss by a little: folders grow otherwise, names take more when they are encrypted, one
// that has grown has more inodes. It is larger then than its quota, rather than without its data.
std::vector<std::uint64_t> sizes_for(const wire::DataTotals& totals, std::uint64_t wished) {
  if (totals.disk_bytes == 0 || totals.disk_bytes > wished) return {wished};
  return {wished, wished + wished / 4 + kImportSlack, 2 * wished + kImportSlack};
}

std::uint64_t inodes_for(const wire::DataTotals& totals) {
  const std::uint64_t used = totals.files + totals.folders + totals.links - totals.hard_links;
  return used + used / 64 + kSpareInodes;
}

Result<void> check_room(const std::string& folder, const wire::DataTotals& totals,
                        std::uint64_t disk_bytes) {
  constexpr std::uint64_t kBlock = 4096;
  TRY_ASSIGN(const base::os::DiskRoom room, base::os::disk_room(folder));
  // A file's last block is half empty, and folders and links have blocks of their own; names may
  // be many, but all of it has a disk's room.
  const std::uint64_t needed =
      std::min(totals.bytes + kBlock * (totals.files + totals.folders + totals.links),
               sizes_for(totals, disk_bytes).back()) +
      std::max(kSpareRoom, wire::watermarks_of(room.total).low);
  if (room.free >= needed) return {};
  return base::fail_with_advice(
      Code::NoRoom,
      fmt::format("an import needs {} MiB on this machine's disk, and {} MiB are free",
                  needed >> 20, room.free >> 20),
      "Make room below the data directory, then try again");
}

// After its unmounting, which the kernel does in the background, all of it is in the file.
Result<void> settle(const std::string& image) {
  TRY_ASSIGN(const Fd file, base::os::open_file(image, O_RDWR | O_NOFOLLOW, 0));
  for (auto left = kDiskReleaseDeadline;; left -= kDiskReleasePoll) {
    const auto locked = base::os::lock_file(file.get(), image);
    if (locked) break;
    if (left.count() <= 0) return locked;
    base::os::pause_thread(kDiskReleasePoll);
  }
  TRY(base::os::checked("fsync", image, [&] { return ::fsync(file.get()); }));
  return {};
}

}  // namespace

// Made anew, mounted and empty.
Result<OpenDisk> DiskImages::open_import(const AccountId& account, const NewImage& wanted) {
  const std::string image = paths_.disk_import(account);
  std::shared_ptr<const base::os::FolderKey> key;  // ours alone
  TRY(base::os::remove_file(image));
  TRY(make_image(image, wanted));
  if (keys_ != nullptr) {
    TRY(keys_->make(account));
    TRY_ASSIGN(key, keys_->unwrap(account));
  }
  TRY_ASSIGN(const auto device,
             base::os::attach_loop(image, kDiskReleaseDeadline, nothing_to_prepare));
  TRY_ASSIGN(OpenDisk disk, open_disk(device.path, key.get(), {wanted.disk.uid, wanted.disk.uid}));
  // An app may have a folder of this name; the file system makes its own when it needs it.
  if (disk.is_file_system) TRY(base::os::remove_tree(disk.folder + "/lost+found"));
  return disk;
}

Result<void> DiskImages::fill_import(const AccountId& account, const std::string& archive,
                                     const NewImage& wanted, const wire::DataPulse& pulse) {
  TRY_ASSIGN(const OpenDisk disk, open_import(account, wanted));
  auto unpacked = wire::unpack_data(archive, disk.folder,
                                    {.limits = wire::DataLimits::of_disk(wanted.disk.bytes),
                                     .uid = wanted.disk.uid,
                                     .gid = wanted.disk.uid,
                                     .pulse = pulse});
  if (!unpacked && is_full(unpacked.error())) return does_not_fit(unpacked.error());
  if (!unpacked) return std::unexpected(std::move(unpacked).error());
  // Also what the device could not write: it has no other way to say so.
  TRY(base::os::checked("syncfs", "disk", [&] { return ::syncfs(disk.root.get()); }));
  return {};
}

Result<void> DiskImages::replace(const AccountId& account, const std::string& archive,
                                 const std::string& sha256, const DiskOptions& options,
                                 const wire::DataPulse& pulse) {
  const base::os::LowPriority low;
  TRY_ASSIGN(const auto info, check_archive(archive, sha256, options.bytes, pulse));
  TRY(check_room(paths_.account(account), info.totals, options.bytes));
  const std::string image = paths_.disk_import(account);
  Result<void> filled;
  for (const std::uint64_t bytes : sizes_for(info.totals, options.bytes)) {
    const NewImage wanted{.disk = {bytes, options.uid}, .inodes = inodes_for(info.totals)};
    filled = fill_import(account, archive, wanted, pulse);
    if (filled || filled.error().code != Code::Exhausted) break;
  }
  if (filled) filled = settle(image);
  if (filled) filled = base::os::rename_file(image, paths_.disk(account));
  if (filled) return base::os::sync_folder(paths_.account(account));
  (void)base::os::remove_file(image);
  return filled;
}

Result<std::unique_ptr<DataSnapshot>> DiskImages::snapshot(const AccountId& account,
                                                           const SnapshotOptions& options) {
  TRY_ASSIGN(AttachedDisk disk, attach(account));
  return take_snapshot({paths_.disk(account), paths_.disk_export(account)}, std::move(disk),
                       options);
}

Result<void> DiskImages::recover(const AccountId& account) {
  TRY(base::os::remove_file(paths_.disk_import(account)));
  return recover_snapshot({paths_.disk(account), paths_.disk_export(account)});
}

}  // namespace granary::agent
