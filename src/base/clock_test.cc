#include "base/clock.h"

#include <gtest/gtest.h>

namespace granary::base {
namespace {

using namespace std::chrono_literals;

TEST(ClockTest, TimesAreReadAndWritten) {
  const auto time = parse_rfc3339("2026-11-24T07:13:00.123Z");
  ASSERT_TRUE(time.has_value());
  EXPECT_EQ(to_rfc3339(*time), "2026-11-24T07:13:00.123Z");
  EXPECT_EQ(to_rfc3339(*parse_rfc3339("2024-02-29T23:59:59Z")), "2024-02-29T23:59:59.000Z");
}

TEST(ClockTest, WhatIsNoTimeIsRefused) {
  for (const char* bad :
       {"", "2026-11-24", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2026-11-24T24:00:00Z",
        "2026-11-24T07:13:00", "2026-11-24 07:13:00Z", "2026-11-24T07:13:00.Z",
        "2026-11-24T07:13:00.1234567Z", "2026-11-24T-7:13:00Z"})
    EXPECT_EQ(parse_rfc3339(bad).error().code, Code::InvalidArgument) << bad;
}

TEST(ClockTest, DurationsAreReadAndPrintedInTheShortestExactForm) {
  EXPECT_EQ(parse_duration("250ms").value_or(0ms), 250ms);
  EXPECT_EQ(parse_duration("60s").value_or(0ms), 60s);
  EXPECT_EQ(parse_duration("30d").value_or(0ms), 720h);
  EXPECT_EQ(format_duration(60s), "1m");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(0ms), "0ms");
}

TEST(ClockTest, WhatIsNoDurationIsRefused) {
  for (const char* bad : {"", "s", "-1s", "5", "5 s", "1.5s", "99999999999d", "5w", "5S"})
    EXPECT_EQ(parse_duration(bad).error().code, Code::InvalidArgument) << bad;
}

}  // namespace
}  // namespace granary::base
