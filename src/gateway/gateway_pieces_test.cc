// The gateway over real sockets, where what is read arrives in pieces: cut at each byte, and into
// three at random.
#include <gtest/gtest.h>

#include "gateway/testing/gateway_world.h"

namespace granary::gateway {
namespace {

using base::testing::Cuts;
using base::testing::for_each_cutting;
using base::testing::pieces_of;
using base::testing::text_of;
using testing::Answer;
using testing::FakeSilo;
using testing::GatewayWorld;
using testing::TestClient;
using Then = testing::FakeSilo::Reply::Then;

class GatewayPiecesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.start();
    world_.wake_silo();
  }
  void reply(const std::string& bytes, Then then, const Cuts& cuts) const {
    world_.silo->script([=](const std::string&) { return FakeSilo::Reply{bytes, then, cuts}; });
  }
  // What a client gets for a request, but for the request's id.
  std::string ask(std::string_view method) {
    if (!client_ || client_->over()) client_ = world_.connect();
    client_->send(fmt::format("{} /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n", method));
    std::string all;
    Answer answer;
    do {
      answer =
          client_->answer(method == "HEAD" ? TestClient::Expect::NoBody : TestClient::Expect::Body);
      all += describe(answer);
    } while (answer.status >= 100 && answer.status < 200);
    if (answer.field("Connection") == "close") client_.reset();
    return all;
  }
  static std::string describe(const Answer& answer) {
    std::string head = answer.head;
    const std::size_t id = head.find("X-Request-Id: ");
    if (id != std::string::npos) head.erase(id, head.find("\r\n", id) + 2 - id);
    return fmt::format("{}{}\n[{}] {}\n", answer.status, head, answer.body, answer.whole);
  }
  void expect_same(const std::string& bytes, std::string_view method = "GET",
                   Then then = Then::Keep) {
    reply(bytes, then, {});
    const std::string whole = ask(method);
    EXPECT_TRUE(whole.starts_with("1") || whole.starts_with("2") || whole.starts_with("3"))
        << whole;
    for_each_cutting(bytes, [&](const Cuts& cuts) {
      reply(bytes, then, cuts);
      ASSERT_EQ(ask(method), whole)
          << method << " " << text_of(cuts) << " of " << bytes.substr(0, 200);
    });
  }

  GatewayWorld world_;
  std::unique_ptr<TestClient> client_;
};

const std::string kOk = "HTTP/1.1 200 OK\r\n";

TEST_F(GatewayPiecesTest, AnAnswerIsTheSameInWhateverPiecesItComes) {
  expect_same(kOk + "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nok");
  expect_same(kOk + "Content-Length: 2\r\nConnection: close\r\n\r\nok", "GET", Then::Close);
  expect_same(kOk + "X: y\r\n\r\nuntil the end", "GET", Then::Close);
  expect_same("HTTP/1.0 200 OK\r\nX: y\r\n\r\nuntil the end", "GET", Then::Close);
  expect_same(kOk +
              "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;x=y\r\nabc\r\n0\r\nT: x\r\n\r\n");
  expect_same("HTTP/1.1 204 No Content\r\nX: y\r\n\r\n");
  expect_same("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n");
  expect_same(kOk + "Content-Length: 2\r\n\r\n", "HEAD");
  expect_same(kOk + "Transfer-Encoding: chunked\r\n\r\n", "HEAD");
}

TEST_F(GatewayPiecesTest, AnAnswerBehindInterimOnesIsTheSameInWhateverPiecesItComes) {
  const std::string last = kOk + "Content-Length: 2\r\n\r\nok";
  expect_same("HTTP/1.1 100 Continue\r\n\r\n" + last);
  expect_same("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + last);
  expect_same("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n" +
              last);
}

TEST_F(GatewayPiecesTest, ALongHeadIsTheSameInWhateverPiecesItComes) {
  const std::string end = "\r\nContent-Length: 2\r\n\r\nok";
  expect_same(kOk + "X-Long: " + std::string(4'100, 'x') + end);
  expect_same(kOk + "Set-Cookie: a=" + std::string(8'200, 'x') + "\r\nSet-Cookie: b=c" + end);
}

TEST_F(GatewayPiecesTest, ASwitchOfProtocolsIsTheSameInWhateverPiecesItComes) {
  const std::string bytes =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nearly";
  for_each_cutting(bytes, [&](const Cuts& cuts) {
    reply(bytes, Then::Echo, cuts);
    const auto client = world_.connect();
    client->send(
        "GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\n\r\n");
    const Answer answer = client->answer();
    ASSERT_EQ(answer.status, 101) << text_of(cuts);
    ASSERT_EQ(client->read(5), "early") << text_of(cuts);
    client->send("hello");
    ASSERT_EQ(client->read(5), "hello") << text_of(cuts);
  });
}

// The request as the silo saw it, but for its id and its chunks.
std::string seen(std::string request) {
  const std::size_t id = request.find("X-Request-Id: ");
  if (id != std::string::npos) request.erase(id, request.find("\r\n", id) + 2 - id);
  std::size_t at = request.find("\r\n\r\n") + 4;
  if (request.find("Transfer-Encoding: chunked") == std::string::npos) return request;
  std::string body;
  for (std::size_t size = 1; size > 0;) {
    size = std::stoul(request.substr(at), nullptr, 16);
    at = request.find("\r\n", at) + 2;
    body += request.substr(at, size);
    at += size + 2;
  }
  return request.substr(0, request.find("\r\n\r\n") + 4) + body;
}

TEST_F(GatewayPiecesTest, ARequestIsTheSameInWhateverPiecesItComes) {
  const std::string line = "POST /api/x HTTP/1.1\r\nHost: acme.localhost\r\n";
  for (const std::string& bytes :
       {std::string("GET /api/x?y=z HTTP/1.1\r\nHost: acme.localhost\r\nCookie: a=b\r\n\r\n"),
        std::string("\r\nGET /api/x HTTP/1.1\r\nHost: acme.localhost\r\n\r\n"),
        line + "Content-Length: 5\r\n\r\nhello",
        line + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;x=y\r\nabc\r\n0\r\nT: x\r\n\r\n",
        line + "X: " + std::string(4'100, 'x') + "\r\nContent-Length: 2\r\n\r\nok"}) {
    std::string whole;
    const auto send = [&](const Cuts& cuts) {
      const auto client = world_.connect();
      for (const std::string_view piece : pieces_of(bytes, cuts)) {
        client->send(piece);
        world_.settle();
      }
      ASSERT_EQ(client->answer().body, "hello") << text_of(cuts) << " of " << bytes.substr(0, 200);
      const std::string got = seen(world_.silo->requests().back());
      if (whole.empty()) whole = got;
      ASSERT_EQ(got, whole) << text_of(cuts) << " of " << bytes.substr(0, 200);
    };
    send({});
    for_each_cutting(bytes, send);
  }
}

TEST_F(GatewayPiecesTest, AWakeEndsInWhateverPiecesTheAgentAnswers) {
  world_.silo->die();
  world_.settle();
  world_.slot().epoch = 0;
  world_.start_agent();
  world_.agent->on_activate([&](const base::ServiceId&) -> testing::FakeAgent::Activation {
    world_.wake_silo(1);
    return 1U;
  });
  const std::string frame = wire::encode_answer(1, base::json::object{{"epoch", 1}});
  for_each_cutting(frame, [&](const Cuts& cuts) {
    world_.agent->cut_answers(cuts);
    ASSERT_EQ(world_.connect()->get("/api/").body, "hello") << text_of(cuts);
    world_.silo->die();
    world_.slot().epoch = 0;
    world_.settle();
  });
  EXPECT_GT(world_.agent->activations().size(), frame.size() - 2);
}

}  // namespace
}  // namespace granary::gateway
