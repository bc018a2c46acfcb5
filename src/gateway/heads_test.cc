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

TEST(HeadsTest, WhatASenderNamesInConnectionIsForThisHopAlone) {
  for (const auto may_go : {may_go_upstream, may_go_downstream}) {
    std::string head =
        "GET / HTTP/1.1\r\nX-Kept: 1\r\nx-hop: 2\r\nX-Hop-Not: 3\r\nX-HOP: 4\r\nY: X-Hop: 5\r\n";
    Nominated nominated;
    EXPECT_TRUE(nominated.add("keep-alive,X-Hop\t, ,close", may_go));
    EXPECT_TRUE(nominated.add(" Y-None", may_go));
    nominated.remove_from(head);
    EXPECT_EQ(head, "GET / HTTP/1.1\r\nX-Kept: 1\r\nX-Hop-Not: 3\r\nY: X-Hop: 5\r\n");
  }
}

TEST(HeadsTest, ConnectionMayNameAFewFieldsAndNotAnyNumberOfThem) {
  Nominated nominated;
  std::string names = "close, upgrade, keep-alive";  // of these there may be any number
  for (int i = 0; i < 16; ++i) names += ", X-" + std::to_string(i);
  EXPECT_TRUE(nominated.add(names, may_go_upstream));
  EXPECT_TRUE(nominated.add("close", may_go_upstream));
  EXPECT_FALSE(nominated.add("X-One-More", may_go_upstream));
}

TEST(HeadsTest, ConnectionCannotTakeAwayWhatTheHeadStandsOn) {
  std::string head = "GET / HTTP/1.1\r\nHost: acme.localhost\r\n";
  const std::string before = head;
  Nominated nominated;
  EXPECT_TRUE(nominated.add("Host, GET / HTTP/1.1, Content-Length", may_go_upstream));
  nominated.remove_from(head);
  EXPECT_EQ(head, before);
}

TEST(HeadsTest, WhoTheClientIsOnlyThePlatformSays) {
  for (const std::string_view name :
       {"X-Forwarded-For", "x-forwarded-anything", "X-Forwarded", "X-Forwarded_For", "Forwarded",
        "X-Real-IP", "X-Client-IP", "Client-IP", "True-Client-IP", "X-Cluster-Client-IP",
        "X-Original-Forwarded-For", "X-Granary-Tenant", "x-granary-", "X_Granary_Tenant"})
    EXPECT_FALSE(may_go_upstream(name)) << name;
  for (const std::string_view name : {"X-Forward", "X-Granaryx", "Client-Id", "X-Requested-With"})
    EXPECT_TRUE(may_go_upstream(name)) << name;
}

TEST(HeadsTest, ACookieForTheDomainOfAllTenantsIsKnown) {
  for (const std::string_view cookie :
       {"a=b; Domain=apps.example.com", "a=b;domain=.apps.example.com", "a=b; Domain=example.com",
        "a=b; DOMAIN = Example.COM ;Secure", "a=b; Domain=com", "a=b; Domain=apps.example.com.",
        "a=b; Domain=x.apps.example.com; Domain=example.com", "a=b;\tDomain=\t..example.com"})
    EXPECT_TRUE(is_cookie_of_all(cookie, "apps.example.com")) << cookie;
  for (const std::string_view cookie :
       {"a=b", "a=b; Path=/; Secure", "a=b; Domain=", "a=b; Domain", "a=b; Domain=.",
        "a=b; Domain=acme.apps.example.com", "a=b; Domain=s.example.com", "Domain=example.com",
        "a=Domain=example.com", "a=b; XDomain=example.com", "a=b; Domain=other.example",
        "a=b; Domain=xapps.example.com"})
    EXPECT_FALSE(is_cookie_of_all(cookie, "apps.example.com")) << cookie;
}

}  // namespace
}  // namespace granary::gateway
