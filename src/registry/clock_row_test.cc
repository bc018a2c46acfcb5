#include "registry/clock_row.h"

#include "registry/archive_row.h"
#include "registry/testing/registry_fixture.h"
#include "registry/token.h"

namespace granary::registry {
namespace {

using base::Result;
using base::TrustedTime;
using base::WallTime;
using store::Transaction;
using namespace std::chrono_literals;

class ClockRowTest : public testing::RegistryFixture {
 protected:
  Result<std::optional<TrustedTime>> find() {
    return in_tx<std::optional<TrustedTime>>([](Transaction& tx) { return find_trusted_time(tx); });
  }
};

TEST_F(ClockRowTest, AtFirstNothingIsKnown) {
  const auto found = find();
  ASSERT_TRUE(found.has_value());
  EXPECT_FALSE(found->has_value());
}

TEST_F(ClockRowTest, WhatIsKnownComesBackAsItWas) {
  const WallTime time = world_.clock.wall();
  TrustedTime known = base::first_look("a-boot", {.wall = time, .boot = 17ns});
  for (const bool eventful : {false, true}) {
    if (eventful) {
      known.line = TrustedTime::Line::AfterBoot;
      known.contradicted = true;
      known.watched = 3h;
      known.since = time + 5s;
      known.wall = time - 24h * 365;
    }
    ASSERT_TRUE(change([&](Transaction& tx) { return put_trusted_time(tx, known); }).has_value());
    const auto found = find();
    ASSERT_TRUE(found.has_value() && found->has_value());
    EXPECT_EQ(**found, known);
  }
}

TEST_F(ClockRowTest, ARowThatCannotBeReadIsToldAndNotTakenForNone) {
  for (const char* text : {"{}", "no JSON", R"({"boot_id": 7})"}) {
    ASSERT_TRUE(change([&](Transaction& tx) -> Result<void> {
                  TRY(
                      tx.exec("INSERT INTO installation (name, value) VALUES ('clock', :1) ON "
                              "CONFLICT (name) DO UPDATE SET value = excluded.value",
                              {std::string(text)}));
                  return {};
                }).has_value());
    const auto found = find();
    ASSERT_FALSE(found.has_value()) << text;
    EXPECT_EQ(found.error().code, base::Code::DataLoss);
  }
}

TEST_F(ClockRowTest, CountsWhatALeapWouldEnd) {
  const WallTime now = world_.clock.wall();
  ASSERT_TRUE(
      change([&](Transaction& tx) -> Result<void> {
        for (const auto in : {-1h, 0h, 1h, 48h}) {
          const std::string id = std::to_string(in.count());
          TRY(put_archive(tx, {.id = "archive" + id, .sha256 = {}, .expires = now + in}));
          TRY(adopt_token(tx, {.id = "token" + id, .label = {}, .expires = now + in, .revoked = {}},
                          "secret" + id));
        }
        TRY(adopt_token(tx, {.id = "for good", .label = {}, .expires = {}, .revoked = {}},
                        "other"));
        TRY(revoke_token(tx, "token1", now));
        return {};
      }).has_value());
  const auto counted =
      in_tx<EndingBetween>([&](Transaction& tx) { return count_ending(tx, now, now + 24h); });
  ASSERT_TRUE(counted.has_value());
  EXPECT_EQ(*counted, (EndingBetween{.archives = 1, .tokens = 0}));
  const auto later =
      in_tx<EndingBetween>([&](Transaction& tx) { return count_ending(tx, now, now + 48h); });
  EXPECT_EQ(later.value(), (EndingBetween{.archives = 2, .tokens = 1}));
}

}  // namespace
}  // namespace granary::registry
