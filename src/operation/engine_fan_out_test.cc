#include "operation/testing/fan_out_case.h"

// Parents and children.
namespace granary::operation::testing {
namespace {

using store::testing::Fate;
using namespace std::chrono_literals;

TEST_F(FanOutTest, EveryChildRunsOnceAndNoMoreAtOnceThanTheWindow) {
  want(20);
  const Operation done = ended(submit("fleet", "all"));
  EXPECT_EQ(done.state, State::Succeeded);
  EXPECT_EQ(worked_.size(), 20U);
  EXPECT_LE(script_.most_running, 3);
  EXPECT_EQ(done.children.succeeded, 20U);
  EXPECT_EQ(done.children.total, 20U);
  EXPECT_EQ(done.result->at("made").as_int64(), 20);
  expect_each_once(done);
  for (const Operation& child : list_children(done)) EXPECT_EQ(child.parent, done.id);
}

TEST_F(FanOutTest, AParentWithoutChildrenEndsAtOnce) {
  const Operation done = ended(submit("fleet", "all"));
  EXPECT_EQ(done.state, State::Succeeded);
  EXPECT_EQ(done.children.begun, 0U);
}

TEST_F(FanOutTest, AWaitingParentHoldsNoPlaceAndTellsHowFarItIs) {
  want(5);
  held_.insert("all");
  const Operation fleet = submit("fleet", "all");
  std::vector<std::uint64_t> heard;
  const Listening listening = engine_->on_change([&](const Operation& changed) {
    if (changed.id == fleet.id) heard.push_back(changed.children.succeeded);
  });
  world_.settle();
  EXPECT_EQ(script_.running, 3);
  EXPECT_EQ(state_of(fleet), State::Running);
  EXPECT_EQ(count_open(children_of(fleet)), 3U);
  let_go("all");
  EXPECT_EQ(ended(fleet).state, State::Succeeded);
  EXPECT_TRUE(std::ranges::is_sorted(heard));
  EXPECT_GT(std::ranges::count_if(heard, [](auto done) { return done > 0 && done < 5; }), 0);
}

TEST_F(FanOutTest, PagesOfASourceAreFetchedAsTheyAreNeeded) {
  want(30);
  page_ = 4;
  EXPECT_EQ(ended(submit("fleet", "all")).children.succeeded, 30U);
  EXPECT_LE(pages_, 9);
}

TEST_F(FanOutTest, AChildCostsTheSameWritesAmongTenAsAmongAThousand) {
  rules_.window = 32;
  const auto writes_for = [&](int number, const std::string& subject) {
    wanted_.clear();
    want(number);
    const std::uint64_t before = faulty_->writes();
    EXPECT_EQ(ended(submit("fleet", subject)).children.succeeded, wanted_.size());
    return faulty_->writes() - before;
  };
  const std::uint64_t of_ten = writes_for(10, "few");
  const std::uint64_t of_thousand = writes_for(1'000, "many");
  // Of each: its beginning with its parent's mark, its step's beginning, its end with the count.
  EXPECT_EQ((of_thousand - of_ten) / 990, 3U);
  EXPECT_LE(script_.most_running, 32);
}

TEST_F(FanOutTest, OneThatIsNotNeededIsSkippedAndCounted) {
  want(6);
  needless_ = {"site/00000", "site/00003", "site/00005"};
  const Operation done = ended(submit("fleet", "all"));
  EXPECT_EQ(done.state, State::Succeeded);
  EXPECT_EQ(done.children.succeeded, 3U);
  EXPECT_EQ(done.children.skipped, 3U);
  EXPECT_FALSE(worked_.contains("site/00003"));
}

TEST_F(FanOutTest, AParentWithAFailedChildFailsAtItsEndAndARetryRunsThatOneAgain) {
  want(6);
  failing_ = {"site/00001", "site/00004"};
  const Operation failed = ended(submit("fleet", "all"));
  EXPECT_EQ(failed.state, State::Failed);
  EXPECT_EQ(failed.children.succeeded, 4U);
  EXPECT_EQ(failed.children.failed, 2U);
  EXPECT_EQ(failed.result->at("made").as_int64(), 4);
  EXPECT_NE(failed.error->message.find("4 of 6 succeeded, 2 failed"), std::string::npos);
  EXPECT_NE(failed.error->advice.find("--parent " + failed.id.value), std::string::npos);
  failing_.clear();
  ASSERT_TRUE(world_.run(engine_->retry(failed.id)));
  const Operation done = ended(failed);
  EXPECT_EQ(done.state, State::Succeeded);
  EXPECT_EQ(done.children.succeeded, 6U);
  EXPECT_EQ(done.children.failed, 0U);
  EXPECT_EQ(worked_["site/00001"], 2);
  EXPECT_EQ(worked_["site/00000"], 1);
  expect_each_once(done);
}

TEST_F(FanOutTest, ItStopsAtTooManyFailuresAndARetryGoesOnWithTheOthers) {
  want(30);
  rules_.max_failures = 2;
  for (const std::string& subject : wanted_) failing_.insert(subject);
  const Operation stopped = ended(submit("fleet", "all"));
  EXPECT_EQ(stopped.state, State::Failed);
  EXPECT_NE(stopped.error->message.find("too many failed"), std::string::npos);
  EXPECT_GE(stopped.children.failed, 3U);
  EXPECT_LE(stopped.children.failed, 5U) << "the window's others may fail as well";
  const std::size_t begun = worked_.size();
  world_.advance(24h);
  EXPECT_EQ(worked_.size(), begun);
  failing_.clear();
  failing_.insert("site/00029");
  ASSERT_TRUE(world_.run(engine_->retry(stopped.id)));
  const Operation again = ended(stopped);
  EXPECT_EQ(again.children.succeeded, 29U);
  EXPECT_EQ(again.children.failed, 1U);
  EXPECT_EQ(again.state, State::Failed);
  expect_each_once(again);
}

TEST_F(FanOutTest, ItStopsAtAPercentageOfFailures) {
  want(20);
  rules_ = {.window = 1, .max_failures = {}, .max_failures_percent = 10};
  for (const std::string& subject : wanted_) failing_.insert(subject);
  EXPECT_EQ(ended(submit("fleet", "all")).children.failed, 3U);
}

TEST_F(FanOutTest, ThePausedOneBeginsNoMoreAndGoesOnWhenResumedAlsoAfterARestart) {
  want(10);
  held_.insert("all");
  const Operation fleet = submit("fleet", "all");
  world_.settle();
  ASSERT_TRUE(world_.run(engine_->pause(fleet.id)));
  let_go("all");
  EXPECT_EQ(worked_.size(), 3U) << "what is at work ends";
  EXPECT_EQ(children_of(fleet).succeeded, 3U);
  crash();
  world_.advance(24h);
  EXPECT_EQ(worked_.size(), 3U);
  EXPECT_EQ(state_of(fleet), State::Running);
  ASSERT_TRUE(world_.run(engine_->resume(fleet.id)));
  EXPECT_EQ(ended(fleet).state, State::Succeeded);
  EXPECT_EQ(worked_.size(), 10U);
  expect_each_once(fleet);
}

TEST_F(FanOutTest, CancellingItCancelsWhatHasNotBegunAndWaitsForTheRest) {
  want(10);
  held_ = {"site/00000"};
  // One child is behind another operation of its subject: it has not begun.
  script_.held.insert("plan");
  submit("build", "site/00001");
  const Operation fleet = submit("fleet", "all");
  world_.settle();
  std::optional<Result<Operation>> cancelled;
  base::asio::co_spawn(
      world_.context, engine_->cancel(fleet.id),
      [&](const std::exception_ptr&, Result<Operation> result) { cancelled = std::move(result); });
  world_.settle();
  EXPECT_FALSE(cancelled.has_value()) << "a child is at work";
  EXPECT_TRUE(world_.run(engine_->find(fleet.id))->cancel_asked.has_value());
  EXPECT_EQ(children_of(fleet).cancelled, 1U);
  const std::uint64_t begun = children_of(fleet).begun;
  let_go("site/00000");
  ASSERT_TRUE(cancelled.has_value());
  EXPECT_EQ((*cancelled)->state, State::Cancelled);
  EXPECT_EQ(children_of(fleet).begun, begun);
  EXPECT_FALSE(worked_.contains("site/00001"));
  expect_each_once(fleet);
  release("plan");
}

TEST_F(FanOutTest, ACancellationSurvivesARestart) {
  want(10);
  held_.insert("all");
  const Operation fleet = submit("fleet", "all");
  world_.settle();
  base::asio::co_spawn(world_.context, engine_->cancel(fleet.id),
                       [](const std::exception_ptr&, const Result<Operation>&) {});
  world_.settle();
  held_.clear();
  crash();
  EXPECT_EQ(ended(fleet).state, State::Cancelled);
  EXPECT_EQ(children_of(fleet).begun, 3U);
}

TEST_F(FanOutTest, ParentsOfParentsArePausedAndCancelledWithThem) {
  want(6);
  held_.insert("all");
  // Three of its children are at work, fleets of which each has begun three works.
  const Operation fleets = submit("fleets", "everything");
  world_.settle();
  ASSERT_TRUE(world_.run(engine_->pause(fleets.id)));
  let_go("all");
  EXPECT_FALSE(is_final(state_of(fleets)));
  world_.advance(1h);
  const auto before = worked_;
  EXPECT_EQ(before,
            (std::map<std::string, int>{{"site/00000", 3}, {"site/00001", 3}, {"site/00002", 3}}));
  base::asio::co_spawn(world_.context, engine_->cancel(fleets.id),
                       [](const std::exception_ptr&, const Result<Operation>&) {});
  world_.advance(1h);
  EXPECT_EQ(state_of(fleets), State::Cancelled);
  EXPECT_EQ(worked_, before);
  for (const Operation& wave : list_children(fleets)) EXPECT_EQ(wave.state, State::Cancelled);
}

TEST_F(FanOutTest, ASourceThatFailsForAWhileIsAskedAgain) {
  want(5);
  source_fails_ = 3;
  EXPECT_EQ(ended(submit("fleet", "all")).state, State::Succeeded);
  EXPECT_EQ(worked_.size(), 5U);
}

TEST_F(FanOutTest, AChildThatSomebodyRetriesIsCountedOnce) {
  want(3);
  failing_ = {"site/00002"};
  const Operation failed = ended(submit("fleet", "all"));
  failing_.clear();
  for (const Operation& child : list_children(failed)) {
    if (child.state == State::Failed) {
      ASSERT_TRUE(world_.run(engine_->retry(child.id)));
      ended(child);
    }
  }
  EXPECT_EQ(children_of(failed).succeeded, 3U);
  EXPECT_EQ(children_of(failed).failed, 0U);
  ASSERT_TRUE(world_.run(engine_->retry(failed.id)));
  EXPECT_EQ(ended(failed).state, State::Succeeded);
  EXPECT_EQ(worked_["site/00002"], 2);
}

// Wherever control dies or its store lies, every child is begun once and counted once.
TEST_F(FanOutTest, NoChildIsLostOrDoubledWhateverBecomesOfAnyWrite) {
  want(4);
  failing_ = {"site/00001"};
  needless_ = {"site/00002"};
  using enum Fate;
  for (const Fate fate :
       {FailBefore, FailInside, LoseAnswer, CrashBefore, CrashInside, CrashAfter}) {
    for (int write = 0; write < 14; ++write) {
      SCOPED_TRACE(fmt::format("write {} fate {}", write, static_cast<int>(fate)));
      worked_.clear();
      const std::string subject = fmt::format("all-{}-{}", write, static_cast<int>(fate));
      const Operation fleet = submit("fleet", subject);
      next_write(fate, write);
      world_.advance(1min);
      if (faulty_->dead()) crash();
      faulty_->set_faults({});
      EXPECT_EQ(ended(fleet).state, State::Failed);
      EXPECT_EQ(children_of(fleet).begun, 3U);
      EXPECT_EQ(children_of(fleet).skipped, 1U);
      expect_each_once(fleet);
      for (const auto& [site, times] : worked_)
        if (fate < CrashBefore) EXPECT_EQ(times, 1) << site;
    }
  }
}

TEST_F(FanOutTest, ARetryThatMeetsAFaultRunsEachFailedChildOnce) {
  want(4);
  using enum Fate;
  for (const Fate fate :
       {FailBefore, FailInside, LoseAnswer, CrashBefore, CrashInside, CrashAfter}) {
    for (int write = 0; write < 8; ++write) {
      SCOPED_TRACE(fmt::format("write {} fate {}", write, static_cast<int>(fate)));
      failing_ = {"site/00000", "site/00001", "site/00003"};
      const Operation fleet =
          ended(submit("fleet", fmt::format("all-{}-{}", write, static_cast<int>(fate))));
      ASSERT_EQ(fleet.children.failed, 3U);
      failing_.clear();
      worked_.clear();
      ASSERT_TRUE(world_.run(engine_->retry(fleet.id)));
      next_write(fate, write);
      world_.advance(1min);
      if (faulty_->dead()) crash();
      faulty_->set_faults({});
      EXPECT_EQ(ended(fleet).state, State::Succeeded);
      EXPECT_EQ(children_of(fleet).succeeded, 4U);
      expect_each_once(fleet);
      for (const auto& [site, times] : worked_)
        if (fate < CrashBefore) EXPECT_EQ(times, 1) << site;
    }
  }
}

}  // namespace
}  // namespace granary::operation::testing
