#include "cli/commands.h"
#include "cli/text.h"

// granary tenant offboard: the one command that destroys data. It asks, it waits (retention), and
// it can be asked what it would do.
namespace granary::cli {

using api_wire::OffboardPlanDocument;
using api_wire::OperationDocument;
using base::Result;

namespace {

struct OffboardOptions {
  std::string tenant;
  std::optional<std::string> retain;
  bool dry_run = false;
  bool yes = false;
  bool no_export = false;
  bool no_wait = false;
};

std::string text_of(const OffboardPlanDocument& plan) {
  const auto retain = std::chrono::milliseconds(plan.retain_ms);
  std::string text = fmt::format("Offboarding {} ({}, {} on disk, retention {}) would:\n",
                                 safe(plan.tenant), safe(plan.state),
                                 human_bytes(plan.disk_used_bytes), base::format_duration(retain));
  int number = 0;
  for (const std::string& step : plan.steps)
    text += fmt::format("  {}. {}\n", ++number, safe(step));
  return text;
}

std::string result_of(const OperationDocument& operation, const std::string& name) {
  if (!operation.result) return "";
  return base::json::get_string_or(*operation.result, name, "").value_or("");
}

// How it stands, and what can be had of it.
std::string text_of(const OperationDocument& operation, const std::string& tenant) {
  if (operation.state == "succeeded") {
    const std::string certificate = result_of(operation, "certificate");
    std::string text = fmt::format("{} is offboarded; its account and data are gone\n", tenant);
    if (const std::string left_out = left_out_of(operation); !left_out.empty())
      text += fmt::format("left out of its final export: {}\n", left_out);
    if (!certificate.empty())
      text += fmt::format("certificate: granary certificate show {} --verify\n", certificate);
    return text;
  }
  std::string text = fmt::format(
      "{} is being offboarded: {}; its data is destroyed {}\n", tenant, safe(operation.id),
      operation.next_attempt ? "at " + safe(*operation.next_attempt) : "when its retention ends");
  const std::string archive = result_of(operation, "archive");
  if (!archive.empty())
    text += fmt::format("final export, until then: granary archive get {} --to FILE\n", archive);
  if (const std::string left_out = left_out_of(operation); !left_out.empty())
    text += fmt::format("left out of it: {}\n", left_out);
  return text +
         fmt::format("called off, until then: granary operation cancel {}\n", safe(operation.id));
}

Result<void> offboard(Session& session, const OffboardOptions& options) {
  const std::string path = path_of({"v1", "tenants", options.tenant, "offboard"});
  api_wire::OffboardDocument wish;
  wish.retain = options.retain;
  if (options.no_export) wish.final_export = false;
  wish.dry_run = true;
  TRY_ASSIGN(const auto plan,
             session.api().send<OffboardPlanDocument>(http::verb::post, path, wish));
  if (options.dry_run) {
    session.show(plan, [&] { return text_of(plan); });
    return {};
  }
  if (!options.yes) {
    session.tell(fmt::format("{} will lose its address at once.", plan.tenant));
    for (const std::string& step : plan.steps) session.tell("  - " + step);
    TRY(session.confirm("This cannot be undone.", options.tenant));
  }
  wish.dry_run = false;
  TRY_ASSIGN(auto operation, session.api().send<OperationDocument>(http::verb::post, path, wish));
  if (!options.no_wait) {
    TRY_ASSIGN(operation, session.wait(std::move(operation)));
  }
  session.show(operation, [&] { return text_of(operation, safe(plan.tenant)); });
  return {};
}

}  // namespace

void add_offboard_command(CLI::App& tenant, Commands& commands) {
  CLI::App* command = add_verb(tenant, "offboard", "end a tenant and destroy its data");
  const auto options = std::make_shared<OffboardOptions>();
  command->add_option("TENANT", options->tenant)->required();
  command->add_option("--retain", options->retain,
                      "keep the data so long before; 30d where missing, 0s for at once");
  command->add_flag("--no-export", options->no_export,
                    "make no final export; else there is one for as long as the data is kept");
  command->add_flag("--dry-run", options->dry_run, "say what would happen; do nothing");
  command->add_flag("--yes", options->yes, "do not ask");
  command->add_flag("--no-wait", options->no_wait, "do not wait for the end");
  commands.on(command, [options](Session& session) { return offboard(session, *options); });
}

}  // namespace granary::cli
