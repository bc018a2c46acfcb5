#include <gtest/gtest.h>

#include "gateway/gateway.h"
#include "gateway/testing/gateway_world.h"
#include "wire/frontend_index.h"

namespace granary::gateway {
namespace {

using std::chrono::seconds;
using testing::Answer;
using testing::GatewayWorld;
using testing::TestClient;

class GatewayFrontendTest : public ::testing::Test {
 protected:
  void write_frontend() {
    wire::FrontendIndex index{.fallback = "/index.html"};
    index.assets["/index.html"] = {.blob = blob("<p>hello"), .type = "text/html", .etag = "p"};
    index.assets["/big.bin"] = {.blob = blob(big_), .type = "application/x", .etag = "b"};
    index.assets["/app.1234.js"] = {.blob = blob("plain script"),
                                    .type = "text/javascript",
                                    .etag = "s",
                                    .caching = wire::Caching::Immutable,
                                    .brotli = blob("brotli bytes")};
    index.assets["/lost.css"] = {.blob = std::string(64, '0'), .type = "text/css", .etag = "l"};
    world_.folder.write(folder_ + "index.json", wire::encode(index));
  }
  std::string blob(std::string_view bytes) {
    const std::string name = fmt::format("{:064x}", ++blobs_);
    world_.folder.write(folder_ + "blobs/" + name, bytes);
    return name;
  }
  Answer admin(std::string_view path) {
    TestClient client(world_, world_.gateway->admin_listening()->port);
    return client.get(path, "localhost");
  }

  GatewayWorld world_;
  const std::string folder_ = "frontends/" + std::string(64, 'a') + "/";
  std::string big_ = std::string(3'000'001, 'z');
  int blobs_ = 0;
};

TEST_F(GatewayFrontendTest, FilesOfTheReleaseAreServed) {
  write_frontend();
  world_.start();
  const auto client = world_.connect();
  for (int i = 0; i < 2; ++i) {  // from the disk, from memory
    const Answer page = client->get("/");
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.body, "<p>hello");
    EXPECT_EQ(page.field("Content-Type"), "text/html");
    EXPECT_EQ(page.field("ETag"), "\"p\"");
    EXPECT_EQ(page.field("X-Request-Id").size(), 32U);
    EXPECT_EQ(client->get("/scans/7").body, "<p>hello");
  }
  const Answer script = client->get("/app.1234.js", "globex.localhost", "Accept-Encoding: br\r\n");
  EXPECT_EQ(script.body, "brotli bytes");
  EXPECT_EQ(script.field("Content-Encoding"), "br");
  EXPECT_EQ(client->get("/", "acme.localhost", "If-None-Match: \"p\"\r\n").status, 304);
  EXPECT_EQ(client->get("/nothing.js").status, 404);
  EXPECT_EQ(client->get("/../../etc/passwd.txt").status, 404);
  EXPECT_EQ(client->get("/lost.css").status, 503);
  EXPECT_TRUE(world_.silo->requests().empty());
}

TEST_F(GatewayFrontendTest, ALargeFileIsSentPieceByPiece) {
  write_frontend();
  world_.start();
  const auto client = world_.connect();
  const Answer answer = client->get("/big.bin");
  EXPECT_EQ(answer.field("Content-Length"), "3000001");
  EXPECT_TRUE(answer.body == big_);
  client->send("HEAD /big.bin HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  const Answer head = client->answer(TestClient::Expect::NoBody);
  EXPECT_EQ(head.field("Content-Length"), "3000001");
  EXPECT_EQ(client->get("/").body, "<p>hello");
}

TEST_F(GatewayFrontendTest, OtherMethodsAreNotAllowedAndTheirBodiesNotTakenForRequests) {
  write_frontend();
  world_.start();
  const auto client = world_.connect();
  client->send(
      "POST / HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 41\r\n\r\n"
      "GET /app.1234.js HTTP/1.1\r\nHost: acme\r\n\r\n");
  const Answer answer = client->answer();
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.field("Allow"), "GET, HEAD");
  EXPECT_EQ(answer.field("Connection"), "close");
  EXPECT_TRUE(client->ended());
}

TEST_F(GatewayFrontendTest, AMissingFrontendIsUnavailableUntilItAppears) {
  world_.start();
  const auto client = world_.connect();
  EXPECT_EQ(client->get("/").status, 503);
  write_frontend();
  EXPECT_EQ(client->get("/").status, 200);
}

TEST_F(GatewayFrontendTest, AnIndexCannotPutLinesIntoAHead) {
  for (const auto& [type, etag] :
       {std::pair("text/html\r\nSet-Cookie: evil=1", "p"), std::pair("text/html", "p\r\n\r\nevil"),
        std::pair("text/html", "p\", \"q")}) {
    wire::FrontendIndex index;
    index.assets["/x.html"] = {.blob = blob("x"), .type = type, .etag = etag};
    world_.folder.write(folder_ + "index.json", wire::encode(index));
    if (!world_.gateway) world_.start();
    const Answer answer = world_.connect()->get("/x.html");
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ((answer.head + answer.body).find("evil"), std::string::npos);
  }
}

TEST_F(GatewayFrontendTest, AnAgentThatHangsIsToldOfAlthoughItsConnectionStays) {
  world_.options.admin = Endpoint{"127.0.0.1", 0};
  world_.start();
  world_.start_agent();
  const auto pass = [&](int seconds) {
    for (int i = 0; i < seconds; ++i) {
      world_.advance(std::chrono::seconds(1));
      EXPECT_EQ(admin("/healthz").status, 200);  // what was sent meanwhile is read
    }
  };
  pass(10);
  EXPECT_EQ(admin("/readyz").status, 200);
  world_.agent->hang();
  pass(6);
  const Answer answer = admin("/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "the agent does not answer: services that are asleep are not started\n");
}

TEST_F(GatewayFrontendTest, TheOperatorSeesWhetherItRunsAndWhatItDid) {
  world_.options.admin = Endpoint{"127.0.0.1", 0};
  world_.open();
  EXPECT_EQ(admin("/healthz").status, 200);
  EXPECT_EQ(admin("/readyz").status, 503);
  world_.publish(world_.snapshot());
  world_.wait_for([&] { return world_.gateway->generation() == 1; }, "the snapshot");
  EXPECT_EQ(admin("/readyz").status, 200);
  EXPECT_EQ(admin("/other").status, 404);
  EXPECT_EQ(world_.connect()->get("/", "nobody.localhost").status, 404);
  const std::string metrics = admin("/metrics").body;
  EXPECT_NE(metrics.find("\ngranary_gateway_requests_total 1\n"), std::string::npos);
  EXPECT_NE(metrics.find("granary_gateway_answers_total{class=\"4xx\"} 1\n"), std::string::npos);
  EXPECT_NE(metrics.find("\ngranary_gateway_routing_generation 1\n"), std::string::npos);
}

}  // namespace
}  // namespace granary::gateway
