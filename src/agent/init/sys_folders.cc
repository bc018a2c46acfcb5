#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>

#include "agent/init/sys.h"

namespace granary::init::sys {
namespace {

int outcome(long result) { return result < 0 ? -errno : static_cast<int>(result); }
int folder_at(int at) { return at < 0 ? AT_FDCWD : at; }

std::chrono::nanoseconds in_nanoseconds(std::int64_t seconds, std::int64_t rest) {
  return std::chrono::seconds(seconds) + std::chrono::nanoseconds(rest);
}

}  // namespace

int open_folder(int at, const char* name) {
  return outcome(::openat(folder_at(at), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

int open_to_read(int folder, const char* name) {
  return outcome(::openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
}

long next_names(int folder, std::span<char> into) {
  const long count = ::syscall(SYS_getdents64, folder, into.data(), into.size());
  return count < 0 ? -errno : count;
}

void first_names(int folder) { ::lseek(folder, 0, SEEK_SET); }

int remove_file(int at, const char* name) { return outcome(::unlinkat(folder_at(at), name, 0)); }

int remove_folder(int at, const char* name) {
  return outcome(::unlinkat(folder_at(at), name, AT_REMOVEDIR));
}

int move(int from, const char* name, int to, const char* new_name) {
  return outcome(::renameat2(from, name, to, new_name, RENAME_NOREPLACE));
}

// Of a folder: a link cannot be told from one here, and would only change what it leads to within
// reach of the same user.
void allow_access(int at, const char* name) { (void)::fchmodat(folder_at(at), name, 0700, 0); }

std::chrono::nanoseconds changed_at(int at, const char* name) {
  struct stat status{};
  if (::fstatat(folder_at(at), name, &status, AT_SYMLINK_NOFOLLOW) != 0) return {};
  return in_nanoseconds(status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

std::chrono::nanoseconds wall_now_exactly() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);  // the clock that files are stamped by
  return in_nanoseconds(now.tv_sec, now.tv_nsec);
}

}  // namespace granary::init::sys
