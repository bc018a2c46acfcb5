#include "operation/testing/engine_test_case.h"

// What the engine does when the store fails, lies about its answer, or is full; and when callers
// retry, cancel and leave at a bad moment.
namespace granary::operation::testing {
namespace {

using store::testing::Fate;
using namespace std::chrono_literals;

Request build_of(const std::string& subject) {
  return {.kind = "build", .subject = subject, .input = {}, .actor = "test", .idempotency_key = {}};
}

TEST_F(EngineTest, KindsThatShareALimitRunNoMoreThanItsPlacesTogether) {
  script_.held.insert("plan");
  std::vector<Operation> all;
  for (int i = 0; i < 5; ++i) {
    all.push_back(submit("build", fmt::format("tenant/{}", i)));
    all.push_back(submit("demolish", fmt::format("site/{}", i)));
  }
  world_.settle();
  EXPECT_EQ(script_.running, 4);  // each kind alone might run 3
  release("plan");
  for (const Operation& one : all) EXPECT_EQ(ended(one).state, State::Succeeded);
  EXPECT_EQ(script_.most_running, 4);
}

TEST_F(EngineTest, OperationsAreListedByKindAndState) {
  script_.refused.insert("act");
  const Operation failed = ended(submit("demolish", "tenant/a"));
  script_.refused.clear();
  const Operation done = ended(submit("demolish", "tenant/b"));
  ended(submit("build", "tenant/c"));
  Engine::Filter filter;
  filter.kind = "demolish";
  EXPECT_EQ(world_.run(engine_->list(filter))->size(), 2U);
  filter.state = State::Succeeded;
  const auto found = world_.run(engine_->list(filter));
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().id, done.id);
}

TEST_F(EngineTest, ASubmissionWhoseAnswerWasLostIsStartedAllTheSame) {
  next_write(Fate::LoseAnswer);
  const auto submitted = world_.run(engine_->submit(build_of("tenant/a")));
  ASSERT_TRUE(submitted.has_value());
  EXPECT_EQ(ended(*submitted).state, State::Succeeded);
  EXPECT_EQ(world_.run(engine_->list({}))->size(), 1U);
}

TEST_F(EngineTest, ASubmissionThatIsFoundToBeRecordedOnlyLaterIsStartedThen) {
  int reads_to_fail = 1;
  faulty_->set_faults(
      {.of_write = [] { return Fate::LoseAnswer; },
       .of_read = [&] { return reads_to_fail-- > 0 ? Fate::FailBefore : Fate::Done; },
       .crashed = {}});
  EXPECT_FALSE(world_.run(engine_->submit(build_of("tenant/a"))).has_value());
  faulty_->set_faults({});
  world_.advance(1min);
  const auto all = world_.run(engine_->list({}));
  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ(all->front().state, State::Succeeded);
}

TEST_F(EngineTest, ASubmissionThatTheStoreRefusedIsNotThere) {
  next_write(Fate::FailInside);
  EXPECT_EQ(world_.run(engine_->submit(build_of("tenant/a"))).error().code, Code::NoRoom);
  world_.advance(1min);
  EXPECT_TRUE(world_.run(engine_->list({}))->empty());
}

TEST_F(EngineTest, AStepWhoseRecordLostItsAnswerIsNotRunAgain) {
  for (int write = 1; write < 5; ++write) {
    script_.ran.clear();
    next_write(Fate::LoseAnswer, write);
    const Operation done = ended(submit("build", fmt::format("tenant/{}", write)));
    EXPECT_EQ(done.state, State::Succeeded);
    EXPECT_EQ(script_.ran.size(), 3U) << "write " << write;
  }
}

TEST_F(EngineTest, OnAFullDiskItStandsStillAndGoesOnWhenThereIsRoom) {
  script_.held.insert("act");
  const Operation operation = submit("build", "tenant/a");
  world_.settle();
  faulty_->fill_disk();
  release("act");
  world_.advance(24h);
  EXPECT_EQ(world_.run(engine_->find(operation.id))->step, "act");
  faulty_->free_disk();
  EXPECT_EQ(ended(operation).state, State::Succeeded);
  EXPECT_EQ(std::ranges::count(script_.ran, "tenant/a:act"), 1);
}

TEST_F(EngineTest, AFailureSaysWhatToDoNext) {
  script_.refused.insert("act");
  const Operation failed = ended(submit("build", "tenant/a"));
  EXPECT_NE(failed.error->advice.find("granary operation retry " + failed.id.value),
            std::string::npos);
}

TEST_F(EngineTest, ARetryIsRefusedWhileALaterOperationOfItsSubjectIsUnfinished) {
  script_.refused.insert("act");
  const Operation failed = ended(submit("build", "tenant/a"));
  script_.refused.clear();
  script_.held.insert("plan");
  const Operation later = submit("demolish", "tenant/a");
  const auto refused = world_.run(engine_->retry(failed.id));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::Conflict);
  EXPECT_NE(refused.error().message.find(later.id.value), std::string::npos);
  release("plan");
  ended(later);
  ASSERT_TRUE(world_.run(engine_->retry(failed.id)).has_value());
  EXPECT_EQ(ended(failed).state, State::Succeeded);
  EXPECT_EQ(script_.most_running, 1);
}

TEST_F(EngineTest, ARetryWhoseAnswerWasLostIsStartedAllTheSame) {
  script_.refused.insert("act");
  const Operation failed = ended(submit("build", "tenant/a"));
  script_.refused.clear();
  next_write(Fate::LoseAnswer);
  EXPECT_TRUE(world_.run(engine_->retry(failed.id)).has_value());
  EXPECT_EQ(ended(failed).state, State::Succeeded);
}

TEST_F(EngineTest, CancellingOneThatWaitsItsTurnEndsItAtOnce) {
  script_.held.insert("plan");
  const Operation first = submit("build", "tenant/a");
  const Operation second = submit("build", "tenant/a");
  const auto cancelled = world_.run(engine_->cancel(second.id));
  ASSERT_TRUE(cancelled.has_value());
  EXPECT_EQ(cancelled->state, State::Cancelled);
  EXPECT_EQ(script_.running, 1);
  release("plan");
  EXPECT_EQ(ended(first).state, State::Succeeded);
  EXPECT_EQ(ended(submit("build", "tenant/a")).state, State::Succeeded);
}

TEST_F(EngineTest, WhatAKindRefusesToRecordOfAFailureDoesNotKeepItFromEnding) {
  script_.refused.insert("act");
  ended(submit("build", "tenant/a"));
  // on_failure inserts the subject's name, which is taken by now.
  EXPECT_EQ(ended(submit("build", "tenant/a")).state, State::Failed);
}

TEST_F(EngineTest, WhoWaitsForAnOperationIsToldWhenTheEngineCloses) {
  script_.held.insert("plan");
  const Operation operation = submit("build", "tenant/a");
  std::optional<Result<Operation>> outcome;
  base::asio::co_spawn(
      world_.context, engine_->wait(operation.id),
      [&](const std::exception_ptr&, Result<Operation> result) { outcome = std::move(result); });
  world_.settle();
  world_.run(engine_->close());
  world_.settle();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->error().code, Code::Cancelled);
}

TEST_F(EngineTest, WhatIsWrongWhateverTheStateIsNotToBeTriedAgain) {
  script_.refused = {"act"};
  script_.reason = {Code::InvalidArgument, "the command is none", "Correct it", {}};
  const Operation wrong = ended(submit("build", "tenant/a"));
  EXPECT_EQ(wrong.error->advice, "Correct it");
  script_.reason = {Code::Exhausted, "the quota is used up", "Raise it", {}};
  const Operation full = ended(submit("build", "tenant/b"));
  EXPECT_EQ(full.error->advice,
            "Raise it. Once its cause is gone, go on from step act with granary operation retry " +
                full.id.value);
}

}  // namespace
}  // namespace granary::operation::testing
