#include "api/handlers.h"
#include "api/wire/platform_documents.h"

// Plans: what accounts get by default, and what they never get more of.
namespace granary::api {

using base::Result;
using registry::Plan;
using registry::PlanLimits;
using store::Transaction;

namespace {

using Counts = std::map<std::string, std::int64_t>;

api_wire::PlanLimitsDocument limits_document(const PlanLimits& limits) {
  return {limits.memory_bytes, limits.cpu_millis, limits.processes, limits.in_flight,
          limits.disk_bytes};
}

api_wire::PlanDocument plan_document(const Plan& plan, const Counts& counts) {
  api_wire::PlanDocument document;
  document.name = plan.name;
  document.defaults = limits_document(plan.defaults);
  document.ceilings = limits_document(plan.ceilings);
  if (plan.idle) document.idle_ms = static_cast<std::uint64_t>(plan.idle->count());
  document.egress = plan.egress;
  document.price = plan.price;
  document.version = plan.version;
  document.updated = base::to_rfc3339(plan.updated);
  const auto found = counts.find(plan.name);
  if (found != counts.end()) document.accounts = static_cast<std::uint64_t>(found->second);
  return document;
}

}  // namespace

Answer list_plans(Context& context, Request) {
  std::vector<Plan> plans;
  Counts counts;
  CO_TRY(co_await context.parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(plans, registry::list_plans(tx));
    TRY_ASSIGN(counts, registry::count_by_plan(tx));
    return {};
  }));
  api_wire::PlanList page;
  for (const Plan& plan : plans) page.items.push_back(plan_document(plan, counts));
  co_return answer(page);
}

Answer show_plan(Context& context, Request request) {
  Plan plan;
  Counts counts;
  CO_TRY(co_await context.parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(plan, registry::get_plan(tx, request.place("plan")));
    TRY_ASSIGN(counts, registry::count_by_plan(tx));
    return {};
  }));
  co_return answer(plan_document(plan, counts));
}

Answer put_plan(Context& context, Request request) {
  // Twice: the document for its form, the registry for what the numbers may be.
  CO_TRY(body_of<api_wire::PutPlanDocument>(request));
  CO_TRY_ASSIGN(Plan plan, registry::plan_from(request.body));
  CO_TRY_ASSIGN(plan.name, base::parse_slug(request.place("plan"), "plan's name"));
  CO_TRY_ASSIGN(const auto operation,
                co_await context.parts.lifecycle.put_plan(std::move(plan), caller_of(request)));
  co_return accepted(operation);
}

Answer remove_plan(Context& context, Request request) {
  CO_TRY(co_await context.parts.lifecycle.remove_plan(request.place("plan"), caller_of(request)));
  co_return no_content();
}

}  // namespace granary::api
