// Keeps the installation's time: looks at the machine's clocks, keeps in the store what is known of
// them, so that a leap is noticed also when it came while control was away, and takes an operator's
// word where they disagree. Everything of control reads the TrustedClock that it looks after. Lives
// on control's executor.
#pragma once

#include <string>

#include "base/event.h"
#include "base/trusted_clock.h"
#include "lifecycle/lifecycle.h"

namespace granary::lifecycle {

class TimeKeeper final {
 public:
  struct Parts {  // all must outlive it
    base::asio::any_io_executor executor;
    store::Store& store;
    operation::Engine& engine;
    base::TrustedClock& clock;
  };
  explicit TimeKeeper(Parts parts) : parts_(parts), free_(parts.executor) {}

  // Takes up what an earlier control kept. Before anything else reads the clock.
  base::Task<base::Result<void>> recover();
  // One look at the clocks; for about every minute. A disagreement that begins or ends is logged
  // and in the audit log.
  base::Task<base::Result<void>> look();

  // What would end at once if the wall clock were accepted.
  struct Waiting {
    std::uint64_t retentions = 0;
    std::uint64_t archives = 0;
    std::uint64_t tokens = 0;
    bool operator==(const Waiting&) const = default;
  };
  struct Report {
    base::ClockReading reading;
    base::WallTime wall;
    std::optional<base::WallTime> since;       // by trusted time; while they disagree
    std::chrono::milliseconds believed_in{0};  // up-time, of an absence
    Waiting waiting;
  };
  base::Task<base::Result<Report>> report();
  // Of the clock, ahead of the time that has passed; 0 while they agree.
  std::chrono::microseconds difference() const;
  // For people, in one sentence each: what is, what it means, what to do; empty while all agree.
  std::string problem() const;
  std::string advice() const;

  // From now on the wall clock is right. `ahead` is the difference that the caller has seen:
  // another leap since is not accepted with it. Errors: Conflict, also where there is nothing to
  // accept.
  base::Task<base::Result<Report>> accept(std::chrono::milliseconds ahead, Caller caller);

 private:
  base::Task<base::Result<void>> keep(base::TrustedTime known, store::Work also);
  base::Task<base::Result<void>> alone();
  base::Task<base::Result<std::uint64_t>> count_retentions(base::WallTime until);

  Parts parts_;
  // Safety: what is known changes only between alone() and its end, so that a look which waits for
  // the store does not undo what an operator has accepted meanwhile.
  bool busy_ = false;
  base::Event free_;
};

// "3 days", "2 hours", "7 minutes", "40 seconds": the largest unit that fits, for people.
std::string about(std::chrono::microseconds length);

}  // namespace granary::lifecycle
