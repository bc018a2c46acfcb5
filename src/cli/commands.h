// The client's commands, for the program's one command line: app adds them beside its own, so that
// `granary --help` shows all in one. Single-threaded; each run speaks to the API over HTTP.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <optional>

#include "cli/exit_code.h"
#include "cli/session.h"

namespace granary::cli {

class Commands final {
 public:
  // The surroundings outlive the commands.
  explicit Commands(const Surroundings& surroundings) : surroundings_(surroundings) {}
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  // Adds the global options and all client commands. The Commands outlive program.parse().
  void add_to(CLI::App& program);
  // After a successful parse: runs the command that was chosen, tells of its failure, and gives the
  // program's exit code; nothing when the chosen command is not one of these.
  std::optional<int> run(const CLI::App& program);
  // For a parse that failed: prints the help or the error. The program's exit code.
  int report(const CLI::App& program, const CLI::ParseError& error) const;

  using Action = std::function<base::Result<void>(Session& session)>;
  // What a command does; for the files that add them.
  void on(CLI::App* command, Action action);

 private:
  void add_global_options(CLI::App& program);
  base::Result<void> run_action(const Action& action);
  void tell_error(const base::Error& error) const;

  const Surroundings& surroundings_;
  GlobalOptions options_;
  std::map<const CLI::App*, Action> actions_;
};

// Each adds one noun. Options live as long as the command that captured them.
void add_release_commands(CLI::App& program, Commands& commands);
void add_tenant_commands(CLI::App& program, Commands& commands);
void add_offboard_command(CLI::App& tenant, Commands& commands);
void add_pin_commands(CLI::App& tenant, Commands& commands);
void add_export_commands(CLI::App& tenant, Commands& commands);
void add_archive_commands(CLI::App& program, Commands& commands);
void add_certificate_commands(CLI::App& program, Commands& commands);
void add_plan_commands(CLI::App& program, Commands& commands);
void add_secret_commands(CLI::App& program, Commands& commands);
void add_domain_commands(CLI::App& program, Commands& commands);
void add_audit_command(CLI::App& program, Commands& commands);
void add_drift_command(CLI::App& program, Commands& commands);
void add_clock_commands(CLI::App& program, Commands& commands);
void add_logs_command(CLI::App& tenant, Commands& commands);
void add_operation_commands(CLI::App& program, Commands& commands);
void add_status_command(CLI::App& program, Commands& commands);
void add_verify_command(CLI::App& program, Commands& commands);
void add_token_commands(CLI::App& program, Commands& commands);
// What INTERFACE names and this version does not have: refused, never half done.
void add_unbuilt_commands(CLI::App& program, Commands& commands);

// A noun that needs a verb after it.
CLI::App* add_noun(CLI::App& program, const std::string& name, const std::string& help);
// A command; options of the program may stand after it too.
CLI::App* add_verb(CLI::App& noun, const std::string& name, const std::string& help);

}  // namespace granary::cli
