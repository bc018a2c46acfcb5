#include <gtest/gtest.h>

#include "gateway/testing/gateway_world.h"

namespace granary::gateway {
namespace {

using std::chrono::seconds;
using testing::Answer;
using testing::FakeSilo;
using testing::GatewayWorld;

class GatewayBoundsTest : public ::testing::Test {
 protected:
  GatewayWorld world_;
};

TEST_F(GatewayBoundsTest, AMalformedRequestIsRefusedAndReachesNoSilo) {
  world_.start();
  world_.wake_silo();
  for (const auto& [bytes, status] : std::vector<std::pair<std::string, int>>{
           {"GET /api/ HTTP/1.1\r\n\r\n", 400},
           {"GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\nHost: globex.localhost\r\n\r\n", 400},
           {"POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 3\r\n"
            "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400},
           {"GET /api/" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: acme.localhost\r\n\r\n",
            414},
           {"GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\nX: " + std::string(1U << 20, 'a'), 431},
           {"POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 104857601\r\n\r\n",
            413},
           {"nonsense\r\n\r\n", 400}}) {
    const auto client = world_.connect();
    client->send(bytes);
    const Answer answer = client->answer();
    EXPECT_EQ(answer.status, status) << bytes.substr(0, 100);
    EXPECT_EQ(answer.field("Connection"), "close");
    EXPECT_FALSE(answer.field("X-Request-Id").empty());
    EXPECT_TRUE(client->ended());
  }
  EXPECT_TRUE(world_.silo->requests().empty());
  EXPECT_EQ(world_.slot().in_flight, 0U);
}

TEST_F(GatewayBoundsTest, ABodyThatIsBadFromTheStartWakesAndReachesNobody) {
  world_.start();
  world_.start_agent();
  const auto client = world_.connect();
  client->send(
      "POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0x5\r\nhello\r\n0\r\n\r\nGET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  EXPECT_EQ(client->answer().status, 400);
  EXPECT_TRUE(client->ended());
  EXPECT_TRUE(world_.agent->activations().empty());
}

TEST_F(GatewayBoundsTest, OneTenantsClientsLeaveConnectionsToTheOthers) {
  world_.options.limits.tenant_connections = 2;
  world_.start();
  world_.wake_silo();
  world_.silo->hold();
  std::vector<std::unique_ptr<testing::TestClient>> busy;
  for (int i = 0; i < 2; ++i) {
    busy.push_back(world_.connect());
    busy.back()->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  }
  world_.wait_for([&] { return world_.silo->requests().size() == 2; }, "the requests");
  const auto third = world_.connect();
  const Answer refused = third->get("/api/");
  EXPECT_EQ(refused.status, 429);
  EXPECT_FALSE(refused.field("Retry-After").empty());
  EXPECT_TRUE(third->ended());
  EXPECT_EQ(world_.slot().refused, 1U);
  EXPECT_EQ(world_.connect()->get("/.well-known/granary/tenant", "globex.localhost").status, 200);
  EXPECT_EQ(world_.connect()->get("/", "nobody.localhost").status, 404);
  world_.silo->release();
  for (const auto& client : busy) EXPECT_EQ(client->answer().status, 200);
  // Now they are idle: the one that is so for longest makes room for a newcomer.
  EXPECT_EQ(world_.connect()->get("/api/").status, 200);
  EXPECT_TRUE(busy[0]->ended());
  EXPECT_EQ(busy[1]->get("/api/").status, 200);
}

TEST_F(GatewayBoundsTest, ClientsThatSendNoWholeHeadMakeRoomForThoseThatDo) {
  world_.options.limits.connections = 3;
  world_.start();
  std::vector<std::unique_ptr<testing::TestClient>> slow;
  for (int i = 0; i < 3; ++i) {
    slow.push_back(world_.connect());
    slow.back()->send("GET / HTTP/1.1\r\nHost: acme.loc");
    world_.settle();
  }
  EXPECT_EQ(world_.connect()->get("/", "gone.localhost").status, 403);
  EXPECT_TRUE(slow[0]->ended());
  slow[2]->send("alhost\r\n\r\n");
  EXPECT_EQ(slow[2]->answer().status, 503);  // its frontend is not there
}

TEST_F(GatewayBoundsTest, ABadOrEndlessBodyIsCutOffFromTheSilo) {
  world_.options.limits.body_bytes = 100'000;
  world_.start();
  world_.wake_silo();
  const std::string head =
      "POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  const auto bad = world_.connect();
  bad->send(head);
  world_.settle();
  bad->send("5\r\nhello\r\nzz\r\n");
  EXPECT_EQ(bad->answer().status, 400);
  EXPECT_TRUE(bad->ended());
  const auto endless = world_.connect();
  endless->send(head);
  for (int i = 0; i < 12; ++i) endless->send("2710\r\n" + std::string(10'000, 'x') + "\r\n");
  EXPECT_EQ(endless->answer().status, 413);
  EXPECT_TRUE(endless->ended());
  EXPECT_TRUE(world_.silo->requests().empty());
  world_.wait_for([&] { return world_.silo->open_connections() == 0; }, "the silo's connections");
}

TEST_F(GatewayBoundsTest, SlowClientsAreLetGo) {
  world_.start();
  world_.wake_silo();
  const auto head = world_.connect();
  head->send("GET /api/ HTTP/1.1\r\n");
  const auto body = world_.connect();
  body->send("POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 30\r\n\r\nabc");
  const auto silent = world_.connect();
  world_.settle();
  for (int i = 0; i < 5; ++i) {
    world_.advance(seconds(4));
    base::ErrorCode ignored;
    head->socket().write_some(base::asio::buffer("X: y\r\n", 6), ignored);
  }
  EXPECT_EQ(head->answer().status, 408);
  world_.advance(seconds(20));
  EXPECT_EQ(body->answer().status, 408);
  world_.advance(seconds(60));
  EXPECT_TRUE(silent->ended());
}

TEST_F(GatewayBoundsTest, AClientThatReadsNothingHoldsNoSiloForEver) {
  world_.start();
  world_.wake_silo();
  world_.silo->script([](const std::string&) {
    return FakeSilo::Reply{FakeSilo::ok(std::string(30U << 20, 'x'))};
  });
  const auto client = world_.connect();
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.wait_for([&] { return !world_.silo->requests().empty(); }, "the request");
  world_.settle();
  EXPECT_EQ(world_.slot().in_flight, 1U);
  world_.advance(seconds(31));
  world_.wait_for([&] { return world_.slot().in_flight == 0; }, "the request to end");
}

}  // namespace
}  // namespace granary::gateway
