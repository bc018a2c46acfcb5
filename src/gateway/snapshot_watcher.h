// Follows publish/routing.json: hands on each new snapshot that can be read. A bad one is logged
// and the one before stays in force. Decoding and indexing run on a worker. Owned by the Gateway.
#pragma once

#include <functional>

#include "base/event.h"
#include "base/timer.h"
#include "base/worker.h"
#include "gateway/router.h"
#include "wire/paths.h"

namespace granary::gateway {

class SnapshotWatcher final {
 public:
  // All outlive the watcher.
  struct Parts {
    const wire::Paths& paths;
    base::Timer& timer;
    base::Worker& worker;
    base::asio::any_io_executor executor;
  };
  using Take = std::move_only_function<void(SharedIndex)>;
  SnapshotWatcher(Parts parts, Take take)
      : parts_(parts), take_(std::move(take)), changed_(parts.executor), looked_(parts.executor) {}

  // Both run beside each other and end by cancellation: one listens to the kernel, one loads.
  base::Task<void> watch();
  base::Task<void> follow();
  // Resolves once follow() has looked for the first time: what is published already is in force.
  // Errors: Cancelled.
  base::Task<base::Result<void>> first_look();

 private:
  void note_change();
  base::Task<void> load();

  Parts parts_;
  Take take_;
  base::Event changed_;
  base::Event looked_;
  bool pending_ = true;  // something may be new
  bool has_looked_ = false;
};

}  // namespace granary::gateway
