#include "gateway/gateway.h"

#include <gtest/gtest.h>

#include "gateway/testing/gateway_world.h"

namespace granary::gateway {
namespace {

using base::Code;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Answer;
using testing::FakeAgent;
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

TEST_F(GatewayTest, AMalformedRequestIsRefusedAndReachesNoSilo) {
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

TEST_F(GatewayTest, ABadOrEndlessBodyIsCutOffFromTheSilo) {
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

TEST_F(GatewayTest, SlowClientsAreLetGo) {
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

TEST_F(GatewayTest, AClientThatReadsNothingHoldsNoSiloForEver) {
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

TEST_F(GatewayTest, ASleepingServiceIsWokenOnceForAllThatWait) {
  world_.start();
  world_.start_agent();
  world_.agent->hold();
  world_.agent->on_activate([&](const base::ServiceId&) -> FakeAgent::Activation {
    world_.wake_silo(4);
    return 4U;
  });
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(world_.connect());
    clients.back()->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  }
  world_.advance(milliseconds(500));
  world_.wait_for([&] { return world_.slot().in_flight == 3; }, "the requests");
  world_.agent->release();
  for (const auto& client : clients) EXPECT_EQ(client->answer().body, "hello");
  ASSERT_EQ(world_.agent->activations().size(), 1U);
  EXPECT_EQ(to_string(world_.agent->activations()[0]), "acme/api");
  EXPECT_EQ(world_.slot().in_flight, 0U);
}

TEST_F(GatewayTest, AServiceThatDoesNotStartInTimeIsUnavailable) {
  world_.start();
  world_.start_agent();
  world_.agent->hold();
  const auto client = world_.connect();
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.advance(seconds(9));
  EXPECT_EQ(world_.slot().in_flight, 1U);
  world_.advance(seconds(2));
  const Answer answer = client->answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.field("Retry-After"), "1");
  EXPECT_EQ(answer.field("Connection"), "");
  EXPECT_EQ(world_.slot().refused, 1U);
}

TEST_F(GatewayTest, AServiceThatIsStartedButNeverAcceptsIsUnavailable) {
  world_.start();
  world_.silo->stop_reading();
  world_.wake_silo();
  const auto client = world_.connect();
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.settle();
  world_.advance(seconds(11));
  EXPECT_EQ(client->answer().status, 503);
}

TEST_F(GatewayTest, AServiceThatIsSlowToAnswerIsGivenMoreThanItsStartTakes) {
  world_.start();
  world_.wake_silo();
  world_.silo->hold();
  const auto patient = world_.connect();
  patient->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.wait_for([&] { return !world_.silo->requests().empty(); }, "the request");
  world_.advance(seconds(60));
  world_.silo->release();
  EXPECT_EQ(patient->answer().status, 200);
  world_.silo->hold();
  patient->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.wait_for([&] { return world_.silo->requests().size() == 2; }, "the request");
  world_.advance(seconds(135));
  EXPECT_EQ(patient->answer().status, 504);
}

TEST_F(GatewayTest, WhileAServiceBacksOffItIsUnavailableAtOnce) {
  world_.start();
  world_.start_agent();
  world_.agent->on_activate(
      [](const base::ServiceId&) { return FakeAgent::refuse(Code::Unavailable, 4200); });
  const auto client = world_.connect();
  const Answer answer = client->get("/api/");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.field("Retry-After"), "5");
  EXPECT_EQ(answer.body, "503 Service Unavailable\n");
}

TEST_F(GatewayTest, MoreThanItsServiceTakesAtOnceIsRefusedForThatTenantAlone) {
  world_.start();
  world_.wake_silo();
  world_.silo->hold();
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(world_.connect());
    clients.back()->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  }
  world_.wait_for([&] { return world_.silo->requests().size() == 3; }, "the requests");
  const auto fourth = world_.connect();
  const Answer answer = fourth->get("/api/");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.field("Retry-After"), "1");
  EXPECT_EQ(fourth->get("/api/", "gone.localhost").status, 403);
  world_.silo->release();
  for (const auto& client : clients) EXPECT_EQ(client->answer().status, 200);
  EXPECT_EQ(fourth->get("/api/").status, 200);
  EXPECT_EQ(world_.slot().in_flight, 0U);
  EXPECT_EQ(world_.slot().refused, 1U);
}

TEST_F(GatewayTest, WithoutTheAgentRunningServicesAreServedAndSleepingOnesWaitForIt) {
  world_.start();
  world_.wake_silo();
  const auto client = world_.connect();
  EXPECT_EQ(client->get("/api/").status, 200);
  world_.slot().epoch = 0;
  world_.silo->die();
  world_.agent->on_activate([&](const base::ServiceId&) -> FakeAgent::Activation {
    world_.wake_silo(2);
    return 2U;
  });
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.advance(seconds(5));
  world_.agent->start();
  world_.advance(seconds(2));
  EXPECT_EQ(client->answer().status, 200);
}

TEST_F(GatewayTest, AnAgentThatDiesInTheMiddleIsAskedAgain) {
  world_.start();
  world_.start_agent();
  world_.agent->hold();
  const auto client = world_.connect();
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.advance(seconds(1));
  world_.wait_for([&] { return world_.agent->activations().size() == 1; }, "the activation");
  world_.agent->die();
  world_.agent->release();
  world_.agent->on_activate([&](const base::ServiceId&) -> FakeAgent::Activation {
    world_.wake_silo(2);
    return 2U;
  });
  world_.agent->start();
  world_.advance(seconds(2));
  EXPECT_EQ(client->answer().status, 200);
}

TEST_F(GatewayTest, AStaleConnectionCostsNoRequest) {
  world_.start();
  world_.wake_silo();
  const auto client = world_.connect();
  EXPECT_EQ(client->get("/api/").status, 200);
  world_.silo->die();
  world_.wake_silo(1);  // the same epoch: nobody told
  EXPECT_EQ(client->get("/api/").status, 200);
  world_.silo->die();
  world_.wake_silo(1);
  client->send("POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(client->answer().status, 200);
  EXPECT_EQ(world_.silo->requests().size(), 3U);
}

TEST_F(GatewayTest, ANewLifeOfTheServiceGetsNewConnections) {
  world_.start();
  world_.wake_silo(1);
  const auto client = world_.connect();
  EXPECT_EQ(client->get("/api/").status, 200);
  world_.slot().epoch = 2;
  EXPECT_EQ(client->get("/api/").status, 200);
  EXPECT_EQ(world_.silo->connections(), 2);
  world_.slot().epoch = 0;
  world_.advance(seconds(1));
  world_.wait_for([&] { return world_.silo->open_connections() == 0; }, "connections to end");
}

TEST_F(GatewayTest, ARequestThatMayHaveBeenActedOnIsNotSentTwice) {
  world_.start();
  world_.start_agent();
  world_.agent->on_activate([](const base::ServiceId&) -> FakeAgent::Activation { return 1U; });
  world_.wake_silo();
  world_.silo->script(
      [](const std::string&) { return FakeSilo::Reply{"", FakeSilo::Reply::Then::Close}; });
  const auto client = world_.connect();
  client->send("POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(client->answer().status, 502);
  EXPECT_EQ(world_.silo->requests().size(), 1U);
  const auto reader = world_.connect();
  EXPECT_EQ(reader->get("/api/").status, 502);
  EXPECT_EQ(world_.silo->requests().size(), 3U);
}

TEST_F(GatewayTest, ASiloThatDiesWhileAnsweringIsABadGatewayOrACutConnection) {
  world_.start();
  world_.start_agent();
  world_.agent->on_activate(
      [](const base::ServiceId&) { return FakeAgent::refuse(Code::Unavailable, 1000); });
  world_.wake_silo();
  const auto reply = [&](std::string bytes) {
    world_.silo->script([bytes = std::move(bytes)](const std::string&) {
      return FakeSilo::Reply{bytes, FakeSilo::Reply::Then::Close};
    });
  };
  reply("HTTP/1.1 200 OK\r\nX: ");
  EXPECT_EQ(world_.connect()->get("/api/").status, 502);
  reply("SSH-2.0-OpenSSH\r\n\r\n");
  EXPECT_EQ(world_.connect()->get("/api/").status, 502);
  reply("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
  EXPECT_EQ(world_.connect()->get("/api/").status, 502);
  reply("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  for (const std::string_view version : {"1.1", "1.0"}) {
    const auto client = world_.connect();
    client->send(fmt::format("GET /api/ HTTP/{}\r\nHost: acme.localhost\r\n\r\n", version));
    const Answer answer = client->answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_FALSE(answer.whole);
  }
  reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  const Answer chunked = world_.connect()->get("/api/");
  EXPECT_EQ(chunked.body, "hello");
  EXPECT_FALSE(chunked.whole);
  // Nothing at all: the agent knows why.
  reply("");
  EXPECT_EQ(world_.connect()->get("/api/").status, 503);
}

TEST_F(GatewayTest, AnEarlyAnswerToALongBodyIsGivenAndTheConnectionEnds) {
  world_.start();
  world_.wake_silo();
  world_.silo->script([](const std::string&) { return FakeSilo::Reply{FakeSilo::ok("enough")}; });
  // The fake answers whole requests; a silo that reads the head alone is one that dies after it.
  const auto client = world_.connect();
  client->send("POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 5000000\r\n\r\nabc");
  world_.wait_for([&] { return world_.silo->connections() == 1; }, "the connection");
  world_.settle();
  world_.silo->die();
  EXPECT_EQ(client->answer().status, 502);
  EXPECT_TRUE(client->ended());
  EXPECT_EQ(world_.slot().in_flight, 0U);
}

TEST_F(GatewayTest, WhatAFormerGatewayLeftInFlightIsForgotten) {
  world_.slot().in_flight = 5;
  world_.slot(99).in_flight = 5;
  world_.start();
  EXPECT_EQ(world_.slot().in_flight, 0U);
  EXPECT_EQ(world_.slot(99).in_flight, 5U);
  world_.wake_silo();
  world_.silo->hold();
  const auto client = world_.connect();
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.wait_for([&] { return world_.slot().in_flight == 1; }, "the request");
  wire::Snapshot next = world_.snapshot();
  next.generation = 2;
  world_.publish(next);
  world_.wait_for([&] { return world_.gateway->generation() == 2; }, "the snapshot");
  EXPECT_EQ(world_.slot().in_flight, 1U);
  world_.silo->release();
  EXPECT_EQ(client->answer().status, 200);
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
