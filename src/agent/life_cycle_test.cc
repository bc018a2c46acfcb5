#include "agent/life_cycle.h"

#include <gtest/gtest.h>

#include "agent/limits.h"

namespace granary::agent {
namespace {

using Next = std::optional<ServicePhase>;
using enum ServicePhase;

constexpr Next kBug = std::nullopt;

struct Row {
  LifeEvent event;
  Next from_asleep, from_starting, from_running, from_stopping, from_backing_off;
};

// Every pair. What is not listed as possible must be refused, whatever the code happens to do.
constexpr Row kTable[] = {
    // event                 asleep      starting    running     stopping    backing off
    {LifeEvent::Recalled, BackingOff, kBug, kBug, kBug, kBug},
    {LifeEvent::Adopted, Running, kBug, kBug, kBug, Running},
    {LifeEvent::Woken, Starting, kBug, kBug, kBug, Starting},
    {LifeEvent::Started, kBug, Running, kBug, kBug, kBug},
    {LifeEvent::StopBegan, kBug, kBug, Stopping, kBug, kBug},
    {LifeEvent::StartsAgain, kBug, Starting, Starting, Starting, kBug},
    {LifeEvent::FellAsleep, kBug, Asleep, Asleep, Asleep, Asleep},
    {LifeEvent::BackedOff, kBug, BackingOff, BackingOff, BackingOff, kBug},
};

TEST(LifeCycle, EveryEventIsDecidedInEveryPhase) {
  ASSERT_EQ(std::size(kTable), kLifeEvents.size());
  for (std::size_t i = 0; i < kLifeEvents.size(); ++i) {
    const Row& row = kTable[i];
    ASSERT_EQ(row.event, kLifeEvents[i]);
    EXPECT_EQ(phase_after(Asleep, row.event), row.from_asleep) << i;
    EXPECT_EQ(phase_after(Starting, row.event), row.from_starting) << i;
    EXPECT_EQ(phase_after(Running, row.event), row.from_running) << i;
    EXPECT_EQ(phase_after(Stopping, row.event), row.from_stopping) << i;
    EXPECT_EQ(phase_after(BackingOff, row.event), row.from_backing_off) << i;
  }
}

// However a life ends, in whichever phase it is found: there is a verdict, and the phase it leads
// to can be entered. That a second failure while it was being stopped could not, once ended the
// agent for all tenants.
TEST(LifeCycle, EveryEndOfALifeLeadsToAPhaseThatMayFollow) {
  for (const Ending ending : {Ending::Asked, Ending::Done, Ending::Failed}) {
    for (const Demand demand : {Demand::None, Demand::Some}) {
      for (const std::uint32_t crashes : {0U, 1U, 2U, 40U}) {
        const Verdict verdict = judge({ending, demand, crashes, {}}, 0.5);
        const LifeEvent event = verdict.next == Verdict::Next::StartAgain ? LifeEvent::StartsAgain
                                : verdict.next == Verdict::Next::BackOff  ? LifeEvent::BackedOff
                                                                          : LifeEvent::FellAsleep;
        for (const ServicePhase phase : {Starting, Running, Stopping})
          EXPECT_TRUE(phase_after(phase, event).has_value());
      }
    }
  }
}

TEST(LifeCycle, OneThatEndedByItselfAfterServingIsNoFailure) {
  EXPECT_EQ(judge({Ending::Done, Demand::None, 3, {}}, 0).next, Verdict::Next::Sleep);
  EXPECT_EQ(judge({Ending::Done, Demand::None, 3, {}}, 0).crashes, 0U);
  EXPECT_EQ(judge({Ending::Done, Demand::Some, 3, {}}, 0).next, Verdict::Next::StartAgain);
}

TEST(LifeCycle, ALifeThatServedBacksOffForTheFirstPauseAtMost) {
  const LifeEnd served{Ending::Failed, Demand::Some, 9, {}, kServedWell};
  EXPECT_EQ(judge(served, 0), (Verdict{Verdict::Next::BackOff, 2, kFirstBackOff}));
  const LifeEnd hardly{Ending::Failed, Demand::Some, 9, {}, kServedWell - 1};
  EXPECT_EQ(judge(hardly, 0), (Verdict{Verdict::Next::BackOff, 10, kLongestBackOff}));
  const LifeEnd first{Ending::Failed, Demand::Some, 0, {}, kServedWell};
  EXPECT_EQ(judge(first, 0).next, Verdict::Next::StartAgain);
}

TEST(LifeCycle, BackOffGrowsToItsBoundAndNoFurther) {
  std::chrono::milliseconds before{0};
  for (std::uint32_t crashes = 1; crashes < 200; ++crashes) {
    const Verdict verdict = judge({Ending::Failed, Demand::Some, crashes, {}}, 0);
    EXPECT_EQ(verdict.next, Verdict::Next::BackOff);
    EXPECT_GE(verdict.pause, before);
    EXPECT_LE(verdict.pause, kLongestBackOff);
    before = verdict.pause;
  }
  EXPECT_EQ(before, kLongestBackOff);
}

}  // namespace
}  // namespace granary::agent
