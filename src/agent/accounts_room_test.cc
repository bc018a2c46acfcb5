#include "agent/accounts.h"
#include "agent/disk_problem.h"
#include "agent/limits.h"
#include "agent/testing/agent_world.h"

// Room on this machine's disk: all that run are looked at, and who suffers is told and restarted.
namespace granary::agent {
namespace {

using base::AccountId;
using std::chrono::seconds;
using wire::ServicePhase;

constexpr wire::Watermarks kMarks{.low = 100, .high = 200};

class AccountsRoomTest : public AgentWorld {
 protected:
  void SetUp() override {
    for (const char* name : {"acme", "globex"}) apply(spec_of(name));
    (void)activate("acme");
    request_begins("acme");  // so that it does not sleep
  }
  void TearDown() override { request_ends("acme"); }
  std::string problem(const std::string& account) {
    return world_.run(accounts_->report(AccountId(account)))->problem;
  }
};

TEST_F(AccountsRoomTest, AllThatRunAreLookedAtAndNoneThatSleeps) {
  world_.advance(seconds(2));
  EXPECT_EQ(volumes_.guarded(), 1U);
  (void)activate("globex");
  world_.advance(seconds(2));
  EXPECT_EQ(volumes_.guarded(), 2U);
  EXPECT_TRUE(world_.run(accounts_->sleep(AccountId("globex"))).has_value());
  world_.advance(seconds(2));
  EXPECT_EQ(volumes_.guarded(), 1U);
}

TEST_F(AccountsRoomTest, WhereItIsScarceTheLastOneThatSleepsIsLetGoOf) {
  volumes_.set_room({.state = RoomState::Full, .room = 50, .marks = kMarks});
  world_.advance(seconds(2));
  EXPECT_EQ(volumes_.guarded(), 1U);
  request_ends("acme");
  EXPECT_TRUE(world_.run(accounts_->sleep(AccountId("acme"))).has_value());
  world_.advance(seconds(2));
  EXPECT_EQ(volumes_.guarded(), 0U);
  EXPECT_TRUE(activate("acme").has_value()) << "who sleeps still wakes";
  request_begins("acme");
}

TEST_F(AccountsRoomTest, AReadOnlyFileSystemIsToldAndRestartedOnceThereIsSpace) {
  const std::uint64_t before = report("acme").wakes;
  volumes_.set_room(
      {.state = RoomState::Full, .room = 50, .marks = kMarks, .read_only = {AccountId("acme")}});
  world_.advance(seconds(2));
  EXPECT_EQ(problem("acme"), kReadOnlyDisk);
  EXPECT_EQ(problem("globex"), "");
  EXPECT_EQ(report("acme").phase, ServicePhase::Running) << "it can still read";
  volumes_.set_room({.room = 500, .marks = kMarks, .read_only = {AccountId("acme")}});
  world_.advance(kSweepLongest);
  volumes_.set_room({.room = 500, .marks = kMarks});
  world_.advance(seconds(5));
  EXPECT_EQ(problem("acme"), "");
  EXPECT_TRUE(report("acme").last_failure.contains("file system is read-only"))
      << report("acme").last_failure;
  EXPECT_TRUE(activate("acme").has_value());
  EXPECT_GT(report("acme").wakes, before);
}

TEST_F(AccountsRoomTest, OneThatCannotBeLimitedIsStopped) {
  volumes_.set_room(
      {.state = RoomState::Full, .room = 50, .marks = kMarks, .unguarded = {AccountId("acme")}});
  world_.advance(seconds(2));
  volumes_.set_room({.state = RoomState::Full, .room = 50, .marks = kMarks});
  world_.advance(seconds(2));
  EXPECT_TRUE(report("acme").last_failure.contains("cannot be limited"))
      << report("acme").last_failure;
}

}  // namespace
}  // namespace granary::agent
