#include "api/handlers.h"
#include "api/route_tables.h"

// Routes of what spans tenants: plans, secrets, drift, the audit log.
namespace granary::api {

using http::verb;

std::vector<Route> plan_routes() {
  return {
      {verb::get,
       "/v1/plans",
       Access::Viewer,
       Body::None,
       list_plans,
       "listPlans",
       "Plans by name",
       {},
       "",
       "PlanList"},
      {verb::get,
       "/v1/plans/{plan}",
       Access::Viewer,
       Body::None,
       show_plan,
       "showPlan",
       "One plan",
       {},
       "",
       "Plan"},
      {verb::put,
       "/v1/plans/{plan}",
       Access::Operator,
       Body::Json,
       put_plan,
       "putPlan",
       "Make a plan, or change it whole; the operation brings its accounts to it",
       {},
       "PutPlan",
       "Operation",
       http::status::accepted},
      {verb::delete_,
       "/v1/plans/{plan}",
       Access::Operator,
       Body::None,
       remove_plan,
       "removePlan",
       "Remove a plan that no account has",
       {},
       "",
       "",
       http::status::no_content},
  };
}

std::vector<Route> secret_routes() {
  return {
      {verb::get,
       "/v1/secrets",
       Access::Viewer,
       Body::None,
       list_secrets,
       "listSecrets",
       "Names of secrets; no value is ever given out",
       {{"tenant", "Those that it gets: its own, and every tenant's."}, kAfter, kLimit},
       "",
       "SecretList"},
      {verb::put,
       "/v1/secrets/{secret}",
       Access::Operator,
       Body::Json,
       set_secret,
       "setSecret",
       "Set a secret, of one tenant or of all; the operation brings it to them",
       {},
       "SetSecret",
       "Operation",
       http::status::accepted},
      {verb::delete_,
       "/v1/secrets/{secret}",
       Access::Operator,
       Body::None,
       unset_secret,
       "unsetSecret",
       "Remove a secret; the operation takes it from its tenants",
       {{"tenant", "This one's own; where missing, every tenant's."}},
       "",
       "Operation",
       http::status::accepted},
  };
}

std::vector<Route> audit_routes() {
  return {
      {verb::get,
       "/v1/audit",
       Access::Viewer,
       Body::None,
       list_audit,
       "listAudit",
       "Who changed what, oldest first",
       {{"subject", "Only of this: tenant/acme."},
        {"since", "Only from then on: a time, or how long ago, such as 24h."},
        kAfter,
        kLimit},
       "",
       "AuditList"},
      {verb::get,
       "/v1/audit/check",
       Access::Viewer,
       Body::None,
       check_audit,
       "checkAudit",
       "Read the whole log and say whether it is as it was written",
       {{"number", "Of an entry that it must still hold; with hash."}, {"hash", "Of that entry."}},
       "",
       "AuditCheck"},
  };
}

std::vector<Route> drift_routes() {
  return {
      {verb::get,
       "/v1/drift",
       Access::Viewer,
       Body::None,
       show_drift,
       "showDrift",
       "Where accounts differ from what they are to be; changes nothing",
       {},
       "",
       "Drift"},
      {verb::post,
       "/v1/drift/repairs",
       Access::Operator,
       Body::Json,
       repair_drift,
       "repairDrift",
       "Mend what loses nothing, and the accounts that are named",
       {},
       "Repair",
       "Operation",
       http::status::accepted},
  };
}

std::vector<Route> clock_routes() {
  return {
      {verb::get,
       "/v1/clock",
       Access::Viewer,
       Body::None,
       show_clock,
       "showClock",
       "The time that retentions, archives, tokens and pins go by, beside the machine's clock",
       {},
       "",
       "Clock"},
      {verb::post,
       "/v1/clock/accept",
       Access::Operator,
       Body::Json,
       accept_clock,
       "acceptClock",
       "Go by the machine's clock again, which disagrees with the time that has passed",
       {},
       "AcceptClock",
       "Clock"},
  };
}

}  // namespace granary::api
