#include "base/contained.h"

#include <gtest/gtest.h>

#include "base/check.h"
#include "base/os/system.h"
#include "base/testing/world.h"

namespace granary::base {
namespace {

Task<Result<int>> broken(bool really) {
  INVARIANT(!really);
  co_return 7;
}

TEST(Contained, WorkThatEndsWellGivesItsResult) {
  testing::World world;
  EXPECT_EQ(world.run(contained(broken(false))).value(), 7);
}

TEST(Contained, ABrokenInvariantIsAnErrorThatNamesItsPlace) {
  testing::World world;
  const auto result = world.run(contained(broken(true)));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Code::Internal);
  EXPECT_NE(result.error().message.find("!really does not hold at src/base/contained_test.cc:"),
            std::string::npos)
      << result.error().message;
}

TEST(Contained, ACancelledOperationIsNoFault) {
  const auto cancelled =
      std::make_exception_ptr(boost::system::system_error(boost::asio::error::operation_aborted));
  EXPECT_EQ(error_of(cancelled).code, Code::Cancelled);
}

TEST(Contained, ACallThatThrowsGivesAnError) {
  const auto result = contained_call([]() -> Result<int> { throw std::out_of_range("at"); });
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().message.find("at"), std::string::npos);
}

Task<Result<int>> on_worker(Worker& worker) {
  co_return co_await run_on(worker, []() -> Result<int> { throw std::runtime_error("too much"); });
}

TEST(Contained, AnExceptionOnAWorkerReachesItsCallerAndTheWorkerGoesOn) {
  testing::World world;
  os::ThreadPool pool(1);
  for (int round = 0; round < 2; ++round) {
    std::optional<Result<int>> result;
    asio::co_spawn(world.context, contained(on_worker(pool)),
                   [&](const std::exception_ptr& failure, Result<int> value) {
                     if (failure) std::rethrow_exception(failure);
                     result = std::move(value);
                   });
    world.context.restart();
    world.context.run();
    ASSERT_TRUE(result.has_value());
    EXPECT_NE(result->error().message.find("too much"), std::string::npos);
  }
}

}  // namespace
}  // namespace granary::base
