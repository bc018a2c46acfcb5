// Answers that go on, tunnels beside requests, and answers that come before a body has gone.
#include <gtest/gtest.h>

#include "base/os/peer_end.h"
#include "base/os/unix_socket.h"
#include "gateway/testing/gateway_world.h"

namespace granary::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Answer;
using testing::FakeSilo;
using testing::GatewayWorld;
using testing::TestClient;
using Then = testing::FakeSilo::Reply::Then;

constexpr std::string_view kGet = "GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n";
constexpr std::string_view kEvent = "5\r\nhello\r\n";
const std::string kStream =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

class GatewayStreamsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.options.limits.tunnels = 2;
    world_.start();
    world_.wake_silo();
  }
  void reply(const std::string& bytes, Then then = Then::Keep) const {
    world_.silo->script([=](const std::string&) { return FakeSilo::Reply{bytes, then}; });
  }
  // A client that has got the first event of a stream without end.
  std::unique_ptr<TestClient> listener() {
    reply(kStream + std::string(kEvent));
    auto client = world_.connect();
    client->send(kGet);
    world_.wait_for(
        [&] {
          client->poll();
          return client->inbox().ends_with(kEvent);
        },
        "the first event");
    return client;
  }
  void expect_gone_within(std::chrono::nanoseconds time) {
    EXPECT_EQ(world_.slot().in_flight, 1U);
    world_.advance(time);
    EXPECT_EQ(world_.slot().in_flight, 0U);
    world_.wait_for([&] { return world_.silo->open_connections() == 0; }, "the silo's connection");
  }
  static std::string upgrade() {
    return "GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\nConnection: Upgrade\r\n"
           "Upgrade: websocket\r\n\r\n";
  }

  GatewayWorld world_;
};

TEST_F(GatewayStreamsTest, AClientThatIsResetWhileAnAnswerStreamsIsNoticedAtOnce) {
  listener()->vanish();
  expect_gone_within(milliseconds(500));
}

TEST_F(GatewayStreamsTest, AClientThatClosesWhileAnAnswerStreamsIsNoticedSoon) {
  listener()->socket().close();
  expect_gone_within(seconds(2));
}

TEST_F(GatewayStreamsTest, WhatAClientSentBeforeItWentDoesNotHideThat) {
  const auto client = listener();
  client->send(kGet);
  world_.settle();
  client->socket().close();
  expect_gone_within(seconds(2));
}

TEST_F(GatewayStreamsTest, AClientThatSaidAllGetsWhatComesWithoutLongPauses) {
  const auto client = listener();
  client->say_all();
  for (int i = 0; i < 8; ++i) {
    world_.advance(milliseconds(500));
    world_.silo->say(kEvent);
    world_.settle();
  }
  EXPECT_EQ(world_.slot().in_flight, 1U);
  world_.silo->say("0\r\n\r\n");
  const Answer answer = client->answer();
  EXPECT_EQ(answer.body.size(), 9 * 5U);
  EXPECT_TRUE(answer.whole);
}

TEST_F(GatewayStreamsTest, OpenTunnelsTakeNoPlaceOfRequestsAndHaveABoundOfTheirOwn) {
  reply("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        Then::Echo);
  std::vector<std::unique_ptr<TestClient>> sockets;
  for (int i = 0; i < 2; ++i) {
    sockets.push_back(world_.connect());
    sockets.back()->send(upgrade());
    EXPECT_EQ(sockets.back()->answer().status, 101);
  }
  EXPECT_EQ(world_.slot().in_flight, 2U);  // the service is in use
  const auto third = world_.connect();
  third->send(upgrade());
  EXPECT_EQ(third->answer().status, 429);
  // All three places of requests are free.
  reply(FakeSilo::ok("hello"));
  world_.silo->hold();
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(world_.connect());
    clients.back()->send(kGet);
    world_.settle();
  }
  EXPECT_EQ(clients.back()->answer().status, 429);
  world_.silo->release();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(clients[i]->answer().status, 200);
  sockets.clear();
  world_.wait_for([&] { return world_.slot().in_flight == 0; }, "the tunnels to end");
  reply("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  third->send(upgrade());
  EXPECT_EQ(third->answer().status, 200);  // it was not granted, and leaves nothing behind
  EXPECT_EQ(world_.slot().in_flight, 0U);
}

// They would keep the next release from its start until their clients leave.
TEST_F(GatewayStreamsTest, ALifeThatIsStoppedWaitsForNoTunnelAndNoStreamOfEvents) {
  reply("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        Then::Echo);
  const auto socket = world_.connect();
  socket->send(upgrade());
  EXPECT_EQ(socket->answer().status, 101);
  const auto events = listener();
  EXPECT_EQ(world_.slot().in_flight, 2U);
  world_.slot().epoch = 0;
  world_.advance(milliseconds(500));
  EXPECT_EQ(world_.slot().in_flight, 0U);
  world_.slot().epoch = 1;  // an agent that starts anew adopts what runs
  world_.advance(milliseconds(500));
  EXPECT_EQ(world_.slot().in_flight, 2U);
  world_.slot().epoch = 0;
  world_.advance(milliseconds(500));
  world_.silo->die();
  EXPECT_TRUE(socket->ended());
  events->inbox().clear();
  EXPECT_TRUE(events->ended());
  EXPECT_EQ(world_.slot().in_flight, 0U);
}

TEST_F(GatewayStreamsTest, AWishForATunnelNeedsAPlaceOfARequest) {
  world_.silo->hold();
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(world_.connect());
    clients.back()->send(kGet);
    world_.settle();
  }
  const auto fourth = world_.connect();
  fourth->send(upgrade());
  EXPECT_EQ(fourth->answer().status, 429);
  world_.silo->release();
  for (const auto& client : clients) EXPECT_EQ(client->answer().status, 200);
}

// The client reads only once it has sent all, as most do; the app has read the head alone, and its
// connection is reset.
TEST_F(GatewayStreamsTest, AnEarlyAnswerReachesAClientThatSendsItsWholeBodyFirst) {
  world_.silo->answer_early();
  for (const std::string& bytes :
       {std::string("HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge"),
        std::string(
            "HTTP/1.1 401 Who\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nlarge\r\n0\r\n\r\n"),
        std::string("HTTP/1.0 413 Too Large\r\n\r\nlarge")}) {
    reply(bytes, Then::Close);
    const auto client = world_.connect();
    client->send("POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 9000000\r\n\r\n");
    const std::string piece(90'000, 'x');
    for (int i = 0; i < 100; ++i) client->send(piece);
    const Answer answer = client->answer();
    EXPECT_EQ(answer.status, bytes.starts_with("HTTP/1.1 401") ? 401 : 413);
    EXPECT_EQ(answer.body, "large");
    EXPECT_TRUE(answer.whole);
    EXPECT_TRUE(client->ended());
    EXPECT_EQ(world_.slot().in_flight, 0U);
  }
}

TEST_F(GatewayStreamsTest, AClientThatNeverEndsItsBodyIsNotReadForEver) {
  world_.silo->answer_early();
  reply("HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n", Then::Close);
  const auto client = world_.connect();
  client->send("POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 100000\r\n\r\nx");
  EXPECT_EQ(client->answer().status, 401);
  const int socket = client->socket().native_handle();
  for (int i = 0; i < 35 && base::os::peer_end(socket) != base::os::PeerEnd::Gone; ++i) {
    base::ErrorCode ignored;
    client->socket().write_some(base::asio::buffer("x", 1), ignored);
    world_.wait_for(
        [&] {
          return base::os::peer_end(socket) == base::os::PeerEnd::Gone ||
                 base::os::unread_by_peer(socket).value_or(0) == 0;
        },
        "a byte to arrive");
    world_.settle();
    world_.advance(seconds(1));
    if (i == 20) EXPECT_FALSE(ignored) << "it is read no more";
  }
  world_.wait_for(
      [&] {
        base::ErrorCode error;
        client->socket().write_some(base::asio::buffer("x", 1), error);
        return static_cast<bool>(error);
      },
      "the connection's end");
}

}  // namespace
}  // namespace granary::gateway
