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
