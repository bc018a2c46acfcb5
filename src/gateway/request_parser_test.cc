#include "gateway/request_parser.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/testing/world.h"
#include "gateway/limits.h"
#include "gateway/testing/fuzz_targets.h"

namespace granary::gateway {
namespace {

using std::string_literals::operator""s;

struct Read {
  Parsed last;
  RequestHead head;
  std::string left;  // behind the head
};

// Reads one head whose bytes arrive `step` at a time, as the session does.
Read read(std::string_view bytes, std::size_t step = std::string_view::npos) {
  Read result;
  RequestParser parser;
  parser.start(result.head);
  std::string inbox;
  while (result.last.progress == Progress::NeedMore && !bytes.empty()) {
    inbox += bytes.substr(0, step);
    bytes.remove_prefix(std::min(step, bytes.size()));
    result.last = parser.head(inbox);
    inbox.erase(0, result.last.consumed);
  }
  result.left = inbox + std::string(bytes);
  return result;
}

std::string with_fields(std::string_view fields, std::string_view body = "") {
  return "POST /x HTTP/1.1\r\nHost: acme.localhost\r\n" + std::string(fields) + "\r\n" +
         std::string(body);
}

TEST(RequestParserTest, APlainRequestIsUnderstoodHoweverItArrives) {
  const std::string bytes =
      "GET /api/scans?limit=5 HTTP/1.1\r\nHost: ACME.localhost:8080\r\nAccept:  */* \r\nCookie: "
      "a=b\r\n\r\nGET /next";
  for (const std::size_t step : {std::string::npos, std::size_t{1}, std::size_t{7}}) {
    const Read result = read(bytes, step);
    ASSERT_EQ(result.last.progress, Progress::Done);
    EXPECT_EQ(result.head.method, Method::Get);
    EXPECT_EQ(result.head.target(), "/api/scans?limit=5");
    EXPECT_EQ(result.head.path(), "/api/scans");
    EXPECT_EQ(result.head.host, (Authority{"acme.localhost", "8080"}));
    EXPECT_EQ(result.head.authority, "ACME.localhost:8080");
    EXPECT_TRUE(result.head.keep_alive);
    EXPECT_FALSE(result.head.has_body());
    EXPECT_EQ(result.head.text,
              "GET /api/scans?limit=5 HTTP/1.1\r\nHost: ACME.localhost:8080\r\nAccept: */*\r\n"
              "Cookie: a=b\r\n");
    EXPECT_EQ(result.left, "GET /next");
  }
}

TEST(RequestParserTest, TheBodysFramingIsToldAndItsBytesStay) {
  Read result = read(with_fields("Content-Length: 13\r\n", "abc"));
  EXPECT_EQ(result.head.framing, Framing::Length);
  EXPECT_EQ(result.head.length, 13U);
  EXPECT_EQ(result.left, "abc");
  result = read(with_fields("transfer-encoding: Chunked\r\n", "0\r\n"));
  EXPECT_EQ(result.head.framing, Framing::Chunked);
  EXPECT_EQ(result.left, "0\r\n");
  EXPECT_FALSE(read(with_fields("Content-Length: 0\r\n")).head.has_body());
}

struct Refusal {
  std::string bytes;
  int status = 400;
};

void expect_refusals(const std::vector<Refusal>& refusals) {
  for (const auto& [bytes, status] : refusals) {
    for (const std::size_t step : {std::string::npos, std::size_t{1}}) {
      const Read result = read(bytes, step);
      EXPECT_EQ(result.last.progress, Progress::Bad) << bytes;
      EXPECT_EQ(result.last.status, status) << bytes;
    }
  }
}

TEST(RequestParserTest, HeadsThatCanBeReadInTwoWaysAreRefused) {
  expect_refusals({
      {"GET / HTTP/1.1\r\n\r\n"},  // no host
      {"GET / HTTP/1.0\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},  // two hosts
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: user@a\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost : a\r\n\r\n"},  // space before the colon
      {"GET / HTTP/1.1\r\nHost: a\r\nX\t: y\r\n\r\n"},
      {"GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n"},  // folded
      {"GET / HTTP/1.1\r\nHost: a\r\nX:\r\n z\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: y\nZ: w\r\n\r\n"},  // bare line feeds
      {"GET / HTTP/1.1\nHost: a\n\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: y\rz\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n"s},
      {"GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n"},  // no name
      {"GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n"},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /  HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET / x HTTP/1.1\r\nHost: a\r\n\r\n"},
      {" GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"get / HTTP/1.1\r\nHost: a\r\n\r\n"},  // HEAD to an app that changes case
      {"Head / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET! / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {std::string(33, 'A') + " / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\n\n"},  // where Beast would wait for more
      {"GET / HTTP/1.1\r\nHost: a\r\nX: y\n"},
      {"G{T / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /\r\n\r\n"},  // HTTP/0.9
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
      {"GET / HTTP/1.2\r\nHost: a\r\n\r\n"},
      {"GET / HTTP/01.1\r\nHost: a\r\n\r\n"},
      {"GET / http/1.1\r\nHost: a\r\n\r\n"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET x HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"},  // two hosts, differently
      {"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405},
  });
}

TEST(RequestParserTest, FramingThatCanBeReadInTwoWaysIsRefused) {
  expect_refusals({
      {with_fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {with_fields("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")},
      {with_fields("Content-Length: 5\r\nContent-Length: 5\r\n", "12345")},
      {with_fields("Content-Length: 5, 5\r\n", "12345")},
      {with_fields("Content-Length: 5\r\nContent-Length: 6\r\n", "123456")},
      {with_fields("Content-Length: +5\r\n", "12345")},
      {with_fields("Content-Length: -5\r\n", "12345")},
      {with_fields("Content-Length: 0x5\r\n", "12345")},
      {with_fields("Content-Length: 5 \r\nContent-Length:\r\n", "12345")},
      {with_fields("Content-Length: 99999999999999999999\r\n")},
      {with_fields("Content-Length:\r\n")},
      {with_fields("Content-Length: five\r\n")},
      {with_fields("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")},
      {with_fields("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")},
      {with_fields("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")},
      {with_fields("Transfer-Encoding: identity\r\n")},
      {with_fields("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")},
      {with_fields("Transfer-Encoding:\r\n", "0\r\n\r\n")},
      {with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {with_fields("Transfer-Encoding: \x0b"
                   "chunked\r\n",
                   "0\r\n\r\n")},
      {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {with_fields("Expect: something\r\n"), 417},
  });
}

TEST(RequestParserTest, WhatIsTooLongIsRefusedBeforeItHasAllArrived) {
  const std::string line =
      "GET /" + std::string(kTargetBytes, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(read(line).last.status, 414);
  EXPECT_EQ(read("GET /" + std::string(40'000, 'a')).last.status, 414);
  EXPECT_EQ(read(with_fields("X: " + std::string(40'000, 'x'))).last.status, 431);
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 120; ++i) many += "X: y\r\n";
  EXPECT_EQ(read(many + "\r\n", 100).last.status, 431);
  std::string endless = "GET / HTTP/1.1\r\nHost: a\r\n";
  while (endless.size() < (1U << 20)) endless += "X-Filler: " + std::string(990, 'f') + "\r\n";
  const Read result = read(endless, 1000);
  EXPECT_EQ(result.last.status, 431);
  EXPECT_GT(result.left.size(), endless.size() - 40'000);
  EXPECT_EQ(read("GET / HTTP/1.1\r\n" + std::string(50, '\r')).last.status, 400);
  EXPECT_EQ(read(with_fields("X: " + std::string(30'000, 'x') + "\r\n")).last.progress,
            Progress::Done);
}

TEST(RequestParserTest, OnlyWhatAClientMaySayGoesUpstream) {
  const Read result = read(with_fields(
      "X-Forwarded-For: 1.2.3.4\r\nx-forwarded-proto: https\r\nX-Forwarded-Anything: a\r\n"
      "Forwarded: for=1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\nX-Request-Id: mine\r\n"
      "X_Forwarded_For: 1.2.3.4\r\nX-Forwarded_For: 1.2.3.4\r\nX.Real.IP: 1\r\nProxy: evil\r\n"
      "Connection: keep-alive, X-Hop, close, Host\r\nX-Hop: here\r\nKeep-Alive: timeout=5\r\n"
      "TE: trailers\r\nTrailer: X\r\nProxy-Connection: close\r\nProxy-Authorization: x\r\n"
      "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nUpgrade: h2c\r\nContent-Length: 0\r\n"
      "Authorization: Bearer x\r\nX-Forward: stays\r\n"));
  ASSERT_EQ(result.last.progress, Progress::Done);
  EXPECT_EQ(result.head.text,
            "POST /x HTTP/1.1\r\nHost: acme.localhost\r\nAuthorization: Bearer x\r\n"
            "X-Forward: stays\r\n");
  EXPECT_FALSE(result.head.keep_alive);
  EXPECT_TRUE(result.head.upgrade.empty());
}

TEST(RequestParserTest, AnUpgradeIsKeptApartUnlessItIsHttp2OrComesWithABody) {
  const auto upgrade = [](std::string_view fields) {
    const Read result = read(with_fields(fields, "x"));
    EXPECT_EQ(result.last.progress, Progress::Done) << fields;
    return result.head.upgrade;
  };
  EXPECT_EQ(upgrade("Connection: Upgrade\r\nUpgrade: websocket\r\n"), "websocket");
  EXPECT_EQ(upgrade("Upgrade: websocket\r\n"), "");
  EXPECT_EQ(upgrade("Connection: upgrade\r\n"), "");
  EXPECT_EQ(upgrade("Connection: upgrade\r\nUpgrade: H2C\r\n"), "");
  EXPECT_EQ(upgrade("Connection: upgrade\r\nUpgrade: a, b\r\n"), "");
  EXPECT_EQ(upgrade("Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n"), "");
}

TEST(RequestParserTest, AnAbsoluteTargetIsForwardedInOriginForm) {
  const auto target = [](std::string_view absolute) {
    const Read result = read("GET " + std::string(absolute) + " HTTP/1.1\r\nHost: a:80\r\n\r\n");
    EXPECT_EQ(result.last.progress, Progress::Done) << absolute;
    return std::string(result.head.target());
  };
  EXPECT_EQ(target("http://a:80/x?y=http://z/"), "/x?y=http://z/");
  EXPECT_EQ(target("HTTP://A:80"), "/");
  EXPECT_EQ(target("http://a:80?q"), "/?q");
}

TEST(RequestParserTest, NoBytesCanCrashIt) {
  base::testing::SeededRng rng(11);
  const std::string good =
      "POST http://a/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close, "
      "upgrade\r\nUpgrade: w\r\n\r\nabc";
  constexpr std::string_view kLetters = "\r\n :;,\t/0a";
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (std::uint64_t changes = 1 + rng.below(3); changes > 0; --changes)
      bytes[rng.below(bytes.size())] = kLetters[rng.below(kLetters.size())];
    const Read whole = read(bytes);
    const Read cut = read(bytes, 1 + rng.below(20));
    if (whole.last.progress == Progress::Done) ++accepted;
    ASSERT_EQ(whole.last.progress == Progress::Done, cut.last.progress == Progress::Done) << bytes;
    if (whole.last.progress == Progress::Done) ASSERT_EQ(whole.head.text, cut.head.text);
    bytes.insert(0, 1, static_cast<char>(round));
    const auto verdict = testing::fuzz_request_head(
        {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    ASSERT_EQ(verdict == testing::Verdict::Taken, whole.last.progress == Progress::Done) << bytes;
  }
  EXPECT_GT(accepted, 100);
  EXPECT_LT(accepted, 15'000);
}

TEST(RequestParserTest, KeepingTheConnectionFollowsTheVersion) {
  const auto keeps = [](std::string_view version, std::string_view fields) {
    return read("GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n" + std::string(fields) +
                "\r\n")
        .head.keep_alive;
  };
  EXPECT_TRUE(keeps("1.1", ""));
  EXPECT_FALSE(keeps("1.1", "Connection: x, Close\r\n"));
  EXPECT_FALSE(keeps("1.0", ""));
  EXPECT_TRUE(keeps("1.0", "Connection: Keep-Alive\r\n"));
}

}  // namespace
}  // namespace granary::gateway
