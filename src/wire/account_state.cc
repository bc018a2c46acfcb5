#include "wire/account_state.h"

#include <array>

#include "wire/activity_board.h"
#include "wire/members.h"
#include "wire/secrets.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Error;
using base::Result;
using base::json::object;
using base::json::value;
using std::chrono::milliseconds;

constexpr std::uint64_t kLongest = 365ULL * 24 * 3600 * 1000;  // of any duration, in milliseconds
constexpr std::uint64_t kNumberMax = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kHashDigits = 64;

template <class E>
struct Named {
  E value;
  std::string_view text;
};

constexpr std::array kPhases = {
    Named<ServicePhase>{ServicePhase::Asleep, "asleep"},
    Named<ServicePhase>{ServicePhase::Starting, "starting"},
    Named<ServicePhase>{ServicePhase::Running, "running"},
    Named<ServicePhase>{ServicePhase::Stopping, "stopping"},
    Named<ServicePhase>{ServicePhase::BackingOff, "backing_off"},
};
constexpr std::array kTraffics = {
    Named<Traffic>{Traffic::Allowed, "allowed"},
    Named<Traffic>{Traffic::Suspended, "suspended"},
};

template <class List, class E>
std::string_view name_in(const List& names, E value) {
  for (const auto& name : names) {
    if (name.value == value) return name.text;
  }
  return "";
}

template <class List>
auto value_in(const List& names, std::string_view member, const std::string& text)
    -> Result<decltype(names[0].value)> {
  for (const auto& name : names) {
    if (name.text == text) return name.value;
  }
  return base::fail(Code::InvalidArgument, "member '{}' is not one of the known words", member);
}

// It becomes a part of paths below releases/.
Result<std::string> release_hash(std::string hash) {
  const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (hash.empty() || (hash.size() == kHashDigits && std::ranges::all_of(hash, digit))) return hash;
  return base::fail(Code::InvalidArgument, "member 'release_hash' must be 64 hex digits");
}

// Service names are the app's own, so no name is reserved; but they become parts of paths.
Result<std::string> service_name(std::string name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  const bool good = !name.empty() && name.size() <= 31 && name[0] >= 'a' && name[0] <= 'z' &&
                    std::ranges::all_of(name, plain);
  if (good) return name;
  return base::fail(Code::InvalidArgument, "member 'name' is no service's name");
}

object limits_to_json(const Limits& limits) {
  object document;
  document["memory_bytes"] = limits.memory_bytes;
  document["cpu_millis"] = limits.cpu_millis;
  document["processes"] = limits.processes;
  document["in_flight"] = limits.in_flight;
  return document;
}

Result<Limits> limits_from(const object& from) {
  Members members(from);
  Limits limits;
  limits.memory_bytes = members.number<std::uint64_t>("memory_bytes", kNumberMax);
  limits.cpu_millis = members.number<std::uint32_t>("cpu_millis");
  limits.processes = members.number<std::uint32_t>("processes");
  limits.in_flight = members.number<std::uint32_t>("in_flight");
  TRY(members.finish());
  return limits;
}

Result<std::map<std::string, std::string>> env_from(const object& from) {
  std::map<std::string, std::string> env;
  for (const auto& member : from) {
    if (!member.value().is_string())
      return base::fail(Code::InvalidArgument, "member 'env' must hold strings alone");
    env.emplace(std::string(member.key()), std::string(member.value().get_string()));
  }
  return env;
}

// No byte 0: it would end an argument early, and the environment is built from these.
Result<void> check_texts(const ServiceSpec& spec) {
  const auto cut = [](std::string_view text) { return text.find('\0') != std::string_view::npos; };
  bool bad = std::ranges::any_of(spec.command, cut);
  for (const auto& [name, text] : spec.env)
    bad = bad || name.empty() || name.find('=') != std::string::npos || cut(name) || cut(text);
  if (spec.command.empty() || bad)
    return base::fail(Code::InvalidArgument,
                      "members 'command' and 'env' of service {} must be "
                      "a command that is not empty, and plain names and texts",
                      spec.name);
  return {};
}

object to_json(const ServiceReport& report) {
  object document;
  document["name"] = report.name;
  document["phase"] = to_string(report.phase);
  document["crashes"] = report.crashes;
  document["last_failure"] = report.last_failure;
  document["retry_in_ms"] = report.retry_in_ms;
  document["pid"] = report.pid;
  document["memory_bytes"] = report.memory_bytes;
  document["wakes"] = report.wakes;
  return document;
}

Result<ServiceReport> service_report_from(const object& from) {
  Members members(from);
  ServiceReport report;
  report.name = members.text("name");
  report.phase = members.take(value_in(kPhases, "phase", members.text("phase")));
  report.crashes = members.number<std::uint32_t>("crashes");
  report.last_failure = members.text("last_failure");
  report.retry_in_ms = members.number<std::int64_t>("retry_in_ms");
  report.pid = members.number<std::int64_t>("pid");
  report.memory_bytes = members.number<std::uint64_t>("memory_bytes", kNumberMax);
  report.wakes = members.number<std::uint64_t>("wakes", kNumberMax);
  TRY(members.finish());
  return report;
}

template <class T, class Read>
std::vector<T> read_list(Members& members, std::string_view name, Read read) {
  std::vector<T> items;
  for (const value& item : members.list(name)) {
    if (item.is_object()) {
      items.push_back(members.take(read(item.get_object())));
    } else {
      members.refuse(Error{Code::InvalidArgument,
                           fmt::format("member '{}' must be a list of objects", name),
                           {},
                           {}});
    }
  }
  return items;
}

}  // namespace

std::string_view to_string(ServicePhase phase) { return name_in(kPhases, phase); }
std::string_view to_string(Traffic traffic) { return name_in(kTraffics, traffic); }

object to_json(const ServiceSpec& spec) {
  object document;
  document["name"] = spec.name;
  document["command"] = base::json::from_strings(spec.command);
  document["port"] = spec.port;
  document["routes"] = base::json::from_strings(spec.routes);
  document["health"] = spec.health;
  document["idle_ms"] = nullptr;
  if (spec.idle) document["idle_ms"] = spec.idle->count();
  document["start_timeout_ms"] = spec.start_timeout.count();
  document["stop_timeout_ms"] = spec.stop_timeout.count();
  document["limits"] = limits_to_json(spec.limits);
  object env;
  for (const auto& [name, text] : spec.env) env[name] = text;
  document["env"] = std::move(env);
  if (spec.egress) document["egress"] = true;
  document["slot"] = spec.slot;
  return document;
}

Result<ServiceSpec> service_spec_from(const object& from) {
  Members members(from);
  ServiceSpec spec;
  spec.name = members.take(service_name(members.text("name")));
  spec.command = members.texts("command");
  spec.port = members.number<std::uint16_t>("port");
  spec.routes = members.texts("routes");
  spec.health = members.text("health");
  const auto idle = milliseconds(members.number_or<std::int64_t>("idle_ms", 0, kLongest));
  if (!from.contains("idle_ms"))
    members.refuse(Error{Code::InvalidArgument, "member 'idle_ms' is missing", {}, {}});
  if (!members.is_null("idle_ms")) spec.idle = idle;
  spec.start_timeout = milliseconds(members.number<std::int64_t>("start_timeout_ms", kLongest));
  spec.stop_timeout = milliseconds(members.number<std::int64_t>("stop_timeout_ms", kLongest));
  spec.limits = members.take(limits_from(members.child("limits")));
  spec.env = members.take(env_from(members.child("env")));
  spec.egress = members.flag("egress");
  spec.slot = members.number_or<std::uint32_t>("slot", 0, ActivityBoard::kSlots - 1);
  TRY(members.finish());
  TRY(check_texts(spec));
  return spec;
}

object to_json(const AccountSpec& spec) {
  object document;
  document["account"] = spec.account.value;
  document["ordinal"] = spec.ordinal;
  document["disk_bytes"] = spec.disk_bytes;
  document["release_hash"] = spec.release_hash;
  document["release_name"] = spec.release_name;
  document["traffic"] = to_string(spec.traffic);
  document["config_json"] = spec.config_json;
  if (!spec.secrets.empty()) document["secrets"] = secrets_to_json(spec.secrets);
  base::json::array services;
  for (const ServiceSpec& service : spec.services) services.emplace_back(to_json(service));
  document["services"] = std::move(services);
  document["version"] = spec.version;
  return document;
}

Result<AccountSpec> account_spec_from(const object& from) {
  Members members(from);
  AccountSpec spec;
  spec.account =
      base::AccountId(members.take(base::parse_slug(members.text("account"), "account's name")));
  spec.ordinal = members.number<std::uint32_t>("ordinal");
  spec.disk_bytes = members.number<std::uint64_t>("disk_bytes", kNumberMax);
  spec.release_hash = members.take(release_hash(members.text("release_hash")));
  spec.release_name = members.text("release_name");
  spec.traffic = members.take(value_in(kTraffics, "traffic", members.text("traffic")));
  spec.config_json = members.text("config_json");
  if (from.contains("secrets")) spec.secrets = members.take(secrets_from(members.child("secrets")));
  spec.services = read_list<ServiceSpec>(members, "services", service_spec_from);
  spec.version = members.number<std::uint64_t>("version", kNumberMax);
  TRY(members.finish());
  for (std::size_t i = 0; i < spec.services.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (spec.services[i].name == spec.services[k].name)
        return base::fail(Code::InvalidArgument, "member 'services' names {} twice",
                          spec.services[i].name);
    }
  }
  return spec;
}

object to_json(const AccountReport& report) {
  object document;
  document["account"] = report.account.value;
  document["version"] = report.version;
  document["release_hash"] = report.release_hash;
  document["isolation"] = report.isolation;
  document["disk_used_bytes"] = report.disk_used_bytes;
  document["disk_quota_bytes"] = report.disk_quota_bytes;
  document["encryption"] = report.encryption;
  base::json::array services;
  for (const ServiceReport& service : report.services) services.emplace_back(to_json(service));
  document["services"] = std::move(services);
  document["yields_cpu"] = report.yields_cpu;
  document["problem"] = report.problem;
  return document;
}

Result<AccountReport> account_report_from(const object& from) {
  Members members(from);
  AccountReport report;
  report.account = base::AccountId(members.text("account"));
  report.version = members.number<std::uint64_t>("version", kNumberMax);
  report.release_hash = members.text("release_hash");
  report.isolation = members.text("isolation");
  report.disk_used_bytes = members.number<std::uint64_t>("disk_used_bytes", kNumberMax);
  report.disk_quota_bytes = members.number<std::uint64_t>("disk_quota_bytes", kNumberMax);
  report.encryption = members.text("encryption");
  report.services = read_list<ServiceReport>(members, "services", service_report_from);
  report.yields_cpu = members.flag("yields_cpu");
  report.problem = members.text("problem");
  TRY(members.finish());
  return report;
}

}  // namespace granary::wire
