// A store that one process at a time may write to: the one that holds the lease. Every write
// carries the fence, a number that grows with each holder, and is refused in its own transaction
// when another process took the lease since: safety rests on that alone and on no clock. Time
// decides only when a lease may be taken over: its row must not have changed for `expires` of the
// *observer's* boot time, so that neither a leap of a wall clock nor two clocks that differ take a
// lease from its holder. Lives on the executor of whoever uses it; not for several leases in one
// process.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/timer.h"
#include "store/limits.h"
#include "store/store.h"

namespace granary::store {

struct LeaseHolder {
  std::string name;  // for people: "process 4711 on host alpha"
  // Names something that one process holds exclusively for as long as it lives, as the lock on a
  // folder. Whoever has the same place knows that the earlier holder is gone and takes over at
  // once. Empty: nothing of the kind.
  std::string place;
};

struct LeaseTimes {
  std::chrono::nanoseconds renew = kLeaseRenew;
  std::chrono::nanoseconds expires = kLeaseExpires;
};

// What the row says.
struct LeaseState {
  LeaseHolder holder;  // empty: it was given back
  std::int64_t fence = 0;
  std::int64_t beat = 0;  // grows while its holder lives
  base::WallTime since;
  bool operator==(const LeaseState& other) const {
    return fence == other.fence && beat == other.beat && holder.name == other.holder.name;
  }
};

// The lease as one process has watched it. Pure, so that every case can be tested.
struct LeaseSight {
  LeaseState state;
  base::BootTime first_seen{0};  // when this state was seen first
};
bool may_take_over(const LeaseSight& sight, const LeaseHolder& self, base::BootTime now,
                   std::chrono::nanoseconds expires);

class LeasedStore final : public Store {
 public:
  struct Parts {  // all must outlive it
    Store& store;
    const base::Clock& clock;
    base::Timer& timer;
  };
  LeasedStore(Parts parts, LeaseHolder self, LeaseTimes times = {})
      : parts_(parts), self_(std::move(self)), times_(times) {}

  // Takes the lease where it is free. Errors: Conflict, naming the holder and since when; those of
  // the store. Calling it again later counts how long the holder has been silent.
  base::Task<base::Result<void>> try_acquire();
  // Takes it as soon as it is free. Errors: Cancelled.
  base::Task<base::Result<void>> acquire();
  // Renews it until it is lost, or the caller is cancelled.
  base::Task<void> keep();
  // Gives it back, so that the next holder need not wait. Afterwards nothing may be written.
  base::Task<void> release();

  // Whether this process holds the lease, as far as it can know without asking: a holder that could
  // not renew it in time must not begin anything.
  bool may_act() const;
  // Another process has it. For good.
  bool is_lost() const { return lost_; }
  // For people, of whoever holds it as this process saw it last: "process 4711 on host alpha since
  // 2026-11-27T12:00:00Z".
  std::string holder() const;

  // Errors: Conflict when another process holds the lease, and then nothing was written.
  base::Task<base::Result<void>> write(Work work) override;
  base::Task<base::Result<void>> read(Work work) override;

 private:
  base::Task<base::Result<void>> look();
  base::Task<base::Result<void>> renew();
  base::Failure held_by_other() const;

  Parts parts_;
  LeaseHolder self_;
  LeaseTimes times_;
  std::optional<LeaseSight> sight_;  // of another holder's lease
  std::int64_t fence_ = 0;           // 0: this process does not hold it
  base::BootTime renewed_{0};        // before the write that renewed it last began
  bool lost_ = false;
};

}  // namespace granary::store
