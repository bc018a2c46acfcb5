#include "wire/routing.h"

#include <gtest/gtest.h>

namespace granary::wire {
namespace {

using base::Code;

Snapshot sample() {
  RoutedRelease plain{.hash = std::string(64, 'b'), .name = "port-only-bbbbbbbbbbbb"};
  RoutedRelease insight{.hash = std::string(64, 'a'), .name = "insight-aaaaaaaaaaaa"};
  insight.frontend = true;
  insight.services = {
      {.name = "api", .routes = {"/api/", "/v1/"}, .in_flight = 7},
      {.name = "jobs", .start_timeout = std::chrono::milliseconds(1500)},
  };
  RoutedTenant acme{.account = base::AccountId("acme"), .public_name = "Acme \"GmbH\" ☃"};
  acme.ordinal = 7;
  acme.release = 1;
  acme.domains = {"scan.acme.example", "acme.example"};
  acme.discover = {discovery_digest("email:ann@acme.example"),
                   discovery_digest("email-domain:acme.example")};
  acme.slots = {3, 65535};
  acme.flags_json = R"({"beta":true})";
  RoutedTenant globex{.account = base::AccountId("globex"), .state = RouteState::Suspended};
  globex.ordinal = 9;
  return Snapshot{42, "localhost", {plain, insight}, {acme, globex}, {{1, 3}, {5, 5}}};
}

// The sample with one piece of its text replaced.
std::string with(std::string_view piece, std::string_view by) {
  std::string text = encode(sample());
  const auto at = text.find(piece);
  EXPECT_NE(at, std::string::npos) << piece << " is not in " << text;
  return text.replace(at, piece.size(), by);
}

TEST(RoutingTest, ASnapshotSurvivesItsFile) {
  auto decoded = decode_snapshot(encode(sample()));
  ASSERT_TRUE(decoded.has_value()) << describe(decoded.error());
  EXPECT_EQ(*decoded, sample());
  EXPECT_EQ(decode_snapshot(encode(Snapshot{.domain = "example.com"})).value().domain,
            "example.com");
}

TEST(RoutingTest, WhatIsNotExactlyASnapshotIsRefused) {
  const std::pair<std::string_view, std::string_view> changes[] = {
      {R"("version":1)", R"("version":2)"},
      {R"("version":1,)", ""},
      {R"("generation":42)", R"("generation":-1)"},
      {R"("generation":42)", R"("generation":"42")"},
      {R"("domain":"localhost")", R"("domain":"")"},
      {R"("domain":"localhost")", R"("domain":"local/host")"},
      {R"("domain":"localhost")", R"("domain":"localhost","more":1)"},
      {R"("tenants":[)", R"("tenants":[7,)"},
      {R"("account":"acme")", R"("account":"../acme")"},
      {R"("account":"acme")", R"("account":"Acme")"},
      {R"("ordinal":7)", R"("ordinal":-7)"},
      {R"("ordinal":7,)", ""},
      {R"("ordinal":7)", R"("ordinal":5)"},  // gone
      {R"("gone":[[1,3],)", R"("gone":[[1,4],)"},
      {R"(,"gone":)", R"(,"lost":)"},
      {R"("state":"suspended")", R"("state":"asleep")"},
      {R"("release":1)", R"("release":2)"},
      {R"("release":1)", R"("release":0)"},
      {R"("release":1)", R"("release":1,"x":0)"},
      {R"([3,65535])", R"([3,65536])"},
      {R"([3,65535])", R"([3])"},
      {R"("acme.example")", R"("Acme.example")"},
      {R"("discover":[")", R"("discover":["0)"},
      {R"("discover":[")", R"("discover":["email:ann@acme.example",")"},
      {R"("discover":[)", R"("discover":[7,)"},
      {R"("name":"api")", R"("name":"a/i")"},
      {R"("/v1/")", R"("v1/")"},
      {R"("in_flight":7)", R"("in_flight":7.5)"},
      {R"("in_flight":7)", R"("in_flight":4294967296)"},
      {R"("start_timeout_ms":1500)", R"("start_timeout_ms":-1)"},
      {R"("frontend":true)", R"("frontend":1)"},
      {R"("flags":"{\"beta\":true}")", R"("flags":"[]")"},
      {R"("flags":"{\"beta\":true}")", R"("flags":{})"},
  };
  for (const auto& [piece, by] : changes) {
    auto decoded = decode_snapshot(with(piece, by));
    ASSERT_FALSE(decoded.has_value()) << piece << " as " << by;
    EXPECT_EQ(decoded.error().code, Code::InvalidArgument) << describe(decoded.error());
  }
}

TEST(RoutingTest, TheFileNamesNoPerson) {
  const std::string text = encode(sample());
  EXPECT_EQ(text.find("ann"), std::string::npos);
  // printf %s email:ann@acme.example | sha256sum
  EXPECT_NE(text.find("7fbc74531586d5f6ea322926d514c31d18cbc264702af04f2589f15cce75d922"),
            std::string::npos);
}

TEST(RoutingTest, AFileThatWasCutIsRefusedAtEveryLength) {
  const std::string whole = encode(sample());
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(decode_snapshot(std::string_view(whole).substr(0, length)).has_value()) << length;
}

TEST(RoutingTest, AnErrorNamesTheMemberAndItsPlace) {
  auto decoded = decode_snapshot(with(R"("state":"suspended")", R"("state":"asleep")"));
  ASSERT_FALSE(decoded.has_value());
  EXPECT_NE(describe(decoded.error()).find("state"), std::string::npos);
  EXPECT_NE(describe(decoded.error()).find("tenants[1]"), std::string::npos);
}

}  // namespace
}  // namespace granary::wire
