#include "agent/cpu_fairness.h"

#include <gtest/gtest.h>

#include "agent/limits.h"

namespace granary::agent {
namespace {

using base::AccountId;
using std::chrono::milliseconds;
using std::chrono::seconds;

const AccountId kAcme("acme");
const AccountId kGlobex("globex");

class CpuFairnessTest : public ::testing::Test {
 protected:
  // A second in which they used so much.
  std::vector<CpuLevel> second(milliseconds acme, milliseconds globex) {
    now_ += seconds(1);
    used_[kAcme] += acme;
    used_[kGlobex] += globex;
    return fairness_.look(now_, used_);
  }
  void SetUp() override { (void)second(milliseconds(0), milliseconds(0)); }

  CpuFairness fairness_;
  CpuFairness::Times used_;
  base::BootTime now_{seconds(1'000)};
};

TEST_F(CpuFairnessTest, WhoSpinsStepsBackWithinTwoSecondsAndNobodyElse) {
  const auto changes = second(milliseconds(1'000), milliseconds(50));
  EXPECT_EQ(changes, (std::vector<CpuLevel>{{kAcme, true}}));
  EXPECT_TRUE(fairness_.steps_back(kAcme));
  EXPECT_FALSE(fairness_.steps_back(kGlobex));
  EXPECT_TRUE(second(milliseconds(1'000), milliseconds(50)).empty());
}

TEST_F(CpuFairnessTest, AStartIsNoReason) {
  EXPECT_TRUE(second(milliseconds(250), milliseconds(0)).empty());
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(second(milliseconds(50), milliseconds(0)).empty());
  EXPECT_FALSE(fairness_.steps_back(kAcme));
}

TEST_F(CpuFairnessTest, WhoUsesALittleForeverNeverStepsBack) {
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(second(milliseconds(200), milliseconds(200)).empty()) << i;
}

TEST_F(CpuFairnessTest, AfterBeingCalmForAWhileItIsAsTheOthers) {
  (void)second(milliseconds(1'000), milliseconds(0));
  int waited = 0;
  while (fairness_.steps_back(kAcme) && waited < 60) {
    (void)second(milliseconds(0), milliseconds(0));
    ++waited;
  }
  EXPECT_GE(seconds(waited), kCpuCalmFor);
  EXPECT_LE(seconds(waited), kCpuCalmFor + seconds(4));
}

// It gets nothing because others run: so it is not calm at once.
TEST_F(CpuFairnessTest, AMomentWithoutCpuDoesNotBringItBack) {
  (void)second(milliseconds(1'000), milliseconds(0));
  for (int i = 0; i < 20; ++i) {
    (void)second(milliseconds(i % 3 == 0 ? 900 : 0), milliseconds(900));
    EXPECT_TRUE(fairness_.steps_back(kAcme)) << i;
  }
}

TEST_F(CpuFairnessTest, GroupsThatWereMadeAnewCountFromZero) {
  (void)second(milliseconds(200), milliseconds(0));
  used_[kAcme] = milliseconds(0);
  EXPECT_TRUE(second(milliseconds(0), milliseconds(0)).empty());
  EXPECT_FALSE(fairness_.steps_back(kAcme));
}

TEST_F(CpuFairnessTest, WhatDoesNotRunAnyMoreIsForgotten) {
  (void)second(milliseconds(1'000), milliseconds(0));
  used_.erase(kAcme);
  now_ += seconds(1);
  EXPECT_TRUE(fairness_.look(now_, used_).empty());
  EXPECT_FALSE(fairness_.steps_back(kAcme));
}

}  // namespace
}  // namespace granary::agent
