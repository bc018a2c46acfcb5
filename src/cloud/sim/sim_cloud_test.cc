#include "cloud/sim/sim_cloud.h"

#include <gtest/gtest.h>

#include "base/testing/world.h"
#include "cloud/testing/driver_contract.h"

namespace granary::cloud::sim {
namespace {

class SimWorld final : public testing::DriverWorld {
 public:
  Driver& driver() override { return cloud_; }
  base::Result<void> run(base::Task<base::Result<void>> task) override {
    return world_.run(std::move(task));
  }
  base::Result<Actual> run(base::Task<base::Result<Actual>> task) override {
    return world_.run(std::move(task));
  }
  base::Result<Page> run(base::Task<base::Result<Page>> task) override {
    return world_.run(std::move(task));
  }
  std::string release_hash() override { return "abc"; }
  std::string services_json() override { return R"([{"name": "api"}])"; }

 private:
  base::testing::World world_;
  SimCloud cloud_{world_.timer, world_.rng, Faults{}};
};

}  // namespace
}  // namespace granary::cloud::sim

namespace granary::cloud::testing {
INSTANTIATE_TYPED_TEST_SUITE_P(Sim, DriverContract, sim::SimWorld);
}  // namespace granary::cloud::testing

namespace granary::cloud::sim {
namespace {

TEST(SimCloudTest, ALostAnswerStillDidItsWork) {
  base::testing::World world;
  SimCloud cloud(world.timer, world.rng, Faults{.lose_answer = 1.0});
  Desired desired;
  desired.account = base::AccountId("acme");
  const auto answer = world.run(cloud.converge(desired));
  EXPECT_EQ(answer.error().code, base::Code::Unavailable);
  EXPECT_TRUE(cloud.accounts().contains(desired.account));
}

TEST(SimCloudTest, TheQuotaRefusesOneAccountTooMany) {
  base::testing::World world;
  SimCloud cloud(world.timer, world.rng, Faults{.max_accounts = 1});
  Desired desired;
  desired.account = base::AccountId("acme");
  ASSERT_TRUE(world.run(cloud.converge(desired)).has_value());
  desired.account = base::AccountId("globex");
  EXPECT_EQ(world.run(cloud.converge(desired)).error().code, base::Code::Exhausted);
}

}  // namespace
}  // namespace granary::cloud::sim
