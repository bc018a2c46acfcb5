#include <fstream>

#include "agent/limits.h"
#include "agent/testing/agent_world.h"

// Faults of one account, its own or ours in its bookkeeping: they cost that account alone.
namespace granary::agent {
namespace {

using base::Code;
using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::ServicePhase;

class FaultsTest : public AgentWorld {
 protected:
  // A service on a port that it never listens on, with a request in flight.
  void apply_silent(const std::string& account) {
    wire::AccountSpec spec = spec_of(account);
    spec.services[0].port = 8080;
    spec.services[0].start_timeout = seconds(1);
    launcher_.never_listens();
    apply(spec);
  }
  // Another tenant is woken, serves and sleeps as ever.
  void expect_neighbour_is_served() {
    if (!specs_.contains("neighbour")) apply(spec_of("neighbour"));
    EXPECT_TRUE(activate("neighbour").has_value());
    EXPECT_EQ(report("neighbour").phase, ServicePhase::Running);
    EXPECT_TRUE(world_.run(accounts_->sleep(base::AccountId("neighbour"))).has_value());
  }
};

TEST_F(FaultsTest, OneThatMissesItsStartTimeoutTwiceBacksOff) {
  apply_silent("acme");
  request_begins("acme");
  for (int life = 0; life < 2; ++life) {
    (void)activate("acme");
    world_.advance(milliseconds(1'600));
  }
  world_.advance(milliseconds(400));
  EXPECT_GE(report("acme").crashes, 2U);
  EXPECT_NE(report("acme").last_failure.find("did not listen on port 8080 within 1 s"),
            std::string::npos)
      << report("acme").last_failure;
  expect_neighbour_is_served();
}

TEST_F(FaultsTest, SilenceNamesThePortThatItListensOnInstead) {
  apply_silent("acme");
  launcher_.listens_on({3'128, 8'000});  // the first is granary-init's own
  (void)activate("acme");
  request_begins("acme");
  world_.advance(seconds(2));
  EXPECT_NE(report("acme").last_failure.find("write `listen: 8000` in granary.yaml"),
            std::string::npos)
      << report("acme").last_failure;
}

TEST_F(FaultsTest, NobodyAcceptsOnTheInheritedSocket) {
  apply(spec_of("acme"));
  (void)activate("acme");
  request_begins("acme");
  doors_.queue(api("acme"));
  world_.advance(seconds(9));
  EXPECT_EQ(report("acme").phase, ServicePhase::Running);
  world_.advance(seconds(3));
  EXPECT_NE(report("acme").last_failure.find(
                "nobody in it accepted a connection on descriptor 3 within 10 s"),
            std::string::npos)
      << report("acme").last_failure;
}

TEST_F(FaultsTest, ABusyWorkerIsAQueueAndNoFailedStart) {
  apply(spec_of("acme"));
  (void)activate("acme");
  for (int i = 0; i < 2; ++i) {
    request_begins("acme");
    doors_.queue(api("acme"));
  }
  world_.advance(milliseconds(100));
  doors_.accept_one(api("acme"));  // it has one worker, and this request takes a minute
  world_.advance(seconds(60));
  EXPECT_EQ(launcher_.starts(api("acme")), 1);
  EXPECT_EQ(report("acme").last_failure, "");
}

TEST_F(FaultsTest, OneRequestThatTakesLongIsAccepted) {
  apply(spec_of("acme"));
  (void)activate("acme");
  request_begins("acme");  // accepted before anybody saw it in the queue
  world_.advance(milliseconds(500));
  request_begins("acme");
  for (int i = 0; i < 2; ++i) doors_.queue(api("acme"));  // one more than is in flight: given up
  world_.advance(seconds(60));
  EXPECT_EQ(launcher_.starts(api("acme")), 1);
}

TEST_F(FaultsTest, AnAppThatAnsweredOnceIsNeverBlamedForItsQueue) {
  apply(spec_of("acme"));
  (void)activate("acme");
  slot("acme").requests.fetch_add(1);
  request_begins("acme");
  doors_.queue(api("acme"));
  world_.advance(seconds(60));
  EXPECT_EQ(launcher_.starts(api("acme")), 1);
}

TEST_F(FaultsTest, ExitCodeZeroAfterItServedIsSleep) {
  apply(spec_of("acme"));
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(activate("acme").has_value()) << i;
    slot("acme").requests.fetch_add(1);
    launcher_.end(api("acme"), {.kind = SiloEnd::Kind::Exited, .value = 0});
    world_.settle();
    EXPECT_EQ(report("acme").phase, ServicePhase::Asleep);
    EXPECT_EQ(report("acme").last_failure, "");
  }
}

TEST_F(FaultsTest, ExitCodeZeroWithoutHavingServedIsAFailure) {
  apply(spec_of("acme"));
  (void)activate("acme");
  launcher_.end(api("acme"), {.kind = SiloEnd::Kind::Exited, .value = 0});
  world_.settle();
  EXPECT_EQ(report("acme").crashes, 1U);
}

TEST_F(FaultsTest, ARequestIsHeldForAsLongAsTheOldLifeTakesToEnd) {
  wire::AccountSpec spec = spec_of("acme");
  spec.services[0].start_timeout = seconds(5);
  spec.services[0].stop_timeout = seconds(20);
  apply(spec);
  (void)activate("acme");
  launcher_.ignore_stops();
  (void)begin(accounts_->sleep(base::AccountId("acme")));
  ASSERT_EQ(report("acme").phase, ServicePhase::Stopping);
  const auto waking = begin(accounts_->activate(api("acme")));
  world_.advance(seconds(19));
  EXPECT_FALSE(waking->done());
  world_.advance(seconds(5));
  ASSERT_TRUE(waking->done());
  EXPECT_TRUE(waking->value->has_value());
  EXPECT_EQ(report("acme").phase, ServicePhase::Running);
}

TEST_F(FaultsTest, ABackOffSurvivesARestartOfTheAgent) {
  apply(spec_of("acme"));
  for (int i = 0; i < 5; ++i) {
    (void)activate("acme");
    if (launcher_.runs(api("acme"))) launcher_.end(api("acme"), kCrash);
    world_.settle();
    if (report("acme").phase == ServicePhase::BackingOff && i < 4)
      world_.advance(milliseconds(report("acme").retry_in_ms + 1));
  }
  ASSERT_EQ(report("acme").phase, ServicePhase::BackingOff);
  const wire::ServiceReport before = report("acme");
  restart();
  const wire::ServiceReport after = report("acme");
  EXPECT_EQ(after.phase, ServicePhase::BackingOff);
  EXPECT_EQ(after.crashes, before.crashes);
  EXPECT_EQ(after.last_failure, before.last_failure);
  EXPECT_EQ(after.retry_in_ms, before.retry_in_ms);
  EXPECT_EQ(activate("acme").error().error.code, Code::Unavailable);
  world_.advance(milliseconds(after.retry_in_ms + 1));
  EXPECT_TRUE(activate("acme").has_value());
}

TEST_F(FaultsTest, AnotherReleaseIsNotHeldBackByTheFailuresOfTheLast) {
  apply(spec_of("acme"));
  for (int i = 0; i < 2; ++i) {
    (void)activate("acme");
    launcher_.end(api("acme"), kCrash);
    world_.settle();
  }
  ASSERT_EQ(report("acme").phase, ServicePhase::BackingOff);
  wire::AccountSpec next = spec_of("acme");
  next.release_hash = std::string(64, 'b');
  ++next.version;
  apply(next);
  restart();
  EXPECT_EQ(report("acme").phase, ServicePhase::Asleep);
  EXPECT_TRUE(activate("acme").has_value());
}

TEST_F(FaultsTest, ALifeThatEndsAsAskedForgetsEarlierFailures) {
  apply(spec_of("acme"));
  (void)activate("acme");
  launcher_.end(api("acme"), kCrash);
  world_.settle();
  EXPECT_TRUE(std::filesystem::exists(paths_.silo_failures(api("acme"))));
  (void)activate("acme");
  EXPECT_TRUE(world_.run(accounts_->sleep(base::AccountId("acme"))).has_value());
  EXPECT_FALSE(std::filesystem::exists(paths_.silo_failures(api("acme"))));
}

TEST_F(FaultsTest, ADamagedMemoryOfFailuresIsForgotten) {
  apply(spec_of("acme"));
  (void)activate("acme");
  launcher_.end(api("acme"), kCrash);
  world_.settle();
  std::filesystem::resize_file(paths_.silo_failures(api("acme")), 20);
  restart();
  EXPECT_EQ(report("acme").crashes, 0U);
  EXPECT_TRUE(activate("acme").has_value());
}

// --- faults of ours ------------------------------------------------------------------------------

TEST_F(FaultsTest, AFaultInAStartBacksOffThatServiceAlone) {
  apply(spec_of("acme"));
  launcher_.break_account("acme");
  EXPECT_FALSE(activate("acme").has_value());
  EXPECT_EQ(report("acme").phase, ServicePhase::BackingOff);
  EXPECT_NE(report("acme").last_failure.find("a fault of Granary itself"), std::string::npos);
  expect_neighbour_is_served();
  launcher_.mend_account("acme");
  world_.advance(kFaultBackOff + seconds(1));
  EXPECT_TRUE(activate("acme").has_value());
}

TEST_F(FaultsTest, AFaultInASweepEndsNotTheSweepOfOthers) {
  wire::AccountSpec spec = spec_of("acme");
  spec.services[0].port = 8080;
  spec.services[0].start_timeout = seconds(1);
  launcher_.never_listens();
  apply(spec);
  apply(spec_of("neighbour"));
  ASSERT_TRUE(activate("acme").has_value());
  ASSERT_TRUE(activate("neighbour").has_value());
  request_begins("acme");
  launcher_.break_account("acme");
  world_.advance(seconds(120));
  EXPECT_EQ(report("neighbour").phase, ServicePhase::Asleep);
  expect_neighbour_is_served();
  request_ends("acme");
}

TEST_F(FaultsTest, AFaultInAnAdoptionKeepsTheAgentFromNothingElse) {
  apply(spec_of("acme"));
  apply(spec_of("neighbour"));
  (void)activate("acme");
  (void)activate("neighbour");
  launcher_.break_account("acme");
  restart();
  EXPECT_EQ(report("neighbour").phase, ServicePhase::Running);
  expect_neighbour_is_served();
  launcher_.mend_account("acme");
}

TEST_F(FaultsTest, AnAccountWhoseStateMakesNoSenseIsDamagedAndTheOthersAreServed) {
  apply(spec_of("acme"));
  expect_neighbour_is_served();
  std::string text;
  {
    std::ifstream in(paths_.account_file(base::AccountId("acme")));
    text.assign(std::istreambuf_iterator<char>(in), {});
  }
  const std::string slot = "\"slot\":1";
  ASSERT_NE(text.find(slot), std::string::npos) << text;
  text.replace(text.find(slot), slot.size(), "\"slot\":4000000000");
  std::ofstream(paths_.account_file(base::AccountId("acme"))) << text;
  restart();
  const auto found = world_.run(accounts_->report(base::AccountId("acme")));
  ASSERT_TRUE(found.has_value());
  EXPECT_NE(found->problem, "");
  expect_neighbour_is_served();
}

}  // namespace
}  // namespace granary::agent
