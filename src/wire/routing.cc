#include "wire/routing.h"

#include <algorithm>
#include <limits>

#include "base/hash.h"
#include "wire/activity_board.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;
using base::json::array;
using base::json::object;
using base::json::value;

constexpr std::int64_t kVersion = 1;
constexpr std::int64_t kLongestStart = 24LL * 3600 * 1000;
constexpr std::size_t kDigest = 64;        // hex digits of a SHA-256
constexpr std::size_t kLongestHost = 253;  // of a DNS name in text

base::Failure wrong(std::string_view what) { return base::fail(Code::InvalidArgument, "{}", what); }

// Every snapshot is made by the same version that reads it: an unknown member is a mistake.
Result<void> only(const object& from, std::initializer_list<std::string_view> known) {
  for (const auto& member : from) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::ranges::find(known, name) == known.end())
      return base::fail(Code::InvalidArgument, "member '{}' is unknown", name);
  }
  return {};
}

Result<std::int64_t> get_bounded(const object& from, std::string_view name, std::int64_t at_most) {
  TRY_ASSIGN(const std::int64_t number, base::json::get_int(from, name));
  if (number < 0 || number > at_most)
    return base::fail(Code::InvalidArgument, "member '{}' must be 0 to {}", name, at_most);
  return number;
}

Result<std::uint32_t> get_u32(const object& from, std::string_view name) {
  TRY_ASSIGN(const std::int64_t number,
             get_bounded(from, name, std::numeric_limits<std::uint32_t>::max()));
  return static_cast<std::uint32_t>(number);
}

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// Names and hashes become parts of paths and of hosts.
bool is_plain(std::string_view text, std::string_view also, std::size_t longest) {
  return !text.empty() && text.size() <= longest && is_lower_or_digit(text.front()) &&
         std::ranges::all_of(text, [&](char c) {
           return is_lower_or_digit(c) || also.find(c) != std::string_view::npos;
         });
}

Result<std::string> get_plain(const object& from, std::string_view name, std::string_view also,
                              std::size_t longest) {
  TRY_ASSIGN(std::string text, base::json::get_string(from, name));
  if (!is_plain(text, also, longest))
    return base::fail(Code::InvalidArgument, "member '{}' is not a name", name);
  return text;
}

// Each object of the list at `name`, decoded; errors say which one.
template <class T, class Decode>
Result<std::vector<T>> decode_list(const object& from, std::string_view name, Decode decode) {
  const array* list = base::json::find_array(from, name);
  if (list == nullptr) return base::fail(Code::InvalidArgument, "member '{}' must be a list", name);
  std::vector<T> all;
  all.reserve(list->size());
  for (const value& item : *list) {
    Result<T> decoded = item.is_object() ? decode(item.get_object()) : wrong("must be an object");
    if (!decoded)
      return base::annotate(std::move(decoded).error(), fmt::format("{}[{}]", name, all.size()));
    all.push_back(*std::move(decoded));
  }
  return all;
}

object to_json(const RoutedService& service) {
  return object{{"name", service.name},
                {"routes", base::json::from_strings(service.routes)},
                {"in_flight", service.in_flight},
                {"start_timeout_ms", service.start_timeout.count()}};
}

Result<RoutedService> service_from(const object& from) {
  TRY(only(from, {"name", "routes", "in_flight", "start_timeout_ms"}));
  RoutedService service;
  TRY_ASSIGN(service.name, get_plain(from, "name", "-_", 63));
  TRY_ASSIGN(service.routes, base::json::get_strings(from, "routes"));
  for (const std::string& route : service.routes)
    if (!route.starts_with('/')) return wrong("a member of 'routes' does not begin with /");
  TRY_ASSIGN(service.in_flight, get_u32(from, "in_flight"));
  TRY_ASSIGN(const std::int64_t start, get_bounded(from, "start_timeout_ms", kLongestStart));
  service.start_timeout = std::chrono::milliseconds(start);
  return service;
}

object to_json(const RoutedRelease& release) {
  array services;
  for (const RoutedService& service : release.services) services.push_back(to_json(service));
  return object{{"hash", release.hash},
                {"name", release.name},
                {"frontend", release.frontend},
                {"services", std::move(services)}};
}

Result<RoutedRelease> release_from(const object& from) {
  TRY(only(from, {"hash", "name", "frontend", "services"}));
  RoutedRelease release;
  TRY_ASSIGN(release.hash, get_plain(from, "hash", "", 128));
  TRY_ASSIGN(release.name, base::json::get_string(from, "name"));
  const value* frontend = from.if_contains("frontend");
  if (frontend == nullptr || !frontend->is_bool()) return wrong("member 'frontend' must be a bool");
  release.frontend = frontend->get_bool();
  TRY_ASSIGN(release.services, decode_list<RoutedService>(from, "services", service_from));
  return release;
}

std::string_view to_string(RouteState state) {
  switch (state) {
    case RouteState::Active:
      return "active";
    case RouteState::Suspended:
      return "suspended";
  }
  return {};
}

Result<RouteState> state_from(std::string_view name) {
  for (const RouteState state : {RouteState::Active, RouteState::Suspended})
    if (to_string(state) == name) return state;
  return wrong("member 'state' must be active or suspended");
}

object to_json(const RoutedTenant& tenant) {
  object document{{"account", tenant.account.value},
                  {"ordinal", tenant.ordinal},
                  {"name", tenant.public_name},
                  {"state", to_string(tenant.state)},
                  {"release", tenant.release}};
  if (!tenant.domains.empty()) document["domains"] = base::json::from_strings(tenant.domains);
  if (!tenant.discover.empty()) document["discover"] = base::json::from_strings(tenant.discover);
  document["slots"] = array(tenant.slots.begin(), tenant.slots.end());
  if (tenant.flags_json != "{}") document["flags"] = tenant.flags_json;
  return document;
}

Result<std::vector<std::uint32_t>> slots_from(const object& from) {
  const array* list = base::json::find_array(from, "slots");
  if (list == nullptr) return wrong("member 'slots' must be a list");
  std::vector<std::uint32_t> slots;
  slots.reserve(list->size());
  for (const value& item : *list) {
    boost::system::error_code failed;
    const auto slot = item.to_number<std::uint32_t>(failed);
    if (failed || slot >= ActivityBoard::kSlots) return wrong("a member of 'slots' is no slot");
    slots.push_back(slot);
  }
  return slots;
}

Result<std::vector<std::string>> digests_from(const object& from) {
  TRY_ASSIGN(std::vector<std::string> digests, base::json::get_strings(from, "discover"));
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  for (const std::string& digest : digests)
    if (digest.size() != kDigest || !std::ranges::all_of(digest, is_hex))
      return wrong("a member of 'discover' is no SHA-256");
  return digests;
}

Result<RoutedTenant> tenant_from(const object& from) {
  TRY(only(from, {"account", "ordinal", "name", "state", "release", "domains", "discover", "slots",
                  "flags"}));
  RoutedTenant tenant;
  TRY_ASSIGN(std::string account, get_plain(from, "account", "-", 63));
  tenant.account = base::AccountId(std::move(account));
  TRY_ASSIGN(tenant.ordinal, get_u32(from, "ordinal"));
  TRY_ASSIGN(tenant.public_name, base::json::get_string(from, "name"));
  TRY_ASSIGN(const std::string state, base::json::get_string(from, "state"));
  TRY_ASSIGN(tenant.state, state_from(state));
  TRY_ASSIGN(tenant.release, get_u32(from, "release"));
  TRY_ASSIGN(tenant.domains, base::json::get_strings(from, "domains"));
  for (const std::string& domain : tenant.domains)
    if (!is_plain(domain, "-.", kLongestHost)) return wrong("a member of 'domains' is no domain");
  TRY_ASSIGN(tenant.discover, digests_from(from));
  TRY_ASSIGN(tenant.slots, slots_from(from));
  TRY_ASSIGN(tenant.flags_json, base::json::get_string_or(from, "flags", "{}"));
  if (tenant.flags_json != "{}" && !base::json::parse_object(tenant.flags_json, kMaxSnapshot))
    return wrong("member 'flags' must hold a JSON object");
  return tenant;
}

// What no single member shows: that the parts fit together.
Result<void> check_whole(const Snapshot& snapshot) {
  for (const RoutedTenant& tenant : snapshot.tenants) {
    if (tenant.release >= snapshot.releases.size())
      return base::fail(Code::InvalidArgument, "tenant {} has no such release", tenant.account);
    if (tenant.slots.size() != snapshot.releases[tenant.release].services.size())
      return base::fail(Code::InvalidArgument, "tenant {} has not one slot for each service",
                        tenant.account);
    if (contains(snapshot.gone, tenant.ordinal))
      return base::fail(Code::InvalidArgument, "tenant {} is gone", tenant.account);
  }
  return {};
}

}  // namespace

std::string discovery_digest(std::string_view key) { return base::sha256_hex(key); }

std::string encode(const Snapshot& snapshot) {
  array releases;
  for (const RoutedRelease& release : snapshot.releases) releases.push_back(to_json(release));
  array tenants;
  tenants.reserve(snapshot.tenants.size());
  for (const RoutedTenant& tenant : snapshot.tenants) tenants.push_back(to_json(tenant));
  return base::json::print(object{{"version", kVersion},
                                  {"generation", snapshot.generation},
                                  {"domain", snapshot.domain},
                                  {"releases", std::move(releases)},
                                  {"tenants", std::move(tenants)},
                                  {"gone", to_json(snapshot.gone)}});
}

Result<Snapshot> decode_snapshot(std::string_view text) {
  TRY_ASSIGN(const object from, base::json::parse_object(text, kMaxSnapshot));
  TRY_ASSIGN(const std::int64_t version, base::json::get_int(from, "version"));
  if (version != kVersion)
    return base::fail(Code::InvalidArgument, "version {} is not {}", version, kVersion);
  TRY(only(from, {"version", "generation", "domain", "releases", "tenants", "gone"}));
  Snapshot snapshot;
  TRY_ASSIGN(const std::int64_t generation,
             get_bounded(from, "generation", std::numeric_limits<std::int64_t>::max()));
  snapshot.generation = static_cast<std::uint64_t>(generation);
  TRY_ASSIGN(snapshot.domain, get_plain(from, "domain", "-.", kLongestHost));
  TRY_ASSIGN(snapshot.releases, decode_list<RoutedRelease>(from, "releases", release_from));
  TRY_ASSIGN(snapshot.tenants, decode_list<RoutedTenant>(from, "tenants", tenant_from));
  TRY_ASSIGN(snapshot.gone, ranges_from(from, "gone"));
  TRY(check_whole(snapshot));
  return snapshot;
}

}  // namespace granary::wire
