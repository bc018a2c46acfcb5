#include "wire/egress_policy.h"

#include <gtest/gtest.h>

namespace granary::wire {
namespace {

using base::Code;

TEST(EgressTargetTest, OneHostHasOneSpelling) {
  for (const char* text : {"api.example.com:443", "API.Example.COM:443", "api.example.com.:443"})
    EXPECT_EQ(parse_egress_target(text).value(), (EgressTarget{"api.example.com", 443})) << text;
  EXPECT_EQ(to_string(EgressTarget{"localhost", 1}), "localhost:1");
  EXPECT_EQ(parse_egress_target("xn--bcher-kva.example:65535").value().port, 65535);
  EXPECT_EQ(parse_egress_target("3com.example:80").value().host, "3com.example");
}

TEST(EgressTargetTest, NothingThatAResolverTakesForAnAddressIsAName) {
  for (const char* text :
       {"127.0.0.1:80", "127.1:80", "2130706433:80", "0x7f000001:80", "0177.0.0.1:80", "[::1]:80",
        "::1:80", "1.2.3.4.:80", "[::ffff:7f00:1]:80", "a.0x7f:80"}) {
    const auto parsed = parse_egress_target(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().message, "names an address") << text;
  }
}

TEST(EgressTargetTest, WhatIsNoNameAndPortIsRefused) {
  const std::string label(64, 'a');
  std::string longest;
  for (int i = 0; i < 64; ++i) longest += "aaa.";
  for (const std::string& text :
       {std::string(),          std::string(":443"),   std::string("a"),
        std::string("a:"),      std::string("a:0"),    std::string("a:00443"),
        std::string("a:65536"), std::string("a:4 43"), std::string("a:+1"),
        std::string("a:-1"),    std::string("-a:1"),   std::string("a-:1"),
        std::string("a..b:1"),  std::string(".a:1"),   std::string("a..:1"),
        std::string(".:1"),     std::string("a b:1"),  std::string("a\0b:1", 5),
        std::string("a/b:1"),   std::string("u@a:1"),  std::string("ä:1"),
        std::string("*.a:1"),   label + ":1",          longest + "a:1"})
    EXPECT_EQ(parse_egress_target(text).error().code, Code::InvalidArgument) << text;
}

EgressPolicy sample() {
  return {.lists = {{"api.example.com:443", "b.example:80"}, {}},
          .accounts = {{base::AccountId("acme"), 7, 0}, {base::AccountId("globex"), 9, 1}},
          .gone = {{1, 3}, {5, 5}, {10, 4'294'967'295}}};
}

TEST(EgressPolicyTest, APolicySurvivesItsFile) {
  const auto back = decode_egress_policy(encode(sample()));
  ASSERT_TRUE(back.has_value()) << describe(back.error());
  EXPECT_EQ(*back, sample());
  EXPECT_EQ(decode_egress_policy(encode(EgressPolicy())).value(), EgressPolicy());
}

TEST(EgressPolicyTest, WhatIsNotExactlyAPolicyIsRefused) {
  const std::pair<std::string_view, std::string_view> changes[] = {
      {R"("version":2)", R"("version":1)"},
      {R"("version":2,)", ""},
      {R"("version":2)", R"("version":2,"more":1)"},
      {R"("account":"acme")", R"("account":"../acme")"},
      {R"("account":"acme")", R"("account":"acme","x":1)"},
      {R"("ordinal":9)", R"("ordinal":7)"},
      {R"("ordinal":9)", R"("ordinal":-1)"},
      {R"("list":1)", R"("list":2)"},
      {"b.example:80", "B.example:80"},
      {"b.example:80", "10.0.0.1:80"},
      {R"("b.example:80")", "80"},
      {R"(,[])", R"(,{})"},
      {R"("accounts":[)", R"("accounts":[7,)"},
      {R"("accounts":[)", R"("accounts":7,"x":[)"},
      {R"(,"gone")", R"(,"lost")"},
      {"[1,3]", "[1,4]"},  // touches the next
      {"[1,3]", "7"},
      {"[5,5]", "[5,7]"},  // with acme
  };
  for (const auto& [piece, by] : changes) {
    std::string text = encode(sample());
    const auto at = text.find(piece);
    ASSERT_NE(at, std::string::npos) << piece;
    text.replace(at, piece.size(), by);
    EXPECT_FALSE(decode_egress_policy(text).has_value()) << piece << " -> " << by;
  }
  EXPECT_FALSE(decode_egress_policy("").has_value());
  EXPECT_FALSE(decode_egress_policy("[]").has_value());
}

}  // namespace
}  // namespace granary::wire
