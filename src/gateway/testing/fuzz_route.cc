// Whom a request is for, held against a naive search.
#include <algorithm>

#include "base/check.h"
#include "gateway/asset_request.h"
#include "gateway/router.h"
#include "gateway/testing/fuzz_targets.h"

namespace granary::gateway::testing {
namespace {

wire::Snapshot sample() {
  wire::RoutedRelease insight{.hash = std::string(64, 'a'), .name = "insight-aaaaaaaaaaaa"};
  insight.frontend = true;
  insight.services = {{.name = "api", .routes = {"/api/", "/a"}},
                      {.name = "admin", .routes = {"/api/admin/", "/ops"}}};
  wire::RoutedRelease all{.hash = std::string(64, 'b'), .name = "all-bbbbbbbbbbbb"};
  all.services = {{.name = "web", .routes = {"/"}}};
  wire::RoutedTenant acme{.account = base::AccountId("acme"), .public_name = "Acme"};
  acme.slots = {3, 4};
  acme.domains = {"scan.acme.example", "shop.localhost", "xn--bcher-kva.example"};
  wire::RoutedTenant globex{.account = base::AccountId("globex"), .release = 1};
  globex.slots = {5};
  // What another tenant might wish to be called.
  globex.domains = {"acme.localhost", "localhost", "acme.example"};
  wire::RoutedTenant gone{.account = base::AccountId("gone")};
  gone.state = wire::RouteState::Suspended;
  gone.slots = {6, 7};
  return {1, "localhost", {insight, all}, {acme, globex, gone}};
}

wire::FrontendIndex sample_frontend() {
  wire::FrontendIndex index{.fallback = "/index.html"};
  index.assets["/index.html"] = {.blob = "/index.html", .type = "text/html", .etag = "i"};
  index.assets["/app.js"] = {.blob = "/app.js", .type = "text/javascript", .etag = "a"};
  index.assets["/docs/index.html"] = {.blob = "/docs/index.html", .type = "text/html"};
  index.assets["/a b/\xc3\xbc.txt"] = {.blob = "/a b/\xc3\xbc.txt", .type = "text/plain"};
  return index;
}

bool asked_for(const wire::RoutedTenant& tenant, std::string_view host, const wire::Snapshot& all) {
  return host == tenant.account.value + "." + all.domain ||
         std::ranges::find(tenant.domains, host) != tenant.domains.end();
}

// The service of the longest route that covers the path, by looking at them all.
const wire::RoutedService* naive_service(const wire::RoutedRelease& release,
                                         std::string_view path) {
  const wire::RoutedService* best = nullptr;
  std::size_t longest = 0;
  for (const wire::RoutedService& service : release.services) {
    for (const std::string& route : service.routes) {
      const bool covers =
          path == route || path.starts_with(route.ends_with('/') ? route : route + "/");
      if (!covers || route.size() < longest) continue;
      best = &service;
      longest = route.size();
    }
  }
  return best;
}

void check_route(const RouteIndex& index, std::string_view host, std::string_view path) {
  const Route route = index.route(host, path);
  const bool of_tenant = route.kind != RouteKind::UnknownHost && route.kind != RouteKind::Discover;
  ASSERT(of_tenant == (route.tenant != nullptr));
  ASSERT((route.kind == RouteKind::Service) == (route.service != nullptr));
  if (!of_tenant) return;
  ASSERT(asked_for(*route.tenant, host, index.snapshot()));
  ASSERT(host != index.snapshot().domain);
  // The platform's own names are nobody's domains.
  ASSERT(host != "acme.localhost" || route.tenant->account.value == "acme");
  ASSERT(route.release == &index.snapshot().releases[route.tenant->release]);
  const bool suspended = route.tenant->state == wire::RouteState::Suspended;
  ASSERT(suspended == (route.kind == RouteKind::Suspended));
  if (suspended) return;
  const bool own = path.starts_with("/.well-known/granary/");
  ASSERT(!own || route.kind == RouteKind::TenantInfo || route.kind == RouteKind::Nothing);
  if (!own) ASSERT(route.service == naive_service(*route.release, path));
}

void check_asset(std::string_view target) {
  static const wire::FrontendIndex index = sample_frontend();
  RequestHead head;
  head.text.append("GET ").append(target).append(" HTTP/1.1\r\n");
  head.method = Method::Get;
  head.method_size = 3;
  head.target_size = static_cast<std::uint32_t>(target.size());
  const AssetAnswer answer = answer_asset(index, head);
  ASSERT(answer.status == 200 || answer.status == 404);
  if (answer.status == 404) return;
  std::string path;
  ASSERT(decode_path(head.path(), path));
  ASSERT(path.find('\0') == std::string::npos && path.find('\\') == std::string::npos);
  ASSERT(answer.blob == path || answer.blob == path + "index.html" ||
         (answer.blob == index.fallback && !index.assets.contains(path)));
}

}  // namespace

Verdict fuzz_host_route(std::span<const std::uint8_t> bytes) {
  static const RouteIndex index(sample());
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t line = std::min(text.find('\n'), text.size());
  const std::string_view target = text.substr(std::min(line + 1, text.size()));
  // What the parser lets through.
  const bool visible = std::ranges::all_of(target, [](char c) { return c > ' ' && c < 0x7f; });
  if (visible && target.starts_with('/')) check_asset(target);
  Authority host{.name = "left over", .port = "99"};
  if (!parse_authority(text.substr(0, line), host)) return Verdict::Refused;
  ASSERT(host.name.size() <= text.size() && host.name.find('@') == std::string::npos);
  // What was understood means the same when it is said again.
  Authority again;
  ASSERT(parse_authority(host.name + (host.port.empty() ? "" : ":" + host.port), again));
  ASSERT(again == host);
  check_route(index, host.name, target.substr(0, target.find('?')));
  return Verdict::Taken;
}

}  // namespace granary::gateway::testing
