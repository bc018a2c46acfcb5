#include "gateway/heads.h"

#include <gtest/gtest.h>

namespace granary::gateway {
namespace {

constexpr std::string_view kHead =
    "GET /Accept: HTTP/1.1\r\nAccept-Encoding: gzip\r\naccept:  text/html \r\nX:\r\n";

TEST(HeadsTest, AFieldIsFoundByItsWholeNameInAnyCase) {
  EXPECT_EQ(find_field(kHead, "Accept"), "text/html");
  EXPECT_EQ(find_field(kHead, "accept-encoding"), "gzip");
  EXPECT_EQ(find_field(kHead, "X"), "");
  EXPECT_EQ(find_field(kHead, "Encoding"), "");
  EXPECT_EQ(find_field(kHead, "GET /Accept"), "");
}

TEST(HeadsTest, RemovingAFieldTakesEachOfItsLinesAndNoOther) {
  std::string head = "GET / HTTP/1.1\r\nA: 1\r\nAB: 2\r\na: 3\r\nB: A: 4\r\n";
  remove_field(head, "A");
  EXPECT_EQ(head, "GET / HTTP/1.1\r\nAB: 2\r\nB: A: 4\r\n");
}

TEST(HeadsTest, WhatOnlyThePlatformSaysGoesNeitherWay) {
  for (const std::string_view name : {"X-Request-Id", "Connection", "transfer-encoding", "TE"}) {
    EXPECT_FALSE(may_go_upstream(name)) << name;
    EXPECT_FALSE(may_go_downstream(name)) << name;
  }
  EXPECT_TRUE(may_go_downstream("X-Forwarded-For"));
  EXPECT_TRUE(may_go_downstream("Set-Cookie"));
  EXPECT_TRUE(may_go_upstream("Content-Type"));
}

}  // namespace
}  // namespace granary::gateway
