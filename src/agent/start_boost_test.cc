#include "agent/start_boost.h"

#include "agent/limits.h"
#include "agent/testing/agent_world.h"

namespace granary::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(StartBudgetTest, AServiceThatStartsNowAndThenHasAllOfItEachTime) {
  StartBudget budget;
  base::BootTime now = seconds(100);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(budget.left(now), nanoseconds(kBoostMost));
    budget.take(now + seconds(2), seconds(2));
    now += seconds(60);
  }
}

TEST(StartBudgetTest, ItRunsOutAndComesBackSlowly) {
  StartBudget budget;
  const base::BootTime now = seconds(100);
  budget.take(now, kBoostMost);
  EXPECT_EQ(budget.left(now), nanoseconds(0));
  EXPECT_EQ(budget.left(now + seconds(30)), nanoseconds(seconds(30)) / kBoostRegain);
  EXPECT_EQ(budget.left(now + seconds(3'600)), nanoseconds(kBoostMost));
}

TEST(StartBudgetTest, WhoeverStartsWithoutEndHasLittleMoreThanItsShare) {
  StartBudget budget;
  nanoseconds given{0};
  for (base::BootTime now = seconds(0); now < seconds(3'600); now += milliseconds(500)) {
    const nanoseconds grant = std::min<nanoseconds>(budget.left(now), milliseconds(500));
    budget.take(now + grant, grant);
    given += grant;
  }
  EXPECT_LE(given, nanoseconds(kBoostMost) + nanoseconds(seconds(3'700)) / kBoostRegain);
}

class StartBoostTest : public AgentWorld {
 protected:
  bool boosted() { return !launcher_.settled(api("acme")); }
  void start() {
    wire::AccountSpec spec = spec_of("acme");
    spec.services[0].start_timeout = seconds(60);
    apply(spec);
    ASSERT_TRUE(activate("acme").has_value());
    ASSERT_TRUE(launcher_.last_plan().boosted);
  }
};

TEST_F(StartBoostTest, AStartHasMoreThanItsShareUntilItHasAnswered) {
  start();
  request_begins("acme");
  doors_.queue(api("acme"));
  world_.advance(seconds(2));
  EXPECT_TRUE(boosted());
  doors_.accept_all(api("acme"));
  world_.advance(milliseconds(300));
  EXPECT_TRUE(boosted());
  request_ends("acme");
  world_.advance(kBoostPollLongest * 2);
  EXPECT_FALSE(boosted());
}

TEST_F(StartBoostTest, AnAppThatAnswersForLongHasItsShareSoonAfterItTookTheRequest) {
  start();
  request_begins("acme");
  doors_.queue(api("acme"));
  world_.advance(seconds(1));
  doors_.accept_all(api("acme"));
  world_.advance(kBoostTail + kBoostPollLongest * 2);
  EXPECT_FALSE(boosted());
}

TEST_F(StartBoostTest, AnAppThatNeverServesHasItForABoundedTime) {
  start();
  request_begins("acme");
  doors_.queue(api("acme"));
  world_.advance(kBoostMost + kBoostPollLongest);
  EXPECT_FALSE(boosted());
}

TEST_F(StartBoostTest, AnAppThatListensOnAPortServesWhenItListens) {
  wire::AccountSpec spec = spec_of("acme");
  spec.services[0].port = 8080;
  apply(spec);
  launcher_.never_listens();
  ASSERT_TRUE(activate("acme").has_value());
  request_begins("acme");
  world_.advance(seconds(1));
  EXPECT_TRUE(boosted());
}

TEST_F(StartBoostTest, WithoutABudgetAStartHasItsShareAlone) {
  start();
  request_begins("acme");
  doors_.queue(api("acme"));
  world_.advance(kBoostMost + kBoostPollLongest);
  launcher_.end(api("acme"), {.kind = SiloEnd::Kind::Exited, .value = 1});
  world_.settle();
  ASSERT_EQ(launcher_.starts(api("acme")), 2);  // somebody waits
  EXPECT_FALSE(launcher_.last_plan().boosted);
}

TEST_F(StartBoostTest, WhatAnEarlierAgentGaveIsTakenBack) {
  start();
  EXPECT_TRUE(boosted());
  restart();
  EXPECT_FALSE(boosted());
}

}  // namespace
}  // namespace granary::agent
