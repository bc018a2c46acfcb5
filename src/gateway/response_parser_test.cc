#include "gateway/response_parser.h"

#include <gtest/gtest.h>

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

TEST(ResponseParserTest, WhatIsNotExactlyHttpIsBad) {
  for (const std::string_view bytes :
       {"hello\r\n\r\n", "HTTP/1.1 99 Low\r\n\r\n", "HTTP/1.1 600 High\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n"}) {
    EXPECT_EQ(read(std::string(bytes)).head, Progress::Bad) << bytes;
  }
}

TEST(ResponseParserTest, FieldsOfTheHopAndOfThePlatformStayBehind) {
  const Read result = read(
      "HTTP/1.1 200 Fine\r\nServer: app\r\nConnection: close\r\nKeep-Alive: timeout=5\r\n"
      "X-Request-Id: app's\r\nContent-Length: 0\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n");
  EXPECT_EQ(result.response.text,
            "HTTP/1.1 200 Fine\r\nServer: app\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n");
  EXPECT_FALSE(result.response.keep_alive);
}

}  // namespace
}  // namespace granary::gateway
