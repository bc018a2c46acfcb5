// Notices that the silo has reached its limit of processes and threads. A program that cannot start
// a thread seldom says why; the kernel says so in the silo's own control group, where it shows.
// Owned by the supervisor; single-threaded.
#pragma once

#include <cstdint>

#include "agent/init/poller.h"
#include "agent/init/sys.h"

namespace granary::init {

class ProcessLimit final : private EventHandler {
 public:
  class Owner {
   public:
    // Once. `limit`: how many there may be of the app's own.
    virtual void on_process_limit(std::uint64_t limit) = 0;

   protected:
    ~Owner() = default;
  };

  explicit ProcessLimit(Owner& owner) : owner_(owner) {}
  // Where the silo does not see its control group, nothing is noticed.
  void start(Poller& poller);
  // Before the app's end is told: it may have ended before the kernel's word was heard.
  void look() {
    if (events_.open()) on_events(0);
  }

 private:
  void on_events(std::uint32_t events) override;

  Owner& owner_;
  sys::Fd events_;
  sys::Fd limit_;
};

}  // namespace granary::init
