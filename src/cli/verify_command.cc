#include <chrono>

#include "api/wire/access_documents.h"
#include "base/ids.h"
#include "base/os/file.h"
#include "cli/commands.h"
#include "cli/release_upload.h"
#include "cli/text.h"
#include "cli/verification.h"

// granary verify: tries to break out of a silo of this installation and reports what held.
namespace granary::cli {

using base::Code;
using base::Result;

namespace {

struct VerifyOptions {
  std::string report;   // a file for the signed report
  std::string program;  // granary-attack
  std::string gateway;  // where tenants are reached; empty: at their own addresses
};

std::string table_of(const std::vector<Attempt>& attempts) {
  Table table({"TOPIC", "ATTEMPT", "ANSWER", "OUTCOME"});
  for (const Attempt& attempt : attempts)
    table.add({attempt.topic, attempt.name, attempt.answer,
               attempt.outcome == "broken" ? "BROKEN" : attempt.outcome});
  return table.text();
}

struct Count {
  std::size_t held = 0;
  std::size_t broken = 0;
  std::size_t inapplicable = 0;
};

Count count(const std::vector<Attempt>& attempts) {
  Count count;
  for (const Attempt& attempt : attempts) {
    if (attempt.outcome == "held") ++count.held;
    if (attempt.outcome == "broken") ++count.broken;
    if (attempt.outcome == "inapplicable") ++count.inapplicable;
  }
  return count;
}

base::json::object report_of(const std::vector<Attempt>& attempts, base::WallTime begun,
                             base::WallTime ended) {
  const Count counted = count(attempts);
  base::json::object report;
  report["begun"] = base::to_rfc3339(begun);
  report["ended"] = base::to_rfc3339(ended);
  report["held"] = counted.held;
  report["broken"] = counted.broken;
  report["inapplicable"] = counted.inapplicable;
  base::json::array list;
  for (const Attempt& attempt : attempts) list.emplace_back(to_json(attempt));
  report["attempts"] = std::move(list);
  return report;
}

Result<void> save(const std::string& file, const api_wire::SignedDocument& document) {
  return base::os::replace_file(file, base::json::print(document.envelope) + "\n", 0644,
                                base::os::Durability::Synced);
}

Result<void> verify(Session& session, const VerifyOptions& options) {
  const std::string program = options.program.empty()
                                  ? session.surroundings().program_folder + "/granary-attack"
                                  : options.program;
  const base::WallTime begun = session.now();
  TRY_ASSIGN(const std::vector<Attempt> attempts, attack(session, program, options.gateway));
  api_wire::VerificationDocument found{report_of(attempts, begun, session.now())};
  TRY_ASSIGN(const auto document, session.api().send<api_wire::SignedDocument>(
                                      http::verb::post, path_of({"v1", "verifications"}), found));
  if (!options.report.empty()) TRY(save(options.report, document));
  const Count counted = count(attempts);
  session.show(document, [&] {
    return table_of(attempts) + fmt::format("\n{} held, {} BROKEN, {} not applicable here\n",
                                            counted.held, counted.broken, counted.inapplicable);
  });
  if (counted.broken == 0) return {};
  return base::fail_with_advice(
      Code::Internal,
      fmt::format("{} attempts to break out succeeded on this machine", counted.broken),
      "Keep customers off it; see docs/HARDENING.md, and report it");
}

}  // namespace

void add_verify_command(CLI::App& program, Commands& commands) {
  CLI::App* command = program.add_subcommand(
      "verify", "try to break out of a silo of this installation, and report what held");
  command->fallthrough();
  const auto options = std::make_shared<VerifyOptions>();
  command->add_option("--report", options->report, "a file for the signed report (JSON, DSSE)");
  command->add_option("--program", options->program, "granary-attack, where it is elsewhere");
  command->add_option("--gateway", options->gateway,
                      "HOST:PORT of the gateway, where tenants' names lead nowhere from here");
  commands.on(command, [options](Session& session) { return verify(session, *options); });
}

}  // namespace granary::cli
