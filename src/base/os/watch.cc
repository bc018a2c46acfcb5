#include "base/os/watch.h"

#include <sys/inotify.h>

#include "base/os/syscall.h"

namespace granary::base::os {

Result<Fd> watch_folder(const std::string& path) {
  TRY_ASSIGN(const int fd, checked("inotify_init1", path,
                                   [] { return ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK); }));
  Fd watch(fd);
  TRY(checked("inotify_add_watch", path, [&] {
    return ::inotify_add_watch(fd, path.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR);
  }));
  return watch;
}

}  // namespace granary::base::os
