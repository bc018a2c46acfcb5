#include "agent/init/poller.h"

#include <array>

#include "agent/init/limits.h"

namespace granary::init {

void Poller::wait(std::optional<std::chrono::milliseconds> limit) {
  std::array<sys::Event, kEventsPerStep> events;
  const int count = sys::wait_events(events_.get(), events, limit);
  for (int i = 0; i < count; ++i) {
    const sys::Event& event = events[static_cast<std::size_t>(i)];
    static_cast<EventHandler*>(event.owner)->on_events(event.mask);
  }
}

}  // namespace granary::init
