#include "agent/server.h"

#include <gtest/gtest.h>

#include <boost/asio/write.hpp>

#include "base/log.h"
#include "base/testing/pieces.h"
#include "base/testing/temporary_folder.h"
#include "base/testing/world.h"

namespace granary::agent {
namespace {

using base::json::object;
using base::testing::Cuts;
using base::testing::for_each_cutting;
using base::testing::pieces_of;
using base::testing::text_of;
using Local = base::asio::local::stream_protocol;

// Answers each request with itself.
class Echo final : public Handler {
 public:
  base::Task<wire::AgentResult<object>> handle(wire::Peer /*peer*/,
                                               wire::Request request) override {
    request.arguments["verb"] = to_string(request.verb);
    co_return request.arguments;
  }
};

class ServerTest : public ::testing::Test {
 protected:
  // Bad requests are what it is about: each would be a line.
  static void SetUpTestSuite() { base::log::start("quiet", base::log::Level::Error); }
  static void TearDownTestSuite() { base::log::start("test", base::log::Level::Info); }

  ServerTest() { EXPECT_TRUE(server_.start().has_value()); }
  ~ServerTest() override { world_.run(server_.close()); }
  // All that the server answers to these bytes, until it closes the connection.
  std::string ask(std::string_view bytes, const Cuts& cuts = {}) {
    Local::socket socket(world_.context);
    socket.connect(Local::endpoint(folder_ / "socket"));
    socket.non_blocking(true);
    base::ErrorCode error;
    for (const std::string_view piece : pieces_of(bytes, cuts)) {
      base::asio::write(socket, base::asio::buffer(piece), error);  // it may have closed already
      world_.settle();
    }
    socket.shutdown(base::asio::socket_base::shutdown_send, error);
    std::string all;
    for (error = {}; !error || error == base::asio::error::would_block;) {
      world_.settle();
      char block[4096];
      all.append(block, socket.read_some(base::asio::buffer(block), error));
    }
    return all;
  }
  void expect_same(std::string_view bytes) {
    const std::string whole = ask(bytes);
    for_each_cutting(bytes, [&](const Cuts& cuts) {
      ASSERT_EQ(ask(bytes, cuts), whole) << text_of(cuts) << " of " << base::log::escape(bytes);
    });
  }

  base::testing::World world_;
  base::testing::TemporaryFolder folder_;
  Echo echo_;
  Server server_{
      {.path = folder_ / "socket", .control_uid = ::geteuid(), .gateway_uid = ::geteuid() + 1},
      world_.executor(),
      echo_};
};

TEST_F(ServerTest, RequestsAreAnsweredInWhateverPiecesTheyArrive) {
  object arguments;
  arguments["account"] = "acme";
  const std::string two = wire::encode_request({7, wire::Verb::Sleep, arguments}) +
                          wire::encode_request({8, wire::Verb::Ping, {}});
  EXPECT_NE(ask(two).find(R"("account":"acme")"), std::string::npos);
  expect_same(two);
}

TEST_F(ServerTest, WhateverIsSaidToItMeansTheSameInWhateverPiecesItArrives) {
  for (const std::string& input : base::testing::corpus_of("agent_protocol_fuzz"))
    expect_same(input);
}

}  // namespace
}  // namespace granary::agent
