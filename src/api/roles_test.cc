#include <gtest/gtest.h>

#include "api/testing/api_world.h"

// Who may do what, of every route that there is: a table rather than samples, so that no new route
// is forgotten.
namespace granary::api {
namespace {

using registry::Role;
using testing::ApiWorld;
using testing::Reply;

class RolesTest : public ::testing::Test {
 protected:
  Reply ask(const Route& route, const std::string& token) {
    return world_.ask({.method = std::string(http::to_string(route.method)),
                       .target = testing::target_of(route, "nobody"),
                       .token = token});
  }
  // A token of this kind that nobody may use any more.
  std::string expired() {
    const Reply made = world_.post("/v1/tokens", R"({"role": "operator", "ttl": "1s"})");
    world_.control.world.advance(std::chrono::seconds(2));
    return testing::text_at(made.json(), "secret");
  }
  std::string revoked() {
    const Reply made = world_.post("/v1/tokens", R"({"role": "operator"})");
    const std::string id = testing::text_at(made.json(), "id");
    EXPECT_EQ(world_.ask({.method = "DELETE", .target = "/v1/tokens/" + id}).status, 204U);
    return testing::text_at(made.json(), "secret");
  }
  static bool streams(const Route& route) { return route.name == "streamEvents"; }

  ApiWorld world_;
};

TEST_F(RolesTest, NoRouteButThePublicOnesLetsABadTokenIn) {
  const std::map<std::string, std::string> bad = {
      {"none", "none"}, {"unknown", "gry_unknown"}, {"expired", expired()}, {"revoked", revoked()}};
  for (const Route& route : routes()) {
    if (route.access == Access::Public) continue;
    for (const auto& [kind, token] : bad) {
      const Reply reply = ask(route, token);
      EXPECT_EQ(reply.status, 401U) << route.name << " with a token that is " << kind;
      EXPECT_EQ(reply.code(), "unauthenticated") << route.name;
    }
  }
}

TEST_F(RolesTest, EveryRouteRefusesTheRolesBelowItsOwnAndNoOthers) {
  const std::map<Role, std::string> tokens = {{Role::Viewer, world_.token(Role::Viewer)},
                                              {Role::Deployer, world_.token(Role::Deployer)},
                                              {Role::Operator, world_.token(Role::Operator)}};
  for (const Route& route : routes()) {
    for (const auto& [role, token] : tokens) {
      if (streams(route)) continue;  // does not end
      const Reply reply = ask(route, token);
      const bool refused = reply.status == 403 && reply.code() == "refused";
      EXPECT_EQ(refused, !allows(role, route.access))
          << route.name << " as " << to_string(role) << ": " << reply.status << reply.body;
    }
  }
}

TEST_F(RolesTest, WhatDestroysGivesAwayOrLetsInIsForOperators) {
  const std::set<std::string_view> for_operators = {
      "acceptClock",   "offboardTenant", "exportTenant", "restoreTenant",   "listArchives",
      "createArchive", "showArchive",    "readArchive",  "removeArchive",   "putPlan",
      "removePlan",    "setSecret",      "unsetSecret",  "repairDrift",     "listTokens",
      "createToken",   "deleteRelease",  "revokeToken",  "signVerification"};
  std::set<std::string_view> found;
  for (const Route& route : routes()) {
    if (route.access == Access::Operator) found.insert(route.name);
    if (route.access == Access::Viewer)
      EXPECT_EQ(route.method, http::verb::get) << route.name << " changes something";
  }
  EXPECT_EQ(found, for_operators);
}

}  // namespace
}  // namespace granary::api
