#include "agent/doctor.h"

#include <iostream>

#include "app/role.h"
#include "base/json.h"

// `granary doctor`: what this machine can isolate, what is missing, how to mend it.
namespace granary::app {
namespace {

constexpr const char* word(const agent::Finding& finding) {
  if (finding.health == agent::Health::Well) return "ok";
  return finding.need == agent::Need::Required ? "MISSING" : "without";
}

base::json::object to_json(const agent::Finding& finding) {
  base::json::object document;
  document["name"] = finding.name;
  document["required"] = finding.need == agent::Need::Required;
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
                    : "This machine cannot isolate tenants yet: mend what is MISSING.\n");
}

}  // namespace

int doctor_main(const Config& config) {
  agent::DoctorOptions options{.paths = wire::Paths(config.data_dir),
                               .init_program = init_program().value_or("granary-init")};
  const std::vector<agent::Finding> findings = agent::examine(options);
  config.output == Output::Json ? print_json(findings) : print_table(findings);
  return agent::can_isolate(findings) ? kExitOk : kExitFailed;
}

}  // namespace granary::app
