#include "lifecycle/lifecycle.h"

#include <gtest/gtest.h>

#include "lifecycle/testing/control_world.h"

namespace granary::lifecycle {
namespace {

using base::AccountId;
using base::Code;
using namespace std::chrono_literals;
using registry::Health;
using testing::ControlWorld;

const AccountId kAcme("acme");

class LifecycleTest : public ::testing::Test {
 protected:
  base::Result<operation::Operation> suspend() {
    return control_.ended(control_.world.run(control_.lifecycle->suspend(kAcme, {"test", ""})));
  }
  base::Result<operation::Operation> resume() {
    return control_.ended(control_.world.run(control_.lifecycle->resume(kAcme, {"test", ""})));
  }
  base::Result<operation::Operation> offboard(std::chrono::milliseconds retain) {
    return control_.world.run(control_.lifecycle->offboard({kAcme, retain}, {"test", ""}));
  }

  ControlWorld control_;
};

TEST_F(LifecycleTest, ACreatedTenantIsActiveDeployedAndFoundWell) {
  const auto done = control_.ended(control_.create("acme"));
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(done->state, operation::State::Succeeded);
  control_.finish_all();
  const auto account = control_.get("acme");
  ASSERT_TRUE(account.has_value());
  EXPECT_EQ(account->state, registry::State::Active);
  EXPECT_EQ(account->actual_release, "aaaa11112222");
  EXPECT_EQ(account->health, Health::Well);
  EXPECT_EQ(control_.prober.probes(kAcme), 1);
  EXPECT_GE(control_.publisher.publications(), 1);
}

TEST_F(LifecycleTest, TheCloudIsGivenTheSlotOfEachService) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  const auto services = base::json::parse(control_.cloud.accounts().at(kAcme).services_json, 4096);
  EXPECT_EQ(services->at(0).at("slot").as_int64(), 1);
}

TEST_F(LifecycleTest, ANameTwiceIsRefusedAndNothingChanges) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  const auto again = control_.create("acme");
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Code::AlreadyExists);
  control_.finish_all();
  EXPECT_EQ(control_.cloud.accounts().size(), 1U);
}

TEST_F(LifecycleTest, BadNamesAndUnknownReleasesAreRefused) {
  for (const char* name : {"", "Acme", "..", "a--b", "a-", "admin", "0a"})
    EXPECT_EQ(control_.create(name).error().code, Code::InvalidArgument) << name;
  EXPECT_EQ(control_.create(std::string(300, 'a')).error().code, Code::InvalidArgument);
  CreateTenant request;
  request.id = kAcme;
  request.release = "nothing";
  const auto refused = control_.world.run(control_.lifecycle->create(request, {"test", ""}));
  EXPECT_EQ(refused.error().code, Code::NotFound);
  EXPECT_FALSE(control_.get("acme").has_value());
}

TEST_F(LifecycleTest, AReleaseThatDoesNotAnswerIsShownAsFailingWithItsReason) {
  control_.prober.break_release("aaaa11112222");
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  control_.finish_all();
  const auto account = control_.get("acme");
  EXPECT_EQ(account->state, registry::State::Active);
  EXPECT_EQ(account->health, Health::Failing);
  EXPECT_NE(account->health_detail.find("503"), std::string::npos);
}

TEST_F(LifecycleTest, SuspendingRefusesTrafficAndResumingAllowsItAgain) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  ASSERT_TRUE(suspend().has_value());
  EXPECT_EQ(control_.get("acme")->state, registry::State::Suspended);
  EXPECT_EQ(control_.cloud.accounts().at(kAcme).traffic, cloud::Traffic::Suspended);
  ASSERT_TRUE(resume().has_value());
  EXPECT_EQ(control_.get("acme")->state, registry::State::Active);
  EXPECT_EQ(control_.cloud.accounts().at(kAcme).traffic, cloud::Traffic::Allowed);
  EXPECT_EQ(resume().error().code, Code::Conflict);
}

TEST_F(LifecycleTest, OffboardingKeepsTheDataForItsRetentionThenDestroysIt) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  const auto operation = offboard(48h);
  ASSERT_TRUE(operation.has_value());
  control_.world.advance(47h);
  EXPECT_EQ(control_.cloud.accounts().at(kAcme).traffic, cloud::Traffic::Suspended);
  EXPECT_EQ(control_.get("acme")->state, registry::State::Offboarding);
  EXPECT_EQ(offboard(0h).error().code, Code::Conflict);
  control_.crash();
  control_.world.advance(2h);
  EXPECT_FALSE(control_.cloud.accounts().contains(kAcme));
  EXPECT_EQ(control_.get("acme").error().code, Code::NotFound);
}

TEST_F(LifecycleTest, AnOffboardedNameIsFreeAndTheNewAccountHasAnotherOrdinal) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  const auto before = control_.get("acme")->ordinal;
  ASSERT_TRUE(control_.ended(offboard(0h)).has_value());
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  EXPECT_NE(control_.get("acme")->ordinal, before);
}

TEST_F(LifecycleTest, OffboardingDuringCreationIsRefusedUntilThatIsCalledOff) {
  const auto created = control_.create("acme");
  ASSERT_TRUE(created.has_value());
  EXPECT_EQ(offboard(0h).error().code, Code::Conflict);
  EXPECT_EQ(control_.get("acme")->state, registry::State::Creating);
  ASSERT_TRUE(control_.world.run(control_.engine->cancel(created->id)).has_value());
  ASSERT_TRUE(control_.ended(offboard(0h)).has_value());
  control_.finish_all();
  EXPECT_TRUE(control_.cloud.accounts().empty());
  EXPECT_FALSE(control_.get("acme").has_value());
}

TEST_F(LifecycleTest, WhatAReleaseMayConnectToIsPermittedBeforeItIsDeployed) {
  std::vector<std::string> deployed;  // at that time
  control_.publisher.on_permit = [&](const base::AccountId& account) {
    const auto& accounts = control_.cloud.accounts();
    const auto found = accounts.find(account);
    deployed.push_back(found == accounts.end() ? "" : found->second.release_hash);
  };
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  UpdateTenant request;
  request.id = kAcme;
  request.release = "insight-2";
  ASSERT_TRUE(
      control_.ended(control_.world.run(control_.lifecycle->update(request, {"test", ""}))));
  EXPECT_EQ(deployed, (std::vector<std::string>{"", "aaaa11112222"}));
}

TEST_F(LifecycleTest, AnUpdateDeploysTheOtherReleaseAndKeepsTheSlot) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  UpdateTenant request;
  request.id = kAcme;
  request.release = "insight-2";
  request.details.name = "Acme Inc";
  ASSERT_TRUE(
      control_.ended(control_.world.run(control_.lifecycle->update(request, {"test", ""}))));
  EXPECT_EQ(control_.get("acme")->name, "Acme Inc");
  EXPECT_EQ(control_.get("acme")->actual_release, "bbbb11112222");
  const auto services = base::json::parse(control_.cloud.accounts().at(kAcme).services_json, 4096);
  EXPECT_EQ(services->at(0).at("slot").as_int64(), 1);
}

TEST_F(LifecycleTest, AnExhaustedCloudFailsTheCreationAndRetryingItLaterSucceeds) {
  control_.cloud.set_faults({.max_accounts = 0});
  const auto failed = control_.ended(control_.create("acme"));
  ASSERT_TRUE(failed.has_value());
  EXPECT_EQ(failed->state, operation::State::Failed);
  EXPECT_EQ(control_.get("acme")->state, registry::State::Failed);
  control_.cloud.set_faults({});
  const auto again = control_.ended(control_.world.run(control_.engine->retry(failed->id)));
  EXPECT_EQ(again->state, operation::State::Succeeded);
  EXPECT_EQ(control_.get("acme")->state, registry::State::Active);
}

}  // namespace
}  // namespace granary::lifecycle
