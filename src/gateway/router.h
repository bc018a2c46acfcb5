// Who a request is for: an index over one routing snapshot, and the decision by host and path.
// Immutable once built, hence readable by any thread; the gateway swaps whole indexes. Pure: no
// I/O, no clock.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/host.h"
#include "wire/routing.h"

namespace granary::gateway {

enum class RouteKind {
  UnknownHost,  // also an offboarded tenant's: nobody can tell the two apart
  Suspended,
  TenantInfo,  // /.well-known/granary/tenant
  Discover,    // /.well-known/granary/discover on the bare domain
  Service,
  Frontend,
  Nothing,  // a tenant's host, and nothing of its release at this path
};

struct Route {
  RouteKind kind = RouteKind::UnknownHost;
  // Into the index. Set from Suspended on, but for Discover; `service` for Service alone.
  const wire::RoutedTenant* tenant = nullptr;
  const wire::RoutedRelease* release = nullptr;
  const wire::RoutedService* service = nullptr;
  std::uint32_t slot = 0;  // of the service
};

class RouteIndex final {
 public:
  explicit RouteIndex(wire::Snapshot snapshot);
  RouteIndex(const RouteIndex&) = delete;
  RouteIndex& operator=(const RouteIndex&) = delete;

  // `host` as parse_authority makes it; `path` without query.
  Route route(std::string_view host, std::string_view path) const;
  // The host of the tenant that a person named by its slug, one of its domains, or an e-mail
  // address: the very address counts before its domain. `name` is in lower case. As much work for
  // what is unknown as for what is known.
  std::optional<std::string> discover(std::string_view name) const;

  const wire::Snapshot& snapshot() const { return snapshot_; }

 private:
  struct Prefix {
    std::string_view text;
    std::uint32_t service;
  };
  std::string host_of(std::uint32_t tenant) const;
  const wire::RoutedTenant* find_tenant(std::string_view host) const;

  const wire::Snapshot snapshot_;  // the maps point into it
  std::unordered_map<std::string_view, std::uint32_t> accounts_;
  std::unordered_map<std::string_view, std::uint32_t> domains_;
  std::unordered_map<std::string_view, std::uint32_t> discover_;  // by digest
  std::vector<std::vector<Prefix>> prefixes_;  // of each release, the longest first
};

// Shared by the gateway, which holds the newest, and the requests that began under it.
using SharedIndex = std::shared_ptr<const RouteIndex>;

// {"name", "release", "state", "flags"}: what a frontend needs at its start, and no more.
std::string tenant_document(const Route& route);

}  // namespace granary::gateway
