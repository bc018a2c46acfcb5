// A manifest's services are what the agent reads as wire::ServiceSpec: the two codecs, written
// apart because control's rooms know no wire, must agree.
#include <gtest/gtest.h>

#include "release/manifest.h"
#include "wire/account_state.h"

namespace granary::release {
namespace {

TEST(ManifestWireTest, TheAgentReadsServicesAsTheManifestSaysThem) {
  const auto manifest = parse_manifest(
      "app: a\n"
      "services:\n"
      "  api:\n"
      "    command: [python3, -m, app]\n"
      "    listen: 8080\n"
      "    routes: [/api/, /hook]\n"
      "    health: /api/health\n"
      "    idle: 5m\n"
      "    start_timeout: 3s\n"
      "    stop_timeout: 1500ms\n"
      "    limits: {memory: 64Mi, cpu: 0.25, processes: 8, in_flight: 7}\n"
      "    env: {A: b}\n"
      "  jobs: {command: [jobs], routes: [/jobs], idle: never}\n",
      "granary.yaml");
  ASSERT_TRUE(manifest.has_value()) << base::describe(manifest.error());
  const base::json::array services = services_to_json(*manifest);
  ASSERT_EQ(services.size(), 2U);

  const auto api = wire::service_spec_from(services[0].as_object());
  ASSERT_TRUE(api.has_value()) << base::describe(api.error());
  wire::ServiceSpec expected;
  expected.name = "api";
  expected.command = {"python3", "-m", "app"};
  expected.port = 8080;
  expected.routes = {"/api/", "/hook"};
  expected.health = "/api/health";
  expected.idle = std::chrono::minutes(5);
  expected.start_timeout = std::chrono::seconds(3);
  expected.stop_timeout = std::chrono::milliseconds(1500);
  expected.limits = {
      .memory_bytes = 64ULL << 20, .cpu_millis = 250, .processes = 8, .in_flight = 7};
  expected.env = {{"A", "b"}};
  EXPECT_EQ(*api, expected);

  const auto jobs = wire::service_spec_from(services[1].as_object());
  ASSERT_TRUE(jobs.has_value()) << base::describe(jobs.error());
  EXPECT_EQ(jobs->idle, std::nullopt);
  EXPECT_EQ(jobs->port, 0);
}

TEST(ManifestWireTest, TheAgentReadsThatServicesFindTheWayOut) {
  const auto manifest = parse_manifest(
      "app: a\nservices: {x: {command: [x], routes: [/]}}\negress: [a.example:443]\n",
      "granary.yaml");
  ASSERT_TRUE(manifest.has_value());
  const auto spec = wire::service_spec_from(services_to_json(*manifest)[0].as_object());
  ASSERT_TRUE(spec.has_value()) << base::describe(spec.error());
  EXPECT_TRUE(spec->egress);
}

TEST(ManifestWireTest, OnlyTheSlotIsMissing) {
  const auto manifest =
      parse_manifest("app: a\nservices: {x: {command: [x], routes: [/]}}\n", "granary.yaml");
  ASSERT_TRUE(manifest.has_value());
  base::json::object said = services_to_json(*manifest)[0].as_object();
  const auto spec = wire::service_spec_from(said);
  ASSERT_TRUE(spec.has_value()) << base::describe(spec.error());
  base::json::object whole = wire::to_json(*spec);
  whole.erase("slot");
  EXPECT_EQ(said, whole);
}

}  // namespace
}  // namespace granary::release
