#include "app/hold.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "app/layout.h"
#include "base/os/system.h"
#include "base/testing/temporary_folder.h"

namespace granary::app {
namespace {

using base::Code;

class HoldTest : public ::testing::Test {
 protected:
  HoldTest() {
    config_.data_dir = folder_ / "data";
    config_.uid_base = ::getuid();
    EXPECT_TRUE(base::os::make_folders(config_.data_dir, 0711).has_value());
    const wire::Paths paths(config_.data_dir);
    for (const auto& folder : {paths.accounts(), paths.control(), paths.egress(), paths.access()})
      EXPECT_TRUE(base::os::make_folders(folder, 0700).has_value());
  }
  Config of_up() const {
    Config config = config_;
    config.started_by = StartedBy::Up;
    return config;
  }

  base::testing::TemporaryFolder folder_;
  base::os::SystemClock clock_;
  Config config_;
};

TEST_F(HoldTest, ASecondUpIsRefusedInOneSentenceThatSaysWhoHasIt) {
  const auto first = hold_directory(config_, clock_);
  ASSERT_TRUE(first.has_value());
  const auto second = hold_directory(config_, clock_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Code::Conflict);
  const std::string said = describe(second.error());
  EXPECT_NE(said.find(fmt::format("process {}, since 2", ::getpid())), std::string::npos) << said;
  EXPECT_NE(said.find(config_.data_dir), std::string::npos) << said;
}

TEST_F(HoldTest, ARoleAloneIsRefusedWhileUpRunsButNotTheRolesOfUp) {
  const auto up = hold_directory(config_, clock_);
  ASSERT_TRUE(up.has_value());
  EXPECT_EQ(hold_role(config_, RoleName::Agent, clock_).error().code, Code::Conflict);
  EXPECT_TRUE(hold_role(of_up(), RoleName::Agent, clock_).has_value());
}

TEST_F(HoldTest, UpIsRefusedWhileARoleRunsAlone) {
  const auto role = hold_role(config_, RoleName::Control, clock_);
  ASSERT_TRUE(role.has_value());
  EXPECT_EQ(hold_directory(config_, clock_).error().code, Code::Conflict);
}

TEST_F(HoldTest, EachRoleRunsOnceBesideTheOthers) {
  Held all;
  for (const RoleName role : kRoleNames) {
    auto held = hold_role(config_, role, clock_);
    ASSERT_TRUE(held.has_value()) << to_string(role);
    for (auto& fd : *held) all.push_back(std::move(fd));
  }
  for (const RoleName role : kRoleNames)
    EXPECT_EQ(hold_role(config_, role, clock_).error().code, Code::Conflict) << to_string(role);
}

TEST_F(HoldTest, TheNextOneHasItWhenTheHolderIsGone) {
  {
    const auto first = hold_directory(config_, clock_);
  }
  EXPECT_TRUE(hold_directory(config_, clock_).has_value());
  EXPECT_TRUE(await_leftovers(config_, clock_).has_value());
}

TEST_F(HoldTest, WithoutItsFolderARoleSaysThatThereIsMoreToPrepare) {
  ASSERT_TRUE(base::os::remove_tree(wire::Paths(config_.data_dir).access()).has_value());
  const auto held = hold_role(config_, RoleName::Gateway, clock_);
  ASSERT_FALSE(held.has_value());
  EXPECT_NE(held.error().advice.find("granary prepare"), std::string::npos);
}

}  // namespace
}  // namespace granary::app
