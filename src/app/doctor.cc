#include "agent/doctor.h"

#include <iostream>

#include "api/wire/platform_documents.h"
#include "app/role.h"
#include "base/json.h"
#include "base/os/system.h"
#include "cli/session.h"

// `granary doctor`: what this machine can isolate, what is missing, how to mend it.
namespace granary::app {
namespace {

constexpr const char* word(const agent::Finding& finding) {
  if (finding.health == agent::Health::Well) return "ok";
  if (finding.health == agent::Health::Unknown) return "skipped";
  return finding.need == agent::Need::Required ? "MISSING" : "warning";
}

base::json::object to_json(const agent::Finding& finding) {
  base::json::object document;
  document["name"] = finding.name;
  document["required"] = finding.need == agent::Need::Required;
  if (finding.health == agent::Health::Unknown)
    document["ok"] = nullptr;  // not checked
  else
    document["ok"] = finding.health == agent::Health::Well;
  document["detail"] = finding.detail;
  document["advice"] = finding.advice;
  return document;
}

void print_json(const std::vector<agent::Finding>& findings) {
  base::json::object document;
  base::json::array items;
  for (const agent::Finding& finding : findings) items.emplace_back(to_json(finding));
  document["can_isolate"] = agent::can_isolate(findings);
  document["items"] = std::move(items);
  std::cout << base::json::print(document) << "\n";
}

void print_table(const std::vector<agent::Finding>& findings) {
  for (const agent::Finding& finding : findings) {
    std::cout << fmt::format("{:8} {:16} {}\n", word(finding), finding.name, finding.detail);
    if (!finding.advice.empty()) std::cout << fmt::format("{:26}to do: {}\n", "", finding.advice);
  }
  std::cout << (agent::can_isolate(findings)
                    ? "This machine can isolate tenants.\n"
                    : "This machine cannot isolate tenants yet: add what is MISSING.\n");
}

// Control's view of the machine's clock. Errors: nobody to ask, or not for this user.
base::Result<api_wire::ClockDocument> ask_for_clock(const Config& config) {
  const base::os::SystemClock clock;
  base::os::SystemRng rng;
  const cli::Surroundings surroundings{.out = std::cout,
                                       .err = std::cerr,
                                       .in = std::cin,
                                       .environment = base::os::environment,
                                       .clock = clock,
                                       .rng = rng,
                                       .program_folder = ""};
  Endpoint api = config.api;
  if (api.address == "0.0.0.0") api.address = "127.0.0.1";
  if (api.address == "::") api.address = "::1";
  cli::GlobalOptions options;
  options.api = config.asked_api.empty() ? to_string(api) : config.asked_api;
  options.data_dir = config.data_dir;
  TRY_ASSIGN(cli::Access access, cli::find_access(options, surroundings));
  cli::ApiClient client(std::move(access));
  TRY(client.check_answers());
  return client.get<api_wire::ClockDocument>("/v1/clock");
}

agent::Finding examine_clock(const Config& config) {
  agent::Finding finding{.name = "clock", .need = agent::Need::Useful, .detail = "", .advice = ""};
  const auto clock = ask_for_clock(config);
  if (!clock) {
    finding.health = agent::Health::Unknown;
    finding.detail = "not compared with the time that has passed: " + clock.error().message;
    return finding;
  }
  finding.detail = clock->problem.value_or("agrees with the time that has passed");
  if (!clock->problem) return finding;
  finding.health = agent::Health::Missing;
  finding.advice = clock->advice.value_or("See granary clock show");
  return finding;
}

}  // namespace

int doctor_main(const Config& config) {
  agent::DoctorOptions options{.paths = wire::Paths(config.data_dir),
                               .init_program = init_program().value_or("granary-init")};
  std::vector<agent::Finding> findings = agent::examine(options);
  findings.push_back(examine_clock(config));
  config.output == Output::Json ? print_json(findings) : print_table(findings);
  return agent::can_isolate(findings) ? kExitOk : kExitFailed;
}

}  // namespace granary::app
