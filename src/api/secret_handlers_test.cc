#include <gtest/gtest.h>

#include "api/testing/api_world.h"

// Secrets: set, named, removed; their values are nowhere to be found afterwards.
namespace granary::api {
namespace {

using testing::ApiWorld;
using testing::Reply;
using testing::text_at;

constexpr const char* kValue = "hunter2-and-some-more";

Reply put(ApiWorld& world, const std::string& name, const std::string& document,
          const std::string& key = "") {
  return world.ask({.method = "PUT",
                    .target = "/v1/secrets/" + name,
                    .body = document,
                    .headers = key.empty() ? "" : "Idempotency-Key: " + key + "\r\n"});
}

std::string body(const std::string& value, const std::string& tenant = "") {
  base::json::object document;
  document["value"] = value;
  if (!tenant.empty()) document["tenant"] = tenant;
  return base::json::print(document);
}

std::vector<std::string> names(const Reply& reply) {
  std::vector<std::string> found;
  for (const auto& item : reply.json().at("items").as_array()) {
    const base::json::object& secret = item.as_object();
    found.push_back(text_at(secret, "name") +
                    (secret.contains("tenant") ? "/" + text_at(secret, "tenant") : ""));
  }
  return found;
}

TEST(SecretHandlersTest, SecretsAreSetNamedAndRemoved) {
  ApiWorld world;
  world.add_tenant("acme");
  EXPECT_EQ(put(world, "STRIPE_KEY", body("a")).status, 202U);
  EXPECT_EQ(put(world, "DB", body("b", "acme")).status, 202U);
  EXPECT_EQ(put(world, "DB", body("c")).status, 202U);
  world.control.finish_all();
  using Names = std::vector<std::string>;
  EXPECT_EQ(names(world.get("/v1/secrets")), (Names{"DB", "DB/acme", "STRIPE_KEY"}));
  EXPECT_EQ(names(world.get("/v1/secrets?tenant=acme")), (Names{"DB/acme", "STRIPE_KEY"}));
  Names paged;
  for (std::string after;;) {
    const Reply page = world.get("/v1/secrets?limit=1&after=" + after);
    for (const std::string& name : names(page)) paged.push_back(name);
    if (!page.json().contains("next")) break;
    after = text_at(page.json(), "next");
  }
  EXPECT_EQ(paged, (Names{"DB", "DB/acme", "STRIPE_KEY"}));

  EXPECT_EQ(world.ask({.method = "DELETE", .target = "/v1/secrets/DB?tenant=acme"}).status, 202U);
  world.control.finish_all();
  EXPECT_EQ(names(world.get("/v1/secrets?tenant=acme")), (Names{"DB", "STRIPE_KEY"}));
  EXPECT_EQ(world.ask({.method = "DELETE", .target = "/v1/secrets/NOTHING"}).status, 404U);
  EXPECT_EQ(world.get("/v1/secrets?tenant=nobody").status, 404U);
}

TEST(SecretHandlersTest, NoValueIsFoundInAnyAnswerOrInTheStoresFiles) {
  ApiWorld world;
  world.add_tenant("acme");
  const Reply first = put(world, "DB", body(kValue, "acme"), "k1");
  std::string said = first.body + put(world, "STRIPE", body(kValue), "k2").body;
  world.control.finish_all();
  const Reply again = put(world, "DB", body(kValue, "acme"), "k1");
  EXPECT_EQ(text_at(again.json(), "id"), text_at(first.json(), "id"));
  said += again.body;
  for (const char* target : {"/v1/secrets", "/v1/secrets?tenant=acme", "/v1/operations",
                             "/v1/audit", "/v1/tenants/acme", "/v1/drift", "/metrics"})
    said += world.get(target).body;
  for (const auto& item : world.get("/v1/operations").json().at("items").as_array())
    said += world.get("/v1/operations/" + text_at(item.as_object(), "id")).body;
  EXPECT_EQ(said.find("hunter2"), std::string::npos);
  // Sealed, in rows; neither there nor in what an idempotency key has kept.
  bool names_are_there = false;
  for (const char* suffix : {"", "-wal"}) {
    const auto bytes = base::os::read_file(world.control.store.path() + suffix, 1U << 30);
    if (!bytes) continue;
    EXPECT_EQ(bytes->find("hunter2"), std::string::npos) << suffix;
    names_are_there |= bytes->find("STRIPE") != std::string::npos;
  }
  EXPECT_TRUE(names_are_there);
}

TEST(SecretHandlersTest, NoErrorAndNoLogLineHoldsAnyOfAValue) {
  ApiWorld world;
  world.add_tenant("acme");
  ::testing::internal::CaptureStdout();  // where the log goes that no role was given
  ::testing::internal::CaptureStderr();
  const std::string value = kValue;
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"db", body(value)},                                       // the name
      {"DB", body(value, "nobody")},                             // the tenant
      {"DB", body(value + std::string(70'000, 'x'))},            // too long
      {"DB", R"({"value": ")" + value + R"(\u0000"})"},          // no text
      {"DB", R"({"value": [")" + value + R"("]})"},              // another type
      {"DB", R"({"value": ")" + value + R"(", "tenat": "a"})"},  // an unknown member
      {"DB", R"({"value": ")" + value},                          // no JSON
      {"DB", "value=" + value}};
  std::string said;
  for (const auto& [name, document] : wrong) {
    const Reply reply = put(world, name, document);
    EXPECT_GE(reply.status, 400U) << document.substr(0, 80);
    EXPECT_LT(reply.status, 500U) << document.substr(0, 80);
    said += reply.body;
  }
  EXPECT_EQ(put(world, "DB", body(value, "acme")).status, 202U);
  world.control.finish_all();
  const std::string log = ::testing::internal::GetCapturedStdout();
  EXPECT_NE(log.find("api PUT /v1/secrets/DB 202"), std::string::npos) << log;
  said += log + ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(said.find("hunter2"), std::string::npos) << said;
}

}  // namespace
}  // namespace granary::api
