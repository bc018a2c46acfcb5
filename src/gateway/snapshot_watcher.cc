#include "gateway/snapshot_watcher.h"

#include "base/log.h"
#include "base/os/file.h"
#include "gateway/folder_watch.h"

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

base::Task<void> SnapshotWatcher::watch() {
  return watch_changes(parts_.executor, parts_.timer, parts_.paths.publish(),
                       [this] { note_change(); });
}

base::Task<void> SnapshotWatcher::follow() {
  for (;;) {
    while (std::exchange(pending_, false)) {
      co_await load();
      has_looked_ = true;
      looked_.notify_all();
    }
    if (!co_await changed_.wait()) co_return;
  }
}

base::Task<base::Result<void>> SnapshotWatcher::first_look() {
  while (!has_looked_) CO_TRY(co_await looked_.wait());
  co_return base::Result<void>();
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
