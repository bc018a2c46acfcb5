#include "gateway/router.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"

namespace granary::gateway {
namespace {

constexpr std::string_view kOwnPaths = "/.well-known/granary/";
constexpr std::string_view kTenantPath = "/.well-known/granary/tenant";
constexpr std::string_view kDiscoverPath = "/.well-known/granary/discover";

// "/api/" covers all below it; "/api" itself and all below it.
bool covers(std::string_view prefix, std::string_view path) {
  if (!path.starts_with(prefix)) return false;
  return prefix.ends_with('/') || path.size() == prefix.size() || path[prefix.size()] == '/';
}

}  // namespace

RouteIndex::RouteIndex(wire::Snapshot snapshot) : snapshot_(std::move(snapshot)) {
  accounts_.reserve(snapshot_.tenants.size());
  for (std::uint32_t at = 0; at < snapshot_.tenants.size(); ++at) {
    const wire::RoutedTenant& tenant = snapshot_.tenants[at];
    accounts_.emplace(tenant.account.value, at);
    for (const std::string& domain : tenant.domains) domains_.emplace(domain, at);
    for (const std::string& digest : tenant.discover) discover_.emplace(digest, at);
  }
  for (const wire::RoutedRelease& release : snapshot_.releases) {
    std::vector<Prefix>& prefixes = prefixes_.emplace_back();
    for (std::uint32_t at = 0; at < release.services.size(); ++at)
      for (const std::string& route : release.services[at].routes) prefixes.push_back({route, at});
    std::ranges::sort(prefixes, std::ranges::greater(),
                      [](const Prefix& prefix) { return prefix.text.size(); });
  }
}

const wire::RoutedTenant* RouteIndex::find_tenant(std::string_view host) const {
  const std::string_view domain = snapshot_.domain;
  const bool below = host.size() > domain.size() + 1 && host.ends_with(domain) &&
                     host[host.size() - domain.size() - 1] == '.';
  const std::string_view label = below ? host.substr(0, host.size() - domain.size() - 1) : host;
  const auto& names = below ? accounts_ : domains_;
  if (const auto found = names.find(label); found != names.end())
    return &snapshot_.tenants[found->second];
  if (!below) return nullptr;
  // A custom domain may lie below the platform's own.
  const auto found = domains_.find(host);
  return found == domains_.end() ? nullptr : &snapshot_.tenants[found->second];
}

Route RouteIndex::route(std::string_view host, std::string_view path) const {
  if (host == snapshot_.domain)
    return {path == kDiscoverPath ? RouteKind::Discover : RouteKind::UnknownHost};
  const wire::RoutedTenant* tenant = find_tenant(host);
  if (tenant == nullptr) return {};
  const wire::RoutedRelease& release = snapshot_.releases[tenant->release];
  Route route{RouteKind::Nothing, tenant, &release};
  if (tenant->state == wire::RouteState::Suspended) {
    route.kind = RouteKind::Suspended;
  } else if (path.starts_with(kOwnPaths)) {
    if (path == kTenantPath) route.kind = RouteKind::TenantInfo;
  } else {
    if (release.frontend) route.kind = RouteKind::Frontend;
    for (const Prefix& prefix : prefixes_[tenant->release]) {
      if (!covers(prefix.text, path)) continue;
      route.kind = RouteKind::Service;
      route.service = &release.services[prefix.service];
      route.slot = tenant->slots[prefix.service];
      break;
    }
  }
  return route;
}

std::string RouteIndex::host_of(std::uint32_t tenant) const {
  return snapshot_.tenants[tenant].account.value + "." + snapshot_.domain;
}

// Everything is looked up, whatever was found already.
std::optional<std::string> RouteIndex::discover(std::string_view name) const {
  const std::size_t at = name.rfind('@');
  const bool email = at != std::string_view::npos;
  const std::string_view domain = email ? name.substr(at + 1) : name;
  const auto by_email = discover_.find(wire::discovery_digest(fmt::format("email:{}", name)));
  const auto by_email_domain =
      discover_.find(wire::discovery_digest(fmt::format("email-domain:{}", domain)));
  const auto by_slug = accounts_.find(name);
  const auto by_domain = domains_.find(domain);
  if (email && by_email != discover_.end()) return host_of(by_email->second);
  if (by_slug != accounts_.end()) return host_of(by_slug->second);
  if (!email && by_domain != domains_.end()) return std::string(domain);
  if (by_email_domain != discover_.end()) return host_of(by_email_domain->second);
  if (by_domain != domains_.end()) return std::string(domain);
  return std::nullopt;
}

std::string tenant_document(const Route& route) {
  base::json::object document{
      {"name", route.tenant->public_name}, {"release", route.release->name}, {"state", "active"}};
  auto flags = base::json::parse_object(route.tenant->flags_json, wire::kMaxSnapshot);
  document["flags"] = flags ? *std::move(flags) : base::json::object();
  return base::json::print(document);
}

}  // namespace granary::gateway
