#include "gateway/host.h"

#include <gtest/gtest.h>

#include <optional>

#include "base/testing/world.h"
#include "gateway/testing/fuzz_targets.h"

namespace granary::gateway {
namespace {

std::optional<Authority> parse(std::string_view text) {
  Authority into{.name = "left over", .port = "99"};
  if (!parse_authority(text, into)) return std::nullopt;
  return into;
}

TEST(HostTest, NamesAreLowerCaseWithoutPortAndDot) {
  EXPECT_EQ(parse("acme.localhost"), (Authority{"acme.localhost", ""}));
  EXPECT_EQ(parse("ACME.LocalHost:8080"), (Authority{"acme.localhost", "8080"}));
  EXPECT_EQ(parse("acme.localhost.:80"), (Authority{"acme.localhost", "80"}));
  EXPECT_EQ(parse("127.0.0.1:8080"), (Authority{"127.0.0.1", "8080"}));
  EXPECT_EQ(parse("[::1]:8080"), (Authority{"[::1]", "8080"}));
  EXPECT_EQ(parse("[2001:DB8::7]"), (Authority{"[2001:db8::7]", ""}));
}

TEST(HostTest, WhatIsNoHostIsRefused) {
  for (const std::string_view text :
       {"",           ".",         "..",          "a..b",       ".acme",   "acme..",
        ":80",        "acme:",     "acme:x",      "acme:65536", "acme:-1", "acme:123456",
        "acme:80:80", "user@acme", "acme/x",      "acme x",     "ac\tme",  "acme,globex",
        "acme%2e",    "[",         "[]",          "[]:80",      "[::1",    "[::1]x",
        "[::1]x:80",  "[::g]",     "ä.localhost", "acme:80 ",   "*"}) {
    EXPECT_FALSE(parse(text).has_value()) << text;
  }
  EXPECT_FALSE(parse(std::string_view("a\0b", 3)).has_value());
  EXPECT_FALSE(parse(std::string(300, 'a')).has_value());
}

TEST(HostTest, NoSpellingOfAHostLeadsToATenantThatWasNotAskedFor) {
  base::testing::SeededRng rng(17);
  constexpr std::string_view kPieces[] = {".", "acme", "localhost", "globex", "gone", ":80", "%2e",
                                          "x", "@",    "/",         "-",      "[",    "]",   "_"};
  int taken = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = rng.below(2) == 0 ? "acme.localhost" : "globex.localhost:8080";
    for (std::uint64_t edits = 1 + rng.below(3); edits > 0; --edits)
      bytes.replace(rng.below(bytes.size()), rng.below(4), kPieces[rng.below(std::size(kPieces))]);
    bytes += rng.below(2) == 0 ? "\n/api/admin/x" : "\n/";
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    if (testing::fuzz_host_route({data, bytes.size()}) == testing::Verdict::Taken) ++taken;
  }
  EXPECT_GT(taken, 1'000);
  EXPECT_LT(taken, 19'000);
}

TEST(HostTest, CaseIsIgnoredForAsciiAlone) {
  EXPECT_TRUE(equal_ignoring_case("Keep-Alive", "keep-aLIVE"));
  EXPECT_FALSE(equal_ignoring_case("keep-alive", "keep-aliv"));
  EXPECT_FALSE(equal_ignoring_case("@", "`"));
}

}  // namespace
}  // namespace granary::gateway
