#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "release/manifest_document.h"
#include "release/manifest_values.h"

namespace granary::release {
namespace {

using base::Result;

constexpr std::array<std::string_view, 9> kServiceKeys = {"command",      "listen", "routes",
                                                          "health",       "idle",   "start_timeout",
                                                          "stop_timeout", "limits", "env"};
constexpr std::array<std::string_view, 4> kLimitKeys = {"memory", "cpu", "processes", "in_flight"};

Result<std::vector<std::string>> parse_command(const Field& field) {
  const bool words = field.node().kind == YamlNode::Kind::Scalar && !is_blank(field.node().text);
  if (words)
    return field.place().refuse("must be a list with one word per list element",
                                fmt::format("Write command: {}", list_of_words(field.node().text)));
  TRY_ASSIGN(const std::vector<Field> items, field.list(kMaxArguments));
  std::vector<std::string> command;
  std::size_t bytes = 0;
  for (const Field& item : items) {
    TRY_ASSIGN(std::string argument, item.text());
    bytes += argument.size() + 1;
    command.push_back(std::move(argument));
  }
  if (command.empty() || command.front().empty()) {
    return field.place().refuse("names no program",
                                "Write the program and its arguments: [python3, -m, app]");
  }
  if (bytes > kMaxCommandBytes) {
    return field.place().refuse(fmt::format("has more than {} bytes", kMaxCommandBytes),
                                "Keep data in files of the app");
  }
  return command;
}

// A program given by its place in the app's folder must be there; one without a slash is looked
// up in the silo's PATH. Of an absolute path only the machine knows whether it is there.
Result<void> claim_program(const Field& field, const std::string& program,
                           ManifestDocument& document) {
  std::string_view path = program;
  if (path.starts_with("./")) path.remove_prefix(2);
  const std::string_view fault = file_path_fault(path);
  const bool below = fault.empty();
  // What lies elsewhere is no file of the app, and the machine's programs have no such names.
  if (has_blank(program) && document.age == ManifestAge::New)
    document.claims.push_back({PathClaim::Kind::Words, std::string(below ? path : ""),
                               field.place().mark, field.place().name, program});
  const bool relative =
      !program.starts_with('/') && (program.contains('/') || program == "." || program == "..");
  if (!relative) return {};
  if (below) {
    document.claims.push_back({PathClaim::Kind::Program, std::string(path), field.place().mark,
                               field.place().name, program});
    return {};
  }
  if (has_blank(program) || document.age == ManifestAge::Stored) return {};
  return refuse(field.place().file, field.place().mark,
                fmt::format("{}: {} is not the path of a program of the release: {}",
                            field.place().name, base::quote(program), fault),
                "Copy the program into the app's folder and name it from there, such as ./server, "
                "or name a program that the silo has, such as python3");
}

Result<std::uint16_t> parse_listen(const Field& field) {
  if (field.node().kind == YamlNode::Kind::Scalar && field.node().text == "fd") {
    return std::uint16_t{0};
  }
  const bool number = field.node().kind == YamlNode::Kind::Scalar &&
                      field.node().style == YamlNode::Style::Plain &&
                      parse_whole(field.node().text).has_value();
  if (!number) {
    return field.place().refuse(
        "must be fd or a port number",
        "Write fd for an inherited listening socket, or the TCP port, such as 8080");
  }
  TRY_ASSIGN(const std::uint64_t port, field.whole(kPort));
  return static_cast<std::uint16_t>(port);
}

Result<std::string> parse_health(const Field& field) {
  const std::string_view advice =
      "Write the path that answers 2xx while the service works: /api/health";
  TRY_ASSIGN(std::string path, field.text("a path", advice));
  if (const std::string_view fault = url_path_fault(path); !fault.empty()) {
    return field.place().refuse(fmt::format("is not a valid path: {}", fault), std::string(advice));
  }
  return path;
}

Result<std::optional<std::chrono::milliseconds>> parse_idle(const Field& field) {
  if (field.node().kind == YamlNode::Kind::Scalar && field.node().text == "never") {
    return std::optional<std::chrono::milliseconds>();
  }
  TRY_ASSIGN(const std::chrono::milliseconds idle, field.duration(kIdle, "never"));
  return std::optional(idle);
}

Result<ServiceLimits> parse_limits(const Field& field) {
  TRY_ASSIGN(const Fields fields, Fields::of_known(field, kLimitKeys));
  ServiceLimits limits;
  if (const Field* memory = fields.find("memory")) {
    TRY_ASSIGN(limits.memory_bytes, memory->size(kMemory));
  }
  if (const Field* cpu = fields.find("cpu")) {
    TRY_ASSIGN(const std::uint64_t millis, cpu->thousandths(kCpuMillis));
    limits.cpu_millis = static_cast<std::uint32_t>(millis);
  }
  if (const Field* processes = fields.find("processes")) {
    TRY_ASSIGN(const std::uint64_t count, processes->whole(kProcesses));
    limits.processes = static_cast<std::uint32_t>(count);
  }
  if (const Field* in_flight = fields.find("in_flight")) {
    TRY_ASSIGN(const std::uint64_t count, in_flight->whole(kInFlight));
    limits.in_flight = static_cast<std::uint32_t>(count);
  }
  return limits;
}

Result<std::map<std::string, std::string>> parse_env(const Field& field) {
  TRY_ASSIGN(const Fields fields, Fields::of_any(field, kMaxVariables));
  std::map<std::string, std::string> env;
  std::size_t bytes = 0;
  for (const Fields::Member& member : fields.members()) {
    if (const std::string_view fault = variable_fault(member.key); !fault.empty()) {
      Place place = member.field.place();
      place.mark = member.key_mark;
      return place.refuse(fmt::format("may not be set: {}", fault), "Use another name");
    }
    TRY_ASSIGN(std::string value, member.field.text());
    bytes += member.key.size() + value.size() + 2;
    env[member.key] = std::move(value);
  }
  if (bytes > kMaxEnvironmentBytes) {
    return field.place().refuse(fmt::format("has more than {} bytes", kMaxEnvironmentBytes),
                                "Keep data in files of the app");
  }
  return env;
}

constexpr std::string_view kRouteAdvice = "Write the beginning of a path, such as /api/";

// Which service has a route, under the form in which two routes overlap.
class Routes final {
 public:
  Result<void> add(const Field& field, const std::string& route, const std::string& service) {
    if (const std::string_view fault = route_fault(route); !fault.empty()) {
      return field.place().refuse(fmt::format("is not a valid route: {}", fault),
                                  std::string(kRouteAdvice));
    }
    // /x and /x/ cover the same paths below /x/.
    std::string covered = route.ends_with('/') ? route.substr(0, route.size() - 1) : route;
    const auto [known, added] = owners_.emplace(std::move(covered), service);
    if (added) return {};
    if (known->second == service)
      return field.place().refuse(fmt::format("{} is a route of {} already", route, service),
                                  "Remove one of the two");
    return field.place().refuse(
        fmt::format("{} overlaps with a route of {}", route, known->second),
        "Give each route to one service; a longer one may lie below a shorter one");
  }

 private:
  std::map<std::string, std::string> owners_;
};

Result<void> parse_routes(const Field& field, Service& service, Routes& routes) {
  TRY_ASSIGN(const std::vector<Field> items, field.list(kMaxRoutes));
  for (const Field& item : items) {
    TRY_ASSIGN(std::string route, item.text("a path", kRouteAdvice));
    TRY(routes.add(item, route, service.name));
    service.routes.push_back(std::move(route));
  }
  return {};
}

// It would be accepted and never run: what starts a service is a request for one of its routes.
base::Failure nothing_starts(const Fields::Member& member) {
  Place place = member.field.place();
  place.mark = member.key_mark;
  return place.refuse("has no routes, so nothing would ever start it",
                      "Add routes: [/] or the paths that it answers; services that run in the "
                      "background are not supported yet");
}

Result<void> parse_timing(const Fields& fields, Service& service) {
  if (const Field* idle = fields.find("idle")) {
    TRY_ASSIGN(service.idle, parse_idle(*idle));
  }
  if (const Field* start = fields.find("start_timeout")) {
    TRY_ASSIGN(service.start_timeout, start->duration(kStartTimeout));
  }
  if (const Field* stop = fields.find("stop_timeout")) {
    TRY_ASSIGN(service.stop_timeout, stop->duration(kStopTimeout));
  }
  return {};
}

Result<Service> parse_service(const Fields::Member& member, Routes& routes,
                              ManifestDocument& document) {
  if (const std::string_view fault = name_fault(member.key); !fault.empty()) {
    Place place = member.field.place();
    place.mark = member.key_mark;
    return place.refuse(fmt::format("is not a valid name: {}", fault),
                        "Use 1 to 31 of a-z, 0-9 and -, beginning with a letter, such as api");
  }
  TRY_ASSIGN(const Fields fields, Fields::of_known(member.field, kServiceKeys));
  Service service;
  service.name = member.key;
  TRY_ASSIGN(const Field* command, fields.require("command", "command: [python3, -m, app]"));
  TRY_ASSIGN(service.command, parse_command(*command));
  TRY(claim_program(*command, service.command.front(), document));
  if (const Field* listen = fields.find("listen")) {
    TRY_ASSIGN(service.port, parse_listen(*listen));
  }
  if (const Field* field = fields.find("routes")) TRY(parse_routes(*field, service, routes));
  if (const Field* health = fields.find("health")) {
    TRY_ASSIGN(service.health, parse_health(*health));
  }
  TRY(parse_timing(fields, service));
  if (const Field* limits = fields.find("limits")) {
    TRY_ASSIGN(service.limits, parse_limits(*limits));
  }
  if (const Field* env = fields.find("env")) {
    TRY_ASSIGN(service.env, parse_env(*env));
  }
  if (service.routes.empty() && document.age == ManifestAge::New) return nothing_starts(member);
  return service;
}

}  // namespace

Result<void> parse_services(const Field& services, ManifestDocument& document) {
  TRY_ASSIGN(const Fields fields, Fields::of_any(services, kMaxServices));
  if (fields.members().empty()) {
    return services.place().refuse("declares no service",
                                   "Add one: its name, and its command below it");
  }
  Routes routes;
  for (const Fields::Member& member : fields.members()) {
    TRY_ASSIGN(Service service, parse_service(member, routes, document));
    document.manifest.services.push_back(std::move(service));
  }
  // The order in the file means nothing, so it must not make two manifests differ.
  std::ranges::sort(document.manifest.services, {}, &Service::name);
  return {};
}

}  // namespace granary::release
