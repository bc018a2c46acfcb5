#include "cli/tenant_view.h"

#include "cli/text.h"

namespace granary::cli {
namespace {

std::string joined(const std::map<std::string, std::string>& pairs) {
  std::string text;
  for (const auto& [name, value] : pairs)
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, value);
  return text;
}

// What is deployed, and what is to be where that differs.
std::string release_of(const api_wire::TenantDocument& tenant) {
  std::string actual = tenant.release.value_or("");
  const std::string desired = tenant.desired_release.value_or("");
  if (actual == desired) return actual;
  return fmt::format("{} -> {}", actual.empty() ? "none" : actual, desired);
}

// Domains that it says are its own, and has not proved.
std::string claims_of(const api_wire::TenantDocument& tenant) {
  std::string text;
  for (const auto& claim : tenant.domain_claims)
    text += fmt::format("{}{} (TXT {} is to be {})", text.empty() ? "" : ", ", claim.domain,
                        claim.txt_name, claim.token);
  return text;
}

std::string disk_of(const api_wire::TenantDocument& tenant) {
  if (!tenant.disk_used_bytes) return "";
  return fmt::format("{} of {}", human_bytes(*tenant.disk_used_bytes),
                     human_bytes(tenant.disk_quota_bytes.value_or(0)));
}

// Which operation left it as it is, and why.
std::string failure_of(const api_wire::TenantDocument& tenant) {
  if (!tenant.last_failure) return "";
  const api_wire::FailureDocument& failure = *tenant.last_failure;
  return fmt::format("{} {} at {} ({}, operation {}): {}", failure.kind, failure.state,
                     failure.step, failure.when, failure.operation, failure.message);
}

}  // namespace

std::string table_of(const api_wire::TenantList& list, base::WallTime now) {
  Table table({"TENANT", "STATE", "HEALTH", "RELEASE", "PLAN", "ADDRESS", "AGE"});
  for (const auto& tenant : list.items)
    table.add({tenant.id, tenant.state, tenant.health, release_of(tenant), tenant.plan, tenant.url,
               age(tenant.created, now)});
  return table.text();
}

std::string facts_of(const api_wire::TenantDocument& tenant, base::WallTime now) {
  Facts facts;
  facts.add("tenant", tenant.id);
  facts.add("name", tenant.name == tenant.id ? "" : tenant.name);
  facts.add("address", tenant.url);
  facts.add("state", tenant.state);
  facts.add("health", tenant.health_detail.empty() ? tenant.health
                                                   : tenant.health + ": " + tenant.health_detail);
  facts.add("release", release_of(tenant));
  if (tenant.pinned)
    facts.add("pinned", tenant.pinned_until ? "until " + *tenant.pinned_until : "for good");
  facts.add("plan", tenant.plan);
  facts.add("cloud", tenant.cloud);
  facts.add("isolation", tenant.isolation);
  facts.add("disk", disk_of(tenant));
  facts.add("encryption", tenant.encryption.value_or(""));
  facts.add("cpu", tenant.yields_cpu.value_or(false) ? "uses much, so it yields to others" : "");
  facts.add("domains", fmt::format("{}", fmt::join(tenant.domains, ", ")));
  facts.add("claimed", claims_of(tenant));
  facts.add("found by", fmt::format("{}", fmt::join(tenant.discovery, ", ")));
  facts.add("labels", joined(tenant.labels));
  facts.add("settings", joined(tenant.settings));
  facts.add("created", fmt::format("{} ({} ago)", tenant.created, age(tenant.created, now)));
  facts.add("operation", tenant.operation.value_or(""));
  facts.add("last failure", failure_of(tenant));
  facts.add("to do", tenant.last_failure ? tenant.last_failure->advice : "");
  facts.add("not set", fmt::format("{}", fmt::join(tenant.secrets_not_set, ", ")));
  facts.add("cloud says", tenant.cloud_problem.value_or(""));
  if (tenant.services.empty()) return facts.text();
  Table services({"SERVICE", "PHASE", "MEMORY", "WAKES", "LAST FAILURE"});
  for (const auto& service : tenant.services)
    services.add({service.name, service.phase,
                  service.memory_bytes == 0 ? "" : human_bytes(service.memory_bytes),
                  std::to_string(service.wakes), service.last_failure});
  return facts.text() + "\n" + services.text();
}

}  // namespace granary::cli
