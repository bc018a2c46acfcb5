#include <gtest/gtest.h>

#include "gateway/limits.h"
#include "gateway/testing/gateway_world.h"

namespace granary::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Answer;
using testing::GatewayWorld;
using testing::TestClient;

constexpr std::string_view kTenant = "/.well-known/granary/tenant";
constexpr std::string_view kDiscover = "/.well-known/granary/discover?q=";

class GatewayDocumentsTest : public ::testing::Test {
 protected:
  // Globex is found by one address and by the rest of its domain, acme by another address there.
  GatewayDocumentsTest() {
    snapshot_.tenants[0].discover = {wire::discovery_digest("email:ann@globex.example")};
    snapshot_.tenants[1].discover = {wire::discovery_digest("email-domain:globex.example")};
    snapshot_.tenants[1].domains = {"scans.globex.example"};
  }
  void start() {
    world_.publish(snapshot_);
    world_.open();
    world_.wait_for([&] { return world_.gateway->generation() > 0; }, "the snapshot");
    client_ = world_.connect();
  }
  void ask(std::string_view name) {
    client_->send(
        fmt::format("GET {}{} HTTP/1.1\r\nHost: localhost:8080\r\n\r\n", kDiscover, name));
    world_.settle();
  }
  bool is_answered() {
    world_.settle();
    client_->poll();
    return !client_->inbox().empty();
  }
  Answer discover(std::string_view name) {
    ask(name);
    world_.advance(kDiscoverSlot);
    return client_->answer();
  }
  // Without the spaces at its end.
  std::string discovered(std::string_view name) {
    const std::string body = discover(name).body;
    return body.substr(0, body.find_last_not_of(' ') + 1);
  }

  GatewayWorld world_;
  wire::Snapshot snapshot_ = world_.snapshot();
  std::unique_ptr<TestClient> client_;
};

TEST_F(GatewayDocumentsTest, AFrontendIsToldItsTenantAndItsFlags) {
  snapshot_.tenants[0].flags_json = R"({"beta":true,"limit":5})";
  start();
  const Answer answer = client_->get(kTenant);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("Content-Type"), "application/json");
  EXPECT_EQ(answer.field("Cache-Control"), "no-cache");
  EXPECT_EQ(answer.body, R"({"name":"Acme","release":"insight-aaaaaaaaaaaa","state":"active",)"
                         R"("flags":{"beta":true,"limit":5}})");
  EXPECT_EQ(client_->get(kTenant, "gone.localhost").status, 403);
  EXPECT_EQ(client_->get(kTenant, "localhost").status, 404);
  client_->send(fmt::format("POST {} HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 0\r\n\r\n",
                            kTenant));
  EXPECT_EQ(client_->answer().status, 405);
}

TEST_F(GatewayDocumentsTest, AnUnchangedTenantIsToldInAHeadAloneUntilAFlagChanges) {
  start();
  const std::string tag = client_->get(kTenant).field("ETag");
  EXPECT_EQ(tag.size(), 18U) << tag;
  const std::string known = fmt::format("If-None-Match: {}\r\n", tag);
  const Answer same = client_->get(kTenant, "acme.localhost", known);
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.field("ETag"), tag);
  EXPECT_EQ(client_->get(kTenant, "globex.localhost", known).status, 200);
  ++snapshot_.generation;
  snapshot_.tenants[0].flags_json = R"({"beta":true})";
  world_.publish(snapshot_);
  world_.wait_for([&] { return world_.gateway->generation() == 2; }, "the snapshot");
  const Answer changed = client_->get(kTenant, "acme.localhost", known);
  EXPECT_EQ(changed.status, 200);
  EXPECT_NE(changed.body.find("beta"), std::string::npos);
  EXPECT_NE(changed.field("ETag"), tag);
}

TEST_F(GatewayDocumentsTest, DiscoveryTellsWhereATenantLives) {
  start();
  EXPECT_EQ(discovered("ACME"), R"({"url":"http://acme.localhost:8080"})");
  EXPECT_EQ(discovered("scans.globex.example"), R"({"url":"http://scans.globex.example:8080"})");
  EXPECT_EQ(discovered("Ann%40Globex.Example"), R"({"url":"http://acme.localhost:8080"})");
  EXPECT_EQ(discovered("bob@globex.example"), R"({"url":"http://globex.localhost:8080"})");
  EXPECT_EQ(discovered("nobody@elsewhere.example"), "{}");
  for (const char* nobody : {"nobody", "", "acme%22x", "email-domain:globex.example"})
    EXPECT_EQ(discover(nobody).status, 404) << nobody;
}

TEST_F(GatewayDocumentsTest, DiscoveryTakesAsLongForWhatItDoesNotKnow) {
  start();
  for (const char* name : {"acme", "nobody", "ann@globex.example", "bob@globex.example",
                           "ann@elsewhere.example", "scans.globex.example"}) {
    ask(name);
    world_.advance(kDiscoverSlot - milliseconds(1));
    EXPECT_FALSE(is_answered()) << name;
    world_.advance(milliseconds(1));
    EXPECT_TRUE(is_answered()) << name;
    client_->answer();
  }
}

// Within TLS an eavesdropper sees how many they are.
TEST_F(GatewayDocumentsTest, DiscoveryTakesAsManyBytesForWhatItDoesNotKnow) {
  start();
  const Answer hit = discover("acme");
  const Answer miss = discover("nobody@elsewhere.example");
  EXPECT_EQ(hit.status, 200);
  EXPECT_EQ(miss.status, 404);
  EXPECT_EQ(hit.head.size() + hit.body.size(), miss.head.size() + miss.body.size());
}

TEST_F(GatewayDocumentsTest, DiscoveryAnswersNobodyTooOften) {
  start();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(discover("acme").status, 200);
  EXPECT_EQ(discover("acme").status, 429);
  world_.advance(seconds(2));
  EXPECT_EQ(discover("nobody").status, 404);
  EXPECT_EQ(discover("acme").status, 429);
}

TEST_F(GatewayDocumentsTest, AStopDoesNotLoseADiscoveryUnderWay) {
  start();
  ask("acme");
  world_.stop();
  EXPECT_EQ(client_->answer().status, 200);
}

}  // namespace
}  // namespace granary::gateway
