#include <gtest/gtest.h>

#include "api/testing/api_world.h"

// Pins, ways to be found, and claimed domains of tenants; the rest is in server_test.cc.
namespace granary::api {
namespace {

using testing::ApiWorld;
using testing::Ask;
using testing::Reply;
using testing::text_at;
using namespace std::chrono_literals;

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
    EXPECT_NE(reply.body.find("\"advice\":\""), std::string::npos) << until << reply.body;
    EXPECT_EQ(reply.body.find("\"advice\":\"\""), std::string::npos) << until;
  }
  const Reply word = world.post("/v1/tenants/acme/pin", R"({"until": "tomorrow"})");
  EXPECT_NE(word.body.find("until: 'tomorrow' is neither a time nor a duration"), std::string::npos)
      << word.body;
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

// ---- tenants that have failed

TEST(TenantHandlersTest, AFailedTenantIsShownWithItsReasonAndWhatWasTried) {
  ApiWorld world;
  world.control.cloud.refuse_release("aaaa11112222");
  const std::string created =
      text_at(world.post("/v1/tenants", R"({"id": "acme", "release": "insight-1"})").json(), "id");
  world.control.finish_all();
  const base::json::object shown = world.get("/v1/tenants/acme").json();
  EXPECT_EQ(text_at(shown, "state"), "failed");
  EXPECT_EQ(text_at(shown, "operation"), created);
  const base::json::object& failure = shown.at("last_failure").as_object();
  EXPECT_EQ(text_at(failure, "operation"), created);
  EXPECT_EQ(text_at(failure, "kind"), "tenant.create");
  EXPECT_EQ(text_at(failure, "step"), "converge");
  EXPECT_NE(text_at(failure, "message").find("the command was not found"), std::string::npos);
  EXPECT_NE(text_at(failure, "advice").find("tenant update acme --release"), std::string::npos);
  EXPECT_TRUE(base::parse_rfc3339(text_at(failure, "when")).has_value());
  const base::json::object& service = shown.at("services").at(0).as_object();
  EXPECT_EQ(text_at(service, "name"), "api");
  EXPECT_EQ(text_at(service, "phase"), "not_deployed");

  const Reply log = world.get("/v1/tenants/acme/logs");
  EXPECT_EQ(log.status, 404U);
  EXPECT_NE(log.body.find("nothing of 'acme' is deployed"), std::string::npos) << log.body;
  const base::json::object status = world.get("/v1/status").json();
  EXPECT_NE(text_at(status.at("unhealthy").at(0).as_object(), "detail").find("not found"),
            std::string::npos);
}

TEST(TenantHandlersTest, NothingIsSaidToBeNotDeployedWhileTheCloudDoesNotAnswer) {
  ApiWorld world;
  world.add_tenant("acme");
  world.control.cloud.set_faults({.refuse = 1});
  const base::json::object shown = world.get("/v1/tenants/acme").json();
  EXPECT_NE(text_at(shown, "cloud_problem"), "(none)");
  EXPECT_TRUE(shown.at("services").as_array().empty());
}

TEST(TenantHandlersTest, TheOperationThatIsShownIsTheLastOneAlsoOfItsChecks) {
  ApiWorld world;
  world.control.prober.break_release("aaaa11112222");
  const Reply created = world.post("/v1/tenants", R"({"id": "acme", "release": "insight-1"})");
  world.control.finish_all();
  const base::json::object done =
      world.get("/v1/operations/" + text_at(created.json(), "id")).json();
  const base::json::object shown = world.get("/v1/tenants/acme").json();
  EXPECT_EQ(text_at(shown, "operation"), text_at(done, "follow_up"));
  EXPECT_EQ(text_at(shown.at("last_failure").as_object(), "kind"), "deployment.check");
  EXPECT_EQ(text_at(shown.at("services").at(0).as_object(), "phase"), "asleep");
}

TEST(TenantHandlersTest, AnAgentThatIsAwayDoesNotHoldUpWhatControlKnows) {
  ApiWorld world;
  world.add_tenant("acme");
  world.control.cloud.set_faults({.shortest = 30s, .longest = 30s});
  const auto soon = [&](Ask ask) {
    const base::BootTime began = world.control.world.clock.boot();
    Reply reply = world.ask(std::move(ask));
    EXPECT_LT(world.control.world.clock.boot() - began, 1s) << ask.target;
    return reply;
  };
  world.platform.away = "the agent has not answered since noon";
  const base::json::object shown = soon({.target = "/v1/tenants/acme"}).json();
  EXPECT_EQ(text_at(shown, "state"), "active");
  EXPECT_EQ(text_at(shown, "cloud_problem"), world.platform.away);
  for (const Ask& ask :
       {Ask{.target = "/v1/tenants/acme/logs?service=api"}, Ask{.target = "/v1/drift"},
        Ask{.method = "POST",
            .target = "/v1/tenants/acme/offboard",
            .body = R"({"dry_run": true})"}}) {
    const Reply reply = soon(ask);
    EXPECT_EQ(reply.status, 503U) << ask.target << reply.body;
    EXPECT_EQ(text_at(reply.json(), "detail"), world.platform.away);
  }
  // One that is only slow is waited for.
  world.platform.away.clear();
  EXPECT_FALSE(world.get("/v1/tenants/acme").json().contains("cloud_problem"));
}

TEST(TenantHandlersTest, ASecretThatIsNotSetIsWarnedOfAndShown) {
  ApiWorld world;
  const Reply created = world.post("/v1/tenants", R"({"id": "acme", "release": "insight-1"})");
  world.control.finish_all();
  const base::json::object done =
      world.get("/v1/operations/" + text_at(created.json(), "id")).json();
  EXPECT_EQ(text_at(done, "state"), "succeeded");
  EXPECT_NE(base::json::print(done.at("warnings")).find("granary secret set STRIPE_KEY"),
            std::string::npos);
  EXPECT_EQ(base::json::print(world.get("/v1/tenants/acme").json().at("secrets_not_set")),
            R"(["STRIPE_KEY"])");
}

TEST(TenantHandlersTest, ADomainOrAWayToBeFoundThatIsTakenIsRefusedWithTheWayOut) {
  ApiWorld world;
  ASSERT_EQ(world
                .post("/v1/tenants", R"({"id": "acme", "domains": ["a.example"],
                       "discovery": ["email:a@a.example"]})")
                .status,
            202U);
  for (const char* body : {R"({"id": "b", "domains": ["a.example"]})",
                           R"({"id": "b", "discovery": ["email:a@a.example"]})"}) {
    const Reply refused = world.post("/v1/tenants", body);
    EXPECT_EQ(refused.status, 409U) << body;
    EXPECT_NE(text_at(refused.json(), "advice").find("granary tenant update OTHER --remove-"),
              std::string::npos)
        << refused.body;
    EXPECT_EQ(refused.body.find("acme"), std::string::npos) << "it names no other tenant";
  }
}

}  // namespace
}  // namespace granary::api
