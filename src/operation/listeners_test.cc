#include "operation/listeners.h"

#include "operation/testing/engine_test_case.h"

namespace granary::operation::testing {
namespace {

TEST_F(EngineTest, SeveralListenersHearOfEachChangeInOrder) {
  std::vector<std::string> heard;
  const Listening first = engine_->on_change([&](const Operation&) { heard.push_back("first"); });
  const Listening second = engine_->on_change([&](const Operation&) { heard.push_back("second"); });
  submit("build", "tenant/a");
  ASSERT_GE(heard.size(), 2U);
  EXPECT_EQ(heard.at(0), "first");
  EXPECT_EQ(heard.at(1), "second");
  EXPECT_EQ(std::ranges::count(heard, "first"), std::ranges::count(heard, "second"));
}

TEST_F(EngineTest, AListenerThatWentAwayHearsNothingAndTheOthersGoOn) {
  int first = 0;
  int second = 0;
  Listening one = engine_->on_change([&](const Operation&) { ++first; });
  const Listening two = engine_->on_change([&](const Operation&) { ++second; });
  ended(submit("build", "tenant/a"));
  const int heard = first;
  EXPECT_GT(heard, 0);
  one.remove();
  ended(submit("build", "tenant/b"));
  EXPECT_EQ(first, heard);
  EXPECT_EQ(second, 2 * heard);
}

TEST_F(EngineTest, AListenerMayRemoveItselfAndAddOthersInACall) {
  Listening added;
  int later = 0;
  Listening self;
  self = engine_->on_change([&](const Operation&) {
    added = engine_->on_change([&](const Operation&) { ++later; });
    self.remove();
  });
  submit("build", "tenant/a");
  EXPECT_GT(later, 0);
}

TEST(ListenersTest, AListeningMayOutliveWhatItListensTo) {
  Listening left;
  int heard = 0;
  {
    Listeners listeners;
    left = listeners.add([&](const Operation&) { ++heard; });
    Listening moved = std::move(left);
    listeners.tell(Operation());
    left = std::move(moved);
  }
  left.remove();
  EXPECT_EQ(heard, 1);
}

}  // namespace
}  // namespace granary::operation::testing
