// Waits for events on descriptors and hands each to its handler. Owned by the supervisor;
// single-threaded. Handlers of one step may close each other's descriptors but must stay alive
// until the step is over.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "agent/init/sys.h"

namespace granary::init {

class EventHandler {
 public:
  // `events` as in epoll(7).
  virtual void on_events(std::uint32_t events) = 0;

 protected:
  ~EventHandler() = default;
};

class Poller final {
 public:
  Poller() : events_(sys::open_events()) {}
  bool open() const { return events_.open(); }

  // False if the kernel refused. Closing the descriptor ends the watch, too.
  bool watch(int fd, std::uint32_t events, EventHandler& handler) {
    return sys::watch(events_.get(), fd, events, &handler) >= 0;
  }
  void unwatch(int fd) { sys::unwatch(events_.get(), fd); }

  // Waits for at least one event, at most `limit` (without end if there is none).
  void wait(std::optional<std::chrono::milliseconds> limit);

 private:
  sys::Fd events_;
};

}  // namespace granary::init
