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
