#include "cli/commands.h"
#include "cli/text.h"

// granary tenant logs: what the services of one tenant wrote, or its access log, escaped, so that
// no app can draw on the terminal of whoever reads it.
namespace granary::cli {

using api_wire::LogDocument;
using base::Code;
using base::Result;

namespace {

struct LogOptions {
  std::string tenant;
  std::string service;
  std::string request;
  bool access = false;
  bool follow = false;
};

struct Source {
  std::string service;
  std::string prefix;  // before each line, where there are several
  bool access = false;
  std::string request;
  std::uint64_t cursor = 0;
};

enum class Follow { Yes, No };

Result<std::size_t> print_next(Session& session, const std::string& tenant, Source& source,
                               Follow follow) {
  TRY_ASSIGN(const auto chunk, session.api().get<LogDocument>(
                                   with_query(path_of({"v1", "tenants", tenant, "logs"}),
                                              {{"service", source.service},
                                               {"access", source.access ? "true" : ""},
                                               {"request", source.request},
                                               {"cursor", std::to_string(source.cursor)},
                                               {"follow", follow == Follow::Yes ? "true" : ""}})));
  source.cursor = chunk.cursor;
  const auto text = [&] {
    std::string lines;
    for (const std::string& line : chunk.lines) lines += source.prefix + safe(line) + "\n";
    return lines;
  };
  if (!chunk.lines.empty()) session.show(chunk, text);
  return chunk.lines.size();
}

Result<std::vector<Source>> sources_of(Session& session, const LogOptions& options) {
  if (options.access || !options.request.empty())
    return std::vector<Source>{{.access = true, .request = options.request}};
  if (!options.service.empty()) return std::vector<Source>{{.service = options.service}};
  TRY_ASSIGN(const auto tenant, session.api().get<api_wire::TenantDocument>(
                                    path_of({"v1", "tenants", options.tenant})));
  std::vector<Source> sources;
  for (const auto& service : tenant.services)
    sources.push_back({.service = service.name,
                       .prefix = tenant.services.size() > 1 ? safe(service.name) + " | " : ""});
  if (sources.empty())
    return base::fail_with_advice(
        tenant.cloud_problem ? Code::Unavailable : Code::NotFound,
        tenant.cloud_problem.value_or("nothing is deployed in this account yet"),
        "See granary tenant show " + options.tenant);
  return sources;
}

// Until Ctrl-C. One service is waited for in the API, several are looked at in turn.
Result<void> follow_all(Session& session, const std::string& tenant, std::vector<Source>& sources) {
  const Follow follow = sources.size() == 1 ? Follow::Yes : Follow::No;
  for (;;) {
    std::size_t lines = 0;
    for (Source& source : sources) {
      TRY_ASSIGN(const std::size_t count, print_next(session, tenant, source, follow));
      lines += count;
    }
    if (follow == Follow::No && lines == 0) TRY(session.api().http().pause(kFollowPause));
  }
}

// What an empty answer means.
Result<void> nothing_there(Session& session, const LogOptions& options) {
  if (!options.request.empty())
    return base::fail_with_advice(
        Code::NotFound,
        fmt::format("no line of {}'s access log has the request id '{}'", options.tenant,
                    options.request),
        fmt::format("An id is what an answer has as X-Request-Id, and what stands last in a line "
                    "of granary tenant logs {} --access; old lines are removed",
                    options.tenant));
  session.tell(options.access ? "no request has been logged yet"
                              : "the services have written nothing yet");
  return {};
}

Result<void> show_logs(Session& session, const LogOptions& options) {
  TRY_ASSIGN(auto sources, sources_of(session, options));
  std::size_t lines = 0;
  for (Source& source : sources) {
    // To the end of what is there; each chunk moves on, so this ends.
    for (std::size_t count = 1; count > 0; lines += count) {
      TRY_ASSIGN(count, print_next(session, options.tenant, source, Follow::No));
    }
  }
  if (!options.follow) return lines > 0 ? Result<void>() : nothing_there(session, options);
  session.api().http().hold_interrupts();
  const Result<void> ended = follow_all(session, options.tenant, sources);
  if (!ended && ended.error().code == Code::Cancelled) return {};  // Ctrl-C is how it ends
  return ended;
}

}  // namespace

void add_logs_command(CLI::App& tenant, Commands& commands) {
  CLI::App* command = add_verb(tenant, "logs", "what its services wrote, or what was asked of it");
  const auto options = std::make_shared<LogOptions>();
  command->add_option("TENANT", options->tenant)->required();
  command->add_option("--service", options->service, "only this one's");
  CLI::Option* access = command->add_flag("--access", options->access,
                                          "its access log instead: a line for each request");
  CLI::Option* request = command->add_option("--request", options->request,
                                             "of the access log, the line with this X-Request-Id");
  for (CLI::Option* of_access : {access, request}) of_access->excludes("--service");
  command->add_flag("-f,--follow", options->follow, "go on until Ctrl-C");
  commands.on(command, [options](Session& session) { return show_logs(session, *options); });
}

}  // namespace granary::cli
