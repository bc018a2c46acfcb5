#include "cli/commands.h"

#include <algorithm>
#include <cctype>
#include <ostream>

#include "cli/choice.h"
#include "cli/suggestion.h"
#include "cli/text.h"

namespace granary::cli {

using base::Error;
using base::Result;

namespace {

constexpr const char* kClientGroup = "Commands for a running platform";

// What a command is about cannot be empty: its path would be that of all.
Result<void> check_named(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional() || std::ranges::count(option->results(), "") == 0) continue;
    std::string what = option->get_name(true);
    const bool plain = what == "NAME" || what == "ID";
    for (char& letter : what) letter = static_cast<char>(std::tolower(letter));
    return base::fail_with_advice(base::Code::InvalidArgument,
                                  fmt::format("the {} is empty", plain ? what : what + "'s name"),
                                  "A variable of the shell that is not set is empty, too");
  }
  return {};
}

}  // namespace

CLI::App* add_noun(CLI::App& program, const std::string& name, const std::string& help) {
  CLI::App* noun = program.add_subcommand(name, help);
  noun->require_subcommand(1);
  noun->fallthrough();
  if (noun->get_group() == "Subcommands") noun->group(kClientGroup);
  return noun;
}

CLI::App* add_verb(CLI::App& noun, const std::string& name, const std::string& help) {
  CLI::App* verb = noun.add_subcommand(name, help);
  verb->fallthrough();
  verb->footer("The options of granary may stand here too: -o json, --api, --token, --data-dir.");
  return verb;
}

void Commands::on(CLI::App* command, Action action) { actions_[command] = std::move(action); }

void Commands::add_global_options(CLI::App& program) {
  const std::map<std::string, Format> formats = {{"table", Format::Table}, {"json", Format::Json}};
  program.add_option("-o,--output", options_.format, "table or json")->transform(choice(formats));
  program.add_option("--api", options_.api,
                     "where the API is (GRANARY_API); http://127.0.0.1:8081 where missing");
  program.add_option("--token", options_.token, "who asks (GRANARY_TOKEN, GRANARY_TOKEN_FILE)");
  program.add_option("--data-dir", options_.data_dir,
                     "where this machine's operator token is (GRANARY_DATA_DIR)");
}

void Commands::add_to(CLI::App& program) {
  add_global_options(program);
  add_release_commands(program, *this);
  add_tenant_commands(program, *this);
  add_domain_commands(program, *this);
  add_plan_commands(program, *this);
  add_secret_commands(program, *this);
  add_archive_commands(program, *this);
  add_certificate_commands(program, *this);
  add_operation_commands(program, *this);
  add_status_command(program, *this);
  add_drift_command(program, *this);
  add_clock_commands(program, *this);
  add_audit_command(program, *this);
  add_token_commands(program, *this);
  add_verify_command(program, *this);
  add_unbuilt_commands(program, *this);
}

Result<void> Commands::run_action(const Action& action) {
  TRY_ASSIGN(Access access, find_access(options_, surroundings_));
  Session session(surroundings_, options_.format, std::move(access));
  return action(session);
}

std::optional<int> Commands::run(const CLI::App& program) {
  const auto found = actions_.find(chosen_in(program));
  if (found == actions_.end()) return std::nullopt;
  const Result<void> named = check_named(*found->first);
  const Result<void> outcome = named ? run_action(found->second) : named;
  if (outcome) return static_cast<int>(ExitCode::Done);
  tell_error(outcome.error());
  return static_cast<int>(exit_code(outcome.error().code));
}

void Commands::tell_error(const Error& error) const {
  if (options_.format == Format::Json) {
    surroundings_.err << base::json::print(base::json::from_error(error)) << '\n';
    return;
  }
  surroundings_.err << "granary: " << safe(error.message) << '\n';
  for (const std::string& frame : error.context)
    surroundings_.err << "  while:  " << safe(frame) << '\n';
  if (!error.advice.empty()) surroundings_.err << "  to do:  " << safe(error.advice) << '\n';
}

int Commands::report(const CLI::App& program, const CLI::ParseError& error) const {
  // What is asked for with --help comes as an error, too.
  if (error.get_exit_code() == 0) return program.exit(error, surroundings_.out, surroundings_.err);
  tell_error(explain(program, error));
  return static_cast<int>(ExitCode::WrongUsage);
}

}  // namespace granary::cli
