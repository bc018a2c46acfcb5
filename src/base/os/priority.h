// Work that may wait, for CPU and disk, while others need them.
#pragma once

namespace granary::base::os {

// From its making to its end the calling thread has low priority. Where the kernel does not let it
// have its old one back (without root), it keeps the low one.
class LowPriority final {
 public:
  LowPriority();
  ~LowPriority();
  LowPriority(const LowPriority&) = delete;
  LowPriority& operator=(const LowPriority&) = delete;

 private:
  int nice_;
  long io_;
};

}  // namespace granary::base::os
