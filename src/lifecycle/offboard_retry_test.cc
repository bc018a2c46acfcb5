#include <gtest/gtest.h>

#include "lifecycle/testing/control_world.h"

// An offboarding whose final export fails keeps nobody: it can be gone on with once the cause is
// gone, or the tenant is kept.
namespace granary::lifecycle {
namespace {

using base::AccountId;
using base::Code;
using base::Result;
using namespace std::chrono_literals;
using operation::Operation;
using registry::State;
using testing::ControlWorld;

const AccountId kAcme("acme");
const Caller kTest{"test", ""};

class OffboardRetryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
    control_.finish_all();
    control_.cloud.data()[kAcme] = "all that acme wrote";
    control_.cloud.fill_up();
    const auto failed =
        control_.done(control_.lifecycle->offboard({.id = kAcme, .retain = 48h}, kTest));
    ASSERT_TRUE(failed.has_value());
    failed_ = *failed;
    ASSERT_EQ(failed_.state, operation::State::Failed);
    ASSERT_EQ(failed_.step, "final-export");
    control_.cloud.make_room();
  }
  Result<Operation> retry() { return control_.world.run(control_.engine->retry(failed_.id)); }
  void resume() {
    ASSERT_TRUE(control_.done(control_.lifecycle->resume(kAcme, kTest)).has_value());
  }

  ControlWorld control_;
  Operation failed_;
};

TEST_F(OffboardRetryTest, TheErrorSaysWhyAndBothWaysOut) {
  const std::string said = base::describe(*failed_.error);
  EXPECT_NE(said.find("needs more room"), std::string::npos) << said;
  EXPECT_NE(said.find("Make room"), std::string::npos) << said;
  EXPECT_NE(said.find("granary operation retry " + failed_.id.value), std::string::npos) << said;
  EXPECT_NE(said.find("granary tenant resume acme"), std::string::npos) << said;
  EXPECT_EQ(control_.get("acme")->state, State::Suspended);
  EXPECT_EQ(control_.cloud.data()[kAcme], "all that acme wrote");
}

TEST_F(OffboardRetryTest, ARetryGoesOnToTheEnd) {
  ASSERT_TRUE(retry().has_value());
  control_.world.advance(1h);
  EXPECT_EQ(control_.get("acme")->state, State::Offboarding);
  // While the data is kept it cannot be resumed past the offboarding.
  EXPECT_EQ(control_.world.run(control_.lifecycle->resume(kAcme, kTest)).error().code,
            Code::Conflict);
  control_.world.advance(48h);
  EXPECT_EQ(control_.get("acme").error().code, Code::NotFound);
  EXPECT_TRUE(control_.cloud.accounts().empty());
}

TEST_F(OffboardRetryTest, TheTenantCanBeKeptAndIsThenSafeFromTheRetry) {
  resume();
  EXPECT_EQ(control_.get("acme")->state, State::Active);
  EXPECT_EQ(control_.cloud.accounts().at(kAcme).traffic, cloud::Traffic::Allowed);
  ASSERT_TRUE(retry().has_value());
  control_.finish_all();
  control_.world.advance(72h);
  EXPECT_EQ(control_.get("acme")->state, State::Active);
  EXPECT_EQ(control_.cloud.data()[kAcme], "all that acme wrote");
  const auto ended = control_.world.run(control_.engine->find(failed_.id));
  EXPECT_EQ(ended->state, operation::State::Failed);
  EXPECT_NE(ended->error->message.find("was changed since"), std::string::npos);
  EXPECT_NE(ended->error->advice.find("granary tenant offboard acme"), std::string::npos);
}

// It has written since, and that is in no export.
TEST_F(OffboardRetryTest, ATenantThatWasResumedAndSuspendedAgainIsSafeToo) {
  resume();
  ASSERT_TRUE(control_.done(control_.lifecycle->suspend(kAcme, kTest)).has_value());
  ASSERT_TRUE(retry().has_value());
  control_.finish_all();
  control_.world.advance(72h);
  EXPECT_EQ(control_.get("acme")->state, State::Suspended);
}

TEST_F(OffboardRetryTest, AnotherOffboardingWorksAsWell) {
  const auto begun =
      control_.world.run(control_.lifecycle->offboard({.id = kAcme, .retain = 48h}, kTest));
  ASSERT_TRUE(begun.has_value());
  control_.world.advance(72h);
  EXPECT_EQ(control_.get("acme").error().code, Code::NotFound);
}

}  // namespace
}  // namespace granary::lifecycle
