#include "gateway/response_parser.h"

#include <gtest/gtest.h>

#include "base/testing/world.h"
#include "gateway/testing/fuzz_targets.h"

namespace granary::gateway {
namespace {

struct Read {
  Progress head = Progress::NeedMore;
  ResponseHead response;
};

Read read(std::string_view bytes, Method method = Method::Get) {
  Read result;
  ResponseParser parser;
  parser.start(result.response, method);
  result.head = parser.head(bytes).progress;
  return result;
}

TEST(ResponseParserTest, FramingIsWhatTheAnswerSays) {
  Read result = read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(result.response.framing, Framing::Length);
  EXPECT_EQ(result.response.length, 3U);
  EXPECT_TRUE(result.response.keep_alive);
  result = read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc");
  EXPECT_EQ(result.response.framing, Framing::Chunked);
  result = read("HTTP/1.0 200 OK\r\n\r\nabc");
  EXPECT_EQ(result.response.framing, Framing::UntilClose);
  EXPECT_FALSE(result.response.keep_alive);
}

TEST(ResponseParserTest, SomeAnswersHaveNoBodyWhateverTheySay) {
  for (const std::string_view status :
       {"100 Continue", "101 Switching", "103 Hints", "204 No Content", "304 Not Modified"}) {
    for (const std::string_view fields :
         {"", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n"}) {
      const Read result =
          read("HTTP/1.1 " + std::string(status) + "\r\n" + std::string(fields) + "\r\n");
      EXPECT_EQ(result.head, Progress::Done) << status;
      EXPECT_EQ(result.response.framing, Framing::None) << status << fields;
    }
  }
  const Read head = read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Method::Head);
  EXPECT_EQ(head.response.framing, Framing::None);
  EXPECT_TRUE(head.response.has_length);
  EXPECT_EQ(head.response.length, 3U);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\n\r\n", Method::Head).response.framing, Framing::None);
}

TEST(ResponseParserTest, WhatTheAppNamesInConnectionGoesNoFurther) {
  const Read result = read(
      "HTTP/1.1 200 OK\r\nX-Hop: before\r\nConnection: X-Hop, close\r\nx-hop: behind\r\n"
      "X-Kept: 1\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(result.head, Progress::Done);
  EXPECT_EQ(result.response.text, "HTTP/1.1 200 OK\r\nX-Kept: 1\r\n");
  EXPECT_FALSE(result.response.keep_alive);
  std::string many = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: a";
  for (int i = 0; i < 16; ++i) many += ", x" + std::to_string(i);
  EXPECT_EQ(read(many + "\r\n\r\n").head, Progress::Bad);
}

TEST(ResponseParserTest, WhatIsNotExactlyHttpIsBad) {
  for (const std::string_view bytes :
       {"hello\r\n\r\n", "HTTP/1.1 99 Low\r\n\r\n", "HTTP/1.1 600 High\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\t\t 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n", "HTTP/1.1 200 OK\nX: a\n\n",
        "HTTP/1.1 200 OK\r\nX: a\n\n", "HTTP/1.1 200 OK\r\nX: a\rY: b\r\n\r\n"}) {
    EXPECT_EQ(read(std::string(bytes)).head, Progress::Bad) << bytes;
  }
}

TEST(ResponseParserTest, AFoldedFieldGoesOnAsOneLineUnlessItFramesTheBody) {
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n").response.text,
            "HTTP/1.1 200 OK\r\nX: a b\r\n");
}

TEST(ResponseParserTest, FieldsOfTheHopAndOfThePlatformStayBehind) {
  const Read result = read(
      "HTTP/1.1 200 Fine\r\nServer: app\r\nConnection: close\r\nKeep-Alive: timeout=5\r\n"
      "X-Request-Id: app's\r\nContent-Length: 0\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n");
  EXPECT_EQ(result.response.text,
            "HTTP/1.1 200 Fine\r\nServer: app\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n");
  EXPECT_FALSE(result.response.keep_alive);
}

TEST(ResponseParserTest, NoBytesCanCrashIt) {
  base::testing::SeededRng rng(13);
  const std::string good =
      "xHTTP/1.1 200 OK\r\nContent-Length: 3\r\nSet-Cookie: a=b; Domain=x\r\nConnection: close\r\n"
      "\r\nabc";
  constexpr std::string_view kLetters = "\r\n :;,\t/0a";
  int taken = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    bytes[0] = static_cast<char>(round);
    for (std::uint64_t changes = 1 + rng.below(3); changes > 0; --changes)
      bytes[1 + rng.below(bytes.size() - 1)] = kLetters[rng.below(kLetters.size())];
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    if (testing::fuzz_response_head({data, bytes.size()}) == testing::Verdict::Taken) ++taken;
  }
  EXPECT_GT(taken, 100);
  EXPECT_LT(taken, 19'000);
}

TEST(ResponseParserTest, NoAppSetsCookiesForAllTenants) {
  ResponseHead head;
  ResponseParser parser;
  parser.start(head, Method::Get, "localhost");
  const auto parsed = parser.head(
      "HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Domain=localhost\r\nSet-Cookie: b=2; Domain=.LOCALHOST; "
      "Path=/\r\nSet-Cookie: c=3; Domain=acme.localhost\r\nSet-Cookie: d=4\r\n\r\n");
  EXPECT_EQ(parsed.progress, Progress::Done);
  EXPECT_EQ(head.text,
            "HTTP/1.1 200 OK\r\nSet-Cookie: c=3; Domain=acme.localhost\r\nSet-Cookie: d=4\r\n");
}

}  // namespace
}  // namespace granary::gateway
