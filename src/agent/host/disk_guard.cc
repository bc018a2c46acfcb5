#include "agent/host/disk_guard.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include <filesystem>

#include "agent/limits.h"
#include "base/os/disk_room.h"
#include "base/os/file.h"
#include "base/os/syscall.h"

namespace granary::agent {
namespace {

using base::Code;
using base::Result;
using base::os::Fd;

constexpr std::uint64_t kStatBlock = 512;
constexpr unsigned kLoopMajor = 7;
constexpr const char* kInside = "/data";

Result<struct stat> status_of(const Fd& file) {
  struct stat status{};
  TRY(base::os::checked("fstat", "disk", [&] { return ::fstat(file.get(), &status); }));
  return status;
}

std::string sys_of(dev_t device) { return fmt::format("/sys/dev/block/7:{}", minor(device)); }

// Before a sandbox has its own root, its process sees the machine's. The kernel may know the data
// directory by another path, as where that is a link.
bool is_image(dev_t device, const std::string& image_in_data) {
  if (major(device) != kLoopMajor) return false;
  const auto backing = base::os::read_file(sys_of(device) + "/loop/backing_file", 4096);
  return backing && backing->ends_with(image_in_data + "\n");
}

std::string errors_of(dev_t device) {
  std::error_code none;
  const std::string name = std::filesystem::read_symlink(sys_of(device), none).filename().string();
  return "/sys/fs/ext4/" + name + "/errors_count";
}

bool had_errors(const std::string& file) {
  const auto count = base::os::read_file(file, 64);
  return count && !count->starts_with("0");
}

Result<Fd> make_ballast(const Fd& folder) {
  TRY_ASSIGN(const int file, base::os::checked("open", "ballast", [&] {
               return ::openat(folder.get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
             }));
  return Fd(file);
}

// Newer kernels refuse writes after an error without saying so in statvfs.
bool is_read_only(const Fd& folder, const struct statvfs& room, const std::string& errors) {
  if ((room.f_flag & ST_RDONLY) != 0) return true;
  if (!had_errors(errors)) return false;
  const int file = ::openat(folder.get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  const bool refused = file < 0 && errno == EROFS;
  const Fd closes(file);
  return refused;
}

// What its apps have deleted goes back to the machine. Its file system need not support it.
void give_back(const Fd& file) {
  fstrim_range all{.start = 0, .len = ~0ULL, .minlen = kLeastGivenBack};
  (void)::ioctl(file.get(), FITRIM, &all);
}

}  // namespace

struct DiskGuard::Guest {
  base::AccountId account;
  Fd folder;
  GuestRoom room;
  bool read_only = false;
};

Result<DiskGuard::Guest> DiskGuard::measure(const RunningDisk& disk) {
  const std::string path = fmt::format("/proc/{}/root{}", disk.pid, kInside);
  Guest guest{.account = disk.account};
  TRY_ASSIGN(guest.folder, base::os::open_file(path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0));
  TRY_ASSIGN(const struct stat status, status_of(guest.folder));
  const std::string image = paths_.disk(disk.account);
  Device& device = devices_[disk.account];
  if (device.number != status.st_dev || device.pid != disk.pid) {
    if (!is_image(status.st_dev, image.substr(paths_.data().size())))
      return base::fail(Code::NotFound, "not mounted yet");
    device = {.number = status.st_dev, .pid = disk.pid, .errors = errors_of(status.st_dev)};
  }
  struct statvfs room{};
  TRY(base::os::checked("fstatvfs", path, [&] { return ::fstatvfs(guest.folder.get(), &room); }));
  struct stat held{};
  TRY(base::os::checked("stat", image, [&] { return ::lstat(image.c_str(), &held); }));
  guest.room = {.used = (room.f_blocks - room.f_bfree) * room.f_frsize,
                .free = room.f_bavail * room.f_frsize,
                .held = static_cast<std::uint64_t>(held.st_blocks) * kStatBlock};
  guest.read_only = is_read_only(guest.folder, room, device.errors);
  const auto ballast = ballasts_.find(disk.account);
  if (ballast == ballasts_.end()) return guest;
  TRY_ASSIGN(const struct stat taken, status_of(ballast->second.file));
  if (taken.st_dev == status.st_dev)
    guest.room.ballast = static_cast<std::uint64_t>(taken.st_blocks) * kStatBlock;
  return guest;
}

// Small differences are left: each change is a write to the guest's journal.
Result<void> DiskGuard::hold(const Guest& guest, std::uint64_t ballast) {
  if (ballast == 0) {
    ballasts_.erase(guest.account);
    return {};
  }
  Ballast& own = ballasts_[guest.account];
  const Fd& file = own.file;
  const bool keeps_too_much = state_ == RoomState::Full &&
                              guest.room.deleted() > kWorthGivingBack &&
                              ++own.looks_full % kLooksPerGivingBack == 0;
  if (guest.room.ballast == 0) {
    TRY_ASSIGN(own.file, make_ballast(guest.folder));
  }
  const auto bytes = static_cast<off_t>(ballast);
  if (keeps_too_much || ballast > guest.room.ballast + kBallastStep) {
    // What was deleted is free to be given back only after the guest's next commit; until then the
    // ballast may have got it, and lets go of it for that moment.
    if (keeps_too_much && ::ftruncate(file.get(), 0) == 0) (void)::syncfs(file.get());
    if (keeps_too_much || guest.room.ballast == 0) give_back(file);
    TRY(base::os::checked("fallocate", "ballast",
                          [&] { return ::fallocate(file.get(), 0, 0, bytes); }));
  } else if (ballast + kBallastStep < guest.room.ballast) {
    TRY(base::os::checked("ftruncate", "ballast", [&] { return ::ftruncate(file.get(), bytes); }));
  }
  return {};
}

// For so long that it will stay so.
bool DiskGuard::is_short(const Guest& guest, std::uint64_t ballast) {
  const auto found = ballasts_.find(guest.account);
  if (found == ballasts_.end()) return false;
  const auto taken = status_of(found->second.file);
  const std::uint64_t bytes = taken ? static_cast<std::uint64_t>(taken->st_blocks) * kStatBlock : 0;
  int& looks = found->second.short_looks;
  looks = ballast > bytes + kBallastStep ? looks + 1 : 0;
  return looks >= kMostShortLooks;
}

Result<HostRoom> DiskGuard::look(const std::vector<RunningDisk>& disks) {
  TRY_ASSIGN(const base::os::DiskRoom machine, base::os::disk_room(paths_.data()));
  const wire::Watermarks marks = wire::watermarks_of(machine.total);
  std::map<base::AccountId, Guest> guests;  // one for all services of an account
  for (const RunningDisk& disk : disks) {
    if (guests.contains(disk.account)) continue;
    if (auto guest = measure(disk)) guests.try_emplace(disk.account, *std::move(guest));
  }
  // A disk that nobody uses is to be unmounted, to grow, or to be deleted.
  std::erase_if(ballasts_, [&](const auto& held) { return !guests.contains(held.first); });
  std::erase_if(devices_, [&](const auto& known) { return !guests.contains(known.first); });
  std::vector<GuestRoom> rooms;
  for (const auto& [account, guest] : guests) rooms.push_back(guest.room);
  const RoomPlan plan = plan_room(machine.free, marks, rooms, state_);
  state_ = plan.state;
  HostRoom room{.state = plan.state, .room = plan.room, .marks = marks};
  auto wanted = plan.ballasts.begin();
  for (auto& [account, guest] : guests) {
    const std::uint64_t ballast = *wanted++;
    if (guest.read_only) {
      room.read_only.push_back(account);
      ballasts_.erase(account);
      continue;
    }
    (void)hold(guest, ballast);  // what is missing of it is seen at once
    if (is_short(guest, ballast) && plan.state == RoomState::Full)
      room.unguarded.push_back(account);
  }
  return room;
}

}  // namespace granary::agent
