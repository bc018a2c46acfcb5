#include "wire/account_state.h"

#include <gtest/gtest.h>

namespace granary::wire {
namespace {

using base::Code;
using base::json::object;

AccountSpec full_spec() {
  ServiceSpec api;
  api.name = "api";
  api.command = {"python3", "-m", "insight"};
  api.port = 8080;
  api.routes = {"/api/", "/"};
  api.health = "/api/health";
  api.idle = std::chrono::seconds(60);
  api.limits = {.memory_bytes = 64ULL << 20, .cpu_millis = 250, .processes = 8, .in_flight = 3};
  api.env = {{"LOG_LEVEL", "info"}};
  api.slot = 17;
  ServiceSpec never = api;
  never.name = "worker";
  never.idle = std::nullopt;
  never.egress = true;
  AccountSpec spec;
  spec.account = base::AccountId("acme");
  spec.ordinal = 9;
  spec.release_hash = std::string(64, 'a');
  spec.release_name = "insight-aaaaaaaaaaaa";
  spec.traffic = Traffic::Suspended;
  spec.config_json = R"({"beta":true})";
  spec.secrets = {{"STRIPE_KEY", "sk_live_1"}, {"TLS_KEY", std::string("\0\xff\n", 3)}};
  spec.services = {api, never};
  spec.version = 1ULL << 40;
  return spec;
}

TEST(AccountState, SpecSurvivesItsJsonForm) {
  const AccountSpec spec = full_spec();
  const auto text = base::json::print(to_json(spec));
  const auto back = account_spec_from(*base::json::parse_object(text, 1U << 20));
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(*back, spec);
}

TEST(AccountState, ReportSurvivesItsJsonForm) {
  AccountReport report;
  report.account = base::AccountId("acme");
  report.version = 7;
  report.isolation = "full";
  report.disk_used_bytes = 12;
  report.services = {{.name = "api",
                      .phase = ServicePhase::BackingOff,
                      .crashes = 3,
                      .last_failure = "it ended with 1",
                      .retry_in_ms = 500,
                      .pid = 12,
                      .memory_bytes = 5,
                      .wakes = 6}};
  const auto back = account_report_from(to_json(report));
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(*back, report);
}

TEST(AccountState, AServiceOfAReleaseHasNoSlotYet) {
  object document = to_json(full_spec().services[0]);
  document.erase("slot");
  const auto spec = service_spec_from(document);
  ASSERT_TRUE(spec.has_value());
  EXPECT_EQ(spec->slot, 0U);
}

TEST(AccountState, AServiceHasNoWayOutUnlessItIsSaid) {
  object document = to_json(full_spec().services[0]);
  EXPECT_FALSE(document.contains("egress"));  // as documents were before there was one
  EXPECT_FALSE(service_spec_from(document).value().egress);
  document["egress"] = "yes";
  EXPECT_EQ(service_spec_from(document).error().code, Code::InvalidArgument);
}

TEST(AccountState, UnknownMembersAreRefusedByName) {
  object document = to_json(full_spec());
  document["colour"] = "red";
  const auto spec = account_spec_from(document);
  ASSERT_FALSE(spec.has_value());
  EXPECT_EQ(spec.error().code, Code::InvalidArgument);
  EXPECT_NE(spec.error().message.find("colour"), std::string::npos);
}

TEST(AccountState, EveryMemberIsNeededAndChecked) {
  const object good = to_json(full_spec());
  for (const auto& member : good) {
    object missing = good;
    missing.erase(member.key());
    // As accounts' files were before there were any, and are since: there they are sealed.
    EXPECT_EQ(account_spec_from(missing).has_value(), member.key() == "secrets") << member.key();
    object wrong = good;
    wrong[member.key()] = true;
    EXPECT_FALSE(account_spec_from(wrong).has_value()) << member.key();
  }
}

TEST(AccountState, WhatBecomesAPathCannotClimb) {
  AccountSpec spec = full_spec();
  spec.services[0].name = "../x";
  EXPECT_FALSE(account_spec_from(to_json(spec)).has_value());
  spec = full_spec();
  spec.account = base::AccountId("..");
  EXPECT_FALSE(account_spec_from(to_json(spec)).has_value());
  spec = full_spec();
  spec.release_hash = "../../etc";
  EXPECT_FALSE(account_spec_from(to_json(spec)).has_value());
}

TEST(AccountState, ASecretsNameThatIsNoneIsRefused) {
  AccountSpec spec = full_spec();
  spec.secrets = {{"../X", "value"}};
  EXPECT_EQ(account_spec_from(to_json(spec)).error().code, Code::InvalidArgument);
}

TEST(AccountState, NumbersOutOfRangeAreRefused) {
  object document = to_json(full_spec().services[0]);
  document["port"] = 65536;
  EXPECT_FALSE(service_spec_from(document).has_value());
  document["port"] = -1;
  EXPECT_FALSE(service_spec_from(document).has_value());
  document["port"] = 1;
  document["slot"] = 1 << 16;
  EXPECT_FALSE(service_spec_from(document).has_value());
}

TEST(AccountState, AServiceNamedTwiceIsRefused) {
  AccountSpec spec = full_spec();
  spec.services[1].name = "api";
  EXPECT_FALSE(account_spec_from(to_json(spec)).has_value());
}

TEST(AccountState, ACommandWithAZeroByteIsRefused) {
  AccountSpec spec = full_spec();
  spec.services[0].command = {std::string("a\0b", 3)};
  EXPECT_FALSE(account_spec_from(to_json(spec)).has_value());
  spec.services[0].command = {};
  EXPECT_FALSE(account_spec_from(to_json(spec)).has_value());
}

}  // namespace
}  // namespace granary::wire
