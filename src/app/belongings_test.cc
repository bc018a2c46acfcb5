#include "app/belongings.h"

#include <gtest/gtest.h>

#include "app/role.h"
#include "base/testing/temporary_folder.h"
#include "base/testing/world.h"

namespace granary::app {
namespace {

using namespace std::chrono_literals;

class BelongingsTest : public ::testing::Test {
 protected:
  BelongingsTest() {
    folder_.write("board", "b");
    EXPECT_TRUE(belongings_.add(folder_ / "board").has_value());
  }
  base::testing::World world_;
  base::testing::TemporaryFolder folder_;
  Belongings belongings_{world_.timer};
};

TEST_F(BelongingsTest, WhatIsThereAndOnlyWrittenToIsNotMissing) {
  ASSERT_TRUE(base::os::append_file(folder_ / "board", "more", 0644).has_value());
  EXPECT_EQ(belongings_.missing(), "");
}

TEST_F(BelongingsTest, OneThatWasRemovedEndsTheRole) {
  ASSERT_TRUE(base::os::remove_file(folder_ / "board").has_value());
  int looks = 0;
  EXPECT_EQ(world_.run(belongings_.lost([&] { ++looks; })), kExitAway);
  EXPECT_EQ(looks, 1);
}

TEST_F(BelongingsTest, AnotherOneInItsPlaceIsAsGoodAsNone) {
  folder_.write("new", "b");
  ASSERT_TRUE(base::os::rename_file(folder_ / "new", folder_ / "board").has_value());
  EXPECT_EQ(belongings_.missing(), folder_ / "board");
}

TEST_F(BelongingsTest, OneThatIsNotThereCannotBeWatched) {
  EXPECT_EQ(belongings_.add(folder_ / "none").error().code, base::Code::NotFound);
}

}  // namespace
}  // namespace granary::app
