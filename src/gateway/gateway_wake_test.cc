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

class GatewayWakeTest : public ::testing::Test {
 protected:
  GatewayWorld world_;
};

TEST_F(GatewayWakeTest, ASleepingServiceIsWokenOnceForAllThatWait) {
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
  world_.wait_for([&] { return world_.gateway->waiting() == 3; }, "the requests");
  EXPECT_EQ(world_.slot().in_flight, 0U) << "no life works on them";
  world_.agent->release();
  for (const auto& client : clients) EXPECT_EQ(client->answer().body, "hello");
  ASSERT_EQ(world_.agent->activations().size(), 1U);
  EXPECT_EQ(to_string(world_.agent->activations()[0]), "acme/api");
  EXPECT_EQ(world_.slot().in_flight, 0U);
}

TEST_F(GatewayWakeTest, AServiceThatDoesNotStartInTimeIsUnavailable) {
  world_.start();
  world_.start_agent();
  world_.agent->on_activate(
      [](const base::ServiceId&) { return FakeAgent::refuse(Code::Deadline); });
  const Answer answer = world_.connect()->get("/api/");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.field("Retry-After"), "1");
  EXPECT_EQ(world_.slot().refused, 1U);
}

TEST_F(GatewayWakeTest, AnAgentThatSaysNothingIsNotWaitedForWithoutEnd) {
  world_.start();
  world_.start_agent();
  world_.agent->hold();
  const auto client = world_.connect();
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.advance(seconds(119));
  EXPECT_EQ(world_.gateway->waiting(), 1U);
  world_.advance(seconds(2));
  const Answer answer = client->answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.field("Retry-After"), "1");
  EXPECT_EQ(answer.field("Connection"), "");
  EXPECT_EQ(world_.slot().refused, 1U);
}

// An earlier life may take longer to end than a start may take.
TEST_F(GatewayWakeTest, ARequestIsHeldForAsLongAsTheAgentHasTheServiceStartedAnew) {
  world_.start();
  world_.start_agent();
  world_.agent->hold();
  world_.agent->on_activate([&](const base::ServiceId&) -> FakeAgent::Activation {
    world_.wake_silo(2);
    return 2U;
  });
  const auto client = world_.connect();
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.advance(seconds(25));
  EXPECT_EQ(world_.gateway->waiting(), 1U);
  world_.agent->release();
  EXPECT_EQ(client->answer().status, 200);
}

TEST_F(GatewayWakeTest, AnAgentThatIsAwayIsWaitedForAsLongAsAStartMayTake) {
  world_.start();
  const auto client = world_.connect();
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.advance(seconds(9));
  EXPECT_EQ(world_.gateway->waiting(), 1U);
  world_.advance(seconds(2));
  EXPECT_EQ(client->answer().status, 503);
}

TEST_F(GatewayWakeTest, AClientThatLeavesWhileAServiceStartsGivesItsPlaceBack) {
  world_.start();
  world_.start_agent();
  world_.agent->hold();
  const auto client = world_.connect();
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.wait_for([&] { return world_.gateway->waiting() == 1; }, "the request");
  client->vanish();
  world_.advance(seconds(1));
  EXPECT_EQ(world_.gateway->waiting(), 0U);
  EXPECT_EQ(world_.slot().in_flight, 0U);
}

TEST_F(GatewayWakeTest, ABusyLifeThatHasAnsweredIsAQueueAndNoFailedStart) {
  world_.start();
  world_.wake_silo();
  EXPECT_EQ(world_.connect()->get("/api/").status, 200);
  world_.advance(seconds(20));  // no connection is left in the pool
  world_.silo->stop_reading();
  const auto first = world_.connect();
  first->send("POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 1\r\n\r\nx");
  world_.advance(seconds(2));
  const auto second = world_.connect();
  second->send("POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 1\r\n\r\nx");
  world_.advance(seconds(60));
  EXPECT_EQ(world_.slot().in_flight, 2U);
  world_.silo->release();
  EXPECT_EQ(first->answer().status, 200);
  EXPECT_EQ(second->answer().status, 200);
}

TEST_F(GatewayWakeTest, ALifeThatIsBusyWithItsFirstRequestIsAQueueAsWell) {
  world_.start();
  world_.wake_silo();
  world_.silo->hold();
  const auto first = world_.connect();
  first->send("GET /api/slow HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.wait_for([&] { return world_.silo->requests().size() == 1; }, "the first request");
  world_.advance(seconds(1));
  world_.silo->stop_reading();
  const auto second = world_.connect();
  second->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.advance(seconds(30));
  EXPECT_EQ(world_.slot().in_flight, 2U);
  world_.silo->release();
  EXPECT_EQ(first->answer().status, 200);
  EXPECT_EQ(second->answer().status, 200);
}

TEST_F(GatewayWakeTest, ATurnThatNeverComesIsATimeoutOfTheAnswer) {
  world_.start();
  world_.wake_silo();
  EXPECT_EQ(world_.connect()->get("/api/").status, 200);
  world_.silo->stop_reading();
  world_.advance(seconds(20));  // no connection is left in the pool
  const auto client = world_.connect();
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.advance(seconds(135));
  EXPECT_EQ(client->answer().status, 504);
}

TEST_F(GatewayWakeTest, AServiceThatIsStartedButNeverAcceptsIsUnavailable) {
  world_.start();
  world_.silo->stop_reading();
  world_.wake_silo();
  const auto client = world_.connect();
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.settle();
  world_.advance(seconds(11));
  EXPECT_EQ(client->answer().status, 503);
}

TEST_F(GatewayWakeTest, AServiceThatIsSlowToAnswerIsGivenMoreThanItsStartTakes) {
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

TEST_F(GatewayWakeTest, WhileAServiceBacksOffItIsUnavailableAtOnce) {
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

TEST_F(GatewayWakeTest, MoreThanItsServiceTakesAtOnceIsRefusedForThatTenantAlone) {
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

TEST_F(GatewayWakeTest, WithoutTheAgentRunningServicesAreServedAndSleepingOnesWaitForIt) {
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

TEST_F(GatewayWakeTest, AnAgentThatDiesInTheMiddleIsAskedAgain) {
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

TEST_F(GatewayWakeTest, AStaleConnectionCostsNoRequest) {
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

TEST_F(GatewayWakeTest, WhatCannotBeSentTwiceGoesOutOnNoConnectionThatWasIdleForLong) {
  world_.start();
  world_.wake_silo();
  const auto client = world_.connect();
  const auto post = [&] {
    client->send("POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_EQ(client->answer().status, 200);
    return world_.silo->connections();
  };
  EXPECT_EQ(post(), 1);
  EXPECT_EQ(post(), 1);
  world_.advance(seconds(2));
  EXPECT_EQ(post(), 2);
  world_.advance(seconds(2));
  EXPECT_EQ(client->get("/api/").status, 200);
  EXPECT_EQ(world_.silo->connections(), 2);
  // A long body cannot be sent twice, whatever its method is.
  world_.advance(seconds(2));
  client->send("PUT /api/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 6\r\n\r\nabc");
  world_.settle();
  client->send("def");
  EXPECT_EQ(client->answer().status, 200);
  EXPECT_EQ(world_.silo->connections(), 3);
}

TEST_F(GatewayWakeTest, ANewLifeOfTheServiceGetsNewConnections) {
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

// The agent waits for those that are counted before it stops a life.
TEST_F(GatewayWakeTest, WhileALifeIsStoppedOnlyTheRequestsThatItHasAreCounted) {
  world_.start();
  world_.start_agent();
  world_.agent->hold();
  world_.agent->on_activate([&](const base::ServiceId&) -> FakeAgent::Activation {
    world_.slot().epoch = 2;
    return 2U;
  });
  world_.wake_silo();
  world_.silo->hold();
  const auto old = world_.connect();
  old->send("GET /api/old HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.wait_for([&] { return world_.silo->requests().size() == 1; }, "the request");
  world_.slot().epoch = 0;
  const auto next = world_.connect();
  next->send("GET /api/new HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.wait_for([&] { return world_.gateway->waiting() == 1; }, "the next request");
  EXPECT_EQ(world_.slot().in_flight, 1U);
  world_.silo->release();
  EXPECT_EQ(old->answer().status, 200);
  EXPECT_EQ(world_.slot().in_flight, 0U);
  world_.agent->release();
  EXPECT_EQ(next->answer().status, 200);
  EXPECT_EQ(world_.slot().in_flight, 0U);
  EXPECT_EQ(world_.silo->connections(), 2);
}

TEST_F(GatewayWakeTest, ALifeThatWasStoppedAgainMeanwhileIsAskedForOnceMore) {
  world_.start();
  world_.start_agent();
  world_.silo->start();
  std::uint32_t epoch = 0;
  world_.agent->on_activate([&](const base::ServiceId&) -> FakeAgent::Activation {
    ++epoch;
    if (epoch == 2) world_.slot().epoch = epoch;  // the first is asleep again
    return epoch;
  });
  const auto client = world_.connect();
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.advance(seconds(1));
  EXPECT_EQ(client->answer().status, 200);
  EXPECT_EQ(world_.agent->activations().size(), 2U);
}

TEST_F(GatewayWakeTest, ARequestThatMayHaveBeenActedOnIsNotSentTwice) {
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
  EXPECT_EQ(world_.silo->requests().size(), 2U) << "a GET that ends the app must not end two lives";
}

TEST_F(GatewayWakeTest, ASiloThatDiesWhileAnsweringIsABadGatewayOrACutConnection) {
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

TEST_F(GatewayWakeTest, AnEarlyAnswerToALongBodyIsGivenAndTheConnectionEnds) {
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

TEST_F(GatewayWakeTest, WhatAFormerGatewayLeftInFlightIsForgotten) {
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

}  // namespace
}  // namespace granary::gateway
