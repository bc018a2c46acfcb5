#include "agent/accounts.h"
#include "agent/disk_problem.h"
#include "agent/limits.h"
#include "base/log.h"

// Room on this machine's disk, shared by all accounts.
namespace granary::agent {

using base::AccountId;
using base::BootTime;
using base::Task;

namespace {

bool has(const std::vector<AccountId>& accounts, const AccountId& account) {
  return std::ranges::find(accounts, account) != accounts.end();
}

}  // namespace

BootTime Accounts::sweep_pause(std::optional<BootTime> due) const {
  if (room_.state != RoomState::Enough) return kRoomLook;
  if (!due) return kSweepLongest;
  return std::clamp<BootTime>(*due - parts_.clock.boot(), kSweepShortest, kSweepLongest);
}

void Accounts::tell_room(const HostRoom& now) const {
  if (now.state == RoomState::Full && room_.state != RoomState::Full) {
    base::log::warn(
        "the disk of the data directory is nearly full: {} MiB are free; apps get 'no space left' "
        "for writes that need more space until {} MiB are free",
        now.room >> 20, now.marks.high >> 20);
  } else if (now.state != RoomState::Full && room_.state == RoomState::Full) {
    base::log::info("the disk of the data directory has space again: {} MiB are free",
                    now.room >> 20);
  }
  for (const AccountId& account : now.read_only) {
    if (!has(room_.read_only, account)) base::log::error("{}: {}", account.value, kReadOnlyDisk);
  }
}

// Its next start finds the disk unmounted, and repairs it.
void Accounts::stop_for_room(const AccountId& account, std::string_view reason) {
  const auto found = accounts_.find(account);
  if (found == accounts_.end()) return;
  for (const auto& service : found->second.services) service->fail_life(std::string(reason));
}

Task<void> Accounts::guard_room() {
  std::vector<RunningDisk> disks;
  for (const auto& [raw, weak] : living_) {
    const auto service = weak.lock();
    if (service && service->pid() != 0) disks.push_back({service->id().account, service->pid()});
  }
  const bool calm = room_.state == RoomState::Enough;
  if (calm && disks.empty() && room_.read_only.empty()) co_return;
  if (calm && !disks.empty() && parts_.clock.boot() - room_looked_ < kRoomCalmLook) co_return;
  room_looked_ = parts_.clock.boot();
  auto now =
      co_await base::run_on(parts_.worker, [this, &disks] { return parts_.volumes.guard(disks); });
  if (!now) {
    if (room_is_known_)
      base::log::error("the room on the disk is not known: {}", describe(now.error()));
    room_is_known_ = false;
    co_return;
  }
  room_is_known_ = true;
  tell_room(*now);
  room_ = *std::move(now);
  const std::vector<AccountId> unguarded = room_.unguarded;
  for (const AccountId& account : unguarded) stop_for_room(account, kUnguardedDisk);
  if (room_.state == RoomState::Full) co_return;
  const std::vector<AccountId> read_only = room_.read_only;
  for (const AccountId& account : read_only) stop_for_room(account, kReadOnlyDisk);
}

}  // namespace granary::agent
