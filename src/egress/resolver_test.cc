#include "egress/resolver.h"

#include <gtest/gtest.h>

#include "base/testing/world.h"

namespace granary::egress {
namespace {

using base::Code;
using base::Result;
using boost::asio::ip::make_address;

// Keeps what is posted until it is told to run it.
class HeldWorker final : public base::Worker {
 public:
  void post(std::move_only_function<void()> work) override { held.push_back(std::move(work)); }
  void run_all() {
    for (auto& work : std::exchange(held, {})) work();
  }
  std::vector<std::move_only_function<void()>> held;
};

class SharedResolverTest : public ::testing::Test {
 protected:
  void TearDown() override { world_.run(resolver_.close()); }
  // Counts what was found by the time nothing is left to do.
  void ask(const std::string& host) {
    base::asio::co_spawn(world_.context, resolver_.resolve(host),
                         [this](const std::exception_ptr&, const Result<Addresses>& found) {
                           found_ += found ? 1 : 0;
                           failed_ += found ? 0 : 1;
                         });
    world_.settle();
  }

  base::testing::World world_;
  HeldWorker worker_;
  int lookups_ = 0;
  int found_ = 0;
  int failed_ = 0;
  SharedResolver resolver_{world_.executor(), worker_,
                           [this](const std::string& host) -> Result<Addresses> {
                             ++lookups_;
                             if (host == "gone") return base::fail(Code::NotFound, "gone");
                             return Addresses{make_address("1.1.1.1")};
                           }};
};

TEST_F(SharedResolverTest, LookupsOfOneNameAtTheSameTimeShareOneAndLaterOnesAskAnew) {
  ask("a");
  ask("a");
  ask("b");
  worker_.run_all();
  world_.settle();
  EXPECT_EQ(lookups_, 2);
  EXPECT_EQ(found_, 3);
  ask("a");
  worker_.run_all();
  world_.settle();
  EXPECT_EQ(lookups_, 3);
}

TEST_F(SharedResolverTest, ALookupThatFailsFailsForAllThatWait) {
  ask("gone");
  ask("gone");
  worker_.run_all();
  world_.settle();
  EXPECT_EQ(lookups_, 1);
  EXPECT_EQ(failed_, 2);
}

TEST(LookUpTest, TheMachinesOwnResolverIsAskedAndWhatItDoesNotKnowIsNotFound) {
  const auto local = look_up("localhost");
  ASSERT_TRUE(local.has_value()) << base::describe(local.error());
  EXPECT_TRUE(local->front().is_loopback());
}

}  // namespace
}  // namespace granary::egress
