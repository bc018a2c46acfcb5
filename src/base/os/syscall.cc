#include "base/os/syscall.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "base/os/fd.h"

namespace granary::base::os {
namespace {

// What the kernel calls "no space" of other things than disks: watches, namespaces, keys.
bool is_of_a_disk(std::string_view call) {
  constexpr std::string_view kOthers[] = {
      "inotify_add_watch", "epoll_ctl", "unshare", "clone", "clone3", "fork", "keyctl", "add_key"};
  return std::ranges::find(kOthers, call) == std::end(kOthers);
}

Code code_of(int error_number, std::string_view call) {
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
    case EDQUOT:
      return is_of_a_disk(call) ? Code::NoRoom : Code::Exhausted;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
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
  Error error{code_of(error_number, call), std::move(message), {}, {}};
  if (error.code == Code::NoRoom) error.advice = kMakeRoom;
  return error;
}

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace granary::base::os
