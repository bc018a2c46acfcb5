#include "base/os/syscall.h"

#include <unistd.h>

#include <cstring>

#include "base/os/fd.h"

namespace granary::base::os {
namespace {

Code code_of(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::Refused;
    case ENOENT:
    case ESRCH:
    case ENOTDIR:
      return Code::NotFound;
    case EEXIST:
      return Code::AlreadyExists;
    case ENOSPC:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EDQUOT:
      return Code::Exhausted;
    case EBUSY:
    case ENOTEMPTY:
      return Code::Conflict;
    case ENOSYS:
    case EOPNOTSUPP:
      return Code::NotSupported;
    case EAGAIN:
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
      return Code::Unavailable;
    case ETIMEDOUT:
      return Code::Deadline;
    default:
      return Code::Internal;
  }
}

}  // namespace

Error from_errno(int error_number, std::string_view call, std::string_view argument) {
  std::string message = fmt::format("{}({}): {}", call, argument, std::strerror(error_number));
  return Error{code_of(error_number), std::move(message), {}, {}};
}

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace granary::base::os
