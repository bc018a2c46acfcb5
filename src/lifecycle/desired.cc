#include "lifecycle/desired.h"

#include <algorithm>

#include "base/json.h"
#include "base/signature.h"
#include "lifecycle/limits.h"
#include "registry/plan.h"
#include "registry/secret.h"
#include "release/manifest.h"

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

constexpr std::string_view kFlag = "flag.";

std::string config_of(const registry::Account& account) {
  object settings;
  for (const auto& [name, value] : account.settings) {
    if (!name.starts_with(kFlag)) settings[name] = value;
  }
  object config;
  config["settings"] = std::move(settings);
  config["flags"] = flags_of(account.settings);
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

namespace {

template <class Number>
Result<void> limit(object& limits, const char* name, Number standard,
                   const std::optional<Number>& fallback, const std::optional<Number>& ceiling) {
  TRY_ASSIGN(const std::int64_t asked,
             base::json::get_int_or(limits, name, static_cast<std::int64_t>(standard)));
  limits[name] = registry::under_plan(static_cast<Number>(asked), standard, fallback, ceiling);
  return {};
}

// What the product has where a manifest says nothing (release::ServiceLimits).
Result<void> limit_service(object& service, const registry::Plan& plan) {
  const release::ServiceLimits standard;
  object limits;
  if (const object* given = base::json::find_object(service, "limits")) limits = *given;
  const registry::PlanLimits& fallback = plan.defaults;
  const registry::PlanLimits& most = plan.ceilings;
  TRY(limit(limits, "memory_bytes", standard.memory_bytes, fallback.memory_bytes,
            most.memory_bytes));
  TRY(limit(limits, "cpu_millis", standard.cpu_millis, fallback.cpu_millis, most.cpu_millis));
  TRY(limit(limits, "processes", standard.processes, fallback.processes, most.processes));
  TRY(limit(limits, "in_flight", standard.in_flight, fallback.in_flight, most.in_flight));
  service["limits"] = std::move(limits);
  if (!plan.egress && service.contains("egress")) service["egress"] = false;
  if (!plan.idle) return {};
  const std::int64_t longest = plan.idle->count();
  // Null is `never`.
  auto* idle = service.if_contains("idle_ms");
  if (idle == nullptr || !idle->is_int64() || idle->get_int64() > longest)
    service["idle_ms"] = longest;
  return {};
}

std::uint64_t disk_under(std::uint64_t asked, const registry::Plan& plan) {
  return registry::under_plan(asked, kDefaultDiskBytes, plan.defaults.disk_bytes,
                              plan.ceilings.disk_bytes);
}

Result<std::map<std::string, std::string>> open_secrets(store::Transaction& tx,
                                                        const registry::Account& account,
                                                        const object& manifest,
                                                        const base::SealingKey& key) {
  std::map<std::string, std::string> values;
  const array* declared = base::json::find_array(manifest, "secrets");
  if (declared == nullptr) return values;
  TRY_ASSIGN(const auto secrets, registry::secrets_of(tx, account.id));
  for (const registry::Secret& secret : secrets) {
    const bool wanted = std::ranges::any_of(*declared, [&](const base::json::value& name) {
      return name.is_string() && name.get_string() == secret.name;
    });
    if (!wanted) continue;
    TRY_ASSIGN(const std::string sealed, base::from_base64(secret.sealed));
    TRY_ASSIGN(values[secret.name],
               key.unseal(sealed, secret_context(secret.account, secret.name)));
  }
  return values;
}

}  // namespace

std::string secret_context(const base::AccountId& account, const std::string& name) {
  return fmt::format("secret {} {}", account.empty() ? "*" : account.value, name);
}

object flags_of(const std::map<std::string, std::string>& settings) {
  object flags;
  for (const auto& [name, value] : settings) {
    if (!name.starts_with(kFlag)) continue;
    base::json::value& flag = flags[name.substr(kFlag.size())];
    if (value == "true" || value == "false") {
      flag = value == "true";
    } else {
      flag = value;
    }
  }
  return flags;
}

Result<cloud::Desired> desired_of(store::Transaction& tx, const registry::Account& account,
                                  const base::SealingKey& key) {
  cloud::Desired desired;
  desired.account = account.id;
  desired.ordinal = account.ordinal;
  desired.version = account.version;
  desired.config_json = config_of(account);
  const bool refused = registry::refuses_traffic(account.state);
  desired.traffic = refused ? cloud::Traffic::Suspended : cloud::Traffic::Allowed;
  TRY_ASSIGN(const registry::Plan plan, registry::get_plan(tx, account.plan));
  desired.disk_bytes = disk_under(kDefaultDiskBytes, plan);
  if (account.desired_release.empty()) return desired;
  TRY_ASSIGN(const auto release, registry::get_release_by_hash(tx, account.desired_release));
  TRY_ASSIGN(const object manifest, parse_manifest(release.manifest));
  TRY_ASSIGN(const auto slots, registry::slots_of(tx, account.id));
  desired.release = release.id;
  desired.release_hash = release.hash;
  desired.disk_bytes = disk_under(disk_of(manifest), plan);
  TRY_ASSIGN(desired.secrets, open_secrets(tx, account, manifest, key));
  array services = services_of(manifest);
  for (auto& service : services) {
    TRY_ASSIGN(const std::string name, base::json::get_string(service.as_object(), "name"));
    const auto slot = slots.find(name);
    if (slot == slots.end())
      return base::fail(Code::Internal, "service {} of {} has no slot", name, account.id.value);
    service.as_object()["slot"] = slot->second;
    TRY(limit_service(service.as_object(), plan));
  }
  desired.services_json = base::json::print(services);
  return desired;
}

Result<void> take_slots(store::Transaction& tx, const base::AccountId& id,
                        const std::string& release_hash) {
  std::vector<std::string> names;
  if (!release_hash.empty()) {
    TRY_ASSIGN(const auto release, registry::get_release_by_hash(tx, release_hash));
    TRY_ASSIGN(names, service_names(release.manifest));
  }
  TRY(registry::assign_slots(tx, id, names));
  return {};
}

Result<void> desire_release(store::Transaction& tx, const base::AccountId& id,
                            const std::string& release_hash, base::WallTime now) {
  TRY(registry::set_desired_release(tx, id, release_hash, now));
  return take_slots(tx, id, release_hash);
}

Result<std::vector<Question>> questions_of(const std::string& text) {
  TRY_ASSIGN(const object manifest, parse_manifest(text));
  std::vector<Question> questions;
  for (const auto& service : services_of(manifest)) {
    const object& members = service.as_object();
    if (base::json::find_array(members, "routes") == nullptr) continue;
    TRY_ASSIGN(const auto routes, base::json::get_strings(members, "routes"));
    if (routes.empty()) continue;  // stored by an earlier version
    TRY_ASSIGN(std::string health, base::json::get_string_or(members, "health", ""));
    TRY_ASSIGN(std::string name, base::json::get_string(members, "name"));
    if (health.empty()) {
      questions.push_back({std::move(name), routes.front(), Question::Wants::AnyAnswer});
    } else {
      questions.push_back({std::move(name), std::move(health), Question::Wants::Success});
    }
  }
  return questions;
}

std::string path_of_nothing(const std::string& route) {
  constexpr std::string_view kName = "granary-deployment-check";
  return fmt::format("{}{}{}", route, route.ends_with('/') ? "" : "/", kName);
}

Result<std::vector<std::string>> service_names(const std::string& text) {
  TRY_ASSIGN(const object manifest, parse_manifest(text));
  std::vector<std::string> names;
  for (const auto& service : services_of(manifest)) {
    TRY_ASSIGN(std::string name, base::json::get_string(service.as_object(), "name"));
    names.push_back(std::move(name));
  }
  return names;
}

Result<std::vector<std::string>> secrets_not_set(store::Transaction& tx,
                                                 const registry::Account& account) {
  std::vector<std::string> missing;
  if (account.desired_release.empty()) return missing;
  TRY_ASSIGN(const auto release, registry::get_release_by_hash(tx, account.desired_release));
  TRY_ASSIGN(const object manifest, parse_manifest(release.manifest));
  if (!manifest.contains("secrets")) return missing;
  TRY_ASSIGN(missing, base::json::get_strings(manifest, "secrets"));
  TRY_ASSIGN(const auto secrets, registry::secrets_of(tx, account.id));
  for (const registry::Secret& secret : secrets) std::erase(missing, secret.name);
  std::ranges::sort(missing);
  return missing;
}

}  // namespace granary::lifecycle
