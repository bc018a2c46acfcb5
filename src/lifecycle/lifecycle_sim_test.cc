#include <gtest/gtest.h>

#include "base/log.h"
#include "lifecycle/testing/simulation/boundaries.h"
#include "lifecycle/testing/simulation/run.h"

// The simulation's seeds that never change; `./dev sim` runs others. What it does and how it is
// repeated: testing/simulation/README.md.
namespace granary::lifecycle::simulation {
namespace {

class SimulationTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    base::log::start("sim", base::log::Level::Off);  // the faults are meant
  }
};

TEST_F(SimulationTest, EveryInvariantHoldsInFortyWorlds) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const Options options = options_for(seed);
    if (options.tenants > 1'000) continue;  // those take seconds each
    const Outcome outcome = run(options);
    EXPECT_EQ(outcome.failure, "") << "repeat with: ./dev sim --seed " << seed;
  }
}

TEST_F(SimulationTest, EveryInvariantHoldsWhereverControlDies) {
  for (const BoundaryResult& result : crash_at_every_boundary(Depth::OneCrash)) {
    EXPECT_EQ(result.failure, "") << result.name;
    EXPECT_GT(result.worlds, 20U) << result.name;
  }
}

TEST_F(SimulationTest, TheSameSeedIsTheSameWorld) {
  for (const std::uint64_t seed : {3U, 7U, 12U}) {
    Options options = options_for(seed);
    options.operations = std::min(options.operations, 150U);
    const Outcome once = run(options);
    const Outcome again = run(options);
    EXPECT_EQ(once.failure, again.failure);
    EXPECT_EQ(once.stats, again.stats) << "seed " << seed;
  }
}

}  // namespace
}  // namespace granary::lifecycle::simulation
