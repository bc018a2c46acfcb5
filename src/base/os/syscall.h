// The one place where a failed system call becomes an Error: with the call, its argument and what
// errno says. Every caller of the kernel goes through checked(), which also repeats on EINTR.
#pragma once

#include <cerrno>

#include "base/result.h"

namespace granary::base::os {

// What to do about Code::NoRoom.
inline constexpr const char* kMakeRoom =
    "Make room on the disk of the data directory (granary archive list, delete), then try again";

// EACCES, EPERM -> Refused; ENOENT -> NotFound; EEXIST -> AlreadyExists; ENOSPC, EDQUOT -> NoRoom,
// with kMakeRoom, or Exhausted where it is not of a disk; EMFILE, ENOMEM -> Exhausted; EBUSY ->
// Conflict; ENOSYS, EOPNOTSUPP -> NotSupported; connection errors and EAGAIN -> Unavailable; the
// rest -> Internal.
Error from_errno(int error_number, std::string_view call, std::string_view argument);

// call() returns -1 and sets errno on failure, as system calls do.
template <class F>
auto checked(std::string_view name, std::string_view argument, F call) -> Result<decltype(call())> {
  for (;;) {
    const auto value = call();
    if (value >= 0) return value;
    if (errno != EINTR) return std::unexpected(from_errno(errno, name, argument));
  }
}

}  // namespace granary::base::os
