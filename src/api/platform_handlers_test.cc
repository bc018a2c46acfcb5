#include <gtest/gtest.h>

#include "api/testing/api_world.h"

// Plans, drift, and the audit log. Secrets are in secret_handlers_test.cc.
namespace granary::api {
namespace {

using testing::ApiWorld;
using testing::Reply;
using testing::text_at;

Reply put(ApiWorld& world, const std::string& target, const std::string& body) {
  return world.ask({.method = "PUT", .target = target, .body = body});
}

Reply remove(ApiWorld& world, const std::string& target) {
  return world.ask({.method = "DELETE", .target = target});
}

TEST(PlanHandlersTest, APlanIsMadeGivenChangedAndRemoved) {
  ApiWorld world;
  const Reply made = put(world, "/v1/plans/pro",
                         R"({"defaults": {"memory_bytes": 268435456, "cpu_millis": 500},
                             "ceilings": {"memory_bytes": 1073741824}, "idle_ms": 300000,
                             "egress": false, "price": "49.00 EUR"})");
  ASSERT_EQ(made.status, 202U) << made.body;
  world.control.finish_all();
  base::json::object plan = world.get("/v1/plans/pro").json();
  EXPECT_EQ(plan.at("defaults").at("memory_bytes").to_number<std::int64_t>(), 268435456);
  EXPECT_EQ(plan.at("ceilings").at("memory_bytes").to_number<std::int64_t>(), 1073741824);
  EXPECT_FALSE(plan.at("ceilings").as_object().contains("processes"));
  EXPECT_EQ(plan.at("idle_ms").to_number<std::int64_t>(), 300000);
  EXPECT_FALSE(plan.at("egress").as_bool());
  EXPECT_EQ(text_at(plan, "price"), "49.00 EUR");
  EXPECT_EQ(plan.at("accounts").to_number<int>(), 0);

  EXPECT_EQ(world.post("/v1/tenants", R"({"id": "acme", "plan": "pro"})").status, 202U);
  world.control.finish_all();
  EXPECT_EQ(world.get("/v1/plans/pro").json().at("accounts").to_number<int>(), 1);
  EXPECT_EQ(put(world, "/v1/plans/pro", R"({"price": "59.00 EUR"})").status, 202U);
  world.control.finish_all();
  plan = world.get("/v1/plans/pro").json();
  EXPECT_FALSE(plan.contains("idle_ms"));
  EXPECT_TRUE(plan.at("egress").as_bool());
  EXPECT_EQ(plan.at("version").to_number<int>(), 2);

  EXPECT_EQ(remove(world, "/v1/plans/pro").code(), "conflict");
  EXPECT_EQ(
      world
          .ask({.method = "PATCH", .target = "/v1/tenants/acme", .body = R"({"plan": "standard"})"})
          .status,
      202U);
  world.control.finish_all();
  EXPECT_EQ(remove(world, "/v1/plans/pro").status, 204U);
  EXPECT_EQ(world.get("/v1/plans/pro").status, 404U);
  EXPECT_EQ(remove(world, "/v1/plans/standard").code(), "conflict");
  const base::json::object plans = world.get("/v1/plans").json();
  EXPECT_EQ(text_at(plans.at("items").at(0).as_object(), "name"), "standard");
}

TEST(PlanHandlersTest, PlansThatCannotBeAreRefusedByTheMember) {
  ApiWorld world;
  const std::map<std::string, std::string> bodies = {
      {R"({"defualts": {}})", "'defaults'"},
      {R"({"defaults": {"memory": 1}})", "'memory'"},
      {R"({"defaults": {"memory_bytes": -1}})", "memory_bytes"},
      {R"({"defaults": {"memory_bytes": "256Mi"}})", "memory_bytes"},
      {R"({"defaults": {"processes": 10}, "ceilings": {"processes": 5}})", "processes"},
      {R"({"price": "a lot"})", "price"},
      {R"({"egress": "no"})", "egress"},
      {R"({"idle_ms": 0})", "idle_ms"}};
  for (const auto& [body, names] : bodies) {
    const Reply reply = put(world, "/v1/plans/pro", body);
    EXPECT_EQ(reply.status, 400U) << body << reply.body;
    EXPECT_NE(reply.body.find(names), std::string::npos) << body << reply.body;
  }
  EXPECT_EQ(put(world, "/v1/plans/Pro%20Plan", "{}").status, 400U);
  EXPECT_EQ(world.get("/v1/plans/pro").status, 404U);
}

TEST(DriftHandlersTest, WhatDiffersIsNamedAndMendedByName) {
  ApiWorld world;
  world.add_tenant("acme");
  world.add_tenant("globex");
  EXPECT_TRUE(world.get("/v1/drift").json().at("items").as_array().empty());
  ASSERT_TRUE(
      world.control.world.run(world.control.cloud.destroy(base::AccountId("acme"))).has_value());
  const base::json::object drift = world.get("/v1/drift").json();
  EXPECT_GE(drift.at("compared").to_number<int>(), 2);
  ASSERT_EQ(drift.at("items").as_array().size(), 1U) << base::json::print(drift);
  const base::json::object& item = drift.at("items").at(0).as_object();
  EXPECT_EQ(text_at(item, "account"), "acme");
  EXPECT_EQ(text_at(item, "kind"), "missing");

  const Reply mended = world.post("/v1/drift/repairs", "");
  ASSERT_EQ(mended.status, 202U) << mended.body;
  world.control.finish_all();
  EXPECT_EQ(world.get("/v1/drift").json().at("items").as_array().size(), 1U);
  EXPECT_EQ(world.post("/v1/drift/repairs", R"({"recreate": ["acme"]})").status, 202U);
  world.control.finish_all();
  EXPECT_TRUE(world.get("/v1/drift").json().at("items").as_array().empty());
  EXPECT_EQ(world.post("/v1/drift/repairs", R"({"recreate": "acme"})").status, 400U);
  EXPECT_EQ(world.post("/v1/drift/repairs", R"({"all": true})").status, 400U);
}

TEST(AuditHandlersTest, WhatTokensAndTenantsUndergoIsTold) {
  ApiWorld world;
  const std::int64_t before = world.get("/v1/audit/check").json().at("entries").to_number<int>();
  const Reply made = world.post("/v1/tokens", R"({"role": "viewer", "label": "ci"})");
  const std::string id = text_at(made.json(), "id");
  const std::string secret = text_at(made.json(), "secret");
  EXPECT_EQ(remove(world, "/v1/tokens/" + id).status, 204U);
  EXPECT_EQ(remove(world, "/v1/tokens/" + id).status, 204U);  // again: no second entry
  const Reply log = world.get("/v1/audit?subject=token/" + id);
  const base::json::array items = log.json().at("items").as_array();
  ASSERT_EQ(items.size(), 2U) << log.body;
  const base::json::object& create = items[0].as_object();
  EXPECT_EQ(text_at(create, "action"), "token.create");
  EXPECT_TRUE(text_at(create, "actor").starts_with("token/"));
  EXPECT_NE(text_at(create, "actor"), "token/" + id);
  EXPECT_TRUE(create.at("before").as_object().empty());
  EXPECT_EQ(text_at(create.at("after").as_object(), "role"), "viewer");
  const base::json::object& revoke = items[1].as_object();
  EXPECT_EQ(text_at(revoke, "action"), "token.revoke");
  EXPECT_TRUE(revoke.at("after").as_object().contains("revoked"));
  EXPECT_EQ(text_at(revoke, "previous"), text_at(create, "hash"));
  EXPECT_EQ(log.body.find(secret), std::string::npos);
  EXPECT_EQ(world.get("/v1/audit/check").json().at("entries").to_number<std::int64_t>(),
            before + 2);
}

TEST(AuditHandlersTest, ATokenThatCannotBeMadeOrRevokedLeavesNoEntry) {
  ApiWorld world;
  const auto entries = [&] { return world.get("/v1/audit/check").json().at("entries"); };
  const base::json::value before = entries();
  EXPECT_EQ(world.post("/v1/tokens", R"({"role": "king"})").status, 400U);
  EXPECT_EQ(remove(world, "/v1/tokens/nobody").status, 404U);
  EXPECT_EQ(entries(), before);
}

TEST(AuditHandlersTest, TheLogComesInPagesBySubjectAndTime) {
  ApiWorld world;
  for (int i = 0; i < 5; ++i) world.post("/v1/tokens", R"({"role": "viewer"})");
  std::vector<std::int64_t> numbers;
  std::string after = "0";
  for (;;) {
    const base::json::object page = world.get("/v1/audit?limit=2&after=" + after).json();
    for (const auto& item : page.at("items").as_array())
      numbers.push_back(item.at("number").to_number<std::int64_t>());
    if (!page.contains("next")) break;
    after = text_at(page, "next");
  }
  ASSERT_GE(numbers.size(), 5U);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    EXPECT_EQ(numbers[i], static_cast<std::int64_t>(i + 1));

  world.control.world.advance(std::chrono::hours(2));
  const Reply last = world.post("/v1/tokens", R"({"role": "viewer"})");
  for (const std::string& since : {std::string("1h"), text_at(last.json(), "created")}) {
    const base::json::object page = world.get("/v1/audit?since=" + since).json();
    ASSERT_EQ(page.at("items").as_array().size(), 1U) << since;
    EXPECT_EQ(text_at(page.at("items").at(0).as_object(), "subject"),
              "token/" + text_at(last.json(), "id"));
  }
  EXPECT_EQ(world.get("/v1/audit?since=yesterday").status, 400U);
  EXPECT_EQ(world.get("/v1/audit?after=x").status, 400U);
  EXPECT_EQ(world.get("/v1/audit?actor=x").status, 400U);
}

TEST(AuditHandlersTest, ACheckFindsWhatWasChangedAndWhatWasCutOff) {
  ApiWorld world;
  for (int i = 0; i < 3; ++i) world.post("/v1/tokens", R"({"role": "viewer"})");
  const base::json::object whole = world.get("/v1/audit/check").json();
  EXPECT_FALSE(whole.contains("problem"));
  const base::json::object head = whole.at("head").as_object();
  const std::string known = fmt::format("/v1/audit/check?number={}&hash={}",
                                        head.at("number").to_number<int>(), text_at(head, "hash"));
  EXPECT_FALSE(world.get(known).json().contains("problem"));
  const auto exec = [&](const std::string& sql) {
    const auto done = world.control.world.run(
        world.control.store.get().write([sql](store::Transaction& tx) -> base::Result<void> {
          TRY(tx.exec(sql));
          return {};
        }));
    return done.has_value();
  };
  ASSERT_TRUE(exec("DELETE FROM audit WHERE number = (SELECT max(number) FROM audit)"));
  EXPECT_FALSE(world.get("/v1/audit/check").json().contains("problem"));  // it cannot know
  EXPECT_TRUE(world.get(known).json().contains("problem"));
  ASSERT_TRUE(exec("UPDATE audit SET actor = 'token/nobody' WHERE number = 1"));
  EXPECT_EQ(text_at(world.get("/v1/audit/check").json(), "problem"), "entry 1 was changed");
  for (const char* bad :
       {"?number=1", "?hash=ab", "?number=0&hash=", "?number=-1&hash=ab", "?number=1&hash=zz"})
    EXPECT_EQ(world.get(std::string("/v1/audit/check") + bad).status, 400U) << bad;
}

}  // namespace
}  // namespace granary::api
