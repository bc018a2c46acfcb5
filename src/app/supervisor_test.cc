#include "app/supervisor.h"

#include <gtest/gtest.h>

#include "app/limits.h"
#include "app/role.h"
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

TEST_F(SupervisorTest, ARoleWhoseConfigurationIsWrongIsGivenUpAtOnce) {
  ASSERT_TRUE(world_.run(supervisor_.start()));
  machine_.end("agent", kExitWrongUsage);
  EXPECT_EQ(world_.run(supervisor_.given_up()), kExitWrongUsage);
  world_.advance(60s);
  EXPECT_EQ(machine_.starts("agent"), 1);
  world_.run(supervisor_.stop());
  EXPECT_EQ(machine_.starts("agent"), 1);  // not even to end what it cannot have left
}

TEST_F(SupervisorTest, ARoleThatNeverServedIsGivenUpAfterSoManyStarts) {
  ASSERT_TRUE(world_.run(supervisor_.start()));
  for (int i = 1; i < kStartTries; ++i) {
    machine_.end("control", kExitFailed);
    world_.advance(6s);
    ASSERT_TRUE(machine_.running("control")) << i;
  }
  machine_.end("control", kExitFailed);
  EXPECT_EQ(world_.run(supervisor_.given_up()), kExitFailed);
  EXPECT_EQ(machine_.starts("control"), kStartTries);
}

// Tenants are served meanwhile, so that nothing which comes later ends the platform.
TEST_F(SupervisorTest, ARoleThatHasServedIsStartedAgainForEver) {
  ASSERT_TRUE(world_.run(supervisor_.start()));
  machine_.end("control", 137);
  for (int i = 0; i < 3 * kStartTries; ++i) {
    world_.advance(6s);
    ASSERT_TRUE(machine_.running("control")) << i;
    machine_.end("control", i % 2 == 0 ? kExitFailed : kExitWrongUsage);
  }
  world_.advance(6s);
  EXPECT_TRUE(machine_.running("control"));
}

TEST_F(SupervisorTest, ARoleThatLivedForAWhileHasServed) {
  ASSERT_TRUE(world_.run(supervisor_.start()));
  world_.advance(kForgivenAfter + 1s);
  machine_.end("gateway", kExitWrongUsage);
  world_.advance(1s);
  EXPECT_TRUE(machine_.running("gateway"));
}

TEST_F(SupervisorTest, OneThatIsKilledOverAndOverIsNoFailedStart) {
  ASSERT_TRUE(world_.run(supervisor_.start()));
  for (int i = 0; i < 3 * kStartTries; ++i) {
    machine_.end("gateway", i % 2 == 0 ? 137 : 134);
    world_.advance(6s);
    ASSERT_TRUE(machine_.running("gateway")) << i;
  }
}

TEST_F(SupervisorTest, OneThatDoesNotAnswerAnyMoreIsKilledAndStartedAnew) {
  ASSERT_TRUE(world_.run(supervisor_.start()));
  world_.advance(60s);
  EXPECT_EQ(machine_.starts("agent"), 1);
  machine_.silence("agent");
  world_.advance(kAskEvery * (kAskMisses - 1));
  EXPECT_EQ(machine_.starts("agent"), 1);
  world_.advance(kAskEvery * 2);
  EXPECT_EQ(std::ranges::count(machine_.log, "kill agent"), 1);
  EXPECT_EQ(machine_.starts("agent"), 2);
}

TEST_F(SupervisorTest, BeforeItsFirstAnswerItHasMoreTime) {
  machine_.silence("agent");
  ASSERT_TRUE(world_.run(supervisor_.start()));
  machine_.silence("agent");
  world_.advance(kAskFirst * (kAskMissesAtFirst - 1));
  EXPECT_EQ(machine_.starts("agent"), 1);
  world_.advance(kAskFirst * 2);
  EXPECT_EQ(machine_.starts("agent"), 2);
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
