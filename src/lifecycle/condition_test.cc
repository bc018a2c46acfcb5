// Why a tenant is as it is, and the ways on that are named: each of them is tried.
#include "lifecycle/condition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lifecycle/testing/control_world.h"
#include "registry/audit.h"

namespace granary::lifecycle {
namespace {

using base::AccountId;
using base::Code;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using namespace std::chrono_literals;
using operation::Operation;
using testing::ControlWorld;

const AccountId kAcme("acme");
const lifecycle::Caller kCaller{"test", ""};

class ConditionTest : public ::testing::Test {
 protected:
  Condition condition() {
    auto found = control_.world.run(control_.lifecycle->condition(kAcme));
    EXPECT_TRUE(found.has_value());
    return found.value_or(Condition());
  }
  Operation update(const std::string& release) {
    UpdateTenant request;
    request.id = kAcme;
    request.release = release;
    const auto done = control_.done(control_.lifecycle->update(request, kCaller));
    control_.finish_all();
    return done.value_or(Operation());
  }
  // A creation whose command is none.
  Operation fail_creation() {
    control_.cloud.refuse_release("aaaa11112222");
    auto failed = control_.ended(control_.create("acme"));
    EXPECT_TRUE(failed.has_value());
    EXPECT_EQ(failed->state, operation::State::Failed);
    return *failed;
  }
  registry::State state() { return control_.get("acme")->state; }
  base::Error set_secret(const std::string& account) {
    const auto set = control_.done(control_.lifecycle->set_secret(
        {.account = AccountId(account), .name = "STRIPE_KEY", .value = "sk"}, kCaller));
    control_.finish_all();
    return set ? base::Error{} : set.error();
  }

  ControlWorld control_;
};

TEST_F(ConditionTest, AFailedCreationIsToldWithItsReasonItsServicesAndTheWayOn) {
  const Operation failed = fail_creation();
  const Condition told = condition();
  ASSERT_TRUE(told.failed.has_value());
  EXPECT_EQ(told.failed->id, failed.id);
  EXPECT_EQ(told.failed->step, "converge");
  EXPECT_THAT(told.failed->error->message, HasSubstr("the command was not found"));
  EXPECT_THAT(told.failed->error->advice, HasSubstr("granary tenant update acme --release NEW"));
  EXPECT_THAT(told.failed->error->advice, Not(HasSubstr("operation retry")));
  EXPECT_THAT(told.services, ElementsAre("api"));
  EXPECT_EQ(told.newest->id, failed.id);
}

TEST_F(ConditionTest, AnUpdateBringsAFailedTenantToACorrectedRelease) {
  fail_creation();
  EXPECT_EQ(update("insight-2").state, operation::State::Succeeded);
  EXPECT_EQ(state(), registry::State::Active);
  EXPECT_EQ(control_.get("acme")->health, registry::Health::Well);
  EXPECT_FALSE(condition().failed.has_value());
}

TEST_F(ConditionTest, AnUpdateThatFailsLeavesTheReasonUntilAnotherOneSucceeds) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  control_.finish_all();
  EXPECT_FALSE(condition().failed.has_value());
  EXPECT_EQ(condition().newest->kind, "deployment.check");
  control_.cloud.refuse_release("bbbb11112222");
  const Operation failed = update("insight-2");
  EXPECT_EQ(failed.state, operation::State::Failed);
  EXPECT_EQ(condition().failed->id, failed.id);
  EXPECT_EQ(control_.cloud.accounts().at(kAcme).release_hash, "aaaa11112222");
  EXPECT_EQ(update("insight-1").state, operation::State::Succeeded);
  EXPECT_FALSE(condition().failed.has_value());
}

TEST_F(ConditionTest, AFailedUpdateOfAFailedTenantCanBeFollowedByAnother) {
  control_.cloud.refuse_release("bbbb11112222");
  fail_creation();
  const Operation failed = update("insight-2");
  EXPECT_EQ(failed.state, operation::State::Failed);
  EXPECT_EQ(state(), registry::State::Failed);
  EXPECT_EQ(condition().failed->id, failed.id);
}

TEST_F(ConditionTest, WhatGoesWellWithoutMakingTheAccountHidesNoReason) {
  const Operation failed = fail_creation();
  EXPECT_EQ(set_secret("acme").message, "");
  EXPECT_NE(condition().newest->id, failed.id);
  EXPECT_EQ(condition().failed->id, failed.id);
}

TEST_F(ConditionTest, AFailedCheckIsTheReasonUntilTheNextDeployment) {
  control_.prober.break_release("aaaa11112222");
  control_.cloud.break_release("aaaa11112222");
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  control_.finish_all();
  const Condition told = condition();
  ASSERT_TRUE(told.failed.has_value());
  EXPECT_EQ(told.failed->kind, "deployment.check");
  EXPECT_EQ(told.newest->id, told.failed->id);
  const base::Error& error = *told.failed->error;
  EXPECT_THAT(error.message, HasSubstr("503 at /api/health"));
  EXPECT_THAT(error.message, HasSubstr("service api: the simulated program does not start"));
  EXPECT_THAT(error.advice, HasSubstr("granary tenant show acme"));
  EXPECT_THAT(error.advice, HasSubstr("granary tenant update acme --release NEW"));
  EXPECT_THAT(error.advice, HasSubstr("granary operation retry " + told.failed->id.value));
  EXPECT_EQ(control_.get("acme")->health_detail, error.message);
  update("insight-2");
  EXPECT_FALSE(condition().failed.has_value());
}

TEST_F(ConditionTest, ACreationThatIsCalledOffIsAReasonToo) {
  const auto created = control_.create("acme");
  ASSERT_TRUE(created.has_value());
  ASSERT_TRUE(control_.world.run(control_.engine->cancel(created->id)).has_value());
  EXPECT_EQ(state(), registry::State::Failed);
  EXPECT_EQ(condition().failed->id, created->id);
}

TEST_F(ConditionTest, WhatIsTriedAgainTellsWhyUntilItSucceeds) {
  control_.cloud.set_faults({.refuse = 1});
  const auto created = control_.create("acme");
  ASSERT_TRUE(created.has_value());
  control_.world.advance(1s);
  ASSERT_TRUE(condition().failed.has_value());
  EXPECT_THAT(condition().failed->error->message, HasSubstr("is not there for"));
  control_.cloud.set_faults({});
  control_.finish_all();
  EXPECT_FALSE(condition().failed.has_value());
}

// ---- a release that is refused

TEST_F(ConditionTest, ARefusedUpdateLeavesTheTenantAtTheReleaseThatServes) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  control_.finish_all();
  control_.cloud.refuse_release("bbbb11112222");
  const Operation failed = update("insight-2");
  EXPECT_EQ(failed.state, operation::State::Failed);
  EXPECT_THAT(failed.error->advice, HasSubstr("Until then acme stays at release insight-1"));
  auto account = control_.get("acme");
  EXPECT_EQ(account->desired_release, "aaaa11112222");
  EXPECT_EQ(account->health, registry::Health::Well);
  // It follows without hiding what was refused.
  EXPECT_EQ(control_.cloud.accounts().at(kAcme).version, account->version);
  EXPECT_THAT(control_.world.run(control_.lifecycle->find_drift())->items, IsEmpty());
  EXPECT_EQ(condition().failed->id, failed.id);
  // What comes afterwards is not held up by it.
  UpdateTenant settings;
  settings.id = kAcme;
  settings.details.settings["a"] = "b";
  EXPECT_EQ(control_.done(control_.lifecycle->update(settings, kCaller))->state,
            operation::State::Succeeded);
  for (const auto& request : {&Lifecycle::suspend, &Lifecycle::resume})
    EXPECT_EQ(control_.done((control_.lifecycle.get()->*request)(kAcme, kCaller))->state,
              operation::State::Succeeded);
  control_.finish_all();
  account = control_.get("acme");
  EXPECT_EQ(account->actual_release, "aaaa11112222");
  EXPECT_EQ(account->health, registry::Health::Well);
}

TEST_F(ConditionTest, ARetryOfARefusedUpdateTriesItsReleaseAgain) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  control_.cloud.refuse_release("bbbb11112222");
  const Operation failed = update("insight-2");
  const auto again = [&] {
    auto ended = control_.ended(control_.world.run(control_.engine->retry(failed.id)));
    control_.finish_all();
    return ended.value_or(Operation());
  };
  EXPECT_EQ(again().state, operation::State::Failed);
  EXPECT_EQ(control_.get("acme")->desired_release, "aaaa11112222");
  EXPECT_THAT(control_.world.run(control_.lifecycle->find_drift())->items, IsEmpty());
  control_.cloud.accept_release("bbbb11112222");
  EXPECT_EQ(again().state, operation::State::Succeeded);
  EXPECT_EQ(control_.get("acme")->actual_release, "bbbb11112222");
  EXPECT_FALSE(condition().failed.has_value());
}

TEST_F(ConditionTest, ARetryDoesNotMoveATenantThatIsPinnedMeanwhile) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  control_.cloud.refuse_release("bbbb11112222");
  const Operation failed = update("insight-2");
  ASSERT_TRUE(control_.world.run(control_.lifecycle->pin(kAcme, {}, kCaller)).has_value());
  control_.cloud.accept_release("bbbb11112222");
  const auto again = control_.ended(control_.world.run(control_.engine->retry(failed.id)));
  EXPECT_EQ(again->state, operation::State::Failed);
  EXPECT_THAT(again->error->message, HasSubstr("is pinned"));
  EXPECT_EQ(control_.get("acme")->desired_release, "aaaa11112222");
}

TEST_F(ConditionTest, AFailedCheckNamesTheReleaseThatServedBefore) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  control_.finish_all();
  control_.prober.break_release("bbbb11112222");
  EXPECT_EQ(update("insight-2").state, operation::State::Succeeded);
  ASSERT_TRUE(condition().failed.has_value());
  EXPECT_THAT(condition().failed->error->advice,
              HasSubstr("Go back: granary tenant update acme --release insight-1"));
}

TEST_F(ConditionTest, WhatATenantGotWhileItWasSuspendedHasNotServed) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  control_.finish_all();
  ASSERT_TRUE(control_.done(control_.lifecycle->suspend(kAcme, kCaller)).has_value());
  update("insight-2");
  update("insight-1");
  control_.prober.break_release("aaaa11112222");
  ASSERT_TRUE(control_.done(control_.lifecycle->resume(kAcme, kCaller)).has_value());
  control_.finish_all();
  ASSERT_TRUE(condition().failed.has_value());
  EXPECT_THAT(condition().failed->error->advice, Not(HasSubstr("Go back")));
}

TEST_F(ConditionTest, ACheckIsNotExplainedByWhatFailedBeforeItsDeployment) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  control_.finish_all();
  control_.prober.break_release("bbbb11112222");
  const std::string earlier = base::to_rfc3339(control_.clock->wall()) + " the old fault";
  control_.world.advance(5s);
  for (const auto& [told, explains] : std::map<std::string, bool>{
           {earlier, false},
           {base::to_rfc3339(control_.clock->wall() + 1h) + " the new fault", true},
           {base::to_rfc3339(control_.clock->wall() + 1h) +
                " the new fault. It has served again since",
            false}}) {
    control_.cloud.tell_failure("bbbb11112222", told);
    update("insight-2");
    ASSERT_TRUE(condition().failed.has_value());
    EXPECT_EQ(condition().failed->error->message.contains("fault"), explains) << told;
  }
}

TEST_F(ConditionTest, AResumedTenantIsCheckedAndSaidToBeUnhealthyWhereItDoesNotServe) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  control_.finish_all();
  ASSERT_TRUE(control_.done(control_.lifecycle->suspend(kAcme, kCaller)).has_value());
  control_.prober.break_release("aaaa11112222");
  const auto resumed = control_.done(control_.lifecycle->resume(kAcme, kCaller));
  EXPECT_TRUE(resumed->follow_up.has_value());
  control_.finish_all();
  EXPECT_EQ(control_.get("acme")->health, registry::Health::Failing);
  EXPECT_EQ(condition().failed->kind, "deployment.check");
}

TEST_F(ConditionTest, TheAuditLogNamesReleases) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  update("insight-2");
  const auto entries = control_.read<std::vector<registry::AuditEntry>>(
      [](store::Transaction& tx) { return registry::list_audit(tx, {.limit = 100}); });
  const auto updated = std::ranges::find(entries, "tenant.update", &registry::AuditEntry::action);
  ASSERT_NE(updated, entries.end());
  EXPECT_EQ(updated->before.at("release").as_string(), "insight-1");
  EXPECT_EQ(updated->after.at("release").as_string(), "insight-2");
}

// ---- secrets

TEST_F(ConditionTest, ASecretThatIsNotSetIsWarnedOfByTheDeploymentAndTold) {
  const auto created = control_.ended(control_.create("acme"));
  ASSERT_TRUE(created.has_value());
  EXPECT_EQ(created->state, operation::State::Succeeded);
  const auto* warnings = base::json::find_array(created->scratch, "warnings");
  ASSERT_NE(warnings, nullptr);
  EXPECT_THAT(std::string(warnings->at(0).as_string()), HasSubstr("STRIPE_KEY"));
  const auto history = control_.world.run(control_.engine->history(created->id));
  EXPECT_THAT(history->at(1).detail, HasSubstr("secrets that are not set: STRIPE_KEY"));
  EXPECT_THAT(condition().secrets_not_set, ElementsAre("STRIPE_KEY"));
  EXPECT_EQ(set_secret("").message, "");  // of all
  EXPECT_THAT(condition().secrets_not_set, IsEmpty());
  EXPECT_FALSE(update("insight-2").scratch.contains("warnings"));
}

// ---- the ways on

TEST_F(ConditionTest, ATenantThatHasFailedIsNamedWithTheCommandsThatWork) {
  fail_creation();
  const auto refused = [&](base::Task<base::Result<Operation>> request) {
    const auto answer = control_.world.run(std::move(request));
    EXPECT_FALSE(answer.has_value());
    return answer ? base::Error{} : answer.error();
  };
  const std::string update_it = "granary tenant update acme --release NEW";
  CreateTenant again;
  again.id = kAcme;
  again.release = "insight-2";
  const base::Error taken = refused(control_.lifecycle->create(again, kCaller));
  EXPECT_EQ(taken.code, Code::AlreadyExists);
  EXPECT_THAT(taken.message, HasSubstr("it has failed"));
  EXPECT_THAT(taken.advice, HasSubstr(update_it));
  for (const base::Error& error : {
           refused(control_.lifecycle->export_tenant({.id = kAcme, .keep = 1h}, kCaller)),
           refused(control_.lifecycle->suspend(kAcme, kCaller)),
           refused(control_.lifecycle->resume(kAcme, kCaller)),
       }) {
    EXPECT_EQ(error.code, Code::Conflict) << error.message;
    EXPECT_THAT(error.advice, HasSubstr(update_it)) << error.message;
  }
  EXPECT_EQ(state(), registry::State::Failed);
}

TEST_F(ConditionTest, ARestoreOverATenantThatHasFailedSaysHowToMakePlace) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  const auto exported =
      control_.done(control_.lifecycle->export_tenant({.id = kAcme, .keep = 24h}, kCaller));
  ASSERT_TRUE(exported.has_value());
  CreateTenant other;
  other.id = AccountId("other");
  other.release = "insight-2";
  control_.cloud.refuse_release("bbbb11112222");
  ASSERT_TRUE(control_.done(control_.lifecycle->create(other, kCaller)).has_value());
  const auto restore = [&](Restore::Into into) {
    return control_.done(control_.lifecycle->restore(
        {.id = other.id, .archive = exported->id.value, .into = into, .release = {}}, kCaller));
  };
  for (const auto into : {Restore::Into::NewTenant, Restore::Into::ExistingTenant}) {
    const auto refused = restore(into);
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().advice, HasSubstr("granary tenant offboard other --retain 0s"));
  }
  ASSERT_TRUE(control_.done(control_.lifecycle->offboard({other.id, 0s}, kCaller)).has_value());
  control_.finish_all();
  const auto restored = restore(Restore::Into::NewTenant);
  ASSERT_TRUE(restored.has_value());
  EXPECT_EQ(restored->state, operation::State::Succeeded);
  EXPECT_EQ(control_.get("other")->state, registry::State::Active);
}

TEST_F(ConditionTest, ResumingWhatServesSaysSo) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  const auto refused = control_.world.run(control_.lifecycle->resume(kAcme, kCaller));
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().advice, StartsWith("It serves already"));
}

// ---- what is asked for and what is done are told alike

TEST_F(ConditionTest, WithoutRetentionTheAuditLogTellsOfNoFinalExport) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  ASSERT_TRUE(control_.done(control_.lifecycle->offboard({kAcme, 0s}, kCaller)).has_value());
  const auto entries = control_.read<std::vector<registry::AuditEntry>>(
      [](store::Transaction& tx) { return registry::list_audit(tx, {.limit = 100}); });
  const auto asked = std::ranges::find(entries, "tenant.offboard", &registry::AuditEntry::action);
  ASSERT_NE(asked, entries.end());
  EXPECT_THAT(base::json::print(asked->after), HasSubstr(R"("final_export":false)"));
}

}  // namespace
}  // namespace granary::lifecycle
