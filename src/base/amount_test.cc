#include "base/amount.h"

#include <gtest/gtest.h>

namespace granary::base {
namespace {

TEST(AmountTest, SizesAreShort) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024), "1.0 KiB");
  EXPECT_EQ(human_bytes((1ULL << 20) - 1), "1.0 MiB");
  EXPECT_EQ(human_bytes(5ULL << 40), "5.0 TiB");
}

TEST(AmountTest, WhatIsCountedIsOneOrSeveral) {
  EXPECT_EQ(counted(0, "file"), "0 files");
  EXPECT_EQ(counted(1, "file"), "1 file");
  EXPECT_EQ(counted(2, "file"), "2 files");
}

}  // namespace
}  // namespace granary::base
