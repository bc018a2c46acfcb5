#include "gateway/shares.h"

#include <gtest/gtest.h>

#include <deque>

namespace granary::gateway {
namespace {

class Client final : public Holder {
 public:
  using Holder::Holder;
  void make_room() override { ended = true; }
  bool ended = false;
};

class SharesTest : public testing::Test {
 protected:
  Client& take() { return clients_.emplace_back(shares_); }
  Shares shares_{2};
  std::deque<Client> clients_;
};

TEST_F(SharesTest, ATenantWithItsShareInUseGetsNoMoreAndOthersDo) {
  EXPECT_TRUE(shares_.serve(take(), "acme"));
  EXPECT_TRUE(shares_.serve(take(), "acme"));
  EXPECT_FALSE(shares_.serve(take(), "acme"));
  EXPECT_TRUE(shares_.serve(take(), "globex"));
  EXPECT_EQ(shares_.held_by("acme"), 2U);
}

TEST_F(SharesTest, TheNextRequestOnAConnectionTakesNoMoreOfTheShare) {
  Client& one = take();
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(shares_.serve(one, "acme"));
    shares_.wait(one);
  }
  EXPECT_EQ(shares_.held_by("acme"), 1U);
  EXPECT_TRUE(shares_.serve(one, "globex"));
  EXPECT_EQ(shares_.held_by("acme"), 0U);
  EXPECT_EQ(shares_.held_by("globex"), 1U);
}

TEST_F(SharesTest, ATenantsConnectionThatWaitsLongestMakesRoomForItsNext) {
  Client& first = take();
  Client& second = take();
  EXPECT_TRUE(shares_.serve(first, "acme"));
  EXPECT_TRUE(shares_.serve(second, "acme"));
  shares_.wait(second);
  shares_.wait(first);
  Client& others = take();
  EXPECT_TRUE(shares_.serve(others, "globex"));
  shares_.wait(others);
  EXPECT_TRUE(shares_.serve(take(), "acme"));
  EXPECT_TRUE(second.ended);
  EXPECT_FALSE(first.ended);
  EXPECT_FALSE(others.ended);
  EXPECT_EQ(shares_.held_by("acme"), 2U);
}

TEST_F(SharesTest, OfAllTheOneThatWaitsLongestMakesRoom) {
  Client& silent = take();
  Client& idle = take();
  Client& busy = take();
  EXPECT_TRUE(shares_.serve(idle, "acme"));
  EXPECT_TRUE(shares_.serve(busy, "globex"));
  shares_.wait(idle);
  EXPECT_TRUE(shares_.make_room());
  EXPECT_TRUE(silent.ended);
  EXPECT_FALSE(idle.ended);
  EXPECT_TRUE(shares_.make_room());
  EXPECT_TRUE(idle.ended);
  EXPECT_FALSE(shares_.make_room());
  EXPECT_FALSE(busy.ended);
}

TEST_F(SharesTest, WhatEndsGivesItsPlaceBack) {
  {
    Client one(shares_);
    Client two(shares_);
    EXPECT_TRUE(shares_.serve(one, "acme"));
    EXPECT_TRUE(shares_.serve(two, "acme"));
    shares_.wait(two);
  }
  EXPECT_EQ(shares_.held_by("acme"), 0U);
  EXPECT_TRUE(shares_.serve(take(), "acme"));
}

TEST_F(SharesTest, AShareOfOneIsPassedOn) {
  Shares single(1);
  Client one(single);
  Client two(single);
  EXPECT_TRUE(single.serve(one, "acme"));
  EXPECT_FALSE(single.serve(two, "acme"));
  single.wait(one);
  EXPECT_TRUE(single.serve(two, "acme"));
  EXPECT_TRUE(one.ended);
  EXPECT_EQ(single.held_by("acme"), 1U);
}

}  // namespace
}  // namespace granary::gateway
