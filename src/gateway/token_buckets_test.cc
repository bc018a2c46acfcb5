#include "gateway/token_buckets.h"

#include <gtest/gtest.h>

namespace granary::gateway {
namespace {

using std::chrono::seconds;

TEST(TokenBucketsTest, ABurstIsAllowedAndThenOneAtATime) {
  TokenBuckets buckets({.burst = 3, .every = seconds(2), .clients = 10});
  base::BootTime now = seconds(100);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(buckets.take("a", now));
  EXPECT_FALSE(buckets.take("a", now));
  EXPECT_TRUE(buckets.take("b", now));
  now += seconds(2);
  EXPECT_TRUE(buckets.take("a", now));
  EXPECT_FALSE(buckets.take("a", now));
  now += seconds(60);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(buckets.take("a", now));
  EXPECT_FALSE(buckets.take("a", now));
}

TEST(TokenBucketsTest, TheClientSeenLongestAgoIsForgotten) {
  TokenBuckets buckets({.burst = 1, .every = seconds(9), .clients = 2});
  EXPECT_TRUE(buckets.take("a", seconds(1)));
  EXPECT_TRUE(buckets.take("b", seconds(1)));
  EXPECT_FALSE(buckets.take("a", seconds(1)));
  EXPECT_TRUE(buckets.take("c", seconds(1)));  // in b's place
  EXPECT_FALSE(buckets.take("a", seconds(1)));
  EXPECT_TRUE(buckets.take("b", seconds(1)));
}

}  // namespace
}  // namespace granary::gateway
