#include <gtest/gtest.h>

#include <boost/asio/write.hpp>

#include "api/testing/api_world.h"

// Requests that are wrong, ambiguous, too large or too slow: each gets its answer, and the server
// goes on.
namespace granary::api {
namespace {

using testing::ApiWorld;
using testing::Reply;

Patience impatient() {
  Patience patience;
  patience.head = patience.body = patience.upload_piece = std::chrono::milliseconds(250);
  patience.answer = std::chrono::milliseconds(200);
  patience.linger = std::chrono::milliseconds(60);
  return patience;
}

class MalformedRequestTest : public ::testing::Test {
 protected:
  // Sends it as it is; true when the answer has this status and the server is well afterwards.
  ::testing::AssertionResult gets(const std::string& status, const std::string& bytes) {
    const std::string answer = world_.raw(bytes);
    if (!answer.starts_with("HTTP/1.1 " + status + " "))
      return ::testing::AssertionFailure() << "answer: " << answer.substr(0, 300);
    if (answer.find("application/problem+json") == std::string::npos)
      return ::testing::AssertionFailure() << "no problem document: " << answer;
    if (world_.get("/healthz").status != 200)
      return ::testing::AssertionFailure() << "the server does not answer any more";
    return ::testing::AssertionSuccess();
  }
  std::string authorized() {
    return fmt::format("Host: api\r\nAuthorization: Bearer {}\r\n",
                       world_.token(registry::Role::Operator));
  }

  ApiWorld world_{impatient()};
};

TEST_F(MalformedRequestTest, WhatIsNoHttpIsRefused) {
  EXPECT_TRUE(gets("400", "hello\r\n\r\n"));
  EXPECT_TRUE(gets("400", "GET / HTTP/3.7\r\nHost: api\r\n\r\n"));
  EXPECT_TRUE(gets("400", std::string("\x16\x03\x01\x02\0\x01", 6) + "\r\n\r\n"));
  EXPECT_TRUE(gets("400", "GET / HTTP/1.1\r\nHost: api\r\nBad Header: 1\r\n\r\n"));
  EXPECT_TRUE(gets("400", "GET / HTTP/1.1\r\nHost: api\r\nA: 1\r\n folded\r\nB\r\n\r\n"));
}

TEST_F(MalformedRequestTest, AmbiguousHeadersAreRefused) {
  EXPECT_TRUE(gets("400", "GET /healthz HTTP/1.1\r\n\r\n"));
  EXPECT_TRUE(gets("400", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"));
  EXPECT_TRUE(gets("400",
                   "POST /v1/tenants HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                   "Content-Length: 4\r\n\r\nabcd"));
  EXPECT_TRUE(gets("400",
                   "POST /v1/tenants HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
  EXPECT_TRUE(
      gets("400", "POST /v1/tenants HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"));
  EXPECT_TRUE(gets("400",
                   "POST /v1/tenants HTTP/1.1\r\nHost: a\r\n"
                   "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"));
  EXPECT_TRUE(gets("400",
                   "GET /v1/tenants HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\n"
                   "Authorization: Bearer b\r\n\r\n"));
  EXPECT_TRUE(
      gets("401", "GET /v1/tenants HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YQ==\r\n\r\n"));
  EXPECT_TRUE(gets("417", "GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n"));
}

TEST_F(MalformedRequestTest, TargetsThatAreNoPathAreRefused) {
  EXPECT_TRUE(gets("400", "GET http://elsewhere/healthz HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_TRUE(gets("400", "CONNECT elsewhere:443 HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_TRUE(gets("400", "GET /v1/tenants/%zz HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_TRUE(gets("400", "GET /v1/tenants/%00 HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_TRUE(gets("400", "GET /v1/tenants/%ff HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_TRUE(gets("400", "GET /v1/tenants?limit=1&limit=2 HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_TRUE(gets("404", "GET /v1/../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_TRUE(gets("404", "GET // HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_TRUE(gets("404", "GET /v1/tenants/ HTTP/1.1\r\n" + authorized() + "\r\n"));
}

TEST_F(MalformedRequestTest, AnUnknownMethodIsToldWhatIsPossible) {
  const Reply reply = world_.ask({.method = "PUT", .target = "/v1/tenants"});
  EXPECT_EQ(reply.status, 405U);
  EXPECT_EQ(reply.headers.at("allow"), "GET, POST");
  EXPECT_EQ(world_.ask({.method = "BREW", .target = "/v1/tenants"}).status, 405U);
}

TEST_F(MalformedRequestTest, AMegabyteOfHeadersIs431) {
  std::string head = "GET /healthz HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 10'000; ++i) head += fmt::format("X-{}: {}\r\n", i, std::string(90, 'x'));
  EXPECT_TRUE(gets("431", head + "\r\n"));
  EXPECT_TRUE(gets("431", "GET /" + std::string(1 << 20, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"));
}

TEST_F(MalformedRequestTest, BodiesThatAreTooLargeAre413) {
  EXPECT_TRUE(
      gets("413", "POST /v1/tenants HTTP/1.1\r\n" + authorized() +
                      "Content-Type: application/json\r\nContent-Length: 1048577\r\n\r\n{"));
  EXPECT_TRUE(
      gets("413", "POST /v1/releases HTTP/1.1\r\n" + authorized() +
                      "Content-Type: application/zstd\r\nContent-Length: 2700000000\r\n\r\n"));
  std::string chunked = "POST /v1/tenants HTTP/1.1\r\n" + authorized() +
                        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 20; ++i) chunked += "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
  EXPECT_TRUE(gets("413", chunked + "0\r\n\r\n"));
}

TEST_F(MalformedRequestTest, BrokenChunksAreRefused) {
  const std::string head = "POST /v1/tenants HTTP/1.1\r\n" + authorized() +
                           "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_TRUE(gets("400", head + "xyz\r\n{}\r\n0\r\n\r\n"));
  EXPECT_TRUE(gets("400", head + "-2\r\n{}\r\n0\r\n\r\n"));
  EXPECT_TRUE(gets("400", head + "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n"));
  EXPECT_TRUE(gets("400", head + "2\r\n{}xx0\r\n\r\n"));
}

TEST_F(MalformedRequestTest, ABodyThatNeverEndsIs408) {
  const std::string head = "POST /v1/tenants HTTP/1.1\r\n" + authorized();
  EXPECT_TRUE(gets("408", head + "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{"));
  EXPECT_TRUE(gets("408", "POST /v1/releases HTTP/1.1\r\n" + authorized() +
                              "Content-Type: application/zstd\r\nContent-Length: 10\r\n\r\nabc"));
  EXPECT_TRUE(base::os::list_folder(world_.folder.path())->empty());
}

// Ends with an error on the socket, which is what a client sees that is cut off.
base::Task<void> read_nothing(std::uint16_t port, std::string requests, bool* cut_off) {
  using base::asio::ip::tcp;
  tcp::socket socket(co_await base::asio::this_coro::executor, tcp::v4());
  socket.set_option(tcp::socket::receive_buffer_size(4096));
  base::ErrorCode error;
  co_await socket.async_connect({base::asio::ip::address_v4::loopback(), port}, base::into(error));
  co_await base::asio::async_write(socket, base::asio::buffer(requests), base::into(error));
  co_await socket.async_wait(tcp::socket::wait_error, base::into(error));
  *cut_off = !error;
}

TEST_F(MalformedRequestTest, AClientThatReadsNothingIsCutOff) {
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += "GET /v1/openapi.json HTTP/1.1\r\nHost: api\r\n\r\n";
  bool cut_off = false;
  world_.drive(read_nothing(world_.server->port(), requests, &cut_off));
  EXPECT_TRUE(cut_off);
  EXPECT_EQ(world_.get("/healthz").status, 200U);
}

TEST_F(MalformedRequestTest, AHeadThatNeverEndsIs408AndSilenceIsJustClosed) {
  EXPECT_TRUE(gets("408", "GET /healthz HTTP/1.1\r\nHost:"));
  EXPECT_EQ(world_.raw(""), "");
}

TEST_F(MalformedRequestTest, BodiesOfAnotherKindAreRefused) {
  const auto status = [&](const std::string& body, const std::string& type) {
    return world_.ask({.method = "POST", .target = "/v1/tenants", .body = body, .type = type})
        .status;
  };
  EXPECT_EQ(status("{}", "text/plain"), 415U);
  EXPECT_EQ(status(R"({"id": "acme"})", "application/json; charset=utf-8"), 202U);
  EXPECT_EQ(status("{", "application/json"), 400U);
  EXPECT_EQ(status("[]", "application/json"), 400U);
  EXPECT_EQ(status("\"\xff\"", "application/json"), 400U);
  EXPECT_EQ(status(std::string(100'000, '['), "application/json"), 400U);
  EXPECT_EQ(world_.ask({.target = "/healthz", .body = "x"}).status, 400U);
  EXPECT_EQ(world_.ask({.method = "POST", .target = "/v1/releases"}).status, 400U);
  EXPECT_EQ(world_
                .ask({.method = "POST",
                      .target = "/v1/tenants",
                      .body = "{}",
                      .headers = "Content-Encoding: gzip\r\n"})
                .status,
            415U);
}

TEST_F(MalformedRequestTest, UnknownMembersAreRefusedByName) {
  const Reply reply = world_.post("/v1/tenants", R"({"id": "acme", "colour": "red"})");
  EXPECT_EQ(reply.status, 400U);
  EXPECT_EQ(reply.code(), "invalid_argument");
  EXPECT_NE(reply.body.find("'colour'"), std::string::npos);
  EXPECT_EQ(world_.get("/v1/tenants/acme").status, 404U);
}

TEST_F(MalformedRequestTest, BadNamesAreRefusedWithTheRule) {
  for (const std::string& name : {std::string(), std::string("Acme"), std::string(300, 'a'),
                                  std::string(".."), std::string("www"), std::string("a--b")}) {
    const Reply reply = world_.post("/v1/tenants", fmt::format(R"({{"id": "{}"}})", name));
    EXPECT_EQ(reply.status, 400U) << name;
    EXPECT_TRUE(reply.json().contains("advice")) << name;
  }
}

TEST_F(MalformedRequestTest, ARequestIdIsTakenOverOrMade) {
  const auto id = [&](const std::string& header) {
    return world_.ask({.target = "/healthz", .headers = header}).headers.at("x-request-id");
  };
  EXPECT_EQ(id("X-Request-Id: abc-1\r\n"), "abc-1");
  EXPECT_TRUE(base::is_ulid(id("X-Request-Id: a b<c>\r\n")));
  EXPECT_TRUE(base::is_ulid(id("")));
  const Reply reply = world_.ask({.target = "/nothing", .headers = "X-Request-Id: abc-2\r\n"});
  EXPECT_EQ(base::json::get_string(reply.json(), "request_id"), "abc-2");
}

TEST_F(MalformedRequestTest, AKeyMustBePlain) {
  EXPECT_EQ(world_
                .ask({.method = "POST",
                      .target = "/v1/tenants",
                      .body = R"({"id": "acme"})",
                      .headers = fmt::format("Idempotency-Key: {}\r\n", std::string(129, 'k'))})
                .status,
            400U);
  EXPECT_EQ(world_
                .ask({.method = "POST",
                      .target = "/v1/tokens",
                      .body = R"({"role": "viewer"})",
                      .headers = "Idempotency-Key: k\r\n"})
                .status,
            501U);
}

}  // namespace
}  // namespace granary::api
