#include "gateway/folder_watch.h"

#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/os/watch.h"
#include "gateway/limits.h"

namespace granary::gateway {

// A new watch after each change, and only then a look: whatever happens in between is seen, also
// that the folder was made anew.
base::Task<void> watch_changes(base::asio::any_io_executor executor, base::Timer& timer,
                               std::string path, std::move_only_function<void()> changed) {
  for (;;) {
    auto watch = base::os::watch_folder(path);
    changed();
    if (!watch) {
      if (!co_await timer.sleep(kSnapshotRecheck)) co_return;
      continue;
    }
    base::asio::posix::stream_descriptor events(executor, watch->release());
    base::ErrorCode error;
    co_await events.async_wait(base::asio::posix::descriptor_base::wait_read, base::into(error));
    if (error) co_return;
  }
}

}  // namespace granary::gateway
