#include "base/trusted_clock.h"

#include <algorithm>

#include "base/check.h"
#include "base/limits.h"

namespace granary::base {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

microseconds passed(BootTime from, BootTime to) {
  return duration_cast<microseconds>(std::max(to - from, BootTime(0)));
}

// Of the wall clock, against the line.
microseconds ahead_of_line(const TrustedTime& known, const ClockLook& now) {
  return now.wall - (known.line_wall + passed(known.line_boot, now.boot));
}

ClockStanding judge(const TrustedTime& known, microseconds ahead) {
  if (ahead < -kClockTolerance) return ClockStanding::Behind;
  if (known.line == TrustedTime::Line::Settled)
    return ahead <= kClockTolerance ? ClockStanding::Agrees : ClockStanding::Ahead;
  if (ahead <= kShortAbsence) return ClockStanding::Agrees;
  const bool may_be_absence = !known.contradicted && ahead <= kLongestAbsence;
  return may_be_absence ? ClockStanding::Absent : ClockStanding::Ahead;
}

// Whether the wall clock has gone as boot time has since the last look.
bool is_steady(const TrustedTime& known, const ClockLook& now) {
  return std::chrono::abs((now.wall - known.wall) - passed(known.boot, now.boot)) <=
         kClockTolerance;
}

void draw_line(TrustedTime& known, const ClockLook& now) {
  known.line_wall = now.wall;
  known.line_boot = now.boot;
  known.line = TrustedTime::Line::Settled;
}

void agree(TrustedTime& known, const ClockLook& now) {
  known.contradicted = false;
  known.watched = BootTime(0);
  known.since.reset();
  const BootTime until_new_line =
      known.line == TrustedTime::Line::Settled ? BootTime(kClockLine) : BootTime(kBootSettles);
  if (now.boot - known.line_boot >= until_new_line) draw_line(known, now);
}

}  // namespace

std::string_view to_string(ClockStanding standing) {
  switch (standing) {
    case ClockStanding::Agrees:
      return "agrees";
    case ClockStanding::Absent:
      return "absent";
    case ClockStanding::Ahead:
      return "ahead";
    case ClockStanding::Behind:
      break;
  }
  return "behind";
}

TrustedTime first_look(std::string boot_id, const ClockLook& now) {
  TrustedTime known{.boot_id = std::move(boot_id),
                    .time = now.wall,
                    .wall = now.wall,
                    .boot = now.boot,
                    .since = {}};
  draw_line(known, now);
  return known;
}

TrustedTime after_restart(TrustedTime kept, const std::string& boot_id, const ClockLook& now) {
  const bool same_boot = kept.boot_id == boot_id && now.boot >= kept.boot;
  if (same_boot) return kept;
  kept.boot_id = boot_id;
  kept.line = TrustedTime::Line::AfterBoot;
  kept.line_wall = kept.time;
  kept.line_boot = kept.boot = now.boot;
  kept.watched = BootTime(0);
  return kept;
}

ClockReading read_clock(const TrustedTime& known, const ClockLook& now) {
  const microseconds since = passed(known.boot, now.boot);
  ClockReading reading{.time = known.time + since, .ahead = ahead_of_line(known, now)};
  reading.standing = judge(known, reading.ahead);
  if (reading.standing != ClockStanding::Agrees) return reading;
  // A clock that is a little behind is waited for at half speed: time never stands still, so that
  // nobody who waits for it spins.
  reading.time = std::max(now.wall, known.time + since / 2);
  return reading;
}

TrustedTime look_at_clock(const TrustedTime& known, const ClockLook& now) {
  const ClockReading reading = read_clock(known, now);
  TrustedTime next = known;
  next.time = reading.time;
  next.wall = now.wall;
  next.boot = std::max(known.boot, now.boot);
  if (reading.standing == ClockStanding::Agrees) {
    agree(next, now);
    return next;
  }
  if (!next.since) next.since = reading.time;
  const bool settled = known.line == TrustedTime::Line::Settled;
  if (reading.standing == ClockStanding::Ahead && settled) next.contradicted = true;
  const bool watches = reading.standing == ClockStanding::Absent && is_steady(known, now);
  next.watched = watches ? known.watched + std::min<BootTime>(now.boot - known.boot, kLongestLook)
                         : BootTime(0);
  return next.watched >= kAbsenceWatched ? accept_clock(next, now) : next;
}

TrustedTime accept_clock(const TrustedTime& known, const ClockLook& now) {
  return first_look(known.boot_id, now);
}

WallTime TrustedClock::wall() const { return read().time; }

ClockReading TrustedClock::read() const {
  const ClockLook now = look();
  if (!known_) return {.time = now.wall};
  ClockReading reading = read_clock(*known_, now);
  reading.time = latest_ = std::max(latest_, reading.time);
  return reading;
}

TrustedTime TrustedClock::known() const {
  ASSERT(known_.has_value());
  return *known_;
}

TrustedTime TrustedClock::known_after(const ClockLook& now) const {
  ASSERT(known_.has_value());
  TrustedTime next = look_at_clock(*known_, now);
  next.time = std::max(next.time, latest_);
  return next;
}

void TrustedClock::adopt(TrustedTime known) {
  latest_ = std::max(latest_, known.time);
  known_ = std::move(known);
}

void TrustedClock::jump(TrustedTime known) {
  latest_ = known.time;
  known_ = std::move(known);
}

}  // namespace granary::base
