#include "operation/testing/engine_test_case.h"

// A step that looks again later.
namespace granary::operation::testing {
namespace {

using namespace std::chrono_literals;

class AgainTest : public EngineTest {
 protected:
  AgainTest() { add_watch(); }
  // Looks until `ready_`, every ten minutes; its kind has one place.
  void add_watch() {
    Kind kind{.name = "watch", .steps = {}, .on_failure = {}};
    kind.concurrency = 1;
    kind.role = KindRole::Operator;
    kind.steps.push_back({"look", [this](const Operation& operation) { return look(operation); }});
    kind.steps.push_back(
        {"tell", [this](const Operation& operation) { return run(operation.subject, "tell"); }});
    engine_->add_kind(std::move(kind));
  }
  Task<Result<Outcome>> look(Operation operation) {
    ++looks_;
    if (fails_-- > 0) co_return base::fail(Code::Unavailable, "not now");
    Outcome outcome;
    outcome.scratch["looks"] =
        operation.scratch.contains("looks") ? operation.scratch.at("looks").as_int64() + 1 : 1;
    outcome.detail = fmt::format("look {}", looks_);
    if (!ready_) outcome.again_at = world_.clock.wall() + pause_;
    co_return outcome;
  }
  void crash() {
    stop();
    store_.reopen();
    start();
    add_watch();
    ASSERT_TRUE(world_.run(engine_->recover()));
  }

  int looks_ = 0;
  int fails_ = 0;
  bool ready_ = false;
  std::chrono::microseconds pause_ = 10min;
};

TEST_F(AgainTest, TheSameStepRunsAgainAtItsTimeAndKeepsItsScratch) {
  const Operation watch = submit("watch", "site/a");
  world_.settle();
  EXPECT_EQ(looks_, 1);
  EXPECT_EQ(world_.run(engine_->find(watch.id))->state, State::Waiting);
  world_.advance(9min);
  EXPECT_EQ(looks_, 1);
  world_.advance(21min + 1s);
  EXPECT_EQ(looks_, 4);
  ready_ = true;
  const Operation done = ended(watch);
  EXPECT_EQ(done.state, State::Succeeded);
  EXPECT_EQ(done.scratch.at("looks").as_int64(), 5);
  EXPECT_EQ(script_.ran, std::vector<std::string>{"site/a:tell"});
  const auto history = world_.run(engine_->history(watch.id));
  EXPECT_EQ(std::ranges::count(*history, "again", &StepRecord::outcome), 4);
  EXPECT_EQ(std::ranges::count(*history, "done", &StepRecord::outcome), 2);
}

TEST_F(AgainTest, OneThatWaitsHoldsNoPlace) {
  submit("watch", "site/a");
  submit("watch", "site/b");
  world_.settle();
  EXPECT_EQ(looks_, 2) << "the kind has one place, and both have looked";
}

TEST_F(AgainTest, ItsTimeSurvivesARestart) {
  const Operation watch = submit("watch", "site/a");
  world_.settle();
  crash();
  world_.advance(9min);
  EXPECT_EQ(looks_, 1);
  world_.advance(2min);
  EXPECT_EQ(looks_, 2);
  ready_ = true;
  EXPECT_EQ(ended(watch).scratch.at("looks").as_int64(), 3);
}

TEST_F(AgainTest, ATimeThatHasPassedDoesNotSpin) {
  pause_ = -1h;
  submit("watch", "site/a");
  world_.advance(10s);
  EXPECT_GT(looks_, 10);
  EXPECT_LE(looks_, 101);
}

TEST_F(AgainTest, FailuresBetweenLooksDoNotAddUp) {
  const Operation watch = submit("watch", "site/a");
  for (int round = 0; round < 4; ++round) {
    fails_ = 5;  // of at most eight attempts
    world_.advance(1h);
  }
  EXPECT_FALSE(is_final(world_.run(engine_->find(watch.id))->state));
  ready_ = true;
  EXPECT_EQ(ended(watch).state, State::Succeeded);
}

TEST_F(AgainTest, ItIsCancelledAtOnceWhileItWaits) {
  const Operation watch = submit("watch", "site/a");
  world_.settle();
  EXPECT_EQ(world_.run(engine_->cancel(watch.id))->state, State::Cancelled);
  world_.advance(1h);
  EXPECT_EQ(looks_, 1);
}

TEST_F(AgainTest, APausedOneLooksOnlyWhenItIsResumed) {
  const Operation watch = submit("watch", "site/a");
  world_.settle();
  const auto paused = world_.run(engine_->pause(watch.id));
  ASSERT_TRUE(paused.has_value());
  EXPECT_TRUE(paused->paused.has_value());
  world_.advance(1h);
  EXPECT_EQ(looks_, 1);
  crash();
  world_.advance(1h);
  EXPECT_EQ(looks_, 1) << "a pause survives a restart";
  EXPECT_TRUE(world_.run(engine_->find(watch.id))->paused.has_value());
  ready_ = true;
  const auto resumed = world_.run(engine_->resume(watch.id));
  EXPECT_FALSE(resumed->paused.has_value());
  EXPECT_EQ(ended(watch).state, State::Succeeded);
  EXPECT_EQ(world_.run(engine_->pause(watch.id)).error().code, Code::Conflict);
}

TEST_F(AgainTest, AStepThatRunsEndsAlthoughItIsPausedAndTheNextWaits) {
  script_.held.insert("act");
  const Operation build = submit("build", "tenant/a");
  world_.settle();
  ASSERT_TRUE(world_.run(engine_->pause(build.id)));
  release("act");
  EXPECT_EQ(world_.run(engine_->find(build.id))->step, "tell");
  EXPECT_EQ(std::ranges::count(script_.ran, "tenant/a:tell"), 0);
  ASSERT_TRUE(world_.run(engine_->resume(build.id)));
  EXPECT_EQ(ended(build).state, State::Succeeded);
}

TEST_F(AgainTest, APausedOneCanBeCancelled) {
  const Operation watch = submit("watch", "site/a");
  world_.settle();
  ASSERT_TRUE(world_.run(engine_->pause(watch.id)));
  const auto cancelled = world_.run(engine_->cancel(watch.id));
  ASSERT_TRUE(cancelled.has_value());
  EXPECT_EQ(cancelled->state, State::Cancelled);
  EXPECT_FALSE(world_.run(engine_->find(watch.id))->paused.has_value());
}

}  // namespace
}  // namespace granary::operation::testing
