#include "app/supervisor.h"

#include <gtest/gtest.h>

#include "app/testing/fake_process.h"
#include "base/testing/world.h"

namespace granary::app {
namespace {

using namespace std::chrono_literals;

class SupervisorTest : public ::testing::Test {
 protected:
  SupervisorTest()
      : supervisor_(world_.executor(), world_.clock, world_.timer,
                    {machine_.role("agent"), machine_.role("control"), machine_.role("gateway")}) {}
  ~SupervisorTest() override { world_.run(supervisor_.stop()); }

  base::testing::World world_;
  testing::FakeMachine machine_{world_.executor()};
  Supervisor supervisor_;
};

TEST_F(SupervisorTest, StartsInOrderAndStopsInTheOppositeOrder) {
  ASSERT_TRUE(world_.run(supervisor_.start()));
  world_.run(supervisor_.stop());
  const std::vector<std::string> expected = {
      "start agent",       "start control", "start gateway",   "terminate gateway", "end gateway",
      "terminate control", "end control",   "terminate agent", "end agent"};
  EXPECT_EQ(machine_.log, expected);
}

TEST_F(SupervisorTest, ARoleThatDiesIsRestartedAndTheOthersAreLeftAlone) {
  ASSERT_TRUE(world_.run(supervisor_.start()));
  machine_.end("agent", 139);
  world_.advance(150ms);
  EXPECT_EQ(machine_.starts("agent"), 2);
  EXPECT_EQ(machine_.starts("control"), 1);
  EXPECT_EQ(supervisor_.status().front().restarts, 1);
}

TEST_F(SupervisorTest, RestartsBackOffWhileItKeepsDying) {
  ASSERT_TRUE(world_.run(supervisor_.start()));
  for (int i = 0; i < 4; ++i) {
    machine_.end("gateway", 1);
    world_.advance(100ms * (1 << i));
    EXPECT_TRUE(machine_.running("gateway")) << i;
  }
  machine_.end("gateway", 1);
  world_.advance(1s);
  EXPECT_FALSE(machine_.running("gateway"));
  world_.advance(1s);
  EXPECT_TRUE(machine_.running("gateway"));
}

TEST_F(SupervisorTest, ARoleThatRanForAWhileStartsAgainAtOnce) {
  ASSERT_TRUE(world_.run(supervisor_.start()));
  for (int i = 0; i < 4; ++i) {
    machine_.end("gateway", 1);
    world_.advance(2s);
  }
  world_.advance(60s);
  machine_.end("gateway", 1);
  world_.advance(100ms);
  EXPECT_TRUE(machine_.running("gateway"));
}

TEST_F(SupervisorTest, ARoleThatCannotBeRestartedIsTriedAgain) {
  ASSERT_TRUE(world_.run(supervisor_.start()));
  machine_.refuse("control", 2);
  machine_.end("control", 1);
  world_.advance(1s);
  EXPECT_TRUE(machine_.running("control"));
}

TEST_F(SupervisorTest, AFailedStartStopsWhatRanBefore) {
  machine_.refuse("gateway", 1);
  const auto started = world_.run(supervisor_.start());
  ASSERT_FALSE(started.has_value());
  EXPECT_FALSE(machine_.running("agent"));
  EXPECT_FALSE(machine_.running("control"));
}

TEST_F(SupervisorTest, OneThatIsDeadJustThenIsStartedOnceMoreToEndWhatItLeft) {
  ASSERT_TRUE(world_.run(supervisor_.start()));
  machine_.end("agent", 1);
  machine_.end("gateway", 1);
  world_.settle();
  world_.run(supervisor_.stop());
  EXPECT_EQ(machine_.starts("agent"), 2);
  EXPECT_EQ(machine_.starts("gateway"), 1);
  EXPECT_EQ(machine_.log.back(), "end agent");
  EXPECT_FALSE(machine_.running("agent"));
}

TEST_F(SupervisorTest, OneThatDoesNotStopIsKilledAfterTheDeadline) {
  machine_.make_stubborn("control");
  ASSERT_TRUE(world_.run(supervisor_.start()));
  const auto before = world_.clock.boot();
  world_.run(supervisor_.stop());
  EXPECT_FALSE(machine_.running("control"));
  EXPECT_GE(world_.clock.boot() - before, 20s);
  EXPECT_EQ(std::ranges::count(machine_.log, "kill control"), 1);
}

}  // namespace
}  // namespace granary::app
