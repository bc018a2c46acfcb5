#include "egress/connect_head.h"

#include <gtest/gtest.h>

#include "base/testing/pieces.h"
#include "base/testing/world.h"
#include "egress/limits.h"
#include "egress/testing/fuzz_targets.h"

namespace granary::egress {
namespace {

using State = ConnectHead::State;

constexpr std::string_view kGood =
    "CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com:443\r\nUser-Agent: x/1 (y)\r\n"
    "Proxy-Connection: Keep-Alive\r\n\r\n";

TEST(ConnectHeadTest, WhatClientsSendIsRead) {
  const ConnectHead head = parse_connect(kGood);
  EXPECT_EQ(head.state, State::Connect);
  EXPECT_EQ(head.target, "api.example.com:443");
  EXPECT_EQ(head.bytes, kGood.size());
  // As Python's http.client does it.
  EXPECT_EQ(parse_connect("CONNECT a.example:1 HTTP/1.0\r\n\r\n").target, "a.example:1");
}

TEST(ConnectHeadTest, WhatComesBehindTheHeadIsNotLookedAt) {
  const std::string early = std::string(kGood) + "\x16\x03\x01\n\n" + std::string(3, '\0');
  EXPECT_EQ(parse_connect(early).bytes, kGood.size());
}

TEST(ConnectHeadTest, NoPartOfAHeadIsDecidedTooEarly) {
  for (std::size_t part = 0; part < kGood.size(); ++part)
    EXPECT_EQ(parse_connect(kGood.substr(0, part)).state, State::More) << part;
}

// Every reader sees what came so far, so a cut at each byte is each of a head's beginnings.
TEST(ConnectHeadTest, AHeadMeansTheSameInWhateverPiecesItArrives) {
  int decided = 0;
  for (const std::string& input : base::testing::corpus_of("connect_head_fuzz")) {
    const ConnectHead whole = parse_connect(input);
    if (whole.state != State::More) ++decided;
    for (std::size_t part = 0; part < input.size(); ++part) {
      const ConnectHead early = parse_connect(std::string_view(input).substr(0, part));
      if (early.state == State::More) continue;
      EXPECT_EQ(early.state, whole.state) << part << " of " << input;
      EXPECT_EQ(early.target, whole.target) << part << " of " << input;
      EXPECT_EQ(early.bytes, whole.bytes) << part << " of " << input;
      EXPECT_EQ(early.status, whole.status) << part << " of " << input;
    }
  }
  EXPECT_GT(decided, 20);
}

struct Bad {
  const char* text;
  int status;
};

class BadHeadTest : public ::testing::TestWithParam<Bad> {};

TEST_P(BadHeadTest, IsRefused) {
  const ConnectHead head = parse_connect(GetParam().text);
  EXPECT_EQ(head.state, State::Refused);
  EXPECT_EQ(head.status, GetParam().status);
  EXPECT_FALSE(head.reason.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Heads, BadHeadTest,
    ::testing::Values(Bad{"GET http://a.example/ HTTP/1.1\r\n", 405},
                      Bad{"POST /x HTTP/1.1\r\n", 405}, Bad{"connect a:1 HTTP/1.1\r\n", 405},
                      Bad{"OPTIONS * HTTP/1.1\r\n", 405}, Bad{"CONNECT a:1 HTTP/2.0\r\n", 505},
                      Bad{"CONNECT a:1 http/1.1\r\n", 505}, Bad{"CONNECT a:1\r\n", 400},
                      Bad{"CONNECT  HTTP/1.1\r\n", 400}, Bad{"\r\n", 400},
                      Bad{"CONNECT  a:1 HTTP/1.1\r\n", 400}, Bad{"CONNECT a:1  HTTP/1.1\r\n", 505},
                      Bad{"CONNECT a:1 HTTP/1.1 \r\n", 505}, Bad{" CONNECT a:1 HTTP/1.1\r\n", 400},
                      Bad{"CONNECT a\t:1 HTTP/1.1\r\n", 400},
                      Bad{"CONNECT \x80:1 HTTP/1.1\r\n", 400},
                      Bad{"CONNECT a:1 HTTP/1.1\nHost: a\r\n\r\n", 400},
                      Bad{"CONNECT a:1 HTTP/1.1\r\nHost: a\n\r\n\r\n", 400},
                      Bad{"CONNECT a:1 HTTP/1.1\r\nHost a\r\n", 400},
                      Bad{"CONNECT a:1 HTTP/1.1\r\nHost : a\r\n", 400},
                      Bad{"CONNECT a:1 HTTP/1.1\r\n: a\r\n", 400},
                      Bad{"CONNECT a:1 HTTP/1.1\r\nA: b\r\n folded\r\n", 400},
                      Bad{"CONNECT a:1 HTTP/1.1\r\nA: \x01\r\n", 400},
                      Bad{"CONNECT a:1 HTTP/1.1\r\nA: b\rc\r\n", 400},
                      Bad{"CONNECT a:1 HTTP/1.1\r\nContent-Length: 0\r\n", 400},
                      Bad{"CONNECT a:1 HTTP/1.1\r\ntransfer-ENCODING: chunked\r\n", 400},
                      Bad{"\x16\x03\x01\x02\n", 400}));

TEST(ConnectHeadTest, AHeadIsBoundedInBytesAndFields) {
  std::string many = "CONNECT a:1 HTTP/1.1\r\n";
  for (std::size_t i = 0; i <= kHeadFields; ++i) many += "A: b\r\n";
  EXPECT_EQ(parse_connect(many + "\r\n").status, 431);
  const std::string longest = "CONNECT a:1 HTTP/1.1\r\nA: ";
  EXPECT_EQ(parse_connect(longest + std::string(kHeadBytes, 'x')).status, 431);
  EXPECT_EQ(parse_connect("CONNECT " + std::string(kHeadBytes, 'a')).status, 431);
  const std::string fits = longest + std::string(kHeadBytes - longest.size() - 4, 'x') + "\r\n\r\n";
  EXPECT_EQ(parse_connect(fits).state, State::Connect);
}

TEST(ConnectHeadTest, NoDamagedHeadIsUnderstoodInTwoWays) {
  base::testing::SeededRng rng(3);
  constexpr std::string_view kPieces[] = {"\r",       "\n",   "\r\n",    "\r\n\r\n",
                                          " ",        ":",    "\t",      "CONNECT",
                                          "HTTP/1.1", "\x80", "[::1]:1", "Content-Length: 3\r\n"};
  int taken = 0;
  int refused = 0;
  for (int round = 0; round < 5'000; ++round) {
    std::string text(kGood);
    for (std::uint64_t edits = rng.below(4); edits > 0; --edits)
      text.replace(rng.below(text.size()), rng.below(3), kPieces[rng.below(std::size(kPieces))]);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto verdict = testing::fuzz_connect_head({bytes, text.size()});
    taken += verdict == testing::Verdict::Taken ? 1 : 0;
    refused += verdict == testing::Verdict::Refused ? 1 : 0;
  }
  EXPECT_GT(taken, 500);
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace granary::egress
