// Bounds of base: how far the wall clock is trusted (trusted_clock.h).
#pragma once

#include <chrono>

namespace granary::base {

// Within one boot the wall clock may differ by so much from the time that has passed, in either
// direction: what a time server corrects at once. Slow drift is none: boot time has the same drift.
inline constexpr std::chrono::minutes kClockTolerance{5};
// The two are compared anew from here on after so much agreement, so that the tolerance is spent at
// most once a day: a retention of 30 days ends at most 150 minutes early.
inline constexpr std::chrono::hours kClockLine{24};
// Boot time does not tell how long a machine was off. An absence up to this one is believed at
// once: reboots, updates of a kernel.
inline constexpr std::chrono::minutes kShortAbsence{60};
// So long after a boot its absence is still open: the time server may have been slower than we.
inline constexpr std::chrono::minutes kBootSettles{10};
// A longer absence is believed after so much up-time in which the clock goes steadily: a day, in
// which an operator sees it and can still set the clock right.
inline constexpr std::chrono::hours kAbsenceWatched{24};
// Beyond this a clock that was reset is more likely than an absence: an operator has to say so.
inline constexpr std::chrono::hours kLongestAbsence{24 * 31};
// Up-time is watched only while somebody looks: between two looks no more than this is counted.
// Above the interval of looks (app/limits.h: kClockLook).
inline constexpr std::chrono::minutes kLongestLook{5};

}  // namespace granary::base
