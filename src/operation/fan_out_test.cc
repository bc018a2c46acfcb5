#include "operation/fan_out.h"

#include <gtest/gtest.h>

namespace granary::operation {
namespace {

Children children(std::uint64_t begun, std::uint64_t succeeded, std::uint64_t failed) {
  return {.total = {}, .begun = begun, .succeeded = succeeded, .failed = failed};
}

FanOutRules rules(std::uint32_t window) {
  return {.window = window, .max_failures = {}, .max_failures_percent = {}};
}

// Every combination of what a parent may know, against what must never be done in it.
TEST(FanOutMoveTest, InNoStateDoesItBreakItsRules) {
  std::map<FanOutMove, int> seen;
  for (int bits = 0; bits < 64; ++bits) {
    const bool more = (bits & 1) != 0;
    const bool paused = (bits & 2) != 0;
    const bool cancelled = (bits & 4) != 0;
    const bool broken = (bits & 8) != 0;
    const bool open = (bits & 16) != 0;
    const bool full = (bits & 32) != 0;
    if (full && !open) continue;
    FanOutRules with = rules(full ? 2 : 3);
    with.max_failures = broken ? 0 : 1;
    FanOutState state{.children = children(open ? 5 : 3, 2, 1),
                      .more = more,
                      .paused = paused,
                      .cancelled = cancelled};
    const FanOutMove move = next_move(state, with);
    ++seen[move];
    const bool begins = move == FanOutMove::Begin;
    EXPECT_FALSE(begins && (!more || paused || cancelled || broken || full)) << bits;
    const bool ends =
        move == FanOutMove::Conclude || move == FanOutMove::Stop || move == FanOutMove::Cancel;
    EXPECT_FALSE(ends && open) << bits;
    EXPECT_EQ(move == FanOutMove::Cancel, cancelled && !open) << bits;
    EXPECT_EQ(move == FanOutMove::Stop, broken && !cancelled && !open) << bits;
    // Progress: with nothing at work it waits for nobody but him who resumes it.
    if (!open && !paused) EXPECT_NE(move, FanOutMove::Wait) << bits;
  }
  EXPECT_EQ(seen.size(), 5U) << "each move is made in some state";
}

TEST(FanOutMoveTest, ItStopsAboveANumberOrAPercentageOfFailures) {
  FanOutRules with = rules(8);
  with.max_failures = 2;
  EXPECT_FALSE(is_stopped(children(10, 0, 2), with));
  EXPECT_TRUE(is_stopped(children(10, 0, 3), with));
  with = rules(8);
  with.max_failures_percent = 10;
  Children counted = children(10, 0, 4);
  counted.total = 40;
  EXPECT_FALSE(is_stopped(counted, with)) << "10 % exactly";
  counted.failed = 5;
  EXPECT_TRUE(is_stopped(counted, with));
  EXPECT_FALSE(is_stopped(counted, rules(8))) << "no rule: any number";
}

TEST(FanOutMoveTest, FailuresFromBeforeARetryDoNotStopItAgain) {
  FanOutRules with = rules(8);
  with.max_failures = 1;
  Children counted = children(10, 0, 5);
  EXPECT_TRUE(is_stopped(counted, with));
  counted.forgiven = 4;
  EXPECT_FALSE(is_stopped(counted, with));
  counted.forgiven = 3;
  EXPECT_TRUE(is_stopped(counted, with));
}

TEST(FanOutMoveTest, ChildrenAreToldInOneSentence) {
  EXPECT_EQ(to_text(children(5, 2, 1)), "2 of 5 succeeded, 1 failed, 2 at work");
  Children counted = children(5, 5, 0);
  counted.total = 9;
  counted.skipped = 1;
  EXPECT_EQ(to_text(counted), "5 of 9 succeeded, 1 not needed");
}

}  // namespace
}  // namespace granary::operation
