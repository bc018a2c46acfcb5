// A folder that a process holds for as long as it lives: flock(2) on the folder itself. There is no
// file beside it that somebody could remove, nothing is written (a full disk does not matter), and
// the kernel lets go of it when the holder ends, however it ends. Descriptors are close-on-exec, so
// no program that the holder starts holds it too. Any thread; nothing blocks.
#pragma once

#include <optional>
#include <string>

#include "base/os/process.h"

namespace granary::base::os {

enum class Hold {
  Alone,
  Shared,  // with others that share it
};

// Held until the descriptor is closed. Errors: Conflict (somebody else holds it), NotFound, Refused
// (it may not be read), and those of a file system that knows no locks.
Result<Fd> hold_folder(const std::string& path, Hold hold);

// As the kernel tells it. It may have ended: then a process that it was forking holds on.
struct FolderHolder {
  pid_t pid = 0;
  std::string command;                 // the program's name and its first argument
  std::chrono::nanoseconds started{};  // since the machine's boot; 0: unknown
};
// Nothing: nobody, or somebody whom this process cannot see.
std::optional<FolderHolder> folder_holder(const std::string& path);

// The pid of the flock(2) on this device and inode in /proc/locks' text; 0: none. Where file
// systems count their devices in two ways, the inode alone decides.
pid_t find_flock(std::string_view locks, std::string_view device, std::uint64_t inode);

}  // namespace granary::base::os
