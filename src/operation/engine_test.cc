#include "operation/testing/engine_test_case.h"

namespace granary::operation::testing {
namespace {

using namespace std::chrono_literals;

TEST_F(EngineTest, StepsRunInOrderAndLeaveTheirScratch) {
  const Operation done = ended(submit("build", "tenant/a"));
  EXPECT_EQ(done.state, State::Succeeded);
  const std::vector<std::string> order = {"tenant/a:plan", "tenant/a:act", "tenant/a:tell"};
  EXPECT_EQ(script_.ran, order);
  EXPECT_TRUE(done.scratch.contains("act"));
  const auto history = world_.run(engine_->history(done.id));
  ASSERT_EQ(history->size(), 3U);
  EXPECT_EQ(history->back().outcome, "done");
}

TEST_F(EngineTest, ATransientFailureIsRetriedAfterABackOff) {
  script_.failures["act"] = 2;
  const auto before = world_.clock.boot();
  const Operation done = ended(submit("build", "tenant/a"));
  EXPECT_EQ(done.state, State::Succeeded);
  EXPECT_GE(world_.clock.boot() - before, 500ms);
  EXPECT_EQ(std::ranges::count(script_.ran, "tenant/a:act"), 3);
}

TEST_F(EngineTest, WhatWaitsIsTakenUpWhenTheClockWasMoved) {
  script_.failures["act"] = 2;
  const Operation operation = submit("build", "tenant/a");
  world_.settle();
  for (int due = 2; due <= 3; ++due) {
    engine_->take_up_due();
    world_.settle();
    EXPECT_EQ(std::ranges::count(script_.ran, "tenant/a:act"), due - 1) << "it is not due yet";
    world_.clock.jump_wall(1h);
    engine_->take_up_due();
    world_.settle();
    EXPECT_EQ(std::ranges::count(script_.ran, "tenant/a:act"), due);
  }
  EXPECT_EQ(ended(operation).state, State::Succeeded);
}

TEST_F(EngineTest, RetriesHaveAnEndAndTheFailureIsRecorded) {
  script_.failures["act"] = 100;
  const Operation failed = ended(submit("build", "tenant/a"));
  EXPECT_EQ(failed.state, State::Failed);
  EXPECT_EQ(failed.step, "act");
  EXPECT_EQ(std::ranges::count(script_.ran, "tenant/a:act"), 4);
  ASSERT_TRUE(failed.error.has_value());
  EXPECT_EQ(failed.error->code, Code::Unavailable);
}

TEST_F(EngineTest, AFailedOperationGoesOnFromItsStepWhenRetried) {
  script_.refused.insert("act");
  const Operation failed = ended(submit("build", "tenant/a"));
  ASSERT_EQ(failed.state, State::Failed);
  script_.refused.clear();
  script_.ran.clear();
  ASSERT_TRUE(world_.run(engine_->retry(failed.id)));
  EXPECT_EQ(ended(failed).state, State::Succeeded);
  EXPECT_EQ(script_.ran.front(), "tenant/a:act");
}

TEST_F(EngineTest, OperationsOfOneSubjectRunOneAfterAnotherInOrder) {
  script_.held.insert("act");
  const Operation first = submit("build", "tenant/a");
  const Operation second = submit("demolish", "tenant/a");
  world_.settle();
  EXPECT_EQ(script_.ran.size(), 2U);  // plan and act of the first
  release("act");
  EXPECT_EQ(ended(first).state, State::Succeeded);
  EXPECT_EQ(ended(second).state, State::Succeeded);
  EXPECT_EQ(script_.most_running, 1);
}

TEST_F(EngineTest, OrderOfSubmissionHoldsWithinAMillisecondAndWhenTheClockIsSetBack) {
  std::vector<Operation> all;
  for (int i = 0; i < 20; ++i) {
    if (i % 5 == 4) world_.clock.jump_wall(-1h);
    all.push_back(submit("build", "tenant/a"));
  }
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_LT(all[i - 1].id, all[i].id);
}

TEST_F(EngineTest, NoMoreOfAKindRunAtOnceThanItsConcurrency) {
  script_.held.insert("plan");
  std::vector<Operation> all;
  for (int i = 0; i < 9; ++i) all.push_back(submit("build", fmt::format("tenant/{}", i)));
  world_.settle();
  EXPECT_EQ(script_.running, 3);
  release("plan");
  for (const Operation& one : all) EXPECT_EQ(ended(one).state, State::Succeeded);
  EXPECT_EQ(script_.most_running, 3);
}

TEST_F(EngineTest, TheSameIdempotencyKeyGivesTheFirstOperation) {
  const Operation first = submit("build", "tenant/a", "k");
  const Operation again = submit("build", "tenant/a", "k");
  EXPECT_EQ(first.id, again.id);
  ended(first);
  EXPECT_EQ(submit("build", "tenant/a", "k").id, first.id);
  Request other{.kind = "demolish",
                .subject = "tenant/a",
                .input = {},
                .actor = "test",
                .idempotency_key = "k"};
  EXPECT_EQ(world_.run(engine_->submit(std::move(other))).error().code, Code::Conflict);
}

TEST_F(EngineTest, WhatWasRecordedUnderAKeyIsFoundByIt) {
  const Operation first = submit("build", "tenant/a", "k");
  EXPECT_EQ(world_.run(engine_->find_by_key("k")).value()->id, first.id);
  EXPECT_FALSE(world_.run(engine_->find_by_key("other")).value().has_value());
  EXPECT_FALSE(world_.run(engine_->find_by_key("")).value().has_value());
}

TEST_F(EngineTest, ARefusalByTheSubmittersWorkRecordsNothing) {
  Request request{
      .kind = "build", .subject = "tenant/a", .input = {}, .actor = "test", .idempotency_key = {}};
  const auto refused =
      world_.run(engine_->submit(std::move(request), [](store::Transaction&) -> Result<void> {
        return base::fail(Code::Conflict, "no");
      }));
  EXPECT_EQ(refused.error().code, Code::Conflict);
  EXPECT_TRUE(world_.run(engine_->list({}))->empty());
}

TEST_F(EngineTest, AnOperationInterruptedInAStepRunsThatStepAgainAfterARestart) {
  script_.held.insert("act");
  const Operation operation = submit("build", "tenant/a");
  world_.settle();
  crash_and_recover();
  EXPECT_EQ(ended(operation).state, State::Succeeded);
  const std::vector<std::string> order = {"tenant/a:plan", "tenant/a:act", "tenant/a:act",
                                          "tenant/a:tell"};
  EXPECT_EQ(script_.ran, order);
}

TEST_F(EngineTest, AFinishedOperationNeverRunsAgainAfterARestart) {
  ended(submit("build", "tenant/a"));
  script_.ran.clear();
  crash_and_recover();
  world_.advance(1h);
  EXPECT_TRUE(script_.ran.empty());
}

TEST_F(EngineTest, AWaitingRetrySurvivesARestart) {
  script_.failures["act"] = 1;
  const Operation operation = submit("build", "tenant/a");
  world_.settle();
  EXPECT_EQ(world_.run(engine_->find(operation.id))->state, State::Waiting);
  crash_and_recover();
  EXPECT_EQ(ended(operation).state, State::Succeeded);
}

TEST_F(EngineTest, CancellingEndsItBeforeItsNextStep) {
  script_.held.insert("act");
  const Operation operation = submit("build", "tenant/a");
  world_.settle();
  std::optional<Result<Operation>> cancelled;
  base::asio::co_spawn(
      world_.context, engine_->cancel(operation.id),
      [&](const std::exception_ptr&, Result<Operation> result) { cancelled = std::move(result); });
  world_.settle();
  EXPECT_FALSE(cancelled.has_value());
  release("act");
  ASSERT_TRUE(cancelled.has_value());
  EXPECT_EQ((*cancelled)->state, State::Cancelled);
  EXPECT_EQ(std::ranges::count(script_.ran, "tenant/a:tell"), 0);
  EXPECT_EQ(world_.run(engine_->cancel(operation.id)).error().code, Code::Conflict);
}

}  // namespace
}  // namespace granary::operation::testing
