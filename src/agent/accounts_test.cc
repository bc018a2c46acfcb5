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

TEST_F(AccountsTest, ACommandThatCannotBeExecutedIsRefusedBeforeAnythingChanges) {
  std::vector<std::string> asked;
  options_.check_command = [&](const wire::ServiceSpec& service, const std::string& release) {
    asked.push_back(release);
    return service.command.front() == "serve"
               ? base::Result<void>()
               : base::fail(Code::InvalidArgument, "{} was not found", service.command.front());
  };
  restart();
  auto spec = spec_of("acme");
  apply(spec);
  EXPECT_EQ(asked, std::vector<std::string>{paths_.release(spec.release_hash)});
  (void)activate("acme");
  auto broken = spec;
  broken.version = 2;
  broken.release_hash = std::string(64, 'b');
  broken.services[0].command = {"nosuchprog"};
  EXPECT_EQ(world_.run(accounts_->apply(broken)).error().code, Code::InvalidArgument);
  EXPECT_TRUE(launcher_.runs(api("acme")));  // the release before goes on
  // What is at this release already is not asked again: it must be possible to suspend it.
  spec.version = 3;
  spec.traffic = wire::Traffic::Suspended;
  apply(spec);
  EXPECT_EQ(asked.size(), 2U);
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
