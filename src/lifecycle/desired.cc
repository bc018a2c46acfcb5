#include "lifecycle/desired.h"

#include "base/json.h"
#include "lifecycle/limits.h"

namespace granary::lifecycle {
namespace {

using base::Code;
using base::Result;
using base::json::array;
using base::json::object;

Result<object> parse_manifest(const std::string& manifest) {
  auto document = base::json::parse_object(manifest, kMaxManifest);
  if (document) return document;
  return base::fail(Code::DataLoss, "a stored manifest cannot be read: {}",
                    document.error().message);
}

std::string config_of(const registry::Account& account) {
  object settings;
  for (const auto& [name, value] : account.settings) settings[name] = value;
  object config;
  config["settings"] = std::move(settings);
  return base::json::print(config);
}

const array& services_of(const object& manifest) {
  static const array kNone;
  const array* services = base::json::find_array(manifest, "services");
  return services == nullptr ? kNone : *services;
}

std::uint64_t disk_of(const object& manifest) {
  const object* data = base::json::find_object(manifest, "data");
  const auto fallback = static_cast<std::int64_t>(kDefaultDiskBytes);
  if (data == nullptr) return kDefaultDiskBytes;
  return static_cast<std::uint64_t>(
      base::json::get_int_or(*data, "quota_bytes", fallback).value_or(fallback));
}

}  // namespace

Result<cloud::Desired> desired_of(store::Transaction& tx, const registry::Account& account) {
  cloud::Desired desired;
  desired.account = account.id;
  desired.ordinal = account.ordinal;
  desired.version = account.version;
  desired.config_json = config_of(account);
  const bool refused =
      account.state == registry::State::Suspended || account.state == registry::State::Offboarding;
  desired.traffic = refused ? cloud::Traffic::Suspended : cloud::Traffic::Allowed;
  desired.disk_bytes = kDefaultDiskBytes;
  if (account.desired_release.empty()) return desired;
  TRY_ASSIGN(const auto release, registry::get_release_by_hash(tx, account.desired_release));
  TRY_ASSIGN(const object manifest, parse_manifest(release.manifest));
  TRY_ASSIGN(const auto slots, registry::slots_of(tx, account.id));
  desired.release = release.id;
  desired.release_hash = release.hash;
  desired.disk_bytes = disk_of(manifest);
  array services = services_of(manifest);
  for (auto& service : services) {
    TRY_ASSIGN(const std::string name, base::json::get_string(service.as_object(), "name"));
    const auto slot = slots.find(name);
    if (slot == slots.end())
      return base::fail(Code::Internal, "service {} of {} has no slot", name, account.id.value);
    service.as_object()["slot"] = slot->second;
  }
  desired.services_json = base::json::print(services);
  return desired;
}

Result<void> take_slots(store::Transaction& tx, const base::AccountId& id,
                        const std::string& release_hash) {
  std::vector<std::string> names;
  if (!release_hash.empty()) {
    TRY_ASSIGN(const auto release, registry::get_release_by_hash(tx, release_hash));
    TRY_ASSIGN(const object manifest, parse_manifest(release.manifest));
    for (const auto& service : services_of(manifest)) {
      TRY_ASSIGN(std::string name, base::json::get_string(service.as_object(), "name"));
      names.push_back(std::move(name));
    }
  }
  TRY(registry::assign_slots(tx, id, names));
  return {};
}

Result<std::vector<std::string>> health_paths(const std::string& text) {
  TRY_ASSIGN(const object manifest, parse_manifest(text));
  std::vector<std::string> paths;
  for (const auto& service : services_of(manifest)) {
    const object& members = service.as_object();
    TRY_ASSIGN(std::string path, base::json::get_string_or(members, "health", ""));
    const array* routes = base::json::find_array(members, "routes");
    if (!path.empty() && routes != nullptr && !routes->empty()) paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace granary::lifecycle
