// What is broken of an account's disk, as far as it can be told without opening it. Pure.
#pragma once

#include <string>

#include "agent/volumes.h"

namespace granary::agent {

// Of those that run.
inline constexpr const char* kReadOnlyDisk =
    "its file system is read-only: a write to the machine's disk failed. Free space on that disk: "
    "then Granary restarts the account, which repairs it (at once: suspend it, then resume it)";
inline constexpr const char* kUnguardedDisk =
    "the machine's disk is nearly full, and what it writes cannot be limited (its own disk may "
    "have no free inode), so it was stopped. Free space on the machine's disk";

// For people; empty: nothing. `promised`: bytes of the disk of the account's spec.
std::string problem_of(const base::Result<DiskUse>& use, std::uint64_t promised);

}  // namespace granary::agent
