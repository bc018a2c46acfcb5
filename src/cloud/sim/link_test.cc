#include "cloud/sim/link.h"

#include <gtest/gtest.h>

#include "base/testing/world.h"

namespace granary::cloud::sim {
namespace {

using base::AccountId;
using base::Result;
using namespace std::chrono_literals;

class LinkTest : public ::testing::Test {
 protected:
  ~LinkTest() override { world_.run(link_.close()); }

  static Desired account(std::uint64_t version, std::uint32_t ordinal = 1) {
    Desired desired;
    desired.account = AccountId("acme");
    desired.ordinal = ordinal;
    desired.version = version;
    return desired;
  }
  std::uint64_t version() const { return cloud_.accounts().at(AccountId("acme")).version; }

  base::testing::World world_;
  SimCloud cloud_{world_.timer, world_.rng, Faults{}};
  Link link_{world_.executor(), cloud_, world_.timer, world_.rng};
  LinkEnd end_{link_, {}};
};

TEST_F(LinkTest, ACallMayBeCarriedOutTwice) {
  link_.set_faults({.twice = 1});
  ASSERT_TRUE(world_.run(end_.converge(account(1))).has_value());
  EXPECT_EQ(cloud_.calls(), 2U);
  EXPECT_EQ(link_.counts().twice, 1U);
}

TEST_F(LinkTest, ALateRepetitionDoesNotUndoWhatCameAfterIt) {
  link_.set_faults({.late = 1});
  ASSERT_TRUE(world_.run(end_.converge(account(1))).has_value());
  link_.set_faults({});
  ASSERT_TRUE(world_.run(end_.converge(account(2))).has_value());
  world_.advance(2h);
  EXPECT_EQ(cloud_.calls(), 3U);
  EXPECT_EQ(version(), 2U);
}

TEST_F(LinkTest, ALateRepetitionDoesNotBringBackAnAccountThatIsGone) {
  link_.set_faults({.late = 1});
  ASSERT_TRUE(world_.run(end_.converge(account(1))).has_value());
  link_.set_faults({});
  ASSERT_TRUE(world_.run(end_.destroy(AccountId("acme"))).has_value());
  world_.advance(2h);
  EXPECT_TRUE(cloud_.accounts().empty());
}

TEST_F(LinkTest, ACallThatHangsEndsAtItsDeadlineAndMayHappenAllTheSame) {
  link_.set_faults({.hang = 1});
  int happened = 0;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    const auto before = world_.clock.boot();
    const auto answer = world_.run(end_.converge(account(i)));
    EXPECT_LE(world_.clock.boot() - before, 31s);
    if (!answer) EXPECT_EQ(answer.error().code, base::Code::Deadline);
    world_.advance(2min);
    happened += cloud_.accounts().empty() ? 0 : 1;
  }
  EXPECT_GT(happened, 0);
  EXPECT_EQ(link_.counts().hung, 20U);
}

TEST_F(LinkTest, CallsOnOneAccountAreCarriedOutInTheOrderTheyWereMade) {
  cloud_.set_faults({.shortest = 1ms, .longest = 500ms});
  for (std::uint64_t i = 1; i <= 20; ++i) {
    base::asio::co_spawn(world_.context, end_.converge(account(i)),
                         [i, this](const std::exception_ptr&, const Result<Actual>& answer) {
                           EXPECT_TRUE(answer.has_value());
                           EXPECT_EQ(version(), i);
                         });
  }
  world_.advance(1min);
  EXPECT_EQ(version(), 20U);
}

TEST_F(LinkTest, WhatADeadControlHadSentIsCarriedOutAndNothingMore) {
  std::optional<Result<Actual>> answer;
  base::asio::co_spawn(
      world_.context, end_.converge(account(1)),
      [&](const std::exception_ptr&, Result<Actual> result) { answer = std::move(result); });
  world_.settle();
  end_.cut();
  world_.advance(1s);
  EXPECT_EQ(version(), 1U);
  EXPECT_FALSE(world_.run(end_.converge(account(2))).has_value());
  EXPECT_EQ(version(), 1U);
}

}  // namespace
}  // namespace granary::cloud::sim
