#include "egress/policy_watcher.h"

#include <gtest/gtest.h>

#include "base/task_group.h"
#include "base/testing/temporary_folder.h"
#include "base/testing/world.h"

namespace granary::egress {
namespace {

class PolicyWatcherTest : public ::testing::Test {
 protected:
  // Without watch(): the kernel says nothing here.
  void SetUp() override { tasks_.spawn("follow", watcher_.follow()); }
  void TearDown() override { world_.run(tasks_.close()); }

  void publish(std::uint32_t ordinal) {
    wire::EgressPolicy policy{.lists = {{"a.example:1"}}, .accounts = {}};
    policy.accounts.push_back({base::AccountId("acme"), ordinal, 0});
    folder_.write("publish/egress.json", wire::encode(policy));
  }
  std::uint32_t in_force() const { return policy_.accounts.at(0).ordinal; }

  base::testing::World world_;
  base::testing::TemporaryFolder folder_;
  wire::Paths paths_{folder_.path()};
  wire::EgressPolicy policy_;
  int taken_ = 0;
  PolicyWatcher watcher_{{paths_, world_.timer, world_.worker, world_.executor()},
                         [this](const wire::EgressPolicy& policy) {
                           policy_ = policy;
                           ++taken_;
                         }};
  base::TaskGroup tasks_{world_.executor()};
};

TEST_F(PolicyWatcherTest, ARefreshSeesWhatWasPublishedBeforeItAlsoWhenNobodySaidSo) {
  world_.run(watcher_.refresh());
  EXPECT_EQ(taken_, 0);  // there is none yet
  publish(1);
  world_.run(watcher_.refresh());
  EXPECT_EQ(in_force(), 1U);
  publish(2);
  world_.run(watcher_.refresh());
  EXPECT_EQ(in_force(), 2U);
}

TEST_F(PolicyWatcherTest, ARefreshReadsNothingWhenNothingIsNew) {
  publish(1);
  world_.run(watcher_.refresh());
  world_.run(watcher_.refresh());
  EXPECT_EQ(taken_, 1);
}

TEST_F(PolicyWatcherTest, AFileThatCannotBeReadIsLookedAtOnceAndLeavesThePolicyInForce) {
  publish(1);
  world_.run(watcher_.refresh());
  folder_.write("publish/egress.json", "{}");
  world_.run(watcher_.refresh());
  EXPECT_EQ(taken_, 1);
  EXPECT_EQ(in_force(), 1U);
}

}  // namespace
}  // namespace granary::egress
