#include "lifecycle/time_keeper.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "lifecycle/testing/control_world.h"
#include "registry/audit.h"

namespace granary::lifecycle {
namespace {

using base::AccountId;
using base::ClockStanding;
using base::Code;
using std::chrono::days;
using std::chrono::milliseconds;
using testing::ControlWorld;
using namespace std::chrono_literals;

const AccountId kAcme("acme");
const Caller kTest{"test", ""};

class TimeKeeperTest : public ::testing::Test {
 protected:
  TimeKeeperTest() {
    EXPECT_TRUE(control_.ended(control_.create("acme")).has_value());
    control_.finish_all();
    control_.cloud.data()[kAcme] = "all that acme wrote";
  }
  base::Result<operation::Operation> offboard(milliseconds retain) {
    return control_.world.run(control_.lifecycle->offboard({.id = kAcme, .retain = retain}, kTest));
  }
  TimeKeeper::Report report() {
    auto report = control_.world.run(control_.keeper->report());
    EXPECT_TRUE(report.has_value());
    return report.value();
  }
  base::Result<TimeKeeper::Report> accept() {
    return control_.world.run(control_.keeper->accept(
        std::chrono::duration_cast<milliseconds>(report().reading.ahead), kTest));
  }
  // Looks every minute for so long.
  void watch(std::chrono::minutes length) {
    for (auto passed = 0min; passed < length; ++passed) {
      control_.world.advance(1min);
      EXPECT_TRUE(control_.world.run(control_.keeper->look()).has_value());
    }
  }
  bool is_there() { return control_.cloud.accounts().contains(kAcme); }
  std::vector<std::string> told() {
    const auto entries = control_.read<std::vector<registry::AuditEntry>>(
        [](store::Transaction& tx) { return registry::list_audit(tx, {.subject = "clock"}); });
    std::vector<std::string> actions;
    for (const auto& entry : entries) actions.push_back(entry.action);
    return actions;
  }

  ControlWorld control_;
};

TEST_F(TimeKeeperTest, ALeapEndsNoRetentionHoweverOftenControlDies) {
  ASSERT_TRUE(offboard(days(30)).has_value());
  control_.world.advance(1h);
  control_.world.clock.jump_wall(days(400));
  watch(10min);
  control_.crash();
  watch(10min);
  EXPECT_TRUE(is_there());
  // Also one that comes while control is away.
  control_.world.clock.jump_wall(days(3650));
  control_.crash();
  control_.world.advance(1h);
  EXPECT_TRUE(is_there());
  EXPECT_EQ(report().reading.standing, ClockStanding::Ahead);
  EXPECT_EQ(report().waiting, (TimeKeeper::Waiting{.retentions = 1, .archives = 1, .tokens = 0}));
}

// What the tests beside this one could not see otherwise.
TEST_F(TimeKeeperTest, WithTheMachinesOwnClockTheSameLeapDestroys) {
  const auto exported =
      control_.done(control_.lifecycle->export_tenant({.id = kAcme, .keep = days(30)}, kTest));
  ASSERT_TRUE(exported.has_value());
  ASSERT_TRUE(offboard(days(30)).has_value());
  control_.world.advance(1h);
  control_.go_by_machine_clock();
  EXPECT_TRUE(is_there());
  control_.world.clock.jump_wall(days(400));
  control_.crash();
  control_.finish_all();
  EXPECT_FALSE(is_there());
  EXPECT_FALSE(control_.archives.contains(exported->id.value));
}

TEST_F(TimeKeeperTest, ARetentionEndsInItsTimeThoughTheClockStaysWrong) {
  for (const auto leap : {days(400), -days(400)}) {
    SCOPED_TRACE(leap.count());
    ControlWorld control;
    ASSERT_TRUE(control.ended(control.create("acme")).has_value());
    control.finish_all();
    ASSERT_TRUE(
        control.world.run(control.lifecycle->offboard({.id = kAcme, .retain = 24h}, kTest)));
    control.world.advance(1h);
    control.world.clock.jump_wall(leap);
    control.world.advance(22h);
    EXPECT_TRUE(control.cloud.accounts().contains(kAcme));
    control.world.advance(2h);
    EXPECT_FALSE(control.cloud.accounts().contains(kAcme));
  }
}

TEST_F(TimeKeeperTest, ALeapEndsNoArchive) {
  const auto exported =
      control_.done(control_.lifecycle->export_tenant({.id = kAcme, .keep = 24h}, kTest));
  ASSERT_TRUE(exported.has_value());
  control_.world.clock.jump_wall(days(400));
  EXPECT_EQ(control_.world.run(control_.lifecycle->sweep_archives()), 0U);
  EXPECT_TRUE(control_.archives.contains(exported->id.value));
  control_.world.advance(25h);
  EXPECT_EQ(control_.world.run(control_.lifecycle->sweep_archives()), 1U);
}

TEST_F(TimeKeeperTest, AFileThatIsOnItsWayIsNotOldBecauseTheClockMoved) {
  control_.archives.put(base::make_ulid(control_.clock->wall(), control_.world.rng), {}, "");
  control_.world.clock.jump_wall(days(400));
  ASSERT_TRUE(accept().has_value());
  EXPECT_EQ(control_.world.run(control_.lifecycle->sweep_archives()), 0U);
  control_.world.advance(2h);
  EXPECT_EQ(control_.world.run(control_.lifecycle->sweep_archives()), 1U);
}

TEST_F(TimeKeeperTest, AnOperatorsWordLetsItGoOnAtOnce) {
  ASSERT_TRUE(offboard(days(30)).has_value());
  control_.world.advance(1h);
  control_.world.clock.jump_wall(days(400));
  watch(1min);
  const auto accepted = accept();
  ASSERT_TRUE(accepted.has_value());
  EXPECT_EQ(accepted->reading.time, control_.world.clock.wall());
  control_.finish_all();
  EXPECT_FALSE(is_there());
  EXPECT_EQ(told(), (std::vector<std::string>{"clock.disagrees", "clock.accept"}));
  control_.crash();
  EXPECT_EQ(report().reading.standing, ClockStanding::Agrees);
}

TEST_F(TimeKeeperTest, OnlyWhatWasSeenIsAccepted) {
  EXPECT_EQ(accept().error().code, Code::Conflict) << "there is nothing to accept";
  control_.world.clock.jump_wall(days(3));
  const auto seen = std::chrono::duration_cast<milliseconds>(report().reading.ahead);
  control_.world.clock.jump_wall(days(3));
  const auto refused = control_.world.run(control_.keeper->accept(seen, kTest));
  EXPECT_EQ(refused.error().code, Code::Conflict);
  EXPECT_TRUE(accept().has_value());
}

TEST_F(TimeKeeperTest, AClockThatIsSetRightIsFollowedAgain) {
  control_.world.clock.jump_wall(-days(3));
  watch(2min);
  EXPECT_FALSE(control_.keeper->problem().empty());
  control_.world.clock.jump_wall(days(3));
  watch(2min);
  EXPECT_EQ(control_.keeper->problem(), "");
  EXPECT_EQ(control_.keeper->advice(), "");
  EXPECT_EQ(control_.clock->wall(), control_.world.clock.wall());
  EXPECT_EQ(told(), (std::vector<std::string>{"clock.disagrees", "clock.agrees"}));
}

TEST_F(TimeKeeperTest, AShortRebootIsNoLeap) {
  ASSERT_TRUE(offboard(2h).has_value());
  watch(1min);
  control_.reboot(50min);
  EXPECT_EQ(report().reading.standing, ClockStanding::Agrees);
  control_.world.advance(80min);
  EXPECT_FALSE(is_there());
}

TEST_F(TimeKeeperTest, AfterALongAbsenceThereIsADayToSeeIt) {
  ASSERT_TRUE(offboard(days(5)).has_value());
  watch(1min);
  control_.reboot(days(9));
  EXPECT_EQ(report().reading.standing, ClockStanding::Absent);
  EXPECT_EQ(report().waiting.retentions, 1U);
  watch(23h);
  EXPECT_TRUE(is_there());
  watch(70min);
  control_.finish_all();
  EXPECT_FALSE(is_there());
  EXPECT_EQ(told(), (std::vector<std::string>{"clock.disagrees", "clock.agrees"}));
}

TEST_F(TimeKeeperTest, WhatItSaysNamesTheLengthAndTheCommand) {
  control_.world.clock.jump_wall(days(3) + 7h);
  EXPECT_NE(control_.keeper->problem().find("3 days ahead"), std::string::npos);
  EXPECT_NE(control_.keeper->advice().find("granary clock accept"), std::string::npos);
  control_.world.clock.jump_wall(-days(6));
  EXPECT_NE(control_.keeper->problem().find("2 days behind"), std::string::npos);
}

TEST(AboutTest, TheLargestUnitThatFitsIsNamed) {
  const std::pair<std::chrono::microseconds, const char*> cases[] = {
      {0s, "0 seconds"}, {1s, "1 second"},    {119s, "1 minute"},       {-90min, "1 hour"},
      {47h, "1 day"},    {days(3), "3 days"}, {days(-400), "400 days"},
  };
  for (const auto& [length, text] : cases) EXPECT_EQ(about(length), text);
}

}  // namespace
}  // namespace granary::lifecycle
