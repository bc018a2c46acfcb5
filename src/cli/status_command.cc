#include "api/wire/platform_documents.h"
#include "cli/commands.h"
#include "cli/text.h"

// granary status: is the fleet up?
namespace granary::cli {

using api_wire::StatusDocument;
using base::Result;

namespace {

std::string counts(const std::map<std::string, std::uint64_t>& by) {
  std::string text;
  for (const auto& [name, number] : by)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", number, name);
  return text;
}

std::string bad_ones(const StatusDocument& status) {
  if (status.unhealthy.empty()) return "";
  Table table({"ACCOUNT", "STATE", "HEALTH", "WHY"});
  for (const auto& account : status.unhealthy)
    table.add({account.id, account.state, account.health, account.detail});
  std::string text = table.text();
  if (status.unhealthy_accounts > status.unhealthy.size())
    text += fmt::format("... and {} more\n", status.unhealthy_accounts - status.unhealthy.size());
  return text;
}

std::string text_of(const StatusDocument& status) {
  Facts facts;
  for (const std::string& reason : status.not_ready) facts.add("not ready", reason);
  for (const std::string& warning : status.warnings) facts.add("warning", warning);
  facts.add("accounts", fmt::format("{}{}{}", status.accounts, status.accounts == 0 ? "" : ": ",
                                    counts(status.by_state)));
  facts.add("health", counts(status.by_health));
  facts.add("services", fmt::format("{}{}{}", status.services, status.services == 0 ? "" : ": ",
                                    counts(status.by_phase)));
  facts.add("cloud says", status.cloud_problem.value_or(""));
  facts.add("disk", human_bytes(status.free_bytes) + " free");
  if (status.clock_problem) {
    facts.add("clock", *status.clock_problem);
    facts.add("to do", "granary clock show");
  }
  const std::string bad = bad_ones(status);
  return facts.text() + (bad.empty() ? "" : "\n" + bad);
}

Result<void> show_status(Session& session, const bool& only_unhealthy) {
  // Before anything that may take long.
  TRY(session.api().check_answers());
  TRY_ASSIGN(const auto status, session.api().get<StatusDocument>(path_of({"v1", "status"})));
  session.show(status, [&] {
    if (!only_unhealthy) return text_of(status);
    return status.unhealthy.empty() ? std::string("no account is unhealthy\n") : bad_ones(status);
  });
  if (status.not_ready.empty()) return {};
  return base::fail_with_advice(base::Code::Unavailable,
                                "the platform is not ready: " + status.not_ready.front(),
                                "The log of granary up says why; it starts again what has ended");
}

}  // namespace

void add_status_command(CLI::App& program, Commands& commands) {
  CLI::App* status = add_verb(program, "status",
                              "whether the platform works: accounts counted, unhealthy ones named");
  status->group("Commands for a running platform");
  const auto only_unhealthy = std::make_shared<bool>(false);
  status->add_flag("--unhealthy", *only_unhealthy, "only the accounts that are unhealthy");
  commands.on(status,
              [only_unhealthy](Session& session) { return show_status(session, *only_unhealthy); });
}

}  // namespace granary::cli
