// Plans: named sets of defaults and ceilings for accounts. Rows and the functions that change them,
// each inside a transaction of the caller's.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "store/store.h"

namespace granary::registry {

// What one service, or the disk of an account, may take. Missing: the plan does not say.
struct PlanLimits {
  std::optional<std::uint64_t> memory_bytes;
  std::optional<std::uint32_t> cpu_millis;  // thousandths of one core
  std::optional<std::uint32_t> processes;
  std::optional<std::uint32_t> in_flight;  // requests at once
  std::optional<std::uint64_t> disk_bytes;
  bool operator==(const PlanLimits&) const = default;
};

struct Plan {
  std::string name;     // slug
  PlanLimits defaults;  // where the manifest leaves a limit as the product has it
  PlanLimits ceilings;  // whatever the manifest asks for
  // Longest time that a service may stay awake without a request; a service that asks for longer,
  // or for `never`, sleeps after this.
  std::optional<std::chrono::milliseconds> idle;
  bool egress = true;         // false: no way out, whatever the manifest asks for
  std::string price;          // of one account and month, "49.00 EUR"; empty: none
  std::uint64_t version = 0;  // grows with every change
  base::WallTime updated;
  bool operator==(const Plan&) const = default;
};

inline constexpr const char* kStandardPlan = "standard";

base::json::object to_json(const Plan& plan);
// Without name, version and updated. Errors: InvalidArgument naming the member: unknown ones,
// wrong types, values out of their range, a default above its ceiling.
base::Result<Plan> plan_from(const base::json::object& document);

// Makes it or changes it whole; the version grows, unless nothing changed.
base::Result<Plan> put_plan(store::Transaction& tx, Plan plan, base::WallTime now);
// Errors: NotFound, with the names that there are.
base::Result<Plan> get_plan(store::Transaction& tx, const std::string& name);
base::Result<std::vector<Plan>> list_plans(store::Transaction& tx);  // by name
// How many accounts have each, where any has it.
base::Result<std::map<std::string, std::int64_t>> count_by_plan(store::Transaction& tx);
// Errors: NotFound; Conflict while accounts have it, or when it is the standard plan.
base::Result<void> remove_plan(store::Transaction& tx, const std::string& name);

// One limit under a plan: `asked` is what the manifest says, `standard` what the product has where
// a manifest says nothing.
template <class Number>
Number under_plan(Number asked, Number standard, const std::optional<Number>& fallback,
                  const std::optional<Number>& ceiling) {
  const Number wanted = fallback && asked == standard ? *fallback : asked;
  return ceiling && wanted > *ceiling ? *ceiling : wanted;
}

}  // namespace granary::registry
