#include "base/json.h"

#include <gtest/gtest.h>

namespace granary::base::json {
namespace {

constexpr std::size_t kMost = 1'000;

TEST(JsonTest, ANumberThatIsNoneIsRefusedWhereverItStands) {
  for (const std::string_view text : {"0E741", "1e400", "-1e999", "[1, 1e400]", "{\"a\": 0E741}",
                                      "[{\"a\": [[1, 2, -1E400]]}]", "1e2147483647"}) {
    const auto parsed = parse(text, kMost);
    ASSERT_FALSE(parsed.has_value()) << text << " became " << print(*parsed);
    EXPECT_EQ(parsed.error().code, Code::InvalidArgument);
    EXPECT_NE(parsed.error().message.find("number"), std::string::npos) << parsed.error().message;
  }
}

TEST(JsonTest, NumbersAtTheEdgesAreTakenAsTheyAre) {
  const auto parsed = parse_object(
      R"({"most": 9223372036854775807, "more": 18446744073709551615, "big": 1.7e308,
          "zero": 0e0, "tiny": 1e-400, "list": [0.5, -0.0]})",
      kMost);
  ASSERT_TRUE(parsed.has_value()) << describe(parsed.error());
  EXPECT_EQ(get_int(*parsed, "most"), 9'223'372'036'854'775'807);
  EXPECT_EQ(parsed->at("more"), 18'446'744'073'709'551'615ULL);
  EXPECT_EQ(parsed->at("big").as_double(), 1.7e308);
  EXPECT_FALSE(get_int(*parsed, "more").has_value());
}

TEST(JsonTest, WhatIsPrintedIsReadAgain) {
  for (const std::string_view text : {"1e308", "[0.1,{\"a\":-2.5e-7}]", "null", "\"x\""}) {
    const auto parsed = parse(text, kMost);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(parse(print(*parsed), kMost), *parsed);
  }
}

TEST(JsonTest, DepthAndSizeAreBounded) {
  EXPECT_TRUE(parse(std::string(32, '[') + std::string(32, ']'), kMost).has_value());
  EXPECT_EQ(parse(std::string(33, '[') + std::string(33, ']'), kMost).error().code,
            Code::InvalidArgument);
  EXPECT_EQ(parse(std::string(kMost + 1, ' '), kMost).error().code, Code::Exhausted);
}

}  // namespace
}  // namespace granary::base::json
