#include "agent/accounts.h"

#include "agent/limits.h"
#include "agent/testing/agent_world.h"

namespace granary::agent {
namespace {

using base::Code;
using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::ServicePhase;

const SiloEnd kCrash{.kind = SiloEnd::Kind::Exited, .value = 1, .detail = "boom"};

using AccountsTest = AgentWorld;

// --- waking
// ---------------------------------------------------------------------------------------

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

// --- sleeping
// -------------------------------------------------------------------------------------

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

// --- the warm set
// ---------------------------------------------------------------------------------

TEST_F(AccountsTest, BeyondTheMemoryBudgetTheLeastRecentlyUsedSleepFirst) {
  options_.memory_budget = 250;
  restart();
  for (const char* name : {"a1", "b1", "c1"}) {
    apply(spec_of(name));
    (void)activate(name);
    cgroups_.set_memory(api(name), 100);
    world_.advance(milliseconds(100));
  }
  request_begins("a1");  // the oldest, but in use
  world_.advance(seconds(6));
  EXPECT_TRUE(launcher_.runs(api("a1")));
  EXPECT_FALSE(launcher_.runs(api("b1")));
  EXPECT_TRUE(launcher_.runs(api("c1")));
  request_ends("a1");
}

// --- crashes
// --------------------------------------------------------------------------------------

TEST_F(AccountsTest, AFirstCrashRestartsAtOnceForThoseWhoWait) {
  apply(spec_of("acme"));
  (void)activate("acme");
  doors_.queue(api("acme"));
  launcher_.end(api("acme"), kCrash);
  world_.settle();
  EXPECT_EQ(launcher_.starts(api("acme")), 2);
  EXPECT_EQ(report("acme").crashes, 1U);
  EXPECT_NE(report("acme").last_failure.find("boom"), std::string::npos);
}

TEST_F(AccountsTest, AFirstCrashWithoutAnybodyWaitingStartsNothing) {
  apply(spec_of("acme"));
  (void)activate("acme");
  launcher_.end(api("acme"), kCrash);
  world_.settle();
  EXPECT_EQ(report("acme").phase, ServicePhase::Asleep);
  EXPECT_FALSE(doors_.is_open(api("acme")));
  EXPECT_TRUE(activate("acme").has_value());
}

TEST_F(AccountsTest, CrashingOverAndOverBacksOffLongerAndLonger) {
  apply(spec_of("acme"));
  std::int64_t last = 0;
  (void)activate("acme");
  launcher_.end(api("acme"), kCrash);
  world_.settle();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(activate("acme").has_value());
    launcher_.end(api("acme"), kCrash);
    world_.settle();
    EXPECT_EQ(report("acme").phase, ServicePhase::BackingOff);
    EXPECT_FALSE(doors_.is_open(api("acme")));
    const auto refused = activate("acme");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().error.code, Code::Unavailable);
    EXPECT_GT(refused.error().retry_after_ms, last);
    last = refused.error().retry_after_ms;
    world_.advance(milliseconds(last + 1));
  }
  EXPECT_LE(last, kLongestBackOff.count());
}

TEST_F(AccountsTest, ABackOffEndsWithoutStartingAnything) {
  apply(spec_of("acme"));
  for (int i = 0; i < 2; ++i) {
    (void)activate("acme");
    launcher_.end(api("acme"), kCrash);
    world_.settle();
  }
  EXPECT_EQ(report("acme").phase, ServicePhase::BackingOff);
  world_.advance(seconds(10));
  EXPECT_EQ(report("acme").phase, ServicePhase::Asleep);
  EXPECT_EQ(launcher_.starts(api("acme")), 2);
  EXPECT_FALSE(world_.timer.next_due().has_value());
}

TEST_F(AccountsTest, ACrashAfterALongLifeCountsAsTheFirst) {
  auto spec = spec_of("acme");
  spec.services[0].idle = std::chrono::hours(1);
  apply(spec);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(activate("acme").has_value());
    world_.advance(kRanWell);
    launcher_.end(api("acme"), kCrash);
    world_.settle();
    EXPECT_EQ(report("acme").crashes, 1U);
    EXPECT_EQ(report("acme").phase, ServicePhase::Asleep);
  }
}

TEST_F(AccountsTest, AStartThatFailsIsACrashWithItsReason) {
  apply(spec_of("acme"));
  launcher_.fail_starts(base::Error{Code::Internal, "the sandbox failed: no", {}, {}});
  const auto refused = activate("acme");  // two tries: the second is the caller's retry
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().error.code, Code::Unavailable);
  EXPECT_EQ(launcher_.starts(api("acme")), 2);
  EXPECT_NE(report("acme").last_failure.find("the sandbox failed"), std::string::npos);
  launcher_.fail_starts(std::nullopt);
  world_.advance(seconds(2));
  EXPECT_TRUE(activate("acme").has_value());
}

TEST_F(AccountsTest, AnotherReleaseIsAnotherChance) {
  auto spec = spec_of("acme");
  apply(spec);
  for (int i = 0; i < 2; ++i) {
    (void)activate("acme");
    launcher_.end(api("acme"), kCrash);
    world_.settle();
  }
  ASSERT_FALSE(activate("acme").has_value());
  spec.version = 2;
  spec.release_hash = std::string(64, 'b');
  apply(spec);
  EXPECT_TRUE(activate("acme").has_value());
}

TEST_F(AccountsTest, AnAppThatNeverListensOnItsPortIsStoppedWithTheReason) {
  auto spec = spec_of("acme");
  spec.services[0].port = 8080;
  apply(spec);
  launcher_.never_listens();
  (void)activate("acme");
  request_begins("acme");
  world_.advance(seconds(16));
  EXPECT_NE(report("acme").last_failure.find("did not listen on port 8080"), std::string::npos);
  request_ends("acme");
}

// --- desired state
// --------------------------------------------------------------------------------

TEST_F(AccountsTest, AnotherReleaseReplacesWhatRunsGracefully) {
  auto spec = spec_of("acme");
  apply(spec);
  (void)activate("acme");
  spec.version = 2;
  spec.release_hash = std::string(64, 'b');
  apply(spec);
  EXPECT_FALSE(launcher_.runs(api("acme")));
  EXPECT_EQ(launcher_.kills(), 0);
  EXPECT_TRUE(activate("acme").has_value());
  EXPECT_EQ(launcher_.last_plan().release_hash, spec.release_hash);
}

TEST_F(AccountsTest, WhatOnlyOthersLookAtRestartsNothing) {
  auto spec = spec_of("acme");
  apply(spec);
  (void)activate("acme");
  spec.version = 2;
  spec.services[0].routes = {"/new/"};
  spec.services[0].idle = seconds(10);
  apply(spec);
  EXPECT_TRUE(launcher_.runs(api("acme")));
  world_.advance(seconds(16));
  EXPECT_FALSE(launcher_.runs(api("acme")));  // the new idle time holds
}

TEST_F(AccountsTest, SuspendedAccountIsStoppedAndRefused) {
  auto spec = spec_of("acme");
  apply(spec);
  (void)activate("acme");
  spec.version = 2;
  spec.traffic = wire::Traffic::Suspended;
  apply(spec);
  EXPECT_FALSE(launcher_.runs(api("acme")));
  EXPECT_EQ(activate("acme").error().error.code, Code::Refused);
  restart();
  EXPECT_EQ(activate("acme").error().error.code, Code::Refused);
  spec.version = 3;
  spec.traffic = wire::Traffic::Allowed;
  apply(spec);
  EXPECT_TRUE(activate("acme").has_value());
}

TEST_F(AccountsTest, AServiceThatIsGoneFromTheSpecIsStopped) {
  auto spec = spec_of("acme");
  apply(spec);
  (void)activate("acme");
  spec.version = 2;
  spec.services.clear();
  apply(spec);
  EXPECT_EQ(launcher_.running(), 0U);
  EXPECT_EQ(activate("acme").error().error.code, Code::NotFound);
}

TEST_F(AccountsTest, OlderOrDifferentSpecsOfAVersionAreRefusedTheSameIsNot) {
  auto spec = spec_of("acme");
  spec.version = 5;
  apply(spec);
  EXPECT_TRUE(world_.run(accounts_->apply(spec)).has_value());
  auto other = spec;
  other.config_json = "{\"x\":1}";
  EXPECT_EQ(world_.run(accounts_->apply(other)).error().code, Code::Conflict);
  other.version = 4;
  EXPECT_EQ(world_.run(accounts_->apply(other)).error().code, Code::Conflict);
}

TEST_F(AccountsTest, TwoAccountsNeverShareAnOrdinal) {
  apply(spec_of("acme"));
  auto other = spec_of("globex");
  other.ordinal = 1;
  EXPECT_EQ(world_.run(accounts_->apply(other)).error().code, Code::Conflict);
}

TEST_F(AccountsTest, AReleaseThatIsNotHereIsRefusedAndNothingIsWritten) {
  auto spec = spec_of("acme");
  spec.release_hash = std::string(64, 'c');
  EXPECT_EQ(world_.run(accounts_->apply(spec)).error().code, Code::NotFound);
  EXPECT_FALSE(std::filesystem::exists(paths_.account(spec.account)));
}

TEST_F(AccountsTest, AFailedDiskCanBeAppliedAgain) {
  volumes_.fail_with(base::Error{Code::Exhausted, "no space", {}, {}});
  auto spec = spec_of("acme");
  EXPECT_EQ(world_.run(accounts_->apply(spec)).error().code, Code::Exhausted);
  volumes_.fail_with(std::nullopt);
  apply(spec);
  EXPECT_EQ(volumes_.size("acme"), spec.disk_bytes);
  EXPECT_TRUE(activate("acme").has_value());
}

TEST_F(AccountsTest, RemovedAccountIsStoppedAndItsFolderGone) {
  apply(spec_of("acme"));
  (void)activate("acme");
  EXPECT_TRUE(world_.run(accounts_->remove(base::AccountId("acme"))).has_value());
  world_.settle();
  EXPECT_EQ(launcher_.running(), 0U);
  EXPECT_FALSE(std::filesystem::exists(paths_.account(base::AccountId("acme"))));
  EXPECT_TRUE(std::filesystem::is_empty(paths_.graveyard()));
  EXPECT_EQ(activate("acme").error().error.code, Code::NotFound);
  EXPECT_TRUE(world_.run(accounts_->remove(base::AccountId("acme"))).has_value());
}

TEST_F(AccountsTest, AReleaseInUseIsNotForgotten) {
  apply(spec_of("acme"));
  const std::string used(64, 'a');
  const std::string unused(64, 'b');
  EXPECT_EQ(world_.run(accounts_->forget_release(used)).error().code, Code::Conflict);
  EXPECT_TRUE(world_.run(accounts_->forget_release(unused)).has_value());
  EXPECT_TRUE(std::filesystem::exists(paths_.release(used)));
  EXPECT_FALSE(std::filesystem::exists(paths_.release(unused)));
}

// --- recovering
// -----------------------------------------------------------------------------------

TEST_F(AccountsTest, ARestartedAgentAdoptsWhatRuns) {
  apply(spec_of("acme"));
  const auto epoch = *activate("acme");
  restart();
  EXPECT_TRUE(launcher_.runs(api("acme")));
  EXPECT_EQ(slot("acme").epoch.load(), epoch);
  EXPECT_EQ(*activate("acme"), epoch);
  EXPECT_EQ(launcher_.starts(api("acme")), 1);
  world_.advance(seconds(70));
  EXPECT_FALSE(launcher_.runs(api("acme")));
}

TEST_F(AccountsTest, WhatEndedWhileNoAgentLookedIsClearedAway) {
  apply(spec_of("acme"));
  (void)activate("acme");
  world_.run(accounts_->close(Accounts::Silos::LeaveRunning));
  launcher_.end(api("acme"), kCrash);
  doors_.close(api("acme"), {});
  restart();
  EXPECT_EQ(report("acme").phase, ServicePhase::Asleep);
  EXPECT_EQ(slot("acme").epoch.load(), 0U);
  EXPECT_TRUE(world_.run(launcher_.leftovers()).empty());
  EXPECT_TRUE(activate("acme").has_value());
}

TEST_F(AccountsTest, ADamagedAccountFileHurtsNobodyElse) {
  apply(spec_of("acme"));
  apply(spec_of("globex"));
  std::filesystem::resize_file(paths_.account_file(base::AccountId("acme")), 10);
  restart();
  EXPECT_EQ(activate("acme").error().error.code, Code::NotFound);
  EXPECT_TRUE(activate("globex").has_value());
}

TEST_F(AccountsTest, ClosingLeavesSilosOrStopsThemAsAsked) {
  apply(spec_of("acme"));
  (void)activate("acme");
  world_.run(accounts_->close(Accounts::Silos::LeaveRunning));
  EXPECT_TRUE(launcher_.runs(api("acme")));
  restart();
  world_.run(accounts_->close(Accounts::Silos::Stop));
  EXPECT_FALSE(launcher_.runs(api("acme")));
}

TEST_F(AccountsTest, ListingPagesInTheOrderOfNames) {
  for (const char* name : {"c1", "a1", "b1"}) apply(spec_of(name));
  const auto first = *world_.run(accounts_->list("", 2));
  ASSERT_EQ(first.accounts.size(), 2U);
  EXPECT_EQ(first.accounts[0].account.value, "a1");
  EXPECT_EQ(first.next, "b1");
  const auto second = *world_.run(accounts_->list(first.next, 2));
  ASSERT_EQ(second.accounts.size(), 1U);
  EXPECT_EQ(second.accounts[0].account.value, "c1");
  EXPECT_EQ(second.accounts[0].disk_quota_bytes, 64ULL << 20);
  EXPECT_EQ(second.next, "");
}

}  // namespace
}  // namespace granary::agent
