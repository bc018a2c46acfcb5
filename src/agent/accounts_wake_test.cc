#include "agent/accounts.h"
#include "agent/limits.h"
#include "agent/testing/agent_world.h"

namespace granary::agent {
namespace {

using base::Code;
using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::ServicePhase;

using AccountsTest = AgentWorld;

TEST_F(AccountsTest, AppliedServiceSleepsUntilItIsActivated) {
  apply(spec_of("acme"));
  EXPECT_EQ(report("acme").phase, ServicePhase::Asleep);
  EXPECT_EQ(launcher_.running(), 0U);
  EXPECT_FALSE(doors_.is_open(api("acme")));
  const auto epoch = activate("acme");
  ASSERT_TRUE(epoch.has_value());
  EXPECT_NE(*epoch, 0U);
  EXPECT_EQ(slot("acme").epoch.load(), *epoch);
  EXPECT_EQ(report("acme").phase, ServicePhase::Running);
  EXPECT_EQ(launcher_.last_plan().uid, 200'001U);
}

TEST_F(AccountsTest, ConcurrentActivationsJoinOneStart) {
  apply(spec_of("acme"));
  launcher_.hold_starts();
  const auto first = begin(accounts_->activate(api("acme")));
  const auto second = begin(accounts_->activate(api("acme")));
  EXPECT_FALSE(first->done());
  EXPECT_EQ(slot("acme").epoch.load(), 0U);
  launcher_.release_starts();
  world_.settle();
  ASSERT_TRUE(first->done() && second->done());
  EXPECT_EQ(**first->value, **second->value);
  EXPECT_EQ(launcher_.starts(api("acme")), 1);
}

TEST_F(AccountsTest, ActivatingARunningServiceStartsNothing) {
  apply(spec_of("acme"));
  const auto first = activate("acme");
  EXPECT_EQ(*activate("acme"), *first);
  EXPECT_EQ(launcher_.starts(api("acme")), 1);
}

TEST_F(AccountsTest, EveryLifeHasAnEpochOfItsOwnEvenAfterARestart) {
  apply(spec_of("acme"));
  const auto first = *activate("acme");
  launcher_.end(api("acme"), kCrash);
  world_.settle();
  const auto second = *activate("acme");
  EXPECT_NE(first, second);
  launcher_.end(api("acme"), kCrash);
  restart();
  world_.advance(seconds(60));
  const auto third = *activate("acme");
  EXPECT_NE(third, first);
  EXPECT_NE(third, second);
}

TEST_F(AccountsTest, UnknownServicesAreNotFound) {
  apply(spec_of("acme"));
  EXPECT_EQ(activate("globex").error().error.code, Code::NotFound);
  const auto other = world_.run(accounts_->activate({base::AccountId("acme"), "web"}));
  EXPECT_EQ(other.error().error.code, Code::NotFound);
}

TEST_F(AccountsTest, AStartThatNeverEndsMeetsItsDeadline) {
  apply(spec_of("acme"));
  launcher_.hold_starts();
  const auto activation = begin(accounts_->activate(api("acme")));
  world_.advance(spec_of("acme").services[0].start_timeout);
  ASSERT_TRUE(activation->done());
  EXPECT_EQ(activation->value->error().error.code, Code::Deadline);
  launcher_.release_starts();
  world_.settle();
}

TEST_F(AccountsTest, AStormIsStartedAFewAtATime) {
  std::vector<std::shared_ptr<Pending<wire::AgentResult<std::uint32_t>>>> waiting;
  launcher_.hold_starts();
  for (int i = 0; i < 20; ++i) {
    const std::string name = "t" + std::to_string(i);
    apply(spec_of(name));
    waiting.push_back(begin(accounts_->activate(api(name))));
  }
  EXPECT_EQ(launcher_.starting(), options_.start_places);
  launcher_.release_starts();
  world_.advance(seconds(5));
  for (const auto& one : waiting) EXPECT_TRUE(one->done() && one->value->has_value());
  EXPECT_EQ(launcher_.running(), 20U);
}

TEST_F(AccountsTest, IdleServiceIsPutToSleepAndLeavesNothing) {
  apply(spec_of("acme"));
  (void)activate("acme");
  world_.advance(seconds(58));
  EXPECT_TRUE(launcher_.runs(api("acme")));
  world_.advance(seconds(4));
  EXPECT_FALSE(launcher_.runs(api("acme")));
  EXPECT_EQ(report("acme").phase, ServicePhase::Asleep);
  EXPECT_EQ(report("acme").last_failure, "");
  EXPECT_FALSE(doors_.is_open(api("acme")));
  EXPECT_EQ(slot("acme").epoch.load(), 0U);
}

TEST_F(AccountsTest, NothingTicksWhileAllIsAsleep) {
  apply(spec_of("acme"));
  world_.settle();
  EXPECT_FALSE(world_.timer.next_due().has_value());
  (void)activate("acme");
  EXPECT_TRUE(world_.timer.next_due().has_value());
  world_.advance(seconds(120));
  EXPECT_FALSE(world_.timer.next_due().has_value());
}

TEST_F(AccountsTest, ARequestInFlightKeepsItAwake) {
  apply(spec_of("acme"));
  (void)activate("acme");
  request_begins("acme");
  world_.advance(std::chrono::minutes(10));
  EXPECT_TRUE(launcher_.runs(api("acme")));
  EXPECT_NE(slot("acme").epoch.load(), 0U);
  request_ends("acme");
  world_.advance(seconds(59));
  EXPECT_TRUE(launcher_.runs(api("acme")));
  world_.advance(seconds(10));
  EXPECT_FALSE(launcher_.runs(api("acme")));
}

TEST_F(AccountsTest, WhatCameWhileItFellAsleepIsServedAtOnce) {
  apply(spec_of("acme"));
  (void)activate("acme");
  doors_.queue(api("acme"));  // it connected, and the app no longer accepts
  const auto sleeping = begin(accounts_->sleep(base::AccountId("acme")));
  ASSERT_TRUE(sleeping->done());
  EXPECT_EQ(launcher_.starts(api("acme")), 2);
  EXPECT_TRUE(doors_.is_open(api("acme")));
  EXPECT_NE(slot("acme").epoch.load(), 0U);
}

TEST_F(AccountsTest, AnActivationWhileItFallsAsleepStartsItAgain) {
  apply(spec_of("acme"));
  const auto before = *activate("acme");
  launcher_.ignore_stops();
  const auto sleeping = begin(accounts_->sleep(base::AccountId("acme")));
  EXPECT_EQ(report("acme").phase, ServicePhase::Stopping);
  const auto waking = begin(accounts_->activate(api("acme")));
  EXPECT_FALSE(waking->done());
  launcher_.end(api("acme"), {.kind = SiloEnd::Kind::Exited, .asked = true});
  world_.settle();
  ASSERT_TRUE(waking->done());
  EXPECT_NE(**waking->value, before);
  EXPECT_TRUE(launcher_.runs(api("acme")));
}

TEST_F(AccountsTest, SleepIsRefusedWhileRequestsAreInFlight) {
  apply(spec_of("acme"));
  (void)activate("acme");
  request_begins("acme");
  EXPECT_EQ(world_.run(accounts_->sleep(base::AccountId("acme"))).error().code, Code::Conflict);
  EXPECT_TRUE(launcher_.runs(api("acme")));
}

TEST_F(AccountsTest, WhatIgnoresItsStopTimeoutIsKilled) {
  apply(spec_of("acme"));
  (void)activate("acme");
  launcher_.ignore_stops();
  const auto sleeping = begin(accounts_->sleep(base::AccountId("acme")));
  world_.advance(seconds(10) + kInitGrace - milliseconds(1));
  EXPECT_EQ(launcher_.kills(), 0);
  world_.advance(milliseconds(1));
  EXPECT_EQ(launcher_.kills(), 1);
  EXPECT_TRUE(sleeping->done());
  EXPECT_EQ(report("acme").phase, ServicePhase::Asleep);
}

// By hand, or by something that cleans below run/. Nobody would reach the app any more.
TEST_F(AccountsTest, ASocketThatIsRemovedIsMadeAnewWithoutLosingWhatIsUnderWay) {
  apply(spec_of("acme"));
  const auto before = *activate("acme");
  request_begins("acme");
  doors_.lose(api("acme"));
  world_.advance(seconds(2));
  EXPECT_EQ(slot("acme").epoch.load(), 0U) << "who comes now has to wait";
  EXPECT_EQ(launcher_.starts(api("acme")), 1) << "a request is under way";
  const auto held = begin(accounts_->activate(api("acme")));
  EXPECT_FALSE(held->done());
  request_ends("acme");
  world_.advance(seconds(1));
  ASSERT_TRUE(held->done());
  EXPECT_NE(**held->value, before);
  EXPECT_TRUE(doors_.is_found(api("acme")));
  EXPECT_EQ(report("acme").last_failure, "");
}

TEST_F(AccountsTest, WhoIsSentToARemovedSocketWaitsForTheNext) {
  apply(spec_of("acme"));
  const auto before = *activate("acme");
  doors_.lose(api("acme"));
  const auto held = activate("acme");
  ASSERT_TRUE(held.has_value());
  EXPECT_NE(*held, before);
  EXPECT_EQ(launcher_.starts(api("acme")), 2);
}

TEST_F(AccountsTest, NeverSleepingServiceIsKeptUp) {
  auto spec = spec_of("acme");
  spec.services[0].idle = std::nullopt;
  apply(spec);
  world_.settle();
  EXPECT_TRUE(launcher_.runs(api("acme")));
  world_.advance(std::chrono::hours(1));
  EXPECT_TRUE(launcher_.runs(api("acme")));
  launcher_.end(api("acme"), kCrash);
  world_.settle();
  EXPECT_TRUE(launcher_.runs(api("acme")));
  world_.settle();
}

TEST_F(AccountsTest, BeyondTheMemoryBudgetTheLeastRecentlyUsedSleepFirst) {
  options_.memory_budget = 250;
  restart();
  for (const char* name : {"a1", "b1", "c1"}) {
    apply(spec_of(name));
    (void)activate(name);
    if (std::string_view(name) == "a1") request_begins(name);  // the oldest, but in use
    cgroups_.set_memory(api(name), 100);
    world_.advance(milliseconds(100));
  }
  world_.advance(seconds(6));
  EXPECT_TRUE(launcher_.runs(api("a1")));
  EXPECT_FALSE(launcher_.runs(api("b1")));
  EXPECT_TRUE(launcher_.runs(api("c1")));
  request_ends("a1");
}

TEST_F(AccountsTest, AShortIdleTimeIsKeptHoweverLongTheStartTook) {
  wire::AccountSpec spec = spec_of("acme");
  spec.services[0].idle = seconds(1);
  apply(spec);
  launcher_.hold_starts();
  const auto waiting = begin(accounts_->activate(api("acme")));
  world_.advance(milliseconds(600));  // looked at meanwhile, when it has no time to sleep at yet
  launcher_.release_starts();
  world_.settle();
  ASSERT_EQ(report("acme").phase, ServicePhase::Running);
  world_.advance(milliseconds(1'600));
  EXPECT_EQ(report("acme").phase, ServicePhase::Asleep);
}

TEST_F(AccountsTest, AnAppThatWasNotHeardOnItsPortYetSleepsWhenIdle) {
  wire::AccountSpec spec = spec_of("acme");
  spec.services[0].port = 8080;
  spec.services[0].idle = seconds(1);
  spec.services[0].start_timeout = seconds(30);
  apply(spec);
  ASSERT_TRUE(activate("acme").has_value());
  world_.advance(milliseconds(1'600));
  EXPECT_EQ(report("acme").phase, ServicePhase::Asleep);
}

}  // namespace
}  // namespace granary::agent
