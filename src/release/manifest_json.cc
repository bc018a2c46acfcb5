#include <limits>

#include "release/manifest.h"

namespace granary::release {
namespace {

using base::Code;
using base::Result;
using base::json::object;
using std::chrono::milliseconds;

object limits_to_json(const ServiceLimits& limits) {
  object document;
  document["memory_bytes"] = limits.memory_bytes;
  document["cpu_millis"] = limits.cpu_millis;
  document["processes"] = limits.processes;
  document["in_flight"] = limits.in_flight;
  return document;
}

object service_to_json(const Service& service, const Manifest& manifest) {
  object document;
  document["name"] = service.name;
  document["command"] = base::json::from_strings(service.command);
  document["port"] = service.port;
  document["routes"] = base::json::from_strings(service.routes);
  document["health"] = service.health;
  document["idle_ms"] = nullptr;
  if (service.idle) document["idle_ms"] = service.idle->count();
  document["start_timeout_ms"] = service.start_timeout.count();
  document["stop_timeout_ms"] = service.stop_timeout.count();
  document["limits"] = limits_to_json(service.limits);
  object env;
  for (const auto& [name, value] : service.env) env[name] = value;
  document["env"] = std::move(env);
  if (!manifest.egress.empty()) document["egress"] = true;
  return document;
}

// A whole number that fits the member it is for.
template <class T>
Result<T> get_number(const object& from, std::string_view name) {
  TRY_ASSIGN(const std::int64_t number, base::json::get_int(from, name));
  if (number < 0 || static_cast<std::uint64_t>(number) > std::numeric_limits<T>::max())
    return base::fail(Code::InvalidArgument, "member '{}' is out of range", name);
  return static_cast<T>(number);
}

Result<milliseconds> get_duration(const object& from, std::string_view name) {
  TRY_ASSIGN(const auto count, get_number<std::uint32_t>(from, name));
  return milliseconds(count);
}

Result<const object*> get_object(const object& from, std::string_view name) {
  const object* found = base::json::find_object(from, name);
  if (found == nullptr)
    return base::fail(Code::InvalidArgument, "member '{}' must be an object", name);
  return found;
}

Result<ServiceLimits> limits_from(const object& from) {
  ServiceLimits limits;
  TRY_ASSIGN(limits.memory_bytes, get_number<std::uint64_t>(from, "memory_bytes"));
  TRY_ASSIGN(limits.cpu_millis, get_number<std::uint32_t>(from, "cpu_millis"));
  TRY_ASSIGN(limits.processes, get_number<std::uint32_t>(from, "processes"));
  TRY_ASSIGN(limits.in_flight, get_number<std::uint32_t>(from, "in_flight"));
  return limits;
}

Result<Service> service_from(const object& from) {
  Service service;
  TRY_ASSIGN(service.name, base::json::get_string(from, "name"));
  TRY_ASSIGN(service.command, base::json::get_strings(from, "command"));
  TRY_ASSIGN(service.port, get_number<std::uint16_t>(from, "port"));
  TRY_ASSIGN(service.routes, base::json::get_strings(from, "routes"));
  TRY_ASSIGN(service.health, base::json::get_string(from, "health"));
  service.idle.reset();
  const auto* idle = from.if_contains("idle_ms");
  if (idle != nullptr && !idle->is_null()) {
    TRY_ASSIGN(service.idle, get_duration(from, "idle_ms"));
  }
  TRY_ASSIGN(service.start_timeout, get_duration(from, "start_timeout_ms"));
  TRY_ASSIGN(service.stop_timeout, get_duration(from, "stop_timeout_ms"));
  TRY_ASSIGN(const object* limits, get_object(from, "limits"));
  TRY_ASSIGN(service.limits, limits_from(*limits));
  TRY_ASSIGN(const object* env, get_object(from, "env"));
  for (const auto& member : *env) {
    const std::string name(member.key());
    TRY_ASSIGN(service.env[name], base::json::get_string(*env, name));
  }
  return service;
}

}  // namespace

base::json::array services_to_json(const Manifest& manifest) {
  base::json::array services;
  services.reserve(manifest.services.size());
  for (const Service& service : manifest.services)
    services.emplace_back(service_to_json(service, manifest));
  return services;
}

object to_json(const Manifest& manifest) {
  object document;
  document["app"] = manifest.app;
  document["services"] = services_to_json(manifest);
  object data;
  data["quota_bytes"] = manifest.quota_bytes;
  document["data"] = std::move(data);
  if (!manifest.egress.empty()) document["egress"] = base::json::from_strings(manifest.egress);
  if (!manifest.secrets.empty()) document["secrets"] = base::json::from_strings(manifest.secrets);
  if (!manifest.frontend) return document;
  object frontend;
  frontend["root"] = manifest.frontend->root;
  frontend["fallback"] = manifest.frontend->fallback;
  document["frontend"] = std::move(frontend);
  return document;
}

Result<Manifest> manifest_from_json(const object& from) {
  Manifest manifest;
  TRY_ASSIGN(manifest.app, base::json::get_string(from, "app"));
  const base::json::array* services = base::json::find_array(from, "services");
  if (services == nullptr)
    return base::fail(Code::InvalidArgument, "member 'services' must be a list");
  for (const auto& item : *services) {
    const object* document = item.if_object();
    if (document == nullptr)
      return base::fail(Code::InvalidArgument, "member 'services' must be a list of objects");
    TRY_ASSIGN(Service service, service_from(*document));
    manifest.services.push_back(std::move(service));
  }
  TRY_ASSIGN(const object* data, get_object(from, "data"));
  TRY_ASSIGN(manifest.quota_bytes, get_number<std::uint64_t>(*data, "quota_bytes"));
  if (const object* frontend = base::json::find_object(from, "frontend")) {
    manifest.frontend.emplace();
    TRY_ASSIGN(manifest.frontend->root, base::json::get_string(*frontend, "root"));
    TRY_ASSIGN(manifest.frontend->fallback, base::json::get_string(*frontend, "fallback"));
  }
  if (from.contains("egress")) {
    TRY_ASSIGN(manifest.egress, base::json::get_strings(from, "egress"));
  }
  if (from.contains("secrets")) {
    TRY_ASSIGN(manifest.secrets, base::json::get_strings(from, "secrets"));
  }
  return manifest;
}

}  // namespace granary::release
