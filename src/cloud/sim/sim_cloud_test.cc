#include "cloud/sim/sim_cloud.h"

#include <gtest/gtest.h>

#include "base/hash.h"
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
  base::Result<DataExport> run(base::Task<base::Result<DataExport>> task) override {
    return world_.run(std::move(task));
  }
  std::string release_hash() override { return "abc"; }
  std::string services_json() override { return R"([{"name": "api"}])"; }
  void write_data(const base::AccountId& account, const std::string& bytes) override {
    cloud_.data()[account] = bytes;
  }
  std::string read_data(const base::AccountId& account) override { return cloud_.data()[account]; }
  std::string transfer_name(int number) override { return std::to_string(number); }

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

TEST(SimCloudTest, ALostAnswerToAnImportStillPutTheDataThere) {
  base::testing::World world;
  SimCloud cloud(world.timer, world.rng, Faults{});
  Desired desired;
  desired.account = base::AccountId("acme");
  desired.disk_bytes = 100;
  desired.traffic = Traffic::Suspended;
  ASSERT_TRUE(world.run(cloud.converge(desired)).has_value());
  cloud.transfers()["t"] = "new";
  cloud.set_faults({.lose_answer = 1.0});
  const auto sha256 = base::sha256_hex("new");
  const auto answer = world.run(cloud.import_data(desired.account, "t", sha256));
  EXPECT_EQ(answer.error().code, base::Code::Unavailable);
  EXPECT_EQ(cloud.data()[desired.account], "new");
}

TEST(SimCloudTest, DataThatIsMoreThanTheDiskHoldsIsRefused) {
  base::testing::World world;
  SimCloud cloud(world.timer, world.rng, Faults{});
  Desired desired;
  desired.account = base::AccountId("acme");
  desired.disk_bytes = 2;
  desired.traffic = Traffic::Suspended;
  ASSERT_TRUE(world.run(cloud.converge(desired)).has_value());
  cloud.data()[desired.account] = "b4";
  cloud.transfers()["t"] = "new";
  const auto answer = world.run(cloud.import_data(desired.account, "t", base::sha256_hex("new")));
  EXPECT_EQ(answer.error().code, base::Code::Exhausted);
  EXPECT_EQ(cloud.data()[desired.account], "b4");
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
