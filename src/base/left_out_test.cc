#include "base/left_out.h"

#include <gtest/gtest.h>

namespace granary::base {
namespace {

TEST(LeftOutTest, CountsByKindAndNamesTheFirstFew) {
  LeftOut left_out;
  EXPECT_TRUE(left_out.empty());
  EXPECT_EQ(describe(left_out), "");
  for (int i = 0; i < 7; ++i) left_out.add(LeftOutKind::Socket, fmt::format("run/{}", i));
  left_out.add(LeftOutKind::Fifo, "pipe");
  left_out.add(LeftOutKind::SetIdBits, "bin/tool");
  EXPECT_EQ(describe(left_out),
            "7 sockets, 1 fifo, set-uid bits of 1 file (first: run/0, run/1, run/2, run/3, run/4)");
  EXPECT_EQ(left_out.count(LeftOutKind::Socket), 7U);
}

TEST(LeftOutTest, SurvivesItsJsonFormAndIsSmallWhateverTheNamesAre) {
  LeftOut left_out;
  left_out.add(LeftOutKind::Device, "\xff\n\"\\%");
  left_out.add(LeftOutKind::TooLong, std::string(1'000'000, '\x01'));
  left_out.add(LeftOutKind::Unreadable, "");
  EXPECT_EQ(left_out.first[0], "%FF%0A%22%5C%25");
  EXPECT_EQ(left_out.first[1].size(), kLeftOutNameBytes);
  EXPECT_TRUE(left_out.first[1].starts_with("..."));
  const auto back = left_out_from(to_json(left_out));
  ASSERT_TRUE(back.has_value()) << describe(back.error());
  EXPECT_EQ(*back, left_out);
  EXPECT_EQ(*left_out_from({}), LeftOut());
}

TEST(LeftOutTest, WhatNobodyWroteIsRefused) {
  for (const char* text :
       {R"({"gnomes":1})", R"({"sockets":0})", R"({"sockets":-1})", R"({"sockets":"1"})",
        R"({"first":[""]})", R"({"first":["\n"]})", R"({"first":["1","2","3","4","5","6"]})"}) {
    const auto refused = left_out_from(json::parse_object(text, 1000).value());
    ASSERT_FALSE(refused.has_value()) << text;
    EXPECT_EQ(refused.error().code, Code::InvalidArgument) << text;
  }
}

}  // namespace
}  // namespace granary::base
