#include "api/wire/platform_documents.h"
#include "cli/commands.h"
#include "cli/tenant_finish.h"
#include "cli/text.h"

// granary drift: where accounts differ from what they are to be, and mending that.
namespace granary::cli {

using api_wire::DriftDocument;
using api_wire::DriftItemDocument;
using api_wire::OperationDocument;
using base::Result;

namespace {

struct DriftOptions {
  std::vector<std::string> recreate;
  std::vector<std::string> destroy;
  bool repair = false;
  bool yes = false;
  bool no_wait = false;
};

std::string text_of(const DriftDocument& drift) {
  std::string text =
      fmt::format("{} accounts compared, {} differ", drift.compared, drift.items.size());
  if (drift.under_way > 0)
    text += fmt::format(", {} are being changed and were not judged", drift.under_way);
  text += '\n';
  if (drift.items.empty()) return text;
  Table table({"ACCOUNT", "CLOUD", "KIND", "WHAT", "TO DO"});
  for (const DriftItemDocument& item : drift.items)
    table.add({item.account, item.cloud, item.kind, item.detail, item.advice});
  return text + table.text();
}

Result<void> show_drift(Session& session) {
  TRY_ASSIGN(const auto drift, session.api().get<DriftDocument>(path_of({"v1", "drift"})));
  session.show(drift, [&] { return text_of(drift); });
  return {};
}

Result<void> confirm_destruction(Session& session, const DriftOptions& options) {
  if (options.yes) return {};
  for (const std::string& account : options.destroy)
    TRY(session.confirm(fmt::format("The account {} and all its data will be destroyed.", account),
                        account));
  for (const std::string& account : options.recreate)
    TRY(session.confirm(
        fmt::format("What is left of account {} will be replaced by an empty disk.", account),
        account));
  return {};
}

Result<void> repair_drift(Session& session, const DriftOptions& options) {
  TRY(confirm_destruction(session, options));
  const api_wire::RepairDocument wish{options.recreate, options.destroy};
  TRY_ASSIGN(auto operation, session.api().send<OperationDocument>(
                                 http::verb::post, path_of({"v1", "drift", "repairs"}), wish));
  return finish_operation(session, std::move(operation), options.no_wait ? Wait::No : Wait::Yes,
                          "what could be repaired is repaired; see what is left: granary drift");
}

Result<void> drift(Session& session, const DriftOptions& options) {
  const bool repairs = options.repair || !options.recreate.empty() || !options.destroy.empty();
  return repairs ? repair_drift(session, options) : show_drift(session);
}

}  // namespace

void add_drift_command(CLI::App& program, Commands& commands) {
  CLI::App* command = add_verb(program, "drift", "where accounts differ from what they are to be");
  command->group("Commands for a running platform");
  const auto options = std::make_shared<DriftOptions>();
  command->add_flag("--repair", options->repair, "repair what loses no data");
  command
      ->add_option("--recreate", options->recreate,
                   "make this missing or damaged account anew, with an empty disk; may be repeated")
      ->allow_extra_args(false);
  command
      ->add_option("--destroy", options->destroy,
                   "destroy this account that belongs to nobody; may be repeated")
      ->allow_extra_args(false);
  command->add_flag("--yes", options->yes, "do not ask before that");
  command->add_flag("--no-wait", options->no_wait, "do not wait for the end");
  commands.on(command, [options](Session& session) { return drift(session, *options); });
}

}  // namespace granary::cli
