#include "agent/host/disk_images.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/host/sandbox.h"
#include "agent/limits.h"
#include "base/os/disk_room.h"
#include "base/os/file.h"
#include "base/os/loop_device.h"
#include "base/os/process.h"
#include "base/os/syscall.h"

namespace granary::agent {
namespace {

using base::AccountId;
using base::Code;
using base::Result;
using base::os::Fd;

constexpr std::uint64_t kBlock = 4096;
// ext4's superblock: where its magic number and its state lie, and the bit that says "damaged".
constexpr std::uint64_t kMagicAt = 1024 + 56;
constexpr std::uint64_t kStateAt = 1024 + 58;
constexpr std::uint64_t kIncompatibleAt = 1024 + 96;  // features that a reader must know
constexpr std::uint64_t kBlocksAt = 1024 + 4;
constexpr std::uint64_t kBlocksHighAt = 1024 + 0x150;
// What ext4 leaves unused at the end of a device, where it is too small for its own tables.
constexpr std::uint64_t kLastGroup = 8ULL << 20;
constexpr unsigned kMagic = 0xef53;
constexpr unsigned kDamaged = 0x2;
constexpr unsigned kEncrypts = 0x1;  // EXT4_FEATURE_INCOMPAT_ENCRYPT's, in the upper half
// e2fsck(8): 0 and 1 are well, and 2 asks for a reboot, which means nothing for an image.
constexpr int kMended = 3;

unsigned short_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]) |
         static_cast<unsigned>(static_cast<unsigned char>(bytes[at + 1])) << 8;
}

std::uint32_t long_at(std::string_view bytes, std::size_t at) {
  return short_at(bytes, at) | short_at(bytes, at + 2) << 16;
}

Result<struct stat> status_of(const std::string& path) {
  struct stat status{};
  TRY(base::os::checked("stat", path, [&] { return ::lstat(path.c_str(), &status); }));
  return status;
}

Result<void> run(const std::vector<std::string>& argv, std::chrono::milliseconds limit,
                 int worst_exit_code) {
  TRY_ASSIGN(const base::os::ProgramEnd end, base::os::run_program(argv, limit));
  if (end.exit_code <= worst_exit_code) return {};
  return base::fail(Code::Internal, "{} ended with {}: {}", argv.front(), end.exit_code,
                    end.output.substr(0, 500));
}

Result<void> mend_if_damaged(const std::string& image) {
  TRY_ASSIGN(const Fd file, base::os::open_file(image, O_RDONLY, 0));
  TRY_ASSIGN(const std::string head, base::os::read_at(file.get(), kMagicAt, 4));
  if (head.size() < 4 || short_at(head, 0) != kMagic)
    return base::fail_with_advice(Code::DataLoss, image + " holds no file system",
                                  "Restore the account from a backup");
  if ((short_at(head, kStateAt - kMagicAt) & kDamaged) == 0) return {};
  auto mended = run({"/sbin/e2fsck", "-p", image}, kMendDiskDeadline, kMended);
  if (mended) return {};
  return base::fail_with_advice(
      Code::DataLoss, "the disk is damaged and could not be repaired: " + mended.error().message,
      "Run e2fsck on " + image + " by hand, or restore the account from a backup");
}

// What mke2fs gives a disk of this size, if /etc/mke2fs.conf is as it came, and some of them are
// the file system's own.
std::uint64_t usual_inodes(std::uint64_t bytes) {
  constexpr std::uint64_t kSmall = 512ULL << 20;
  constexpr std::uint64_t kBytesSmall = 4'096;
  constexpr std::uint64_t kBytes = 16'384;
  const std::uint64_t inodes = bytes / (bytes < kSmall ? kBytesSmall : kBytes);
  return inodes - inodes / 32;
}

// Of the file system in it. One that grows while it is in use says so a little later: it may be
// told to grow to the size that it has.
Result<std::uint64_t> file_system_bytes(const std::string& image) {
  TRY_ASSIGN(const Fd file, base::os::open_file(image, O_RDONLY, 0));
  TRY_ASSIGN(const std::string low, base::os::read_at(file.get(), kBlocksAt, 4));
  TRY_ASSIGN(const std::string high, base::os::read_at(file.get(), kBlocksHighAt, 4));
  if (low.size() < 4 || high.size() < 4) return 0;
  return (std::uint64_t(long_at(high, 0)) << 32 | long_at(low, 0)) * kBlock;
}

// The kernel unmounts in the background what a silo has left.
Result<void> lock_released(const Fd& file, const std::string& image) {
  for (auto left = kDiskReleaseDeadline;; left -= kDiskReleasePoll) {
    const auto locked = base::os::lock_file(file.get(), image);
    if (locked || locked.error().code != Code::Unavailable) return locked;
    if (left.count() <= 0)
      return base::fail_with_advice(Code::Unavailable,
                                    "the disk cannot grow now: it is in use, as by an export",
                                    "Try again when that has ended");
    base::os::pause_thread(kDiskReleasePoll);
  }
}

// Nobody could write to it.
Result<void> check_room(const std::string& data_dir) {
  TRY_ASSIGN(const base::os::DiskRoom room, base::os::disk_room(data_dir));
  const wire::Watermarks marks = wire::watermarks_of(room.total);
  if (room.free >= marks.low) return {};
  return base::fail_with_advice(
      Code::NoRoom,
      fmt::format("there is no space for another account's disk: {} MiB are free on this "
                  "machine's, and {} MiB are kept free",
                  room.free >> 20, marks.low >> 20),
      base::os::kMakeRoom);
}

Result<bool> encrypts(const std::string& image) {
  TRY_ASSIGN(const Fd file, base::os::open_file(image, O_RDONLY, 0));
  TRY_ASSIGN(const std::string features, base::os::read_at(file.get(), kIncompatibleAt, 4));
  return features.size() == 4 && (short_at(features, 2) & kEncrypts) != 0;
}

}  // namespace

// Sparse, with a small journal: a power cut must not cost a tenant's data.
Result<void> DiskImages::make_image(const std::string& image, const NewImage& wanted) const {
  const std::uint64_t bytes = wanted.disk.bytes / kBlock * kBlock;
  const char* features = keys_ != nullptr ? "encrypt,^resize_inode" : "^resize_inode";
  TRY_ASSIGN(const Fd file, base::os::open_file(image, O_RDWR | O_CREAT | O_TRUNC, 0600));
  TRY(base::os::checked("ftruncate", image,
                        [&] { return ::ftruncate(file.get(), static_cast<off_t>(bytes)); }));
  const std::string extended = fmt::format(
      "root_owner={0}:{0},lazy_itable_init=1,lazy_journal_init=1,nodiscard", wanted.disk.uid);
  std::vector<std::string> program = {
      "/sbin/mke2fs", "-q",  "-F",    "-t", "ext4", "-b",     std::to_string(kBlock),
      "-I",           "256", "-m",    "0",  "-J",   "size=4", "-O",
      features,       "-E",  extended};
  if (wanted.inodes > usual_inodes(bytes))
    program.insert(program.end(), {"-N", std::to_string(wanted.inodes)});
  program.push_back(image);
  TRY(run(program, kMakeDiskDeadline, 0));
  TRY(base::os::checked("fdatasync", image, [&] { return ::fdatasync(file.get()); }));
  return {};
}

// Whoever was killed between the two steps left a file that is longer than its file system: that
// is grown on, and so the size of the file is not asked.
Result<void> DiskImages::grow(const std::string& image, std::uint64_t bytes) {
  // Attached for as long as this takes: a silo that starts meanwhile waits.
  TRY_ASSIGN(const Fd file, base::os::open_file(image, O_RDWR | O_NOFOLLOW, 0));
  TRY(lock_released(file, image));
  TRY_ASSIGN(const struct stat status, status_of(image));
  const auto longer = std::max(bytes, static_cast<std::uint64_t>(status.st_size));
  TRY(run({"/sbin/e2fsck", "-f", "-p", image}, kMendDiskDeadline, kMended));
  TRY(base::os::checked("ftruncate", image,
                        [&] { return ::ftruncate(file.get(), static_cast<off_t>(longer)); }));
  return run({"/sbin/resize2fs", image}, kMendDiskDeadline, 0);
}

Result<void> DiskImages::make(const AccountId& account, const DiskOptions& options) {
  if (options.bytes < kSmallestDisk)
    return base::fail_with_advice(Code::InvalidArgument,
                                  fmt::format("a disk of {} bytes is too small", options.bytes),
                                  "Set data.quota to 16Mi or more");
  const std::uint64_t bytes = options.bytes / kBlock * kBlock;
  const std::string image = paths_.disk(account);
  const auto status = status_of(image);
  if (status) {
    TRY_ASSIGN(const std::uint64_t holds, file_system_bytes(image));
    const bool whole =
        static_cast<std::uint64_t>(status->st_size) >= bytes && holds + kLastGroup >= bytes;
    return whole ? Result<void>() : grow(image, bytes);
  }
  if (status.error().code != Code::NotFound) return std::unexpected(status.error());
  TRY(check_room(paths_.data()));
  // Its key first: a disk that was made is one that can be opened.
  if (keys_ != nullptr) TRY(keys_->make(account));
  const std::string half_made = image + ".new";
  TRY(make_image(half_made, {.disk = options}));
  return base::os::rename_file(half_made, image);
}

Result<DiskUse> DiskImages::use(const AccountId& account) {
  constexpr std::uint64_t kStatBlock = 512;
  TRY_ASSIGN(const struct stat status, status_of(paths_.disk(account)));
  const bool has_key = base::os::exists(paths_.disk_key(account));
  bool locked = false;
  if (keys_ != nullptr && !has_key) {
    TRY_ASSIGN(locked, encrypts(paths_.disk(account)));
  }
  return DiskUse{.used_bytes = static_cast<std::uint64_t>(status.st_blocks) * kStatBlock,
                 .quota_bytes = static_cast<std::uint64_t>(status.st_size),
                 .encryption = has_key || locked ? base::os::kFolderCipher : "none",
                 .locked = locked};
}

Result<AttachedDisk> DiskImages::attach(const AccountId& account) {
  const std::string image = paths_.disk(account);
  // Two services of an account share the file system, so it is not mended while one uses it.
  bool fresh = false;
  TRY_ASSIGN(base::os::LoopDevice device,
             base::os::attach_loop(image, kDiskReleaseDeadline, [&image, &fresh] {
               fresh = true;
               return mend_if_damaged(image);
             }));
  const std::string mount_point = sandbox_folders(paths_).disk;
  AttachedDisk disk{.device = std::move(device.fd),
                    .device_path = std::move(device.path),
                    .mount_point = mount_point,
                    .folder = mount_point,
                    .scratch_parent = mount_point + "/" + kLostFolder,
                    .fresh = fresh};
  // The image says whether it is encrypted, not its key: a new one may be in this one's place yet.
  TRY_ASSIGN(const bool locked, encrypts(image));
  // Where the data is the whole file system, this is the one folder that is no part of it.
  disk.scratch = disk.scratch_parent + "/" + kScratchFolder;
  if (!locked) return disk;
  if (!base::os::exists(paths_.disk_key(account)))
    return base::fail_with_advice(Code::DataLoss,
                                  "the key of this encrypted disk is gone; nobody can read it",
                                  "Restore disk.key and keys/ from the same backup");
  if (keys_ == nullptr)
    return base::fail_with_advice(Code::NotSupported,
                                  "the disk is encrypted, but this kernel cannot open it",
                                  "Use a kernel with CONFIG_FS_ENCRYPTION");
  TRY_ASSIGN(disk.key, keys_->unwrap(account));
  disk.folder = mount_point + "/" + kDataFolder;
  return disk;
}

}  // namespace granary::agent
