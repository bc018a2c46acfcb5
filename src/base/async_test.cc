#include <gtest/gtest.h>

#include "base/event.h"
#include "base/task_group.h"
#include "base/testing/world.h"
#include "base/worker.h"

namespace granary::base {
namespace {

using namespace std::chrono_literals;

Task<void> sleep_then_count(Timer& timer, std::chrono::milliseconds duration, int& done,
                            int& cancelled) {
  const auto slept = co_await timer.sleep(duration);
  ++(slept ? done : cancelled);
}

Task<void> wait_then_count(Event& event, int& done, int& cancelled) {
  const auto waited = co_await event.wait();
  ++(waited ? done : cancelled);
}

Task<void> throw_at_once() {
  throw std::runtime_error("a bug");
  co_return;
}

class AsyncTest : public ::testing::Test {
 protected:
  testing::World world_;
  int done_ = 0;
  int cancelled_ = 0;
};

TEST_F(AsyncTest, SleepersWakeInOrderOfTheirTime) {
  TaskGroup group(world_.executor());
  group.spawn("a", sleep_then_count(world_.timer, 200ms, done_, cancelled_));
  group.spawn("b", sleep_then_count(world_.timer, 100ms, done_, cancelled_));
  world_.advance(150ms);
  EXPECT_EQ(done_, 1);
  world_.advance(100ms);
  EXPECT_EQ(done_, 2);
  world_.run(group.close());
}

TEST_F(AsyncTest, ClosingAGroupCancelsJoinsAndRefuses) {
  TaskGroup group(world_.executor());
  group.spawn("a", sleep_then_count(world_.timer, 1h, done_, cancelled_));
  world_.settle();
  world_.run(group.close());
  EXPECT_EQ(cancelled_, 1);
  EXPECT_EQ(group.size(), 0U);
  EXPECT_FALSE(group.spawn("b", sleep_then_count(world_.timer, 1ms, done_, cancelled_)));
}

TEST_F(AsyncTest, AnExceptionEndsItsTaskAloneAndNotTheGroup) {
  TaskGroup group(world_.executor());
  group.spawn("bad", throw_at_once());
  group.spawn("good", sleep_then_count(world_.timer, 1ms, done_, cancelled_));
  world_.advance(2ms);
  EXPECT_EQ(done_, 1);
  EXPECT_EQ(group.size(), 0U);
  world_.run(group.close());
}

TEST_F(AsyncTest, ANotificationWakesAllThatWaitAndACancellationIsAnError) {
  Event event(world_.executor());
  TaskGroup group(world_.executor());
  group.spawn("a", wait_then_count(event, done_, cancelled_));
  group.spawn("b", wait_then_count(event, done_, cancelled_));
  world_.settle();
  event.notify_all();
  world_.settle();
  EXPECT_EQ(done_, 2);
  group.spawn("c", wait_then_count(event, done_, cancelled_));
  world_.settle();
  world_.run(group.close());
  EXPECT_EQ(cancelled_, 1);
}

TEST_F(AsyncTest, WorkOnAWorkerComesBackWithItsValue) {
  EXPECT_EQ(world_.run(run_on(world_.worker, [] { return Result<int>(42); })).value_or(0), 42);
}

}  // namespace
}  // namespace granary::base
