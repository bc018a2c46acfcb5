// Time that a leap of the wall clock does not move: what ends retentions, archives, tokens and
// pins. It follows the wall clock while that agrees with boot time, and goes on by boot time alone
// while it does not: after a wrong answer of a time server, or in a restored virtual machine. The
// decisions are pure functions of what is kept in the store; TrustedClock applies them to a source.
// Not for measuring how long something takes: see Clock::boot().
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"

namespace granary::base {

// Both clocks at one moment.
struct ClockLook {
  WallTime wall;
  BootTime boot{0};
};

// What is known of time; kept in the store, so that it outlives the process and the machine's boot.
struct TrustedTime {
  // Of this boot the boot times below are. Another boot: see after_restart().
  std::string boot_id;
  // The line that the wall clock is held against: from `line_wall` on by boot time.
  WallTime line_wall;
  BootTime line_boot{0};
  // Settled: boot time says how much has passed since. AfterBoot: the machine was off before
  // `line_boot`, for a time that only the wall clock tells.
  enum class Line { Settled, AfterBoot } line = Line::Settled;
  // The last look: what was trusted, and what both clocks said.
  WallTime time;
  WallTime wall;
  BootTime boot{0};
  // Boot time has contradicted the wall clock since they last agreed. After a reboot, too, only an
  // operator can say then that the clock is right: a reboot must not turn a leap into an absence.
  bool contradicted = false;
  // Up-time for which the clock was seen to go steadily, while an absence is open.
  BootTime watched{0};
  std::optional<WallTime> since;  // trusted time of the first look that found them to differ
  bool operator==(const TrustedTime&) const = default;
};

enum class ClockStanding {
  Agrees,
  Absent,  // ahead by what the machine may have been off: believed after kAbsenceWatched
  Ahead,   // believed when an operator says so
  Behind,  // the same; time goes on by boot time
};
std::string_view to_string(ClockStanding standing);

struct ClockReading {
  WallTime time;  // to be trusted
  ClockStanding standing = ClockStanding::Agrees;
  std::chrono::microseconds ahead{0};  // of the wall clock; below zero: it is behind
  bool operator==(const ClockReading&) const = default;
};

// The first look ever: there is nothing to hold the wall clock against.
TrustedTime first_look(std::string boot_id, const ClockLook& now);
// What an earlier process has kept, as this one goes on with it. After a reboot, or in a database
// that was brought to another machine, no time is taken to have passed.
TrustedTime after_restart(TrustedTime kept, const std::string& boot_id, const ClockLook& now);
// What time it is, by what is known. Never before `known.time`.
ClockReading read_clock(const TrustedTime& known, const ClockLook& now);
// What is known after looking at both clocks. For about every minute.
TrustedTime look_at_clock(const TrustedTime& known, const ClockLook& now);
// Somebody who knows says that the wall clock is right. Time may go back by this.
TrustedTime accept_clock(const TrustedTime& known, const ClockLook& now);

// The wall clock as it can be trusted. Before go_on() it is the source's. Never goes back, but by
// jump(). Lives on control's executor, as do all that read it; not thread-safe.
class TrustedClock final : public Clock {
 public:
  // `source` must outlive it. `boot_id` names the boot of the machine that its boot() counts from.
  TrustedClock(const Clock& source, std::string boot_id)
      : source_(source), boot_id_(std::move(boot_id)) {}

  WallTime wall() const override;
  BootTime boot() const override { return source_.boot(); }

  const std::string& boot_id() const { return boot_id_; }
  ClockLook look() const { return {.wall = source_.wall(), .boot = source_.boot()}; }
  ClockReading read() const;
  // What was adopted last. Asserts that something was.
  TrustedTime known() const;
  // What is known now, after another look; to be kept, then adopted.
  TrustedTime known_after(const ClockLook& now) const;
  // Goes on from what is kept in the store.
  void adopt(TrustedTime known);
  // The same, also back: an operator has accepted the wall clock.
  void jump(TrustedTime known);

 private:
  const Clock& source_;
  const std::string boot_id_;
  std::optional<TrustedTime> known_;
  mutable WallTime latest_{};  // that was given out: none after it is earlier
};

}  // namespace granary::base
