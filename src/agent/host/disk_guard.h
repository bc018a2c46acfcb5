// Keeps tenants from filling the machine's disk: where it is scarce, a ballast in each running
// account's file system takes the blocks that its apps may not have. It is an unnamed file
// (O_TMPFILE) of unwritten blocks: it needs no room on the machine, nobody sees it, and it is gone
// with whoever holds it open. As root; blocking; one look at a time.
#pragma once

#include <map>

#include "agent/volumes.h"
#include "wire/paths.h"

namespace granary::agent {

class DiskGuard final {
 public:
  explicit DiskGuard(wire::Paths paths) : paths_(std::move(paths)) {}

  // One look, at all that run; lets go of all others.
  base::Result<HostRoom> look(const std::vector<RunningDisk>& disks);

 private:
  struct Guest;
  base::Result<Guest> measure(const RunningDisk& disk);
  base::Result<void> hold(const Guest& guest, std::uint64_t ballast);
  bool is_short(const Guest& guest, std::uint64_t ballast);

  const wire::Paths paths_;
  RoomState state_ = RoomState::Enough;
  struct Device {
    std::uint64_t number = 0;
    int pid = 0;
    std::string errors;  // the file that counts them
  };
  struct Ballast {
    base::os::Fd file;
    int short_looks = 0;  // in a row that found it smaller than it must be
    int looks_full = 0;   // that found the machine full and blocks to give back
  };
  std::map<base::AccountId, Ballast> ballasts_;
  // Devices that were found to be an account's image: as long as one of its processes runs on it,
  // it is.
  std::map<base::AccountId, Device> devices_;
};

}  // namespace granary::agent
