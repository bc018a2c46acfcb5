#include "gateway/gateway.h"

#include <gtest/gtest.h>

#include "gateway/testing/gateway_world.h"

namespace granary::gateway {
namespace {

using std::chrono::seconds;
using testing::Answer;
using testing::FakeSilo;
using testing::GatewayWorld;
using testing::TestClient;

class GatewayTest : public ::testing::Test {
 protected:
  GatewayWorld world_;
};

TEST_F(GatewayTest, ARequestReachesItsSiloAndTheConnectionsAreKept) {
  world_.start();
  world_.wake_silo();
  const auto client = world_.connect();
  for (int i = 0; i < 3; ++i) {
    const Answer answer =
        client->get("/api/scans?limit=5", "acme.localhost:8080", "Cookie: a=b\r\n");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.field("X-Request-Id").size(), 32U);
  }
  EXPECT_EQ(world_.silo->connections(), 1);
  ASSERT_EQ(world_.silo->requests().size(), 3U);
  const std::string& request = world_.silo->requests()[0];
  EXPECT_TRUE(request.starts_with(
      "GET /api/scans?limit=5 HTTP/1.1\r\nHost: acme.localhost:8080\r\nCookie: a=b\r\n"
      "X-Forwarded-For: 127.0.0.1\r\nX-Real-IP: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n"
      "X-Forwarded-Host: acme.localhost:8080\r\nX-Request-Id: "))
      << request;
}

TEST_F(GatewayTest, PipelinedRequestsAreAnsweredInOrder) {
  world_.start();
  world_.wake_silo();
  world_.silo->script([](const std::string& request) {
    return FakeSilo::Reply{FakeSilo::ok(request.substr(5, 5))};
  });
  const auto client = world_.connect();
  std::string all;
  for (int i = 0; i < 9; ++i)
    all += fmt::format("GET /api/{} HTTP/1.1\r\nHost: acme.localhost\r\n\r\n", i);
  client->send(all);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(client->answer().body, fmt::format("api/{}", i));
}

TEST_F(GatewayTest, BodiesStreamBothWaysInWhateverFraming) {
  world_.start();
  world_.wake_silo();
  std::string big(3'000'000, 'x');
  for (std::size_t i = 0; i < big.size(); i += 7) big[i] = static_cast<char>('a' + i % 26);
  world_.silo->script([](const std::string& request) {
    const std::string body = request.substr(request.find("\r\n\r\n") + 4);
    return FakeSilo::Reply{FakeSilo::ok(body)};
  });
  const auto client = world_.connect();
  client->send(fmt::format(
      "POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: {}\r\n\r\n", big.size()));
  client->send(big);
  Answer answer = client->answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body == big);
  // Chunked to the silo as well; the trailer stays behind.
  client->send(
      "POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n");
  world_.settle();
  client->send("2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n");
  answer = client->answer();
  EXPECT_EQ(answer.body, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(client->get("/api/").status, 200);
}

TEST_F(GatewayTest, AnAnswerKeepsItsMeaningInEachFraming) {
  world_.start();
  world_.wake_silo();
  const auto reply = [&](std::string bytes, FakeSilo::Reply::Then then) {
    world_.silo->script([bytes = std::move(bytes), then](const std::string&) {
      return FakeSilo::Reply{bytes, then};
    });
  };
  const auto client = world_.connect();
  reply(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: "
      "1\r\n\r\n",
      FakeSilo::Reply::Then::Keep);
  Answer answer = client->get("/api/");
  EXPECT_EQ(answer.field("Transfer-Encoding"), "chunked");
  EXPECT_EQ(answer.body, "abcde");

  reply("HTTP/1.0 200 OK\r\n\r\nuntil the end", FakeSilo::Reply::Then::Close);
  answer = client->get("/api/");
  EXPECT_EQ(answer.body, "until the end");
  EXPECT_TRUE(answer.whole);

  reply("HTTP/1.1 204 No Content\r\n\r\n", FakeSilo::Reply::Then::Keep);
  answer = client->get("/api/");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.field("Content-Length"), "");

  reply("HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", FakeSilo::Reply::Then::Keep);
  EXPECT_EQ(client->get("/api/").status, 304);

  reply("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", FakeSilo::Reply::Then::Keep);
  client->send("HEAD /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  answer = client->answer(TestClient::Expect::NoBody);
  EXPECT_EQ(answer.field("Content-Length"), "5");

  reply("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + FakeSilo::ok("late"),
        FakeSilo::Reply::Then::Keep);
  EXPECT_EQ(client->get("/api/").status, 103);
  EXPECT_EQ(client->answer().body, "late");
}

TEST_F(GatewayTest, OldClientsGetWhatTheyUnderstand) {
  world_.start();
  world_.wake_silo();
  world_.silo->script([](const std::string&) {
    return FakeSilo::Reply{
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"};
  });
  const auto client = world_.connect();
  client->send("GET /api/ HTTP/1.0\r\nHost: acme.localhost\r\nConnection: keep-alive\r\n\r\n");
  const Answer answer = client->answer();
  EXPECT_EQ(answer.field("Transfer-Encoding"), "");
  EXPECT_EQ(answer.body, "abc");
  EXPECT_TRUE(client->ended());
  world_.silo->script([](const std::string&) { return FakeSilo::Reply{FakeSilo::ok("x")}; });
  const auto keeping = world_.connect();
  for (int i = 0; i < 2; ++i) {
    keeping->send("GET /api/ HTTP/1.0\r\nHost: acme.localhost\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(keeping->answer().field("Connection"), "keep-alive");
  }
}

TEST_F(GatewayTest, AClientThatWaitsForItIsToldToContinue) {
  world_.start();
  world_.wake_silo();
  const auto client = world_.connect();
  client->send(
      "POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 3\r\nExpect: "
      "100-continue\r\n\r\n");
  EXPECT_EQ(client->answer().status, 100);
  client->send("abc");
  EXPECT_EQ(client->answer().status, 200);
  EXPECT_EQ(world_.silo->requests().at(0).find("Expect"), std::string::npos);
}

TEST_F(GatewayTest, AWebSocketIsATunnelThatCountsAsInFlight) {
  world_.start();
  world_.wake_silo();
  world_.silo->script([](const std::string&) {
    return FakeSilo::Reply{
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Accept: x\r\n\r\nearly",
        FakeSilo::Reply::Then::Echo};
  });
  const auto client = world_.connect();
  client->send(
      "GET /api/live HTTP/1.1\r\nHost: acme.localhost\r\nConnection: keep-alive, Upgrade\r\n"
      "Upgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\nfirst");
  const Answer answer = client->answer();
  EXPECT_EQ(answer.status, 101);
  EXPECT_EQ(answer.field("Upgrade"), "websocket");
  EXPECT_EQ(answer.field("Connection"), "Upgrade");
  EXPECT_EQ(answer.field("Sec-WebSocket-Accept"), "x");
  EXPECT_EQ(client->read(10), "earlyfirst");
  const std::string big(200'000, '\xff');
  client->send(big);
  EXPECT_TRUE(client->read(big.size()) == big);
  EXPECT_EQ(world_.slot().in_flight, 1U);
  EXPECT_NE(world_.silo->requests().at(0).find("\r\nUpgrade: websocket\r\n"), std::string::npos);
  client->say_all();
  EXPECT_TRUE(client->ended());
  world_.wait_for([&] { return world_.slot().in_flight == 0; }, "the tunnel to end");
}

TEST_F(GatewayTest, ATunnelEndsAfterBothSidesWereSilentForTooLong) {
  world_.start();
  world_.wake_silo();
  world_.silo->script([](const std::string&) {
    return FakeSilo::Reply{"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
                           FakeSilo::Reply::Then::Echo};
  });
  const auto client = world_.connect();
  client->send(
      "GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  EXPECT_EQ(client->answer().status, 101);
  world_.advance(seconds(400));
  client->send("ping");
  EXPECT_EQ(client->read(4), "ping");
  world_.advance(seconds(400));
  EXPECT_EQ(world_.slot().in_flight, 1U);
  world_.advance(seconds(300));
  EXPECT_TRUE(client->ended());
}

TEST_F(GatewayTest, AClientThatSaidAllStillGetsItsAnswer) {
  world_.start();
  world_.wake_silo();
  world_.silo->hold();
  const auto client = world_.connect();
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  client->say_all();
  world_.wait_for([&] { return !world_.silo->requests().empty(); }, "the request");
  world_.advance(seconds(3));
  world_.silo->release();
  EXPECT_EQ(client->answer().body, "hello");
  EXPECT_TRUE(client->ended());
}

TEST_F(GatewayTest, AClientThatWentTakesItsRequestAlong) {
  world_.start();
  world_.wake_silo();
  world_.silo->hold();
  const auto client = world_.connect();
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.wait_for([&] { return !world_.silo->requests().empty(); }, "the request");
  EXPECT_EQ(world_.slot().in_flight, 1U);
  client->vanish();
  world_.advance(seconds(1));
  world_.wait_for([&] { return world_.slot().in_flight == 0; }, "the request to end");
  world_.silo->release();
  world_.wait_for([&] { return world_.silo->open_connections() == 0; }, "its connection to end");
}

TEST_F(GatewayTest, HostsThatNobodyHasAndThoseOffboardedAnswerAlike) {
  world_.start();
  const auto client = world_.connect();
  EXPECT_EQ(client->get("/", "nobody.localhost").status, 404);
  EXPECT_EQ(client->get("/", "localhost").status, 404);
  EXPECT_EQ(client->get("/", "gone.localhost").status, 403);
  const std::string before = client->get("/api/", "nobody.localhost").body;
  wire::Snapshot without = world_.snapshot();
  without.generation = 2;
  without.tenants.erase(without.tenants.begin());
  world_.publish(without);
  world_.wait_for([&] { return world_.gateway->generation() == 2; }, "the new snapshot");
  const Answer after = client->get("/api/", "acme.localhost");
  EXPECT_EQ(after.status, 404);
  EXPECT_EQ(after.body, before);
}

TEST_F(GatewayTest, WithoutASnapshotEverybodyIsAskedToComeBack) {
  world_.open();
  const auto client = world_.connect();
  Answer answer = client->get("/");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.field("Retry-After"), "1");
  world_.publish(world_.snapshot());
  world_.wait_for([&] { return world_.gateway->generation() == 1; }, "the snapshot");
  EXPECT_EQ(client->get("/", "nobody.localhost").status, 404);
}

TEST_F(GatewayTest, ABadSnapshotLeavesTheOldOneInForce) {
  world_.start();
  const auto client = world_.connect();
  ASSERT_TRUE(base::os::replace_file(world_.options.paths.routing(), "{\"version\":1", 0600,
                                     base::os::Durability::Cached)
                  .has_value());
  world_.settle();
  EXPECT_EQ(world_.gateway->generation(), 1U);
  EXPECT_EQ(client->get("/", "gone.localhost").status, 403);
  wire::Snapshot next = world_.snapshot();
  next.generation = 5;
  world_.publish(next);
  world_.wait_for([&] { return world_.gateway->generation() == 5; }, "the good snapshot");
}

TEST_F(GatewayTest, TheBoardAndTheLogTellWhatHappened) {
  world_.start();
  world_.wake_silo();
  const auto client = world_.connect();
  EXPECT_EQ(client->get("/api/x").status, 200);
  world_.silo->script([](const std::string&) {
    return FakeSilo::Reply{"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"};
  });
  EXPECT_EQ(client->get("/api/y").status, 500);
  EXPECT_EQ(world_.slot().requests, 2U);
  EXPECT_EQ(world_.slot().errors_server, 1U);
  EXPECT_EQ(world_.slot().errors_client, 0U);
  EXPECT_GT(world_.slot().bytes_in, 40U);
  EXPECT_GT(world_.slot().bytes_out, 100U);
  EXPECT_GT(world_.slot().last_activity, 0U);
  EXPECT_EQ(client->get("/x", "gone.localhost").status, 403);
  world_.advance(seconds(2));
  EXPECT_NE(
      world_.access_log("acme").find(" 127.0.0.1 acme.localhost \"GET /api/x HTTP/1.1\" 200 "),
      std::string::npos);
  EXPECT_NE(world_.access_log("acme").find("\"GET /api/y HTTP/1.1\" 500 "), std::string::npos);
  EXPECT_NE(world_.access_log("gone").find("\"GET /x HTTP/1.1\" 403 "), std::string::npos);
}

TEST_F(GatewayTest, AStopLetsAnswersEndAndCutsTheRest) {
  world_.start();
  world_.wake_silo();
  world_.silo->hold();
  const auto busy = world_.connect();
  busy->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  const auto idle = world_.connect();
  world_.wait_for([&] { return !world_.silo->requests().empty(); }, "the request");
  world_.stop();
  EXPECT_TRUE(idle->ended());
  EXPECT_TRUE(busy->ended());
  EXPECT_EQ(world_.slot().in_flight, 0U);
}

}  // namespace
}  // namespace granary::gateway
