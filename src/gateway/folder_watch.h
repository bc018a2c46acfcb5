// Being told of a folder's changes for as long as somebody cares, whatever happens to the folder
// meanwhile. For the watchers of what others publish into a folder.
#pragma once

#include <functional>
#include <string>

#include "base/async.h"
#include "base/timer.h"

namespace granary::gateway {

// Calls `changed` at the beginning and after each change: what is then looked at is the newest. A
// folder that is not there is looked for every kSnapshotRecheck. Ends by cancellation. `timer`
// outlives it.
base::Task<void> watch_changes(base::asio::any_io_executor executor, base::Timer& timer,
                               std::string path, std::move_only_function<void()> changed);

}  // namespace granary::gateway
