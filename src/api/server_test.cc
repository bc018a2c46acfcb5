#include "api/server.h"

#include <gtest/gtest.h>

#include "api/route.h"
#include "api/testing/api_world.h"
#include "base/os/file.h"

// The whole server over real sockets, with the real engine, lifecycle and registry on the
// simulated cloud. Malformed requests are in malformed_test.cc.
namespace granary::api {
namespace {

using registry::Role;
using testing::ApiWorld;
using testing::Reply;
using testing::text_at;

TEST(ApiServerTest, CreatingATenantIsAnOperationThatCanBeWaitedFor) {
  ApiWorld world;
  const Reply created = world.post("/v1/tenants", R"({"id": "acme", "labels": {"plan": "pro"}})");
  ASSERT_EQ(created.status, 202U) << created.body;
  const std::string id = text_at(created.json(), "id");
  EXPECT_EQ(text_at(created.json(), "kind"), "tenant.create");
  EXPECT_EQ(created.headers.at("location"), "/v1/operations/" + id);

  const Reply ended = world.get("/v1/operations/" + id + "?wait=10s");
  EXPECT_EQ(text_at(ended.json(), "state"), "succeeded") << ended.body;
  EXPECT_FALSE(ended.json().at("history").as_array().empty());

  const base::json::object tenant = world.get("/v1/tenants/acme").json();
  EXPECT_EQ(text_at(tenant, "state"), "active");
  EXPECT_EQ(text_at(tenant, "url"), "http://acme.localhost:8080");
  EXPECT_EQ(text_at(tenant.at("labels").as_object(), "plan"), "pro");
  EXPECT_FALSE(tenant.at("services").as_array().empty());
  EXPECT_TRUE(text_at(tenant, "release").starts_with("insight-"));
}

TEST(ApiServerTest, WaitingForARevisionAnswersAtEachChange) {
  ApiWorld world;
  base::json::object seen = world.post("/v1/tenants", R"({"id": "acme"})").json();
  const std::string id = text_at(seen, "id");
  std::vector<std::string> states;
  while (text_at(seen, "state") != "succeeded") {
    const std::string revision = text_at(seen, "revision");
    seen = world.get(fmt::format("/v1/operations/{}?wait=30s&revision={}", id, revision)).json();
    ASSERT_NE(text_at(seen, "revision"), revision);
    states.push_back(text_at(seen, "state"));
  }
  EXPECT_GE(states.size(), 2U);
}

TEST(ApiServerTest, TheSameKeyGivesTheFirstOperationAgain) {
  ApiWorld world;
  const testing::Ask ask{.method = "POST",
                         .target = "/v1/tenants",
                         .body = R"({"id": "acme"})",
                         .headers = "Idempotency-Key: k1\r\n"};
  const Reply first = world.ask(ask);
  const Reply again = world.ask(ask);
  EXPECT_EQ(again.status, 202U);
  EXPECT_EQ(text_at(first.json(), "id"), text_at(again.json(), "id"));
  const Reply without = world.post("/v1/tenants", R"({"id": "acme"})");
  EXPECT_EQ(without.status, 409U);
  EXPECT_EQ(without.code(), "already_exists");
}

TEST(ApiServerTest, ATenantIsUpdatedSuspendedResumedAndOffboarded) {
  ApiWorld world;
  world.add_tenant("acme");
  const Reply updated = world.ask({.method = "PATCH",
                                   .target = "/v1/tenants/acme",
                                   .body = R"({"name": "Acme GmbH", "release": "insight-2"})"});
  ASSERT_EQ(updated.status, 202U) << updated.body;
  world.control.finish_all();
  EXPECT_EQ(text_at(world.get("/v1/tenants/acme").json(), "release"), "insight-2");
  EXPECT_EQ(world.post("/v1/tenants/acme/suspend", "").status, 202U);
  world.control.finish_all();
  EXPECT_EQ(text_at(world.get("/v1/tenants/acme").json(), "state"), "suspended");
  EXPECT_EQ(world.post("/v1/tenants/acme/resume", "{}").status, 202U);
  world.control.finish_all();
  EXPECT_EQ(world.post("/v1/tenants/acme/resume", "{}").code(), "conflict");

  const Reply plan =
      world.post("/v1/tenants/acme/offboard", R"({"retain": "30d", "dry_run": true})");
  EXPECT_EQ(plan.status, 200U);
  EXPECT_EQ(plan.json().at("retain_ms").to_number<std::int64_t>(), 30LL * 24 * 3600 * 1000);
  EXPECT_EQ(text_at(world.get("/v1/tenants/acme").json(), "state"), "active");
  EXPECT_EQ(world.post("/v1/tenants/acme/offboard", R"({"retain": "0s"})").status, 202U);
  world.control.finish_all();
  EXPECT_EQ(world.get("/v1/tenants/acme").status, 404U);
}

TEST(ApiServerTest, OffboardingKeepsTheDataForThirtyDaysUnlessToldOtherwise) {
  ApiWorld world;
  world.add_tenant("acme");
  const Reply plan = world.post("/v1/tenants/acme/offboard", R"({"dry_run": true})");
  EXPECT_EQ(plan.json().at("retain_ms").to_number<std::int64_t>(), 30LL * 24 * 3600 * 1000);
  EXPECT_EQ(world.post("/v1/tenants/acme/offboard", R"({"retain": "1d", "retain_ms": 1})").status,
            400U);
}

TEST(ApiServerTest, ListsComeInPagesWithoutGapsOrRepeats) {
  ApiWorld world;
  for (const char* id : {"acme", "globex", "initech"}) world.add_tenant(id);
  std::vector<std::string> ids;
  std::string after;
  for (;;) {
    const base::json::object page =
        world.get("/v1/tenants?limit=2" + (after.empty() ? "" : "&after=" + after)).json();
    for (const auto& item : page.at("items").as_array())
      ids.push_back(text_at(item.as_object(), "id"));
    if (!page.contains("next")) break;
    after = text_at(page, "next");
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"acme", "globex", "initech"}));
  const base::json::object operations =
      world.get("/v1/operations?subject=tenant/acme&limit=10").json();
  EXPECT_EQ(operations.at("items").as_array().size(), 1U);
  EXPECT_EQ(world.get("/v1/tenants?limit=0").status, 400U);
  EXPECT_EQ(world.get("/v1/tenants?state=happy").status, 400U);
  EXPECT_EQ(world.get("/v1/tenants?lmit=3").status, 400U);
}

TEST(ApiServerTest, ABundleBecomesAReleaseAndLeavesNoFileBehind) {
  ApiWorld world;
  const std::string bundle(1'000'000, 'b');
  const Reply made = world.ask({.method = "POST",
                                .target = "/v1/releases?name=mine",
                                .body = bundle,
                                .type = "application/zstd"});
  ASSERT_EQ(made.status, 201U) << made.body;
  EXPECT_EQ(text_at(made.json(), "id"), "mine");
  EXPECT_EQ(world.intake.bytes_taken(), bundle.size());
  EXPECT_TRUE(base::os::list_folder(world.folder.path())->empty());
  EXPECT_EQ(world.get("/v1/releases/mine").json().at("manifest"), base::json::object());
  EXPECT_EQ(world.get("/v1/releases?limit=1").json().at("items").as_array().size(), 1U);
  EXPECT_EQ(world.get("/v1/releases/nothing").status, 404U);
  const auto once_more = [&](const std::string& query) {
    return world.ask({.method = "POST",
                      .target = "/v1/releases" + query,
                      .body = bundle,
                      .type = "application/zstd"});
  };
  EXPECT_EQ(text_at(once_more("").json(), "id"), "mine");
  EXPECT_EQ(once_more("?name=mine").status, 201U);
  const Reply another = once_more("?name=other");
  EXPECT_EQ(another.status, 409U);
  EXPECT_NE(text_at(another.json(), "detail").find("these contents are release mine already"),
            std::string::npos);

  const Reply bad = world.ask({.method = "POST",
                               .target = "/v1/releases",
                               .body = "bad bundle",
                               .type = "application/zstd"});
  EXPECT_EQ(bad.status, 400U);
  EXPECT_EQ(text_at(bad.json(), "detail"), "granary.yaml:1:1: unknown key 'bad'");
  EXPECT_TRUE(base::os::list_folder(world.folder.path())->empty());
}

TEST(ApiServerTest, AClientThatAsksFirstIsToldToGoAhead) {
  ApiWorld world;
  const std::string answer = world.raw_until(
      fmt::format("POST /v1/releases HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {}\r\n"
                  "Content-Type: application/zstd\r\nExpect: 100-continue\r\n"
                  "Content-Length: 5\r\n\r\n",
                  world.token(Role::Deployer)),
      "\r\n\r\n");
  EXPECT_EQ(answer, "HTTP/1.1 100 Continue\r\n\r\n");
  const std::string refused = world.raw(
      "POST /v1/releases HTTP/1.1\r\nHost: api\r\nContent-Type: application/zstd\r\n"
      "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 401 ")) << refused;
}

TEST(ApiServerTest, RolesAreHeld) {
  ApiWorld world;
  const std::string viewer = world.token(Role::Viewer);
  const std::string deployer = world.token(Role::Deployer);
  world.add_tenant("acme");
  const auto status = [&](const std::string& token, const std::string& method,
                          const std::string& target, const std::string& body) {
    return world.ask({.method = method, .target = target, .body = body, .token = token}).status;
  };
  EXPECT_EQ(status("none", "GET", "/v1/tenants", ""), 401U);
  EXPECT_EQ(status("gry_wrong", "GET", "/v1/tenants", ""), 401U);
  EXPECT_EQ(status(viewer, "GET", "/v1/tenants", ""), 200U);
  EXPECT_EQ(status(viewer, "POST", "/v1/tenants", R"({"id": "b"})"), 403U);
  EXPECT_EQ(status(deployer, "POST", "/v1/tenants", R"({"id": "b"})"), 202U);
  EXPECT_EQ(status(deployer, "POST", "/v1/tenants/b/offboard", "{}"), 403U);
  EXPECT_EQ(status(deployer, "GET", "/v1/tokens", ""), 403U);
  EXPECT_EQ(status("none", "GET", "/healthz", ""), 200U);
  EXPECT_EQ(status("none", "GET", "/readyz", ""), 200U);

  const Reply offboard = world.post("/v1/tenants/acme/offboard", R"({"retain": "1d"})");
  const std::string operation = text_at(offboard.json(), "id");
  EXPECT_EQ(status(deployer, "POST", "/v1/operations/" + operation + "/cancel", ""), 403U);
}

TEST(ApiServerTest, ARevokedTokenIsOutAtOnceAlthoughItWasRemembered) {
  ApiWorld world;
  const Reply made = world.post("/v1/tokens", R"({"role": "viewer", "label": "ci", "ttl": "1h"})");
  ASSERT_EQ(made.status, 201U) << made.body;
  const std::string secret = text_at(made.json(), "secret");
  const std::string id = text_at(made.json(), "id");
  EXPECT_EQ(world.ask({.target = "/v1/status", .token = secret}).status, 200U);
  EXPECT_EQ(world.get("/v1/tokens").body.find(secret), std::string::npos);
  EXPECT_EQ(world.ask({.method = "DELETE", .target = "/v1/tokens/" + id}).status, 204U);
  EXPECT_EQ(world.ask({.target = "/v1/status", .token = secret}).status, 401U);
  EXPECT_EQ(world.ask({.method = "DELETE", .target = "/v1/tokens/nobody"}).status, 404U);
}

TEST(ApiServerTest, AnExpiredTokenIsOutAlthoughItWasRemembered) {
  ApiWorld world;
  const Reply made = world.post("/v1/tokens", R"({"role": "viewer", "ttl": "5s"})");
  const std::string secret = text_at(made.json(), "secret");
  EXPECT_EQ(world.ask({.target = "/v1/status", .token = secret}).status, 200U);
  world.control.world.advance(std::chrono::seconds(6));
  EXPECT_EQ(world.ask({.target = "/v1/status", .token = secret}).status, 401U);
}

TEST(ApiServerTest, ATokenCannotRevokeItselfAndLockEverybodyOut) {
  ApiWorld world;
  const Reply list = world.get("/v1/tokens");
  const std::string own = text_at(list.json().at("items").as_array().at(0).as_object(), "id");
  EXPECT_EQ(world.ask({.method = "DELETE", .target = "/v1/tokens/" + own}).code(), "conflict");
}

TEST(ApiServerTest, StatusCountsEveryAccountAndNamesTheBadOnes) {
  ApiWorld world;
  world.add_tenant("acme");
  world.control.prober.break_release("bbbb11112222");
  world.post("/v1/tenants", R"({"id": "globex", "release": "insight-2"})");
  world.control.finish_all();
  const base::json::object status = world.get("/v1/status").json();
  EXPECT_EQ(status.at("accounts").to_number<int>(), 2);
  EXPECT_EQ(status.at("by_state").at("active").to_number<int>(), 2);
  EXPECT_EQ(status.at("unhealthy_accounts").to_number<int>(), 1) << base::json::print(status);
  EXPECT_EQ(text_at(status.at("unhealthy").at(0).as_object(), "id"), "globex");
  // One judgement, counted and shown.
  EXPECT_EQ(text_at(status.at("unhealthy").at(0).as_object(), "health"), "unhealthy");
  EXPECT_EQ(base::json::print(status.at("by_health")), R"({"healthy":1,"unhealthy":1})");
  EXPECT_GE(status.at("services").to_number<int>(), 2);
}

TEST(ApiServerTest, StatusTellsThatTheCloudIsAwayAndCountsTheRest) {
  ApiWorld world;
  world.add_tenant("acme");
  world.fleet.go_away();
  const base::json::object status = world.get("/v1/status").json();
  EXPECT_EQ(status.at("accounts").to_number<int>(), 1);
  EXPECT_EQ(text_at(status, "cloud_problem"), "the agent does not answer");
  // Not ready, although every role answered the look that came after.
  EXPECT_EQ(status.at("not_ready").at(0).as_string(), "the agent does not answer");
}

TEST(ApiServerTest, ARoleThatIsAwayFailsReadinessWithTheReasonAndComesBack) {
  ApiWorld world;
  EXPECT_EQ(world.ask({.target = "/readyz", .token = "none"}).body, "ok\n");
  world.platform.state.not_ready = {"the agent does not answer", "the gateway does not answer"};
  const Reply away = world.ask({.target = "/readyz", .token = "none"});
  EXPECT_EQ(away.status, 503U);
  EXPECT_EQ(text_at(away.json(), "detail"),
            "the agent does not answer; the gateway does not answer");
  EXPECT_EQ(world.ask({.target = "/healthz", .token = "none"}).status, 200U);
  const base::json::object status = world.get("/v1/status").json();
  EXPECT_EQ(status.at("not_ready").as_array().size(), 2U);
  EXPECT_NE(world.get("/metrics").body.find("\ngranary_roles_away 2\n"), std::string::npos);
  world.platform.state.not_ready.clear();
  EXPECT_EQ(world.ask({.target = "/readyz", .token = "none"}).status, 200U);
}

TEST(ApiServerTest, LowRoomIsToldWhileAllIsReady) {
  ApiWorld world;
  world.platform.state = {.not_ready = {}, .warnings = {"almost full"}, .free_bytes = 12'345};
  EXPECT_EQ(world.ask({.target = "/readyz", .token = "none"}).status, 200U);
  const base::json::object status = world.get("/v1/status").json();
  EXPECT_EQ(status.at("warnings").at(0).as_string(), "almost full");
  EXPECT_EQ(status.at("free_bytes").to_number<std::uint64_t>(), 12'345U);
  EXPECT_NE(world.get("/metrics").body.find("\ngranary_data_free_bytes 12345\n"),
            std::string::npos);
}

TEST(ApiServerTest, EventsTellOfEveryChangeAndGoOnWhereTheyWereLeft) {
  ApiWorld world;
  const std::string head =
      fmt::format("GET /v1/events HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {}\r\n",
                  world.token(Role::Viewer));
  const std::string opened = world.raw_until(head + "\r\n", "id: ");
  ASSERT_NE(opened.find("text/event-stream"), std::string::npos) << opened;
  const std::string start = world.raw_until(head + "\r\n", "retry: 1000\n\n");
  const std::size_t at = start.find("id: ") + 4;
  const std::string id = start.substr(at, start.find('\n', at) - at);
  world.add_tenant("acme");
  const std::string events = world.raw_until(fmt::format("{}Last-Event-ID: {}\r\n\r\n", head, id),
                                             R"("state":"succeeded")");
  EXPECT_NE(events.find("event: operation"), std::string::npos);
  EXPECT_NE(events.find("tenant.create"), std::string::npos);
  const std::string other =
      world.raw_until(head + "Last-Event-ID: another-7\r\n\r\n", "event: reset");
  EXPECT_NE(other.find("event: reset"), std::string::npos);
}

TEST(ApiServerTest, AnEventStreamEndsWhenItsTokenIsRevoked) {
  ApiWorld world;
  const Reply made = world.post("/v1/tokens", R"({"role": "viewer", "ttl": "1m"})");
  const std::string stream = world.raw(
      fmt::format("GET /v1/events HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {}\r\n\r\n",
                  text_at(made.json(), "secret")));
  EXPECT_NE(stream.find(":\n\n"), std::string::npos);  // signs of life until then
}

TEST(ApiServerTest, MetricsCountWithoutNames) {
  ApiWorld world;
  world.add_tenant("acme");
  world.get("/v1/tenants/acme");
  const Reply metrics = world.ask({.target = "/metrics", .token = "none"});
  EXPECT_NE(metrics.body.find("granary_accounts{state=\"active\"} 1"), std::string::npos)
      << metrics.body;
  EXPECT_NE(metrics.body.find("granary_api_requests_total{method=\"GET\","
                              "route=\"/v1/tenants/{tenant}\",status=\"200\"} 1"),
            std::string::npos);
  EXPECT_NE(metrics.body.find("granary_operations_ended_total{state=\"succeeded\"}"),
            std::string::npos);
  EXPECT_EQ(metrics.body.find("acme"), std::string::npos);
}

TEST(ApiServerTest, LogsAskForAServiceThatExists) {
  ApiWorld world;
  world.add_tenant("acme");
  const base::json::object tenant = world.get("/v1/tenants/acme").json();
  const std::string service = text_at(tenant.at("services").at(0).as_object(), "name");
  const Reply log = world.get("/v1/tenants/acme/logs?service=" + service);
  EXPECT_EQ(log.status, 200U) << log.body;
  EXPECT_EQ(text_at(log.json(), "service"), service);
  EXPECT_EQ(world.get("/v1/tenants/acme/logs?service=..%2F..%2Fglobex").status, 404U);
  EXPECT_EQ(world.get("/v1/tenants/nobody/logs?service=api").status, 404U);
  EXPECT_EQ(world.get("/v1/tenants/acme/logs?cursor=-1").status, 400U);
}

TEST(ApiServerTest, TheAccessLogIsAskedForWithoutAServiceAndByRequest) {
  ApiWorld world;
  world.add_tenant("acme");
  const Reply all = world.get("/v1/tenants/acme/logs?access=true");
  EXPECT_EQ(all.status, 200U) << all.body;
  EXPECT_EQ(text_at(all.json(), "service"), "");
  EXPECT_EQ(all.json().at("lines").as_array().size(), 1U);
  // The simulated line ends with "more", so that is the id of its request.
  const Reply one = world.get("/v1/tenants/acme/logs?access=true&request=more");
  EXPECT_EQ(one.json().at("lines").as_array().size(), 1U);
  const Reply none = world.get("/v1/tenants/acme/logs?access=true&request=ore");
  EXPECT_EQ(none.json().at("lines").as_array().size(), 0U);
  EXPECT_EQ(world.get("/v1/tenants/acme/logs?request=more").status, 400U);
  EXPECT_EQ(world.get("/v1/tenants/acme/logs?access=perhaps").status, 400U);
}

TEST(ApiServerTest, TheDescriptionAndTheRoutesAreOne) {
  ApiWorld world;
  const base::json::object document = world.get("/v1/openapi.json").json();
  EXPECT_EQ(text_at(document, "openapi"), "3.1.0");
  std::size_t described = 0;
  for (const auto& path : document.at("paths").as_object())
    described += path.value().as_object().size();
  EXPECT_EQ(described, routes().size());
  const base::json::object& schemas = document.at("components").at("schemas").as_object();
  for (const Route& route : routes()) {
    std::string method(http::to_string(route.method));
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    const auto& operation = document.at("paths").at(route.pattern).at(method).as_object();
    EXPECT_EQ(text_at(operation, "operationId"), route.name);
    for (const std::string_view name : {route.takes, route.gives}) {
      const bool schema = !name.empty() && name.find('/') == std::string_view::npos;
      EXPECT_TRUE(!schema || schemas.contains(name)) << name;
    }
  }
}

TEST(ApiServerTest, EveryRouteAnswersAndEveryDescribedAnswerIsWhatComes) {
  ApiWorld world;
  world.add_tenant("acme");
  for (const Route& route : routes()) {
    if (route.name == "streamEvents") continue;  // does not end
    const std::string target = testing::target_of(route, "acme");
    const Reply reply =
        world.ask({.method = std::string(http::to_string(route.method)), .target = target});
    EXPECT_NE(reply.status, 0U) << target;
    EXPECT_NE(reply.status, 405U) << target;
    EXPECT_LT(reply.status, 500U) << target << reply.body;
    EXPECT_TRUE(reply.headers.contains("x-request-id")) << target;
    const bool public_route = route.access == Access::Public;
    const Reply stranger = world.ask(
        {.method = std::string(http::to_string(route.method)), .target = target, .token = "none"});
    EXPECT_EQ(stranger.status == 401U, !public_route) << target;
  }
}

TEST(ApiServerTest, ConnectionsAreKeptForFurtherRequests) {
  ApiWorld world;
  const std::string one = "GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n";
  const std::string last = "GET /healthz HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n";
  const std::string answers = world.raw(one + one + last);
  std::size_t count = 0;
  for (std::size_t at = answers.find("200 OK"); at != std::string::npos;
       at = answers.find("200 OK", at + 1))
    ++count;
  EXPECT_EQ(count, 3U);
}

TEST(ApiServerTest, ABundleThatWouldFillTheDiskIsRefusedBeforeItIsSent) {
  ApiWorld world;
  const auto asked = [&](std::uint64_t free) {
    world.archive_intake.set_free(free, 0);
    return world.raw_until(
        fmt::format("POST /v1/releases HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {}\r\n"
                    "Content-Type: application/zstd\r\nExpect: 100-continue\r\n"
                    "Content-Length: 20000000\r\n\r\n",
                    world.token(registry::Role::Operator)),
        "\r\n\r\n");
  };
  EXPECT_TRUE(asked(spare_room(20'000'000) + 20'000'000).starts_with("HTTP/1.1 100 "));
  const std::string refused = asked(spare_room(20'000'000) + 19'999'999);
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 507 ")) << refused;
  EXPECT_TRUE(base::os::list_folder(world.folder.path())->empty());
}

TEST(ApiServerTest, ARefusalForWantOfRoomHasTheNumbers) {
  ApiWorld world;
  world.archive_intake.set_free(600ULL << 20, 0);
  const std::string refused = world.raw(
      fmt::format("POST /v1/releases HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {}\r\n"
                  "Content-Type: application/zstd\r\nContent-Length: 209715200\r\n\r\n",
                  world.token(registry::Role::Operator)));
  EXPECT_NE(refused.find("no room for 200 MiB of bundles: 600 MiB are free on the disk, of which "
                         "512 MiB stay free"),
            std::string::npos)
      << refused;
}

}  // namespace
}  // namespace granary::api
