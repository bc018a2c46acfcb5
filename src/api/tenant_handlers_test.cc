#include <gtest/gtest.h>

#include "api/testing/api_world.h"

// Pins, ways to be found, and claimed domains of tenants; the rest is in server_test.cc.
namespace granary::api {
namespace {

using testing::ApiWorld;
using testing::Reply;
using testing::text_at;

Reply remove(ApiWorld& world, const std::string& target) {
  return world.ask({.method = "DELETE", .target = target});
}

TEST(TenantHandlersTest, APinHoldsUntilItsTimeAndIsGoneThen) {
  ApiWorld world;
  world.add_tenant("acme");
  EXPECT_FALSE(world.get("/v1/tenants/acme").json().at("pinned").as_bool());
  const Reply pinned = world.post("/v1/tenants/acme/pin", R"({"until": "2h"})");
  ASSERT_EQ(pinned.status, 200U) << pinned.body;
  EXPECT_TRUE(pinned.json().at("pinned").as_bool());
  const std::string until = text_at(pinned.json(), "pinned_until");
  EXPECT_EQ(text_at(world.get("/v1/tenants/acme").json(), "pinned_until"), until);
  EXPECT_TRUE(world.get("/v1/tenants").json().at("items").at(0).at("pinned").as_bool());
  world.control.world.advance(std::chrono::hours(3));
  const base::json::object later = world.get("/v1/tenants/acme").json();
  EXPECT_FALSE(later.at("pinned").as_bool());
  EXPECT_FALSE(later.contains("pinned_until"));
}

TEST(TenantHandlersTest, APinWithoutATimeHoldsUntilItIsTakenAway) {
  ApiWorld world;
  world.add_tenant("acme");
  const Reply pinned = world.post("/v1/tenants/acme/pin", "");
  EXPECT_TRUE(pinned.json().at("pinned").as_bool());
  EXPECT_FALSE(pinned.json().contains("pinned_until"));
  const Reply gone = remove(world, "/v1/tenants/acme/pin");
  EXPECT_EQ(gone.status, 200U);
  EXPECT_FALSE(gone.json().at("pinned").as_bool());
}

TEST(TenantHandlersTest, APinThatMakesNoSenseIsRefused) {
  ApiWorld world;
  world.add_tenant("acme");
  for (const char* until : {"yesterday", "0s", "2001-01-01T00:00:00Z", "", "2h "}) {
    const Reply reply =
        world.post("/v1/tenants/acme/pin", fmt::format(R"({{"until": "{}"}})", until));
    EXPECT_EQ(reply.status, 400U) << until;
    EXPECT_FALSE(text_at(reply.json(), "advice").empty()) << until;
  }
  EXPECT_EQ(world.post("/v1/tenants/nobody/pin", "").status, 404U);
  EXPECT_EQ(remove(world, "/v1/tenants/nobody/pin").status, 404U);
  EXPECT_FALSE(world.get("/v1/tenants/acme").json().at("pinned").as_bool());
}

TEST(TenantHandlersTest, WaysToBeFoundAreGivenShownAndChanged) {
  ApiWorld world;
  const Reply created = world.post(
      "/v1/tenants",
      R"({"id": "acme", "discovery": ["email:Ann@Acme.example", "email-domain:acme.example"]})");
  ASSERT_EQ(created.status, 202U) << created.body;
  world.control.finish_all();
  const auto found = [&] {
    return base::json::print(world.get("/v1/tenants/acme").json().at("discovery"));
  };
  EXPECT_EQ(found(), R"(["email-domain:acme.example","email:ann@acme.example"])");
  const Reply updated = world.ask({.method = "PATCH",
                                   .target = "/v1/tenants/acme",
                                   .body = R"({"add_discovery": ["email:bob@acme.example"],
                                        "remove_discovery": ["email-domain:acme.example"]})"});
  ASSERT_EQ(updated.status, 202U) << updated.body;
  world.control.finish_all();
  EXPECT_EQ(found(), R"(["email:ann@acme.example","email:bob@acme.example"])");
  EXPECT_EQ(world.post("/v1/tenants", R"({"id": "b", "discovery": ["phone:1"]})").status, 400U);
  EXPECT_EQ(
      world.post("/v1/tenants", R"({"id": "b", "discovery": ["email:ann@acme.example"]})").status,
      409U);
}

TEST(TenantHandlersTest, ADomainIsClaimedProvedAndTheTenants) {
  ApiWorld world;
  world.add_tenant("acme");
  const std::string claims = "/v1/tenants/acme/domain-claims";
  const Reply claimed = world.post(claims, R"({"domain": "App.Acme.example"})");
  ASSERT_EQ(claimed.status, 201U) << claimed.body;
  const base::json::object claim = claimed.json();
  EXPECT_EQ(text_at(claim, "domain"), "app.acme.example");
  EXPECT_EQ(text_at(claim, "txt_name"), "_granary.app.acme.example");
  EXPECT_EQ(text_at(claim, "http_path"), "/.well-known/granary/domain-token");
  EXPECT_EQ(world.post(claims, R"({"domain": "app.acme.example"})").json(), claim);
  EXPECT_EQ(world.get("/v1/tenants/acme").json().at("domain_claims").at(0), claim);
  EXPECT_EQ(world.get(claims).json().at("items").at(0), claim);

  const std::string verify = claims + "/app.acme.example/verify";
  const Reply missing = world.post(verify, "");
  EXPECT_EQ(missing.status, 409U);
  EXPECT_NE(missing.body.find("_granary.app.acme.example"), std::string::npos) << missing.body;
  world.control.domains.set_txt("_granary.app.acme.example", text_at(claim, "token"));
  EXPECT_EQ(world.post(verify, "").status, 202U);
  world.control.finish_all();
  const base::json::object tenant = world.get("/v1/tenants/acme").json();
  EXPECT_EQ(base::json::print(tenant.at("domains")), R"(["app.acme.example"])");
  EXPECT_TRUE(tenant.at("domain_claims").as_array().empty());
}

TEST(TenantHandlersTest, ClaimsAreDroppedAndWrongOnesRefused) {
  ApiWorld world;
  world.add_tenant("acme");
  const std::string claims = "/v1/tenants/acme/domain-claims";
  EXPECT_EQ(world.post(claims, R"({"domain": "acme.example"})").status, 201U);
  EXPECT_EQ(remove(world, claims + "/acme.example").status, 204U);
  EXPECT_EQ(world.get(claims).json().at("items").as_array().size(), 0U);
  EXPECT_EQ(world.post(claims + "/acme.example/verify", "").status, 404U);
  for (const char* body : {R"({"domain": "no domain"})", R"({"domain": "x"})", R"({"domain": ""})",
                           R"({"domain": 1})", "{}", R"({"domain": "a.example", "token": "x"})"})
    EXPECT_EQ(world.post(claims, body).status, 400U) << body;
  EXPECT_EQ(world.post("/v1/tenants/nobody/domain-claims", R"({"domain": "a.example"})").status,
            404U);
  EXPECT_EQ(world.get("/v1/tenants/nobody/domain-claims").status, 404U);
}

}  // namespace
}  // namespace granary::api
