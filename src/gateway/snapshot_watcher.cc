#include "gateway/snapshot_watcher.h"

#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/log.h"
#include "base/os/file.h"
#include "base/os/watch.h"
#include "gateway/limits.h"

namespace granary::gateway {
namespace {

base::Result<SharedIndex> read_index(const std::string& path) {
  TRY_ASSIGN(const std::string text, base::os::read_file(path, wire::kMaxSnapshot));
  TRY_ASSIGN(wire::Snapshot snapshot, wire::decode_snapshot(text));
  return std::make_shared<const RouteIndex>(std::move(snapshot));
}

}  // namespace

void SnapshotWatcher::note_change() {
  pending_ = true;
  changed_.notify_all();
}

// A new watch after each change, and only then a look: whatever happens in between is seen, also
// that the folder was made anew.
base::Task<void> SnapshotWatcher::watch() {
  for (;;) {
    auto watch = base::os::watch_folder(parts_.paths.publish());
    note_change();
    if (!watch) {
      if (!co_await parts_.timer.sleep(kSnapshotRecheck)) co_return;
      continue;
    }
    base::asio::posix::stream_descriptor events(parts_.executor, watch->release());
    base::ErrorCode error;
    co_await events.async_wait(base::asio::posix::descriptor_base::wait_read, base::into(error));
    if (error) co_return;
  }
}

base::Task<void> SnapshotWatcher::follow() {
  for (;;) {
    while (std::exchange(pending_, false)) co_await load();
    if (!co_await changed_.wait()) co_return;
  }
}

base::Task<void> SnapshotWatcher::load() {
  auto index = co_await base::run_on(parts_.worker,
                                     [path = parts_.paths.routing()] { return read_index(path); });
  if (index) {
    base::log::info("routing generation {}: {} tenants", (*index)->snapshot().generation,
                    (*index)->snapshot().tenants.size());
    take_(*std::move(index));
  } else if (index.error().code != base::Code::NotFound) {
    base::log::error("the routing snapshot stays as it was: {}", describe(index.error()));
  }
}

}  // namespace granary::gateway
