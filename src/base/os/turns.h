// Work that threads of a worker do one after another, never two at once: blocking work alone, since
// whoever waits holds a thread.
#pragma once

#include <mutex>

namespace granary::base::os {

class Turns final {
 public:
  template <class Work>
  auto take(Work work) {
    const std::lock_guard guard(lock_);
    return work();
  }

 private:
  std::mutex lock_;
};

}  // namespace granary::base::os
