#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>

#include "app/config_file.h"
#include "app/layout.h"
#include "app/role.h"
#include "base/os/child.h"
#include "base/os/system.h"
#include "base/os/terminal.h"
#include "cli/choice.h"
#include "cli/commands.h"
#include "cli/quantity.h"
#include "egress/address.h"

// The command line's root: the platform's own commands. Each role is a process of this program.
namespace granary::app {
namespace {

using Main = int (*)(const Config&);

// Endpoints come as text and are checked when all options are known.
struct Options {
  Config config;
  std::string gateway = "127.0.0.1:8080";
  std::string api = "127.0.0.1:8081";
  std::string gateway_admin = "127.0.0.1:8082";
  std::string egress_admin = "127.0.0.1:8083";
  std::string gateway_tls;
  std::string config_file;
  std::string memory_budget = "0";
};

void add_tls_options(CLI::App& command, Options& options) {
  const std::map<std::string, Redirect> redirects = {{"on", Redirect::On}, {"off", Redirect::Off}};
  command.add_option("--gateway-tls", options.gateway_tls,
                     "where tenants are served by https; needs --certificates");
  command.add_option("--certificates", options.config.certificates,
                     "a folder with NAME.crt and NAME.key for each certificate");
  command
      .add_option("--redirect-to-https", options.config.redirect_to_https,
                  "on, or off: with --gateway-tls, plain requests are served as well")
      ->transform(cli::choice(redirects))
      ->type_name("TEXT");
}

int prepare_main(const Config& config) {
  auto prepared = check_uid_base(config);
  if (prepared) prepared = prepare_layout(config);
  if (prepared) return kExitOk;
  std::cerr << "granary: " << base::describe(prepared.error()) << "\n";
  return exit_code_of(prepared.error());
}

void add_options(CLI::App& command, Options& options) {
  const std::map<std::string, Isolation> isolations = {{"full", Isolation::Full},
                                                       {"none", Isolation::None}};
  command
      .add_option("--data-dir", options.config.data_dir,
                  "where everything is kept (GRANARY_DATA_DIR)")
      ->capture_default_str();
  command.add_option("--config", options.config_file,
                     "a file with lines such as domain = \"example.com\"");
  command.add_option("--gateway", options.gateway, "where tenants are served")
      ->capture_default_str();
  command.add_option("--api", options.api, "where the API is served")->capture_default_str();
  command
      .add_option("--gateway-admin", options.gateway_admin,
                  "where the gateway's /healthz, /readyz and /metrics are; off: nowhere")
      ->capture_default_str();
  add_tls_options(command, options);
  command
      .add_option("--egress-admin", options.egress_admin,
                  "where the egress role's /healthz, /readyz and /metrics are; off: nowhere")
      ->capture_default_str();
  command.add_option("--domain", options.config.domain, "tenant T is at T.DOMAIN")
      ->capture_default_str();
  command
      .add_option("--isolation", options.config.isolation,
                  "full, or none: tenants are not isolated, for trying out alone")
      ->transform(cli::choice(isolations))
      ->type_name("TEXT");
  command
      .add_option("--uid-base", options.config.uid_base, "first user number for roles, accounts")
      ->capture_default_str();
  command.add_option("--memory-budget", options.memory_budget,
                     "what running silos may use together, such as 6Gi; 0: half of the machine's");
  command
      .add_option("--keep-releases", options.config.keep_releases,
                  "unused releases of each app that are kept beyond 30 days")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command
      .add_option("--egress-allow", options.config.egress_allow,
                  "a private network, such as 10.1.0.0/16, that apps may reach by name; repeatable")
      ->take_all()
      ->allow_extra_args(false);
  command.add_option("--log-level", options.config.log_level, "debug, info, warn or error")
      ->check(cli::choice({"debug", "info", "warn", "error"}));
  const std::map<std::string, StartedBy> starters = {{"up", StartedBy::Up}};
  command.add_option("--started-by", options.config.started_by, "for granary up alone")
      ->transform(cli::choice(starters))
      ->group("");  // not shown
}

void add_output_option(CLI::App& command, Options& options) {
  const std::map<std::string, Output> outputs = {{"table", Output::Table}, {"json", Output::Json}};
  command.add_option("-o,--output", options.config.output, "table or json")
      ->transform(cli::choice(outputs))
      ->type_name("TEXT");
}

void set(CLI::Option& option, const std::vector<std::string>& values) {
  for (const std::string& value : values) option.add_result(value);
  option.run_callback();
}

// An option beats the environment, and that the file: also one that stands before the command.
void apply_surroundings(const CLI::App& program, CLI::App& command, Options& options) {
  for (const char* name : {"--data-dir", "--api"}) {
    const CLI::Option* before = program.get_option(name);
    CLI::Option* own = command.get_option_no_throw(name);
    if (own != nullptr && own->count() == 0 && before->count() > 0) set(*own, before->results());
  }
  const std::string data_dir = base::os::environment("GRANARY_DATA_DIR").value_or("");
  CLI::Option* own = command.get_option("--data-dir");
  if (own->count() == 0 && !data_dir.empty()) set(*own, {data_dir});
  // The roles listen at --api; doctor asks there, as the client does.
  if (command.get_option("--api")->count() == 0)
    options.config.asked_api = base::os::environment("GRANARY_API").value_or("");
}

base::Result<Config> complete(const CLI::App& program, CLI::App& command, Options& options) {
  apply_surroundings(program, command, options);
  if (!options.config_file.empty()) TRY(apply_config_file(command, options.config_file));
  TRY_ASSIGN(options.config.gateway, parse_endpoint(options.gateway));
  TRY_ASSIGN(options.config.api, parse_endpoint(options.api));
  if (!options.gateway_tls.empty()) {
    TRY_ASSIGN(options.config.gateway_tls, parse_endpoint(options.gateway_tls));
  }
  const auto budget = cli::parse_size(options.memory_budget);
  if (!budget)
    return base::fail_with_advice(base::Code::InvalidArgument,
                                  "--memory-budget: " + budget.error().message,
                                  budget.error().advice);
  options.config.memory_budget_bytes = *budget;
  TRY(check_tls(options.config));
  TRY(check_domain(options.config));
  TRY_ASSIGN(options.config.gateway_admin, parse_endpoint_or_off(options.gateway_admin));
  TRY_ASSIGN(options.config.egress_admin, parse_endpoint_or_off(options.egress_admin));
  TRY(check_addresses(options.config));
  for (const std::string& network : options.config.egress_allow)
    TRY(egress::Network::parse(network));
  return options.config;
}

struct Command {
  const char* name;
  const char* help;
  Main run;
};

constexpr Command kCommands[] = {
    {"up", "run the platform: agent, control, egress and gateway, kept running", up_main},
    {"doctor", "what this machine can isolate, what is missing, how to repair it", doctor_main},
    {"control", "one role alone: the API, the operations, the registry", control_main},
    {"gateway", "one role alone: all tenant traffic", gateway_main},
    {"egress", "one role alone: the way out of silos", egress_main},
    {"agent", "one role alone: silos on this machine; root", agent_main},
    {"prepare", "make the data directory and its owners; before a role is run alone", prepare_main},
};

// The platform's own commands; the client's come from cli.
void add_platform_commands(CLI::App& program, Options& options,
                           std::map<const CLI::App*, Main>& mains) {
  for (const Command& command : kCommands) {
    CLI::App* added = program.add_subcommand(command.name, command.help);
    add_options(*added, options);
    if (command.run == doctor_main) add_output_option(*added, options);
    mains[added] = command.run;
  }
}

std::string program_folder() {
  const std::string own = base::os::own_program().value_or("");
  return own.substr(0, own.rfind('/'));
}

// `granary help NOUN VERB` is granary NOUN VERB --help. In the order that CLI11 takes: reversed.
std::vector<std::string> words_of(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  std::ranges::reverse(words);
  return words;
}

int run(int argc, char** argv) {
  CLI::App program(
      "Granary: a SaaS product as a full silo, an account of its own for every tenant");
  program.name("granary");
  program.require_subcommand(1);
  program.set_version_flag("--version", "granary " GRANARY_VERSION);
  Options options;
  std::map<const CLI::App*, Main> mains;
  add_platform_commands(program, options, mains);
  const base::os::SystemClock clock;
  base::os::SystemRng rng;
  const cli::Surroundings surroundings{
      .out = std::cout,
      .err = std::cerr,
      .in = std::cin,
      .terminal = base::os::is_terminal() ? cli::Terminal::Yes : cli::Terminal::No,
      .environment = base::os::environment,
      .clock = clock,
      .rng = rng,
      .program_folder = program_folder(),
      .read_hidden_line = [] { return base::os::read_hidden_line(STDIN_FILENO); }};
  cli::Commands client(surroundings);
  client.add_to(program);
  try {
    program.parse(words_of(argc, argv));
  } catch (const CLI::ParseError& error) {
    return client.report(program, error);
  }
  if (const std::optional<int> code = client.run(program)) return *code;
  CLI::App* chosen = program.get_subcommands().front();
  const auto config = complete(program, *chosen, options);
  if (!config) {
    std::cerr << "granary: " << base::describe(config.error()) << "\n";
    return kExitWrongUsage;
  }
  return mains.at(chosen)(*config);
}

}  // namespace
}  // namespace granary::app

int main(int argc, char** argv) { return granary::app::run(argc, argv); }
