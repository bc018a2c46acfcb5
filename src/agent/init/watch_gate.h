// Lets the app watch folders as it likes, but for who reads in them. inotify tells of everybody
// who opens a file, and silos share files: a release, the system's programs. So a filter on the app
// stops it when it asks for that (seccomp_unotify(2)); init then adds the watch for it, without
// those events, and gives it the answer. Owned by the supervisor; single-threaded.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/init/poller.h"
#include "agent/init/sys.h"

namespace granary::init {

class WatchGate final : private EventHandler {
 public:
  // Before the app is started. False: no memory or descriptors.
  bool open();
  // For the app's process, before it executes: whoever comes after it asks here. False: the filter
  // was refused, so the app must not run.
  bool guard_this_process() const;
  // After the app was started. Without it, and where the kernel cannot do it, what would be asked
  // is refused.
  void start(Poller& poller);

 private:
  void on_events(std::uint32_t events) override;

  sys::Fd sending_;
  sys::Fd receiving_;
  sys::Fd questions_;
};

}  // namespace granary::init
