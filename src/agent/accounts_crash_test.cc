#include "agent/accounts.h"
#include "agent/failure.h"
#include "agent/limits.h"
#include "agent/testing/agent_world.h"

namespace granary::agent {
namespace {

using base::Code;
using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::ServicePhase;

using AccountsTest = AgentWorld;

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

TEST_F(AccountsTest, TheLastFailureHasATimeAndSaysWhenItIsOver) {
  apply(spec_of("acme"));
  (void)activate("acme");
  launcher_.end(api("acme"), kCrash);
  world_.settle();
  const std::string failure = report("acme").last_failure;
  EXPECT_EQ(failure.find(" it ended by itself"), failure.find(' ')) << failure;
  EXPECT_TRUE(failure.starts_with("20")) << failure;
  (void)activate("acme");
  EXPECT_EQ(report("acme").last_failure, failure) << "it has not served yet";
  slot("acme").requests.fetch_add(1);
  slot("acme").errors_server.fetch_add(1);
  EXPECT_EQ(report("acme").last_failure, failure) << "an error is no service";
  slot("acme").requests.fetch_add(1);
  EXPECT_EQ(report("acme").last_failure, failure + ". It has served again since");
}

TEST_F(AccountsTest, OneThatOnlyListensOnItsPortHasNotServedAgain) {
  auto spec = spec_of("acme");
  spec.services[0].port = 8080;
  apply(spec);
  (void)activate("acme");
  launcher_.end(api("acme"), kCrash);
  world_.settle();
  const std::string failure = report("acme").last_failure;
  (void)activate("acme");
  world_.advance(seconds(1));
  EXPECT_EQ(report("acme").phase, ServicePhase::Running);
  EXPECT_EQ(report("acme").last_failure, failure);
}

// One path that crashes it, and good requests to others between.
TEST_F(AccountsTest, OneThatServesBetweenItsCrashesIsNeverAwayForLong) {
  apply(spec_of("acme"));
  for (int i = 0; i < 8; ++i) {
    const auto woken = activate("acme");
    if (!woken) {
      EXPECT_LE(woken.error().retry_after_ms, kFirstBackOff.count());
      world_.advance(kFirstBackOff);
      ASSERT_TRUE(activate("acme").has_value());
    }
    slot("acme").requests.fetch_add(kServedWell);
    launcher_.end(api("acme"), kCrash);
    world_.settle();
    EXPECT_LE(report("acme").crashes, 2U);
  }
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
  EXPECT_EQ(report("acme").last_failure, "") << "that was the other release";
  EXPECT_EQ(report("acme").crashes, 0U);
  EXPECT_TRUE(activate("acme").has_value());
}

TEST_F(AccountsTest, AnotherReleaseOfOneThatSleepsForgetsItsFailure) {
  auto spec = spec_of("acme");
  apply(spec);
  (void)activate("acme");
  launcher_.end(api("acme"), kCrash);
  world_.settle();
  ASSERT_EQ(report("acme").phase, ServicePhase::Asleep);
  ++spec.version;
  apply(spec);
  EXPECT_NE(report("acme").last_failure, "") << "the same release still fails";
  ++spec.version;
  spec.release_hash = std::string(64, 'b');
  apply(spec);
  EXPECT_EQ(report("acme").last_failure, "");
  EXPECT_EQ(report("acme").crashes, 0U);
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

TEST(DescribeSilence, OneThatListensOnAnotherAddressIsToldSo) {
  wire::ServiceSpec spec;
  spec.port = 8080;
  const std::string said = describe_silence(spec, {3128, 8080});
  EXPECT_NE(said.find("such as [::1]:8080: make it listen on 127.0.0.1"), std::string::npos)
      << said;
}

TEST_F(AccountsTest, WhyTheAppFailedARequestIsReportedUntilALifeFailsOrAnotherReleaseCame) {
  apply(spec_of("acme"));
  (void)activate("acme");
  const auto note = [&] {
    return world_.run(accounts_->note_fault(api("acme"), 0, "its answer is malformed"));
  };
  ASSERT_TRUE(note().has_value());
  EXPECT_TRUE(report("acme").last_failure.ends_with("Z its answer is malformed"));
  EXPECT_EQ(report("acme").crashes, 0U);
  launcher_.end(api("acme"), kCrash);
  world_.settle();
  EXPECT_NE(report("acme").last_failure.find("boom"), std::string::npos);
  EXPECT_EQ(
      world_.run(accounts_->note_fault({base::AccountId("nobody"), "api"}, 0, "x")).error().code,
      Code::NotFound);
}

}  // namespace
}  // namespace granary::agent
