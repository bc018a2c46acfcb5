#include "app/wiring/platform_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "app/limits.h"
#include "base/testing/temporary_folder.h"
#include "base/testing/world.h"

namespace granary::app {
namespace {

using namespace std::chrono_literals;
using base::Code;
using base::Result;
using base::Task;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A role that answers, refuses, or says nothing until its caller's deadline.
class FakeRole final {
 public:
  explicit FakeRole(base::testing::World& world) : world_(world) {}
  enum class Way { Answers, Refuses, Silent } way = Way::Answers;
  int asked = 0;

  WatchedRole watched(const std::string& name) {
    return {.name = name, .effect = "nothing works", .ask = [this](std::chrono::nanoseconds time) {
              return answer(time);
            }};
  }

 private:
  Task<Result<void>> answer(std::chrono::nanoseconds deadline) {
    ++asked;
    if (way == Way::Answers) co_return Result<void>();
    if (way == Way::Refuses) co_return base::fail(Code::Unavailable, "nobody listens");
    CO_TRY(co_await world_.timer.sleep(deadline));
    co_return base::fail(Code::Deadline, "no answer");
  }
  base::testing::World& world_;
};

class PlatformWatchTest : public ::testing::Test {
 protected:
  using Way = FakeRole::Way;
  // What a look finds, and how long it took.
  std::vector<std::string> look() {
    const base::BootTime began = world_.clock.boot();
    const auto state = world_.run(watch_.look());
    took_ = world_.clock.boot() - began;
    return state.not_ready;
  }

  Task<void> come_back(FakeRole& role) {
    if (co_await world_.timer.sleep(1s)) role.way = Way::Answers;
  }
  Task<std::vector<std::string>> look_while_it_returns(FakeRole& role) {
    using base::asio::experimental::awaitable_operators::operator&&;
    const api::PlatformState state = co_await (watch_.look() && come_back(role));
    co_return state.not_ready;
  }
  Task<Result<cloud::Page>> list_while_it_returns(FakeRole& role) {
    using base::asio::experimental::awaitable_operators::operator&&;
    co_return co_await (fleet_.list("", 10) && come_back(role));
  }
  // The answer to a list of all accounts, by an agent that has one, is away, or says nothing.
  Task<Result<cloud::Page>> accounts() {
    ++lists_;
    if (agent_.way == Way::Refuses) co_return base::fail(Code::Unavailable, "it went away");
    if (agent_.way == Way::Silent) CO_TRY(co_await world_.timer.sleep(3min));
    co_return cloud::Page();
  }

  base::testing::World world_;
  base::testing::TemporaryFolder folder_;
  FakeRole agent_{world_};
  FakeRole gateway_{world_};
  FakeRole egress_{world_};
  bool egress_in_use_ = true;
  std::chrono::nanoseconds took_{0};
  PlatformWatch watch_{world_.executor(),
                       {world_.worker, world_.clock, world_.timer},
                       {.agent = agent_.watched("the agent"),
                        .gateway = gateway_.watched("the gateway"),
                        .egress = {.name = "the egress role",
                                   .effect = "apps reach nothing",
                                   .ask = egress_.watched("").ask,
                                   .needed = [this] { return egress_in_use_; }}},
                       folder_.path()};
  int lists_ = 0;
  HostFleet fleet_{[this](const std::string&, std::uint32_t) { return accounts(); }, watch_};
};

TEST_F(PlatformWatchTest, RolesThatAreSilentAreAllNamedWithinOneDeadline) {
  agent_.way = gateway_.way = egress_.way = Way::Silent;
  EXPECT_THAT(look(), ElementsAre(HasSubstr("the agent does not answer: nothing works"),
                                  HasSubstr("the gateway does not answer"),
                                  HasSubstr("the egress role does not answer")));
  EXPECT_LE(took_, kAwayAfter);
}

TEST_F(PlatformWatchTest, SinceWhenARoleIsAwayIsTold) {
  EXPECT_THAT(look(), IsEmpty());
  const std::string since = base::to_rfc3339(world_.clock.wall());
  agent_.way = Way::Refuses;
  for (int i = 0; i < 3; ++i) {
    world_.advance(10s);
    EXPECT_THAT(look(), ElementsAre(HasSubstr("the agent has not answered since " + since)));
    EXPECT_LE(took_, kAwayAfter);
  }
  agent_.way = Way::Answers;
  world_.advance(kStateKept);
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(PlatformWatchTest, ARoleThatIsBackBeforeTheDeadlineWasNotAway) {
  gateway_.way = Way::Refuses;
  EXPECT_THAT(world_.run(look_while_it_returns(gateway_)), IsEmpty());
}

TEST_F(PlatformWatchTest, TheEgressRoleIsAskedOnlyWhileItIsNeeded) {
  egress_in_use_ = false;
  egress_.way = Way::Silent;
  EXPECT_THAT(look(), IsEmpty());
  EXPECT_EQ(egress_.asked, 0);
}

TEST_F(PlatformWatchTest, AListOfAccountsEndsWhenTheAgentFallsSilent) {
  EXPECT_TRUE(world_.run(fleet_.list("", 10)));
  agent_.way = Way::Silent;
  const base::BootTime began = world_.clock.boot();
  const auto listed = world_.run(fleet_.list("", 10));
  ASSERT_FALSE(listed.has_value());
  EXPECT_EQ(listed.error().code, Code::Unavailable);
  EXPECT_THAT(listed.error().message, HasSubstr("the agent has not answered since "));
  EXPECT_LE(world_.clock.boot() - began, kStateKept + kAwayAfter);
}

TEST_F(PlatformWatchTest, AListOfAccountsIsAskedForAgainOfAnAgentThatIsBack) {
  agent_.way = Way::Refuses;
  EXPECT_TRUE(world_.run(list_while_it_returns(agent_)));
  EXPECT_EQ(lists_, 2);
}

}  // namespace
}  // namespace granary::app
