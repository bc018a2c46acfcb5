#include <gtest/gtest.h>

#include "operation/engine.h"
#include "store/testing/store_process.h"

// Two controls on one store file: one acts, and the other takes over when that one is gone.
namespace granary::operation {
namespace {

using base::Code;
using base::Result;
using base::Task;
using store::testing::pass;
using namespace std::chrono_literals;

// A control with one kind of three steps, of which the second may be made to take long.
class ControlProcess final : public store::testing::StoreProcess {
 public:
  ControlProcess(const std::string& path, const std::string& name, std::vector<std::string>& ran)
      : StoreProcess(path, name), name_(name), ran_(ran) {
    engine =
        std::make_unique<Engine>(world.executor(), *leased, world.clock, world.timer, world.rng);
    released = std::make_unique<base::Event>(world.executor());
    Kind kind{.name = "build", .steps = {}, .on_failure = {}};
    kind.role = KindRole::Operator;
    for (const char* step : {"plan", "act", "tell"})
      kind.steps.push_back({step, [this, step](const Operation&) { return run(step); }});
    engine->add_kind(std::move(kind));
  }
  ~ControlProcess() override { world.run(engine->close()); }

  Task<Result<Outcome>> run(std::string step) {
    ran_.push_back(name_ + ":" + step);
    while (step == "act" && slow) {
      if (!co_await released->wait()) co_return base::fail(Code::Cancelled, "stopped");
    }
    co_return Outcome();
  }
  Result<Operation> submit(const std::string& subject) {
    return world.run(engine->submit({.kind = "build",
                                     .subject = subject,
                                     .input = {},
                                     .actor = "test",
                                     .idempotency_key = {}}));
  }

  std::unique_ptr<Engine> engine;
  std::unique_ptr<base::Event> released;
  bool slow = false;
  bool recovered = false;

 protected:
  Task<void> with_lease() override {
    const auto done = co_await engine->recover();
    recovered = done.has_value();
  }

 private:
  std::string name_;
  std::vector<std::string>& ran_;
};

class EngineLeaseTest : public ::testing::Test {
 protected:
  void begin(ControlProcess& control) {
    ASSERT_TRUE(control.take());
    ASSERT_TRUE(control.world.run(control.engine->recover()));
  }
  State state_of(ControlProcess& control, const Operation& operation) {
    return control.world.run(control.engine->find(operation.id)).value().state;
  }
  std::map<std::string, int> done_steps(ControlProcess& control, const Operation& operation) {
    std::map<std::string, int> done;
    for (const StepRecord& step : control.world.run(control.engine->history(operation.id)).value())
      if (step.outcome == "done") ++done[step.step];
    return done;
  }

  std::vector<std::string> ran_;
  store::testing::TemporaryStore file_;
  ControlProcess a_{file_.path(), "A", ran_};
  ControlProcess b_{file_.path(), "B", ran_};
};

TEST_F(EngineLeaseTest, OneWorksAndTheOtherRefusesAndSaysWhoHoldsTheLease) {
  begin(a_);
  b_.stand_by();
  pass(1min, {&a_, &b_});
  const auto refused = b_.submit("tenant/b");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::Conflict);
  EXPECT_NE(refused.error().message.find("A since"), std::string::npos);
  const auto operation = a_.submit("tenant/a");
  pass(1s, {&a_, &b_});
  EXPECT_EQ(state_of(b_, *operation), State::Succeeded) << "it may look";
  EXPECT_EQ(ran_, (std::vector<std::string>{"A:plan", "A:act", "A:tell"}));
}

TEST_F(EngineLeaseTest, AKilledOnesWorkIsTakenUpByTheOther) {
  begin(a_);
  a_.slow = true;
  const auto operation = a_.submit("tenant/a");
  b_.stand_by();
  pass(30s, {&a_, &b_});
  a_.kill();
  pass(1min, {&b_});
  EXPECT_TRUE(b_.recovered);
  EXPECT_EQ(state_of(b_, *operation), State::Succeeded);
  EXPECT_EQ(ran_, (std::vector<std::string>{"A:plan", "A:act", "B:act", "B:tell"}));
}

TEST_F(EngineLeaseTest, OneThatWasStoppedInAStepRecordsNothingAndBeginsNothingAfterwards) {
  begin(a_);
  a_.slow = true;
  const auto operation = a_.submit("tenant/a");
  const auto waiting = a_.submit("tenant/w");
  b_.stand_by();
  pass(30s, {&a_, &b_});
  a_.stopped = true;
  pass(1min, {&a_, &b_});
  ASSERT_EQ(state_of(b_, *operation), State::Succeeded);
  ASSERT_EQ(state_of(b_, *waiting), State::Succeeded);
  const auto before = ran_;
  // It wakes in the middle of its step, which ends now.
  a_.stopped = false;
  a_.slow = false;
  a_.released->notify_all();
  pass(10min, {&a_, &b_});
  EXPECT_EQ(ran_, before) << "no step begins in it";
  EXPECT_TRUE(a_.leased->is_lost());
  EXPECT_EQ(done_steps(b_, *operation),
            (std::map<std::string, int>{{"plan", 1}, {"act", 1}, {"tell", 1}}));
  EXPECT_EQ(state_of(b_, *operation), State::Succeeded) << "its late record changes nothing";
  EXPECT_EQ(a_.submit("tenant/x").error().code, Code::Conflict);
  EXPECT_TRUE(b_.submit("tenant/x").has_value());
}

TEST_F(EngineLeaseTest, AClockThatLeapsInOneOfThemChangesNothing) {
  begin(a_);
  b_.stand_by();
  for (const auto leap : {std::chrono::hours(24 * 365), std::chrono::hours(-24 * 1000)}) {
    a_.world.clock.jump_wall(leap);
    b_.world.clock.jump_wall(-leap);
    pass(2min, {&a_, &b_});
    EXPECT_TRUE(a_.submit("tenant/a").has_value());
    EXPECT_FALSE(b_.submit("tenant/b").has_value());
  }
  pass(1s, {&a_});
  for (const std::string& step : ran_) EXPECT_TRUE(step.starts_with("A:")) << step;
}

// Its writes would still be taken, since nobody else has the lease yet; but somebody may any
// moment.
TEST_F(EngineLeaseTest, WithoutItsLeaseRenewedNoStepBegins) {
  ASSERT_TRUE(a_.world.run(a_.leased->try_acquire()));
  ASSERT_TRUE(a_.world.run(a_.engine->recover()));
  a_.slow = true;
  const auto operation = a_.submit("tenant/a");
  pass(1min, {&a_});
  a_.slow = false;
  a_.released->notify_all();
  pass(1min, {&a_});
  EXPECT_EQ(std::ranges::count(ran_, "A:tell"), 0);
  EXPECT_EQ(done_steps(a_, *operation), (std::map<std::string, int>{{"plan", 1}, {"act", 1}}));
  a_.keep();
  pass(15s, {&a_});
  EXPECT_EQ(state_of(a_, *operation), State::Succeeded);
}

TEST_F(EngineLeaseTest, OnAFullDiskItStandsStillAndGoesOnWithItsLeaseAfterwards) {
  begin(a_);
  pass(15s, {&a_});
  a_.slow = true;
  const auto operation = a_.submit("tenant/a");
  a_.faulty->fill_disk();
  pass(1min, {&a_});
  a_.slow = false;
  a_.released->notify_all();
  pass(1min, {&a_});
  EXPECT_EQ(std::ranges::count(ran_, "A:tell"), 0);
  a_.faulty->free_disk();
  pass(1min, {&a_});
  EXPECT_EQ(state_of(a_, *operation), State::Succeeded);
}

}  // namespace
}  // namespace granary::operation
