// The routing snapshot: all that the gateway must know, published by control as one file that is
// written whole and renamed into place. Value types with a JSON form. Not a database: the gateway
// builds its own index from it (gateway/router.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "wire/account_state.h"
#include "wire/ordinals.h"

namespace granary::wire {

// What all tenants of one release share, stored once.
struct RoutedService {
  std::string name;
  std::vector<std::string> routes;
  std::uint32_t in_flight = 100;
  std::chrono::milliseconds start_timeout{10'000};
  bool operator==(const RoutedService&) const = default;
};
struct RoutedRelease {
  std::string hash;
  std::string name;
  bool frontend = false;  // frontends/HASH exists
  std::vector<RoutedService> services;
  bool operator==(const RoutedRelease&) const = default;
};

enum class RouteState { Active, Suspended };

struct RoutedTenant {
  base::AccountId account;
  std::uint32_t ordinal = 0;  // tells it from an account that had its name before
  std::string public_name;
  RouteState state = RouteState::Active;
  std::uint32_t release = 0;          // index into Snapshot::releases
  std::vector<std::string> domains;   // custom domains, lower case
  std::vector<std::string> discover;  // discovery_digest() of each key that finds it
  std::vector<std::uint32_t> slots;   // one for each service of the release, in its order
  std::string flags_json = "{}";
  bool operator==(const RoutedTenant&) const = default;
};

struct Snapshot {
  std::uint64_t generation = 0;  // grows with every publication
  std::string domain;            // TENANT.DOMAIN
  std::vector<RoutedRelease> releases;
  std::vector<RoutedTenant> tenants;
  OrdinalRanges gone;  // accounts that are no more: whatever is kept of them is to go
  bool operator==(const Snapshot&) const = default;
};

// 10,000 tenants are about 2 MB; the bound only keeps a damaged file from filling the memory.
inline constexpr std::size_t kMaxSnapshot = 64U << 20;

// How a way to find a tenant is published: the hex SHA-256 of its key, "email:ann@acme.example" or
// "email-domain:acme.example" in lower case, so that the file names no person. Who knows an address
// can still see whether it is there.
std::string discovery_digest(std::string_view key);

// `flags_json` must be a JSON object, or the gateway refuses the snapshot.
std::string encode(const Snapshot& snapshot);
// Errors: InvalidArgument for whatever is not exactly a snapshot of this version, with the member;
// Exhausted over kMaxSnapshot.
base::Result<Snapshot> decode_snapshot(std::string_view text);

}  // namespace granary::wire
