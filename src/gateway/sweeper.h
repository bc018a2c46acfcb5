// Deadlines without timers: whatever waits on the outside hangs in one list, and one sweep every
// kTick looks through it. Setting a deadline is a store, which is what a request can afford; it may
// come a tick late. Also the coarse clock of the hot path. Owned by the Gateway; one thread.
#pragma once

#include <boost/intrusive/list.hpp>

#include "base/clock.h"
#include "base/log.h"

namespace granary::gateway {

class Sweeper;

// Something with deadlines. In the list of its Sweeper from birth to death.
class Swept : public boost::intrusive::list_base_hook<
                  boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  static constexpr base::BootTime kNever = base::BootTime::max();

  explicit Swept(Sweeper& sweeper);
  virtual ~Swept() = default;
  Swept(const Swept&) = delete;
  Swept& operator=(const Swept&) = delete;

  // Ends what is overdue. Must not destroy this or any other Swept.
  virtual void sweep(base::BootTime now) = 0;

 protected:
  Sweeper& sweeper() const { return sweeper_; }

 private:
  Sweeper& sweeper_;
};

class Sweeper final {
 public:
  explicit Sweeper(const base::Clock& clock) : clock_(clock), now_(clock.boot()) {}

  // At most a tick old.
  base::BootTime now() const { return now_; }
  // Exact, and from here on what now() says.
  base::BootTime refresh() { return now_ = clock_.boot(); }
  void sweep() {
    refresh();
    for (Swept& one : all_) sweep_one(one, now_);
  }
  // As if all deadlines had come: for the end.
  void expire_all() {
    for (Swept& one : all_) sweep_one(one, Swept::kNever - base::BootTime(1));
  }

 private:
  friend class Swept;
  // One whose end throws must not keep the others from theirs.
  static void sweep_one(Swept& one, base::BootTime now) {
    try {
      one.sweep(now);
    } catch (const std::exception& error) {
      base::log::error("a deadline: a fault of Granary itself: {}", error.what());
    }
  }
  using List = boost::intrusive::list<Swept, boost::intrusive::constant_time_size<false>>;
  const base::Clock& clock_;
  base::BootTime now_;
  List all_;
};

inline Swept::Swept(Sweeper& sweeper) : sweeper_(sweeper) { sweeper.all_.push_back(*this); }

}  // namespace granary::gateway
