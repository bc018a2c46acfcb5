#include "wire/room.h"

#include <gtest/gtest.h>

namespace granary::wire {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kGiB = 1ULL << 30;

TEST(Room, TheWatermarkIsAPartOfALargeDiskAndNotTooMuchOfASmallOne) {
  EXPECT_EQ(watermarks_of(1000 * kGiB).low, 20 * kGiB);
  EXPECT_EQ(watermarks_of(10 * kGiB).low, kLeastWatermark);
  EXPECT_EQ(watermarks_of(800 * kMiB).low, 100 * kMiB);
  EXPECT_EQ(watermarks_of(800 * kMiB).high, 200 * kMiB);
}

TEST(Room, TheWarningSaysWhatTenantsGetAndUntilWhen) {
  EXPECT_EQ(low_room("/d", 2 * kGiB, 10 * kGiB), std::nullopt);
  EXPECT_EQ(low_room("/d", 800 * kMiB, 10 * kGiB),
            "the disk of /d is almost full: 800 MiB are free, less than 1024");
  EXPECT_EQ(low_room("/d", 300 * kMiB, 10 * kGiB),
            "the disk of /d is almost full: 300 MiB are free; tenants can read, but get 'no space "
            "left' for writes that need more space until 512 MiB are free");
}

}  // namespace
}  // namespace granary::wire
