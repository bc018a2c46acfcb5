#include "gateway/router.h"

#include <gtest/gtest.h>

namespace granary::gateway {
namespace {

wire::Snapshot sample() {
  wire::RoutedRelease insight{.hash = std::string(64, 'a'), .name = "insight-aaaaaaaaaaaa"};
  insight.frontend = true;
  insight.services = {{.name = "api", .routes = {"/api/"}},
                      {.name = "admin", .routes = {"/api/admin/", "/ops"}}};
  wire::RoutedRelease bare{.hash = std::string(64, 'b'), .name = "bare-bbbbbbbbbbbb"};
  wire::RoutedTenant acme{.account = base::AccountId("acme"), .public_name = "Acme \"Inc\""};
  acme.slots = {3, 4};
  acme.domains = {"scan.acme.example", "shop.localhost"};
  acme.flags_json = R"({"beta":true})";
  wire::RoutedTenant gone{.account = base::AccountId("gone"), .release = 1};
  gone.state = wire::RouteState::Suspended;
  wire::RoutedTenant plain{.account = base::AccountId("plain"), .release = 1};
  acme.discover = {wire::discovery_digest("email-domain:acme.example"),
                   wire::discovery_digest("email:bob@globex.example")};
  plain.discover = {wire::discovery_digest("email:ann@acme.example"),
                    wire::discovery_digest("email-domain:globex.example"),
                    wire::discovery_digest("email-domain:scan.acme.example")};
  return {1, "localhost", {insight, bare}, {acme, gone, plain}};
}

class RouterTest : public testing::Test {
 protected:
  RouteKind kind(std::string_view host, std::string_view path = "/") {
    return index_.route(host, path).kind;
  }
  std::string service(std::string_view path) {
    const Route route = index_.route("acme.localhost", path);
    return route.service == nullptr ? "" : route.service->name;
  }
  RouteIndex index_{sample()};
};

TEST_F(RouterTest, AHostNamesItsTenant) {
  EXPECT_EQ(index_.route("acme.localhost", "/").tenant->account.value, "acme");
  EXPECT_EQ(index_.route("scan.acme.example", "/").tenant->account.value, "acme");
  EXPECT_EQ(index_.route("shop.localhost", "/").tenant->account.value, "acme");
  EXPECT_EQ(index_.route("plain.localhost", "/").release->name, "bare-bbbbbbbbbbbb");
}

TEST_F(RouterTest, OtherHostsAreUnknown) {
  for (const std::string_view host :
       {"", "localhost", ".localhost", "acme", "acmelocalhost", "x.acme.localhost", "acme.example",
        "other.localhost", "acme.localhost.evil", "127.0.0.1", "[::1]", "acme.localhost.localhost"})
    EXPECT_EQ(kind(host), RouteKind::UnknownHost) << host;
}

TEST_F(RouterTest, TheLongestPrefixWins) {
  EXPECT_EQ(service("/api/scans"), "api");
  EXPECT_EQ(service("/api/"), "api");
  EXPECT_EQ(service("/api/admin/users"), "admin");
  EXPECT_EQ(service("/api/adminx"), "api");
  EXPECT_EQ(service("/ops"), "admin");
  EXPECT_EQ(service("/ops/x"), "admin");
  EXPECT_EQ(service("/opsx"), "");
  EXPECT_EQ(index_.route("acme.localhost", "/api/x").slot, 3U);
  EXPECT_EQ(index_.route("acme.localhost", "/ops").slot, 4U);
}

TEST_F(RouterTest, WhatNoServiceTakesIsTheFrontends) {
  EXPECT_EQ(kind("acme.localhost", "/api"), RouteKind::Frontend);
  EXPECT_EQ(kind("acme.localhost", "/"), RouteKind::Frontend);
  EXPECT_EQ(kind("acme.localhost", "/API/x"), RouteKind::Frontend);
  EXPECT_EQ(kind("plain.localhost", "/"), RouteKind::Nothing);
}

TEST_F(RouterTest, ASuspendedTenantIsSuspendedOnEveryPath) {
  EXPECT_EQ(kind("gone.localhost", "/"), RouteKind::Suspended);
  EXPECT_EQ(kind("gone.localhost", "/.well-known/granary/tenant"), RouteKind::Suspended);
}

TEST_F(RouterTest, ThePlatformsOwnPathsNeverReachATenant) {
  EXPECT_EQ(kind("acme.localhost", "/.well-known/granary/tenant"), RouteKind::TenantInfo);
  EXPECT_EQ(kind("acme.localhost", "/.well-known/granary/discover"), RouteKind::Nothing);
  EXPECT_EQ(kind("acme.localhost", "/.well-known/granary/"), RouteKind::Nothing);
  EXPECT_EQ(kind("acme.localhost", "/.well-known/acme-challenge/x"), RouteKind::Frontend);
  EXPECT_EQ(kind("localhost", "/.well-known/granary/discover"), RouteKind::Discover);
  EXPECT_EQ(kind("localhost", "/.well-known/granary/tenant"), RouteKind::UnknownHost);
}

TEST_F(RouterTest, TheTenantsDocumentHoldsItsFlagsAndNoId) {
  EXPECT_EQ(tenant_document(index_.route("acme.localhost", "/.well-known/granary/tenant")),
            R"({"name":"Acme \"Inc\"","release":"insight-aaaaaaaaaaaa","state":"active",)"
            R"("flags":{"beta":true}})");
}

TEST_F(RouterTest, DiscoveryKnowsSlugsAndDomainsAndNothingElse) {
  EXPECT_EQ(index_.discover("acme"), "acme.localhost");
  EXPECT_EQ(index_.discover("scan.acme.example"), "scan.acme.example");
  EXPECT_EQ(index_.discover("acm"), std::nullopt);
  EXPECT_EQ(index_.discover(""), std::nullopt);
}

TEST_F(RouterTest, DiscoveryTakesTheVeryAddressBeforeItsDomain) {
  EXPECT_EQ(index_.discover("eve@acme.example"), "acme.localhost");
  EXPECT_EQ(index_.discover("ann@acme.example"), "plain.localhost");
  EXPECT_EQ(index_.discover("bob@globex.example"), "acme.localhost");
  EXPECT_EQ(index_.discover("eve@globex.example"), "plain.localhost");
  EXPECT_EQ(index_.discover("globex.example"), "plain.localhost");
  EXPECT_EQ(index_.discover("\"a@b\"@globex.example"), "plain.localhost");
  // A tenant's own host is its address before anybody's mail is.
  EXPECT_EQ(index_.discover("scan.acme.example"), "scan.acme.example");
  EXPECT_EQ(index_.discover("eve@scan.acme.example"), "plain.localhost");
  EXPECT_EQ(index_.discover("eve@shop.localhost"), "shop.localhost");
  for (const char* nobody : {"@", "ann@", "@acme", "acme@", "ann@acme", "email-domain:acme.example",
                             "ann@acme.example@", "sub.acme.example", "eve@sub.acme.example"})
    EXPECT_EQ(index_.discover(nobody), std::nullopt) << nobody;
}

TEST_F(RouterTest, AnEmptySnapshotKnowsNobody) {
  const RouteIndex empty(wire::Snapshot{.domain = "localhost"});
  EXPECT_EQ(empty.route("acme.localhost", "/").kind, RouteKind::UnknownHost);
  EXPECT_EQ(empty.discover("acme"), std::nullopt);
}

}  // namespace
}  // namespace granary::gateway
