#include <gtest/gtest.h>

#include "api/testing/api_world.h"

// What a leap of the clock does to who gets in, and how it is told and accepted.
namespace granary::api {
namespace {

using std::chrono::days;
using testing::ApiWorld;
using testing::Reply;
using testing::text_at;
using namespace std::chrono_literals;

std::string accepting(const base::json::object& clock) {
  return fmt::format(R"({{"ahead_ms": {}}})", clock.at("ahead_ms").to_number<std::int64_t>());
}

TEST(ClockHandlersTest, WhileTheClockAgreesNothingIsToAccept) {
  ApiWorld world;
  const auto clock = world.get("/v1/clock").json();
  EXPECT_EQ(text_at(clock, "standing"), "agrees");
  EXPECT_EQ(text_at(clock, "time"), text_at(clock, "wall"));
  EXPECT_FALSE(clock.contains("problem"));
  EXPECT_EQ(world.post("/v1/clock/accept", accepting(clock)).code(), "conflict");
  EXPECT_FALSE(world.get("/v1/status").json().contains("clock_problem"));
}

TEST(ClockHandlersTest, ALeapEndsNoTokenAndRevivesNone) {
  ApiWorld world;
  const auto make = [&](const std::string& ttl) {
    const Reply made = world.post("/v1/tokens", R"({"role": "viewer", "ttl": ")" + ttl + "\"}");
    EXPECT_EQ(made.status, 201U) << made.body;
    return text_at(made.json(), "secret");
  };
  const auto let_in = [&](const std::string& token) {
    return world.ask({.target = "/v1/status", .token = token}).status == 200U;
  };
  const std::string brief = make("1h");
  const std::string lasting = make("12h");
  world.control.world.advance(2h);
  EXPECT_FALSE(let_in(brief));
  EXPECT_TRUE(let_in(lasting));
  for (const auto leap : {days(400), -days(800)}) {
    world.control.world.clock.jump_wall(leap);
    world.control.world.advance(1h);  // what is remembered of tokens is old by then
    EXPECT_FALSE(let_in(brief)) << "a leap has revived it";
    EXPECT_TRUE(let_in(lasting)) << "a leap has ended it";
  }
  world.control.world.advance(9h);
  EXPECT_FALSE(let_in(lasting)) << "a leap has made it last";
}

TEST(ClockHandlersTest, ALeapIsToldWhereOperatorsLookAndAcceptedAsItWasShown) {
  ApiWorld world;
  world.add_tenant("acme");
  ASSERT_EQ(world.post("/v1/tenants/acme/offboard", R"({"retain": "30d"})").status, 202U);
  world.control.world.advance(1h);
  world.control.world.clock.jump_wall(days(400));
  const std::string status = text_at(world.get("/v1/status").json(), "clock_problem");
  EXPECT_NE(status.find("400 days ahead"), std::string::npos) << status;
  const auto waiting =
      world.get("/v1/operations?kind=tenant.offboard").json().at("items").at(0).as_object();
  const auto shown = world.get("/v1/operations/" + text_at(waiting, "id")).json();
  EXPECT_EQ(text_at(shown, "clock_problem"), status);
  EXPECT_NE(world.get("/metrics").body.find("granary_clock_ahead_seconds 34560000"),
            std::string::npos);

  const auto clock = world.get("/v1/clock").json();
  EXPECT_EQ(text_at(clock, "standing"), "ahead");
  EXPECT_EQ(clock.at("retentions").to_number<int>(), 1);
  world.control.world.clock.jump_wall(days(1));
  EXPECT_EQ(world.post("/v1/clock/accept", accepting(clock)).code(), "conflict");
  EXPECT_EQ(world.get("/v1/tenants/acme").status, 200U);
  const Reply accepted = world.post("/v1/clock/accept", accepting(world.get("/v1/clock").json()));
  EXPECT_EQ(accepted.status, 200U) << accepted.body;
  EXPECT_EQ(text_at(accepted.json(), "standing"), "agrees");
  world.control.finish_all();
  EXPECT_EQ(world.get("/v1/tenants/acme").status, 404U);
  const auto told = world.get("/v1/audit?subject=clock").json();
  EXPECT_EQ(text_at(told.at("items").at(0).as_object(), "action"), "clock.accept");
}

}  // namespace
}  // namespace granary::api
