#include <gtest/gtest.h>

#include "gateway/gateway.h"
#include "gateway/testing/gateway_world.h"

// A fault of the gateway itself in the work on one request: it costs that request alone.
namespace granary::gateway {
namespace {

using testing::Answer;
using testing::GatewayWorld;

class GatewayFaultsTest : public ::testing::Test {
 protected:
  // Sends a request for each look at the clock that it takes, with the fault in that one. Returns
  // how many of them had a fault.
  int break_each_look(std::string_view bytes) {
    for (int looks = 0; looks < 100; ++looks) {
      const auto client = world_.connect();
      world_.clock.break_after(looks);
      client->send(bytes);
      const Answer answer = client->answer();
      const bool broke = world_.clock.has_broken();
      world_.clock.break_after(-1);
      if (!broke) {
        EXPECT_EQ(answer.status, 200);
        return looks;
      }
      EXPECT_TRUE(answer.status == 0 || answer.status == 502 || answer.whole) << answer.status;
      const auto other = world_.connect();
      EXPECT_EQ(other->get("/api/").status, 200) << "after a fault in look " << looks;
      EXPECT_EQ(world_.slot().in_flight.load(), 0U);
    }
    return 0;
  }

  GatewayWorld world_;
};

TEST_F(GatewayFaultsTest, ARequestWithAFaultInItEndsAloneWhereverItIs) {
  world_.start();
  world_.wake_silo();
  EXPECT_GT(break_each_look("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n"), 0);
}

TEST_F(GatewayFaultsTest, AnUploadIsJoinedBeforeItsExchangeEnds) {
  world_.start();
  world_.wake_silo();
  EXPECT_GT(break_each_look("POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\n"
                            "Content-Length: 5\r\n\r\nhello"),
            0);
}

}  // namespace
}  // namespace granary::gateway
