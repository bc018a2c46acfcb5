#include <benchmark/benchmark.h>

#include "gateway/router.h"

// What finding a request's tenant and service takes among ten thousand tenants, half of them with a
// domain of their own, asked for in an order that no cache likes.
namespace granary::gateway {
namespace {

constexpr std::uint32_t kTenants = 10'000;
constexpr std::uint32_t kStride = 7919;  // prime: every tenant, far from the one before

wire::Snapshot sample() {
  wire::RoutedRelease release{.hash = std::string(64, 'a'), .name = "insight-aaaaaaaaaaaa"};
  release.frontend = true;
  release.services = {{.name = "api", .routes = {"/api/", "/v1/"}},
                      {.name = "admin", .routes = {"/api/admin/"}},
                      {.name = "ingest", .routes = {"/ingest/"}}};
  wire::Snapshot snapshot{1, "example.com", {release}, {}};
  for (std::uint32_t at = 0; at < kTenants; ++at) {
    wire::RoutedTenant tenant{.account = base::AccountId(fmt::format("tenant-{}", at))};
    tenant.slots = {at, at, at};
    if (at % 2 == 0) tenant.domains = {fmt::format("scans.customer-{}.example", at)};
    tenant.discover = {wire::discovery_digest(fmt::format("email-domain:customer-{}.example", at))};
    snapshot.tenants.push_back(std::move(tenant));
  }
  return snapshot;
}

// Shared by all: made once.
const RouteIndex& index() {
  static const RouteIndex made(sample());
  return made;
}

void ask(benchmark::State& state, const std::vector<std::string>& hosts) {
  index();
  std::size_t at = 0;
  for (auto _ : state) {
    at = (at + kStride) % hosts.size();
    benchmark::DoNotOptimize(index().route(hosts[at], "/api/scans/2026"));
  }
}

std::vector<std::string> hosts(const std::function<std::string(std::uint32_t)>& name) {
  std::vector<std::string> all;
  for (std::uint32_t at = 0; at < kTenants; ++at) all.push_back(name(at));
  return all;
}

void route_subdomain(benchmark::State& state) {
  ask(state, hosts([](std::uint32_t at) { return fmt::format("tenant-{}.example.com", at); }));
}
void route_custom_domain(benchmark::State& state) {
  ask(state,
      hosts([](std::uint32_t at) { return fmt::format("scans.customer-{}.example", at / 2 * 2); }));
}
void route_unknown(benchmark::State& state) {
  ask(state, hosts([](std::uint32_t at) { return fmt::format("nobody-{}.example.com", at); }));
}

void discover(benchmark::State& state) {
  const auto names =
      hosts([](std::uint32_t at) { return fmt::format("ann@customer-{}.example", at); });
  index();
  std::size_t at = 0;
  for (auto _ : state) {
    at = (at + kStride) % names.size();
    benchmark::DoNotOptimize(index().discover(names[at]));
  }
}

void decode_and_index(benchmark::State& state) {
  const std::string text = wire::encode(sample());
  for (auto _ : state) {
    const RouteIndex made(wire::decode_snapshot(text).value());
    benchmark::DoNotOptimize(made.snapshot().tenants.size());
  }
}

BENCHMARK(route_subdomain);
BENCHMARK(route_custom_domain);
BENCHMARK(route_unknown);
BENCHMARK(discover);
BENCHMARK(decode_and_index)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace granary::gateway
