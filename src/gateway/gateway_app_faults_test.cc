// Why requests fail because of the app: told to the agent, and to nobody who asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/testing/gateway_world.h"

namespace granary::gateway {
namespace {

using std::chrono::seconds;
using testing::Answer;
using ::testing::ElementsAre;
using testing::FakeAgent;
using testing::FakeSilo;
using testing::GatewayWorld;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Then = testing::FakeSilo::Reply::Then;

constexpr std::string_view kGet = "GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n";

class GatewayAppFaultsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.start();
    world_.start_agent();
    world_.agent->on_activate([](const base::ServiceId&) -> FakeAgent::Activation { return 1U; });
    world_.wake_silo();
  }
  void reply(const std::string& bytes, Then then = Then::Close) const {
    world_.silo->script([=](const std::string&) { return FakeSilo::Reply{bytes, then}; });
  }
  // The newest, once there are so many.
  std::string fault(std::size_t count = 1) {
    world_.wait_for([&] { return world_.agent->faults().size() >= count; }, "a fault");
    EXPECT_EQ(world_.agent->faults().size(), count);
    return world_.agent->faults().empty() ? "" : world_.agent->faults().back();
  }

  GatewayWorld world_;
};

TEST_F(GatewayAppFaultsTest, AMalformedAnswerIsToldWithTheRuleThatItBreaks) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  std::size_t count = 0;
  for (const auto& [bytes, rule] : std::vector<std::pair<std::string, std::string>>{
           {"hello\r\n\r\n", "its first line does not begin with HTTP/1.1"},
           {"HTTP/1.1 700 X\r\n\r\n", "its status is no number from 100 to 599"},
           {ok + "X: a\nY: b\r\n\r\n", "a line of its head does not end with CR LF"},
           {"HTTP/1.1 200 OK\nX: a\n\n", "does not end with CR LF"},
           {ok + "X : a\r\n\r\n", "a field's name"},
           {ok + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", "Content-Length"},
           {ok + "X: a\x01\r\n\r\n", "a field's value has a byte that is not allowed"},
           {ok + "Transfer-Encoding: gzip\r\n\r\n", "Transfer-Encoding is not `chunked` alone"},
           {ok + "X: " + std::string(40'000, 'x'), "more than 32 KiB"},
           {ok + "X: ", "the connection was closed within its head"},
           {"HTTP/1.1 101 Switching\r\n\r\n", "it switches to another protocol"}}) {
    reply(bytes);
    const Answer answer = world_.connect()->get("/api/");
    EXPECT_EQ(answer.status, 502);
    EXPECT_EQ(answer.body, "502 Bad Gateway\n");
    const std::string told = fault(++count);
    EXPECT_THAT(told, StartsWith("acme/api a request failed: the app's answer is malformed: "));
    EXPECT_THAT(told, HasSubstr(rule)) << bytes.substr(0, 100);
    EXPECT_THAT(told, HasSubstr(answer.field("X-Request-Id")));
    world_.advance(seconds(2));
  }
}

TEST_F(GatewayAppFaultsTest, ATimeoutIsToldWithItsBound) {
  world_.silo->stop_reading();
  auto client = world_.connect();
  client->send(kGet);
  world_.advance(seconds(11));
  EXPECT_EQ(client->answer().status, 503);
  EXPECT_THAT(
      fault(),
      HasSubstr("the app takes no requests: nothing was taken within start_timeout (10000 ms)"));
  world_.silo->release();
  world_.silo->hold();
  client->send(kGet);
  world_.settle();
  world_.advance(seconds(118));
  EXPECT_EQ(world_.slot().in_flight, 1U);
  world_.advance(seconds(3));
  EXPECT_EQ(client->answer().status, 504);
  EXPECT_THAT(fault(2), HasSubstr("no answer came within 120 s"));
}

TEST_F(GatewayAppFaultsTest, AConnectionThatEndsTooEarlyIsTold) {
  reply("");
  EXPECT_EQ(world_.connect()->get("/api/").status, 502);
  EXPECT_THAT(fault(), HasSubstr("the app closed the connection without an answer"));
  reply("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_FALSE(world_.connect()->get("/api/").whole);
  EXPECT_THAT(fault(2), HasSubstr("the app closed the connection within its answer"));
  EXPECT_THAT(world_.agent->fault_epochs(), ElementsAre(1, 1));
}

TEST_F(GatewayAppFaultsTest, ALimitIsToldWithItsName) {
  world_.silo->hold();
  std::vector<std::unique_ptr<testing::TestClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(world_.connect());
    clients.back()->send(kGet);
    world_.settle();
  }
  EXPECT_EQ(clients.back()->answer().status, 429);
  EXPECT_THAT(fault(), HasSubstr("limits.in_flight is 3"));
  world_.silo->release();
}

TEST_F(GatewayAppFaultsTest, ManyOfOneKindAreCountedAndToldOnceASecond) {
  reply("nonsense\r\n\r\n");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(world_.connect()->get("/api/").status, 502);
  EXPECT_THAT(fault(), Not(HasSubstr("more like it")));
  world_.advance(seconds(2));
  EXPECT_EQ(world_.connect()->get("/api/").status, 502);
  EXPECT_THAT(fault(2), HasSubstr(", and 4 more like it before)"));
}

TEST_F(GatewayAppFaultsTest, WhatIsTheClientsFaultIsNotTold) {
  const auto client = world_.connect();
  client->send("POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 9\r\n\r\nabc");
  world_.settle();
  client->vanish();
  world_.advance(seconds(2));
  EXPECT_EQ(world_.slot().in_flight, 0U);
  EXPECT_TRUE(world_.agent->faults().empty());
}

}  // namespace
}  // namespace granary::gateway
