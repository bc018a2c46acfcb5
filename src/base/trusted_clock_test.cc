#include "base/trusted_clock.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/testing/world.h"

namespace granary::base {
namespace {

using namespace std::chrono_literals;
using Line = TrustedTime::Line;
using std::chrono::days;
using std::chrono::microseconds;
using Standing = ClockStanding;

constexpr BootTime kBoot = 1000s;
constexpr BootTime kDay = 24h;
const WallTime kStart = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24);

ClockLook at(BootTime boot, microseconds wall) { return {.wall = kStart + wall, .boot = boot}; }
TrustedTime known() { return first_look("boot", at(kBoot, 0us)); }
// After so much up-time, with a wall clock that is ahead by this of the time that passed.
ClockLook after(BootTime passed, microseconds ahead = 0us) {
  return at(kBoot + passed, std::chrono::duration_cast<microseconds>(passed) + ahead);
}
WallTime true_time(BootTime passed) {
  return kStart + std::chrono::duration_cast<microseconds>(passed);
}
// The machine boots anew, and the wall clock is this far from the time that was trusted last.
TrustedTime rebooted(TrustedTime kept, microseconds ahead) {
  const ClockLook now{.wall = kept.time + ahead, .boot = 5s};
  return after_restart(std::move(kept), "next", now);
}
ClockLook after_boot(const TrustedTime& of, BootTime passed, microseconds ahead) {
  return {.wall = of.line_wall + std::chrono::duration_cast<microseconds>(passed) + ahead,
          .boot = of.line_boot + passed};
}
// Looks every minute for so long.
TrustedTime watch(TrustedTime of, BootTime how_long, microseconds ahead) {
  const BootTime from = of.boot - of.line_boot;
  for (BootTime passed = 60s; passed <= how_long; passed += 60s)
    of = look_at_clock(of, after_boot(of, from + passed, ahead));
  return of;
}

struct Case {
  const char* what;
  Line line;
  bool contradicted;
  microseconds ahead;
  Standing standing;
};

TEST(TrustedTimeTest, EveryDifferenceIsJudgedByWhatBootTimeCanTell) {
  const microseconds more = 1s;
  const std::vector<Case> cases = {
      {"no difference", Line::Settled, false, 0us, Standing::Agrees},
      {"a correction ahead", Line::Settled, false, kClockTolerance, Standing::Agrees},
      {"a correction back", Line::Settled, false, -kClockTolerance, Standing::Agrees},
      {"a small leap ahead", Line::Settled, false, kClockTolerance + more, Standing::Ahead},
      {"a small leap back", Line::Settled, false, -kClockTolerance - more, Standing::Behind},
      {"an hour, though the machine ran", Line::Settled, false, 1h, Standing::Ahead},
      {"a year ahead", Line::Settled, false, days(365), Standing::Ahead},
      {"ten years back", Line::Settled, false, -days(3650), Standing::Behind},
      {"agreement after a leap", Line::Settled, true, 0us, Standing::Agrees},
      {"a reboot", Line::AfterBoot, false, kShortAbsence, Standing::Agrees},
      {"a reboot, clock a little behind", Line::AfterBoot, false, -kClockTolerance,
       Standing::Agrees},
      {"a reboot, clock behind", Line::AfterBoot, false, -kClockTolerance - more, Standing::Behind},
      {"a reboot of a machine without a clock", Line::AfterBoot, false, -days(9000),
       Standing::Behind},
      {"off for a night", Line::AfterBoot, false, kShortAbsence + more, Standing::Absent},
      {"off for a month", Line::AfterBoot, false, kLongestAbsence, Standing::Absent},
      {"off for longer", Line::AfterBoot, false, kLongestAbsence + more, Standing::Ahead},
      {"a reboot does not make a leap true", Line::AfterBoot, true, days(3), Standing::Ahead},
      {"a reboot after a leap, clock right", Line::AfterBoot, true, 10min, Standing::Agrees},
  };
  for (const Case& one : cases) {
    TrustedTime given = known();
    given.line = one.line;
    given.contradicted = one.contradicted;
    const ClockReading reading = read_clock(given, after(1min, one.ahead));
    EXPECT_EQ(reading.standing, one.standing) << one.what;
    EXPECT_EQ(reading.ahead, one.ahead) << one.what;
    if (one.standing != Standing::Agrees) EXPECT_EQ(reading.time, true_time(1min)) << one.what;
    EXPECT_GE(reading.time, given.time) << one.what;
  }
}

TEST(TrustedTimeTest, TimeFollowsTheWallClockWhileTheyAgree) {
  EXPECT_EQ(read_clock(known(), after(1h)).time, true_time(1h));
  EXPECT_EQ(read_clock(known(), after(1h, 2min)).time, true_time(1h) + 2min);
}

TEST(TrustedTimeTest, TimeSlowsDownForAClockThatIsALittleBehind) {
  TrustedTime now = known();
  WallTime last = now.time;
  for (BootTime passed = 60s; passed < 10min; passed += 60s) {
    now = look_at_clock(now, after(passed, -2min));
    EXPECT_GT(now.time, last) << "it stands still, or goes back";
    last = now.time;
  }
  EXPECT_EQ(now.time, true_time(9min) - 2min);
}

TEST(TrustedTimeTest, ALeapIsNoticedHoweverLongNobodyLooked) {
  const ClockReading reading = read_clock(known(), after(30 * kDay, days(400)));
  EXPECT_EQ(reading.standing, Standing::Ahead);
  EXPECT_EQ(reading.time, true_time(30 * kDay));
}

TEST(TrustedTimeTest, ALeapThatIsTakenBackLeavesNothing) {
  TrustedTime now = look_at_clock(known(), after(1min, days(400)));
  EXPECT_TRUE(now.contradicted);
  EXPECT_EQ(now.since, true_time(1min));
  now = look_at_clock(now, after(2min));
  EXPECT_FALSE(now.contradicted);
  EXPECT_FALSE(now.since.has_value());
  EXPECT_EQ(now.time, true_time(2min));
}

TEST(TrustedTimeTest, NoUpTimeMakesALeapTrue) {
  const TrustedTime now = watch(known(), 40 * kDay, days(3));
  EXPECT_EQ(read_clock(now, after(40 * kDay, days(3))).standing, Standing::Ahead);
  EXPECT_EQ(now.time, true_time(40 * kDay));
}

// A clock that creeps: each day as far as nobody minds.
TEST(TrustedTimeTest, TheToleranceIsSpentOnceADay) {
  TrustedTime now = known();
  constexpr int kDays = 30;
  for (BootTime passed = 60s; passed <= kDays * kDay; passed += 60s) {
    // As far ahead as is just tolerated, all the time.
    const WallTime line =
        now.line_wall + std::chrono::duration_cast<microseconds>(kBoot + passed - now.line_boot);
    now = look_at_clock(now, {.wall = line + kClockTolerance, .boot = kBoot + passed});
  }
  EXPECT_LE(now.time - true_time(kDays * kDay), (kDays + 1) * kClockTolerance);
}

TEST(TrustedTimeTest, AReadingNeverGoesBackBetweenTwoLooks) {
  for (const microseconds ahead : {microseconds(0), microseconds(3min), microseconds(-3min),
                                   microseconds(days(9)), microseconds(-days(9))}) {
    TrustedTime now = known();
    for (int i = 1; i < 50; ++i) {
      const TrustedTime next = look_at_clock(now, after(i * 60s, i % 3 == 0 ? ahead : 0us));
      EXPECT_GE(next.time, now.time) << ahead.count();
      now = next;
    }
  }
}

// ---- reboots

TEST(TrustedTimeTest, TheSameBootGoesOnExactly) {
  const TrustedTime kept = look_at_clock(known(), after(1h));
  EXPECT_EQ(after_restart(kept, "boot", after(2h, days(3))), kept);
}

TEST(TrustedTimeTest, AnotherBootSaysNothingOfTheTimeBetween) {
  const TrustedTime kept = look_at_clock(known(), after(1h));
  const std::pair<const char*, ClockLook> others[] = {
      {"next", {.wall = kStart + days(2), .boot = 7s}},
      // A database that was brought to a machine that has run for a year.
      {"elsewhere", {.wall = kStart + days(2), .boot = 365 * kDay}},
      // The same id, but the time since boot went back: it is not the same boot.
      {"boot", {.wall = kStart + days(2), .boot = kBoot + 59min}},
  };
  for (const auto& [boot_id, now] : others) {
    const TrustedTime next = after_restart(kept, boot_id, now);
    EXPECT_EQ(next.boot_id, boot_id);
    EXPECT_EQ(next.line, Line::AfterBoot) << boot_id;
    EXPECT_EQ(read_clock(next, now).time, kept.time) << boot_id;
    EXPECT_EQ(read_clock(next, now).standing, Standing::Absent) << boot_id;
  }
}

TEST(TrustedTimeTest, AShortAbsenceIsBelievedOncePerBoot) {
  TrustedTime now = rebooted(known(), 50min);
  EXPECT_EQ(read_clock(now, after_boot(now, 0s, 50min)).time, kStart + 50min);
  now = watch(now, kBootSettles, 50min);
  EXPECT_EQ(now.line, Line::Settled);
  // From there on boot time tells.
  EXPECT_EQ(read_clock(now, after_boot(now, 1min, 20min)).standing, Standing::Ahead);
}

TEST(TrustedTimeTest, ATimeServerMayComeAfterUs) {
  TrustedTime now = rebooted(known(), 0us);
  now = watch(now, 5min, 0us);
  now = watch(now, kBootSettles - 5min, 40min);
  EXPECT_EQ(now.line, Line::Settled);
  EXPECT_FALSE(now.since.has_value());
}

TEST(TrustedTimeTest, ALongAbsenceIsBelievedAfterADayOfUpTime) {
  TrustedTime now = rebooted(known(), days(3));
  now = watch(now, kAbsenceWatched - 2min, days(3));
  EXPECT_EQ(now.line, Line::AfterBoot);
  EXPECT_EQ(now.time, kStart + kAbsenceWatched - 2min);
  const ClockLook then = after_boot(now, kAbsenceWatched + 1min, days(3));
  now = watch(now, 3min, days(3));
  EXPECT_EQ(now.line, Line::Settled);
  EXPECT_EQ(now.time, then.wall);
}

TEST(TrustedTimeTest, TheDayBeginsAgainWhenTheClockLeapsMeanwhile) {
  TrustedTime now = rebooted(known(), days(3));
  now = watch(now, kAbsenceWatched - 2min, days(3));
  now = watch(now, kAbsenceWatched - 2min, days(20));
  EXPECT_EQ(now.line, Line::AfterBoot);
  EXPECT_LT(now.time, kStart + days(2));
}

TEST(TrustedTimeTest, ADayInWhichNobodyLookedIsNoDay) {
  TrustedTime now = rebooted(known(), days(3));
  now = look_at_clock(now, after_boot(now, 1min, days(3)));
  now = look_at_clock(now, after_boot(now, 2 * kDay, days(3)));
  EXPECT_EQ(now.line, Line::AfterBoot);
}

TEST(TrustedTimeTest, ARebootDuringAnAbsenceBeginsItsDayAgain) {
  TrustedTime now = rebooted(known(), days(3));
  now = watch(now, kAbsenceWatched - 2min, days(3));
  now = after_restart(now, "third", {.wall = now.wall + 5min, .boot = 5s});
  EXPECT_EQ(now.watched, BootTime(0));
  EXPECT_EQ(read_clock(now, {.wall = now.wall + 6min, .boot = 65s}).standing, Standing::Absent);
}

TEST(TrustedTimeTest, ARebootDoesNotTurnALeapIntoAnAbsence) {
  TrustedTime now = look_at_clock(known(), after(1min, days(3)));
  now = watch(rebooted(now, days(3)), 10 * kDay, days(3));
  EXPECT_EQ(now.line, Line::AfterBoot);
  EXPECT_EQ(now.time, kStart + 1min + 10 * kDay);
}

TEST(TrustedTimeTest, AMachineWithoutAClockGoesOnWhenATimeServerHasSetIt) {
  TrustedTime now = rebooted(known(), -days(9000));
  now = watch(now, 5min, -days(9000));
  EXPECT_EQ(now.time, kStart + 5min);
  now = watch(now, kBootSettles - 5min, 2min);
  EXPECT_EQ(now.line, Line::Settled);
  EXPECT_EQ(now.time, kStart + kBootSettles + 2min);
}

// ---- operators

TEST(TrustedTimeTest, AnOperatorsWordIsTakenInBothDirections) {
  for (const microseconds ahead : {microseconds(days(400)), microseconds(-days(400))}) {
    TrustedTime now = look_at_clock(known(), after(1min, ahead));
    now = accept_clock(now, after(2min, ahead));
    EXPECT_EQ(now.time, true_time(2min) + ahead);
    const ClockReading reading = read_clock(now, after(3min, ahead));
    EXPECT_EQ(reading.standing, Standing::Agrees);
    EXPECT_EQ(reading.time, true_time(3min) + ahead);
    EXPECT_FALSE(now.since.has_value() || now.contradicted);
  }
}

// ---- the clock itself

class TrustedClockTest : public ::testing::Test {
 protected:
  testing::VirtualClock source_;
  TrustedClock clock_{source_, "boot"};
};

TEST_F(TrustedClockTest, ALeapOfItsSourceDoesNotMoveIt) {
  clock_.adopt(first_look("boot", clock_.look()));
  const WallTime before = clock_.wall();
  source_.jump_wall(days(400));
  EXPECT_EQ(clock_.wall(), before);
  source_.advance(1h);
  EXPECT_EQ(clock_.wall(), before + 1h);
  source_.jump_wall(-days(800));
  EXPECT_EQ(clock_.wall(), before + 1h);
  EXPECT_EQ(clock_.read().standing, Standing::Behind);
  EXPECT_EQ(clock_.boot(), source_.boot());
}

TEST_F(TrustedClockTest, WhatItGaveOutItNeverTakesBack) {
  clock_.adopt(first_look("boot", clock_.look()));
  source_.jump_wall(4min);  // tolerated, and followed
  const WallTime high = clock_.wall();
  source_.jump_wall(days(3));
  EXPECT_EQ(clock_.wall(), high);
  clock_.adopt(clock_.known_after(clock_.look()));
  source_.advance(1s);
  EXPECT_EQ(clock_.wall(), high + 1s);
}

TEST_F(TrustedClockTest, AnOperatorCanTakeItBack) {
  source_.jump_wall(days(400));
  clock_.adopt(first_look("boot", clock_.look()));
  const WallTime wrong = clock_.wall();
  source_.jump_wall(-days(400));
  EXPECT_EQ(clock_.wall(), wrong);
  clock_.jump(accept_clock(clock_.known(), clock_.look()));
  EXPECT_EQ(clock_.wall(), source_.wall());
}

}  // namespace
}  // namespace granary::base
