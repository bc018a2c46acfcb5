// The gateway between clients and silos that mean harm.
#include <gtest/gtest.h>

#include "gateway/gateway.h"
#include "gateway/testing/gateway_world.h"
#include "wire/frontend_index.h"

namespace granary::gateway {
namespace {

using std::string_literals::operator""s;
using std::chrono::seconds;
using testing::Answer;
using testing::FakeSilo;
using testing::GatewayWorld;
using Then = testing::FakeSilo::Reply::Then;

class GatewayWallTest : public ::testing::Test {
 protected:
  void reply(std::string bytes, Then then = Then::Keep) const {
    world_.silo->script([bytes = std::move(bytes), then](const std::string&) {
      return FakeSilo::Reply{bytes, then};
    });
  }
  void write_frontend(char release, std::string_view script, std::string_view etag) const {
    const std::string folder = "frontends/" + std::string(64, release) + "/";
    const std::string blob(64, release);
    wire::FrontendIndex index;
    index.assets["/app.js"] = {.blob = blob, .type = "text/javascript", .etag = std::string(etag)};
    world_.folder.write(folder + "index.json", wire::encode(index));
    world_.folder.write(folder + "blobs/" + blob, script);
  }
  static constexpr std::string_view kEvil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
  GatewayWorld world_;
};

TEST_F(GatewayWallTest, AnAnswerThatCouldBeSplitOrReadInTwoWaysIsABadGateway) {
  world_.start();
  world_.wake_silo();
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  int cases = 0;
  for (const std::string& bytes : {
           ok + "X: a\rSet-Cookie: evil=1\r\nContent-Length: 0\r\n\r\n",
           ok + "X: a\nSet-Cookie: evil=1\r\nContent-Length: 0\r\n\r\n",
           ok + "X: evil\0b\r\nContent-Length: 0\r\n\r\n"s,
           ok + "X: evil\x0b\r\nContent-Length: 0\r\n\r\n",
           ok + "X: evil\x7f\r\nContent-Length: 0\r\n\r\n",
           ok + "X\0: evil\r\nContent-Length: 0\r\n\r\n"s,
           ok + "X : evil\r\nContent-Length: 0\r\n\r\n",
           ok + " X: evil\r\nContent-Length: 0\r\n\r\n",
           ok + ": evil\r\nContent-Length: 0\r\n\r\n",
           ok + "evil\r\nContent-Length: 0\r\n\r\n",
           ok + "Content-Length: 4\r\nContent-Length: 0\r\n\r\nevil",
           ok + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nevil",
           ok + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\nevil",
           ok + "Content-Length: +4\r\n\r\nevil",
           ok + "Content-Length: -4\r\n\r\nevil",
           ok + "Content-Length: 0x4\r\n\r\nevil",
           ok + "Content-Length: 4 4\r\n\r\nevil",
           ok + "Content-Length: 0, 4\r\n\r\nevil",
           ok + "Content-Length: 99999999999999999999\r\n\r\nevil",
           ok + "Content-Length:\r\n\r\nevil",
           ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
           ok + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
           ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           ok + "Transfer-Encoding: identity\r\nContent-Length: 4\r\n\r\nevil",
           "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"s,
           "HTTP/1.1 200 evil\rX: y\r\nContent-Length: 0\r\n\r\n"s,
           "HTTP/1.1 200 evil\0\r\nContent-Length: 0\r\n\r\n"s,
           "HTTP/1.1 20 evil\r\nContent-Length: 0\r\n\r\n"s,
           "HTTP/1.1 2000 evil\r\nContent-Length: 0\r\n\r\n"s,
           "HTTP/1.1 -200 evil\r\nContent-Length: 0\r\n\r\n"s,
           "HTTP/1.1 099 evil\r\nContent-Length: 0\r\n\r\n"s,
           "HTTP/1.1 999 evil\r\nContent-Length: 0\r\n\r\n"s,
           "HTTP/1.1  200 evil\r\nContent-Length: 0\r\n\r\n"s,
           "HTTP/2 200 evil\r\nContent-Length: 0\r\n\r\n"s,
           "HTTP/1.2 200 evil\r\nContent-Length: 0\r\n\r\n"s,
           "http/1.1 200 evil\r\nContent-Length: 0\r\n\r\n"s,
           "ICY 200 evil\r\nContent-Length: 0\r\n\r\n"s,
           "\r\n" + ok + "X: evil\r\nContent-Length: 0\r\n\r\n",
           "HTTP/1.1 200 OK\nX: evil\nContent-Length: 0\n\n"s,
           ok + "X: evil\nContent-Length: 0\n\n",
           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: evil\r\nConnection: Upgrade\r\n\r\n"s,
           ok + "X: " + std::string(40'000, 'x') + "evil\r\n\r\n",
           "evil"s,
       }) {
    reply(bytes, bytes == "evil" ? Then::Close : Then::Keep);
    const auto client = world_.connect();
    const Answer answer = client->get("/api/");
    EXPECT_EQ(answer.status, 502) << bytes.substr(0, 200);
    EXPECT_EQ((answer.head + answer.body).find("evil"), std::string::npos) << bytes.substr(0, 200);
    reply(FakeSilo::ok("good"));
    EXPECT_EQ(client->get("/api/").body, "good") << bytes.substr(0, 200);
    ++cases;
  }
  EXPECT_GT(cases, 40);
}

TEST_F(GatewayWallTest, ABadChunkOfASiloCutsTheClientsConnection) {
  world_.start();
  world_.wake_silo();
  for (const std::string& chunks :
       {"3\r\nabc\r\n0x3\r\nevil"s, "3\r\nabcdef\r\n"s, "3\r\nabc\r\n0\r\nX : evil\r\n\r\n"s,
        "3\r\nabc\n0\r\n\r\n"s, "zz\r\n"s}) {
    reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks);
    const auto client = world_.connect();
    client->send(
        "POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 3\r\n\r\nXYZ"
        "GET /api/next HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
    const std::string all = client->read(1U << 20);  // all there is until it ends
    EXPECT_TRUE(all.starts_with("HTTP/1.1 200 OK\r\n")) << all;
    EXPECT_EQ(all.find("HTTP/1.1", 1), std::string::npos) << all;
    EXPECT_EQ(all.find("evil"), std::string::npos) << all;
    EXPECT_FALSE(all.ends_with("\r\n0\r\n\r\n")) << all;
    EXPECT_TRUE(client->ended());
  }
  for (const std::string& request : world_.silo->requests())
    EXPECT_TRUE(request.starts_with("POST /api/ ")) << request;
}

TEST_F(GatewayWallTest, WhatASiloSaysBeyondItsAnswerReachesNobody) {
  world_.start();
  world_.wake_silo();
  reply(FakeSilo::ok("good") + std::string(kEvil));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(world_.connect()->get("/api/").body, "good");
  EXPECT_EQ(world_.silo->connections(), 3);
  reply("HTTP/1.1 304 Not Modified\r\n\r\n" + std::string(kEvil));
  EXPECT_EQ(world_.connect()->get("/api/").status, 304);
  reply("HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil");
  EXPECT_EQ(world_.connect()->get("/api/").status, 204);
  reply(FakeSilo::ok("good"));
  EXPECT_EQ(world_.connect()->get("/api/").body, "good");
}

TEST_F(GatewayWallTest, WhatASiloSaysBetweenTwoRequestsReachesNobody) {
  world_.start();
  world_.wake_silo();
  for (const std::string_view method : {"GET", "POST", "PUT"}) {
    EXPECT_EQ(world_.connect()->get("/api/").body, "hello");
    world_.silo->say(kEvil);
    world_.settle();
    const auto client = world_.connect();
    client->send(fmt::format(
        "{} /api/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 0\r\n\r\n", method));
    EXPECT_EQ(client->answer().body, "hello") << method;
  }
  world_.silo->say(kEvil);
  world_.advance(seconds(1));
  world_.wait_for([&] { return world_.silo->open_connections() == 0; },
                  "connections that were spoken on to be closed");
}

TEST_F(GatewayWallTest, AConnectionOfOneAccountIsNeverUsedForTheNextInItsSlot) {
  world_.start();
  world_.wake_silo();
  EXPECT_EQ(world_.connect()->get("/api/").body, "hello");
  EXPECT_EQ(world_.silo->open_connections(), 1U);
  world_.other_silo->script(
      [](const std::string&) { return FakeSilo::Reply{FakeSilo::ok("globex's own")}; });
  world_.other_silo->start();
  wire::Snapshot next = world_.snapshot();
  next.generation = 2;
  next.tenants.erase(next.tenants.begin());
  next.tenants[0].slots = {GatewayWorld::kSlot};
  world_.publish(next);
  world_.wait_for([&] { return world_.gateway->generation() == 2; }, "the new snapshot");
  EXPECT_EQ(world_.connect()->get("/api/", "globex.localhost").body, "globex's own");
  EXPECT_EQ(world_.silo->requests().size(), 1U);
  EXPECT_EQ(world_.connect()->get("/api/", "acme.localhost").status, 404);
}

TEST_F(GatewayWallTest, NoSiloSetsACookieForAllTenants) {
  world_.start();
  world_.wake_silo();
  reply(FakeSilo::ok("x", "Set-Cookie: evil=1; Domain=localhost\r\nSet-Cookie: own=1\r\n"));
  const Answer answer = world_.connect()->get("/api/");
  EXPECT_EQ(answer.head.find("evil"), std::string::npos);
  EXPECT_EQ(answer.field("Set-Cookie"), "own=1");
}

TEST_F(GatewayWallTest, EachTenantsFilesAreThoseOfItsRelease) {
  wire::Snapshot both = world_.snapshot();
  both.releases.push_back(both.releases[0]);
  both.releases[1].hash = std::string(64, 'b');
  both.tenants[1].release = 1;
  write_frontend('a', "acme's script", "etag-a");
  write_frontend('b', "globex's script", "etag-b");
  world_.publish(both);
  world_.open();
  world_.wait_for([&] { return world_.gateway->generation() == 1; }, "the snapshot");
  const auto client = world_.connect();
  for (int i = 0; i < 2; ++i) {  // from the disk, from memory
    EXPECT_EQ(client->get("/app.js", "acme.localhost").body, "acme's script");
    EXPECT_EQ(client->get("/app.js", "globex.localhost").body, "globex's script");
  }
  const std::string tag = "If-None-Match: \"etag-a\"\r\n";
  EXPECT_EQ(client->get("/app.js", "acme.localhost", tag).status, 304);
  const Answer other = client->get("/app.js", "globex.localhost", tag);
  EXPECT_EQ(other.status, 200);
  EXPECT_EQ(other.body, "globex's script");
}

}  // namespace
}  // namespace granary::gateway
