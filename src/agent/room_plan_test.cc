#include "agent/room_plan.h"

#include <gtest/gtest.h>

#include "agent/limits.h"
#include "base/testing/world.h"

namespace granary::agent {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr wire::Watermarks kMarks{.low = 100, .high = 200};

TEST(RoomPlan, WhileThereIsEnoughNobodyIsLimited) {
  const RoomPlan plan = plan_room(kRoomNear * kMarks.high, kMarks,
                                  {{.used = 50, .free = 9'000, .held = 50}}, RoomState::Enough);
  EXPECT_EQ(plan.state, RoomState::Enough);
  EXPECT_EQ(plan.ballasts, std::vector<std::uint64_t>{0});
}

TEST(RoomPlan, BeforeItIsFullEachMayWriteAShareAndWhereManyRunAsMuchAsAnAppNeeds) {
  constexpr wire::Watermarks kLarge{.low = 256 * kMiB, .high = 512 * kMiB};
  const std::vector<GuestRoom> few(2, {.free = 1'000 * kMiB});
  const RoomPlan plan = plan_room(600 * kMiB, kLarge, few, RoomState::Enough);
  EXPECT_EQ(plan.state, RoomState::Scarce);
  EXPECT_EQ(plan.share, 236 * kMiB);
  EXPECT_EQ(plan.ballasts, std::vector<std::uint64_t>(2, 764 * kMiB));
  const std::vector<GuestRoom> many(1'000, {.free = 1'000 * kMiB});
  EXPECT_EQ(plan_room(600 * kMiB, kLarge, many, RoomState::Enough).share, kLeastShare);
  EXPECT_LT(plan_room(500 * kMiB, kLarge, many, RoomState::Enough).share, kMiB);
}

TEST(RoomPlan, WhatAGuestHasAcceptedIsNoRoomAnyMore) {
  const RoomPlan plan =
      plan_room(350, kMarks, {{.used = 300, .free = 700, .held = 20}, {.used = 5, .held = 90}},
                RoomState::Enough);
  EXPECT_EQ(plan.room, 70U);
  EXPECT_EQ(plan.state, RoomState::Full);
  EXPECT_EQ(plan.ballasts, (std::vector<std::uint64_t>{700, 0}));
}

TEST(RoomPlan, TheBallastItselfNeedsNoRoom) {
  const RoomPlan plan = plan_room(
      150, kMarks, {{.used = 950, .free = 0, .ballast = 900, .held = 50}}, RoomState::Full);
  EXPECT_EQ(plan.room, 150U);
}

TEST(RoomPlan, OnceFullItStaysSoUntilTheHighWatermark) {
  const std::vector<GuestRoom> guests{{.used = 900, .free = 0, .ballast = 900}};
  EXPECT_EQ(plan_room(99, kMarks, guests, RoomState::Enough).state, RoomState::Full);
  EXPECT_EQ(plan_room(199, kMarks, guests, RoomState::Full).state, RoomState::Full);
  EXPECT_EQ(plan_room(199, kMarks, guests, RoomState::Full).share, 0U);
  EXPECT_EQ(plan_room(200, kMarks, guests, RoomState::Full).state, RoomState::Scarce);
  EXPECT_EQ(plan_room(800, kMarks, guests, RoomState::Full).state, RoomState::Enough);
  EXPECT_EQ(plan_room(199, kMarks, guests, RoomState::Enough).state, RoomState::Scarce);
}

TEST(RoomPlan, WhereItIsScarceAllTogetherCannotGoBelowHalfOfTheLowWatermark) {
  base::testing::SeededRng rng(7);
  for (int i = 0; i < 10'000; ++i) {
    std::vector<GuestRoom> guests(1 + rng.below(5));
    for (GuestRoom& guest : guests)
      guest = {.used = 50 + rng.below(50),
               .free = rng.below(500),
               .ballast = rng.below(50),
               .held = rng.below(100)};
    const std::uint64_t free = rng.below(200);  // below the high watermark
    const RoomPlan plan = plan_room(free, kMarks, guests, RoomState::Enough);
    std::uint64_t may_be_written = 0;
    for (std::size_t g = 0; g < guests.size(); ++g)
      may_be_written += guests[g].free + guests[g].ballast - plan.ballasts[g];
    EXPECT_LE(may_be_written, plan.state == RoomState::Full ? 0 : plan.room - kMarks.low / 2)
        << "turn " << i;
  }
}

}  // namespace
}  // namespace granary::agent
